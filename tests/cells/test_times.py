"""An offset in the text says what the time is; the source's zone is of times that carry none."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.cells.times import UTC_TIME, as_dates, as_times
from causalrec.logs.reading.casting import take_columns
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import SETTINGS, source

NEW_YORK = "America/New_York"


def times(texts, time_format="iso", zone=NEW_YORK):
    return as_times(pl.Series("t", texts), zone, time_format).to_list()


def at(hour, minute=0, second=0, day=2):
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    "offset",
    ["+02", "+0200", "+02:00", " +02", " +02:00", "+02:00[Europe/Kyiv]", "GMT+0200", " UTC+02:00", " +0200 UTC"],
)
@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%#z", "%Y-%m-%d %H:%M:%S%z"])
def test_an_offset_in_the_text_wins_however_it_is_written(offset, form):
    assert times([f"2026-03-02 10:15:00{offset}"], form) == [at(8, 15)]


@pytest.mark.parametrize("zulu", ["Z", "z", " Z", "UTC", " UTC", " GMT", "+00", "-00:00", "+0000", " utc"])
@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%:z", "%Y-%m-%d %H:%M:%SZ"])
def test_utc_has_many_names(zulu, form):
    assert times([f"2026-03-02 10:15:00{zulu}"], form) == [at(10, 15)]


def test_a_text_without_an_offset_is_of_the_sources_zone():
    assert times(["2026-03-02 10:15:00", "2026-03-02T10:15:00"]) == [at(15, 15)] * 2
    assert times(["10:15 02-03-2026"], "%H:%M %d-%m-%Y") == [at(15, 15)]
    # A format that promises an offset is not met by a text without one.
    assert times(["2026-03-02 10:15:00"], "%Y-%m-%d %H:%M:%S%z") == [None]


def test_iso_may_leave_out_seconds_or_write_their_parts_after_a_comma():
    texts = ["2026-03-02T10:15Z", "2026-03-02 10:15:00,250+00", "2026-03-02T10:15:00.123456789Z"]
    assert times(texts) == [
        at(10, 15),
        at(10, 15) + timedelta(milliseconds=250),
        at(10, 15) + timedelta(microseconds=123456),
    ]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%a %b %d %H:%M:%S %z %Y", "Mon Mar 02 10:15:00 +0200 2026", at(8, 15)),
        ("%a %b %d %H:%M:%S %Z %Y", "Mon Mar 02 10:15:00 UTC 2026", at(10, 15)),
        ("%a %b %d %H:%M:%S %Z %Y", "Mon Mar 02 10:15:00 EST 2026", at(15, 15)),
        ("%a %b %d %H:%M:%S UTC %Y", "Mon Mar 02 10:15:00 UTC 2026", at(10, 15)),
        ("%a %b %d %Y %H:%M:%S GMT%z", "Mon Mar 02 2026 10:15:00 GMT+0200", at(8, 15)),
        ("%Y-%m-%d %H:%M:%S+00:00", "2026-03-02 10:15:00+00:00", at(10, 15)),
        ("%d/%b/%Y:%H:%M:%S %z", "02/Mar/2026:10:15:00 +02", at(8, 15)),
        ("%+", "2026-03-02T10:15:00+02:00", at(8, 15)),
        ("%s", "1772446500", at(10, 15)),
    ],
)
def test_an_offset_wins_wherever_a_format_has_it(form, text, expected):
    assert times([text], form) == [expected]


def test_a_zones_name_is_its_time_of_the_year_and_another_zones_is_not_guessed():
    form = "%Y-%m-%d %H:%M:%S %Z"
    twice = times(["2026-11-01 01:30:00 EDT", "2026-11-01 01:30:00 EST"], form)
    assert [time.hour for time in twice] == [5, 6]
    assert times(["2026-07-02 10:15:00 EST", "2026-03-02 10:15:00 CET"], form) == [None, None]
    assert times(["2026-03-02 10:15:00 CET"]) == [None]


@pytest.mark.parametrize(
    "text", ["2026-03-02", "2026-03-02T10", "2026-03-02 10:15:00+99", "2026-03-02 +01", "+01", "Z"]
)
def test_what_is_no_time_stays_none(text):
    assert times([text]) == [None]
    assert times([text], "%Y-%m-%d %H:%M:%S") == [None]


MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0))
OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


@given(st.lists(st.tuples(MOMENTS, OFFSETS), min_size=1, max_size=6), st.sampled_from(["%z", "%:z", " %z"]))
def test_every_offset_is_read_as_python_reads_it(moments, written):
    zoned = [moment.replace(tzinfo=timezone(offset)) for moment, offset in moments]
    mark = [f"{t.strftime('%z')}" for t in zoned]
    mark = [m[:3] + ":" + m[3:] if written == "%:z" else m for m in mark]
    texts = [
        t.strftime("%Y-%m-%d %H:%M:%S") + (" " if written[0] == " " else "") + m
        for t, m in zip(zoned, mark, strict=True)
    ]
    for form in ("iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S" + written):
        assert times(texts, form) == [t.astimezone(UTC) for t in zoned]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%F", "%Y%m%d", "%d.%m.%Y 00:00"])
def test_a_format_without_an_hour_is_refused_for_events_and_taken_for_catalogues(form):
    with pytest.raises(InputError, match=r"events.time_format` must be a format with an hour \(a day alone is no time"):
        source(events=SETTINGS["events"] | {"time_format": form})
    assert source(items=SETTINGS["items"] | {"time_format": form}).items.time_format == form


def test_a_format_that_nothing_can_be_read_by_is_named():
    with pytest.raises(InputError, match=r"events.time_format` must be a format that can be read .*12-hour"):
        source(events=SETTINGS["events"] | {"time_format": "%d.%m.%Y %I:%M"})


@pytest.mark.parametrize("time_format", ["iso", "epoch_seconds", "%d.%m.%Y %H:%M"])
def test_a_column_of_days_is_no_time(time_format):
    feed = Feed("events", {"time": "t"}, time_format=time_format)
    taken = take_columns(pl.DataFrame({"t": [date(2026, 3, 2)]}), feed, {"time": UTC_TIME}, "UTC")
    assert taken.unreadable == 1


def test_dates_are_read_in_the_catalogues_own_format():
    assert as_dates(pl.Series(["02.03.2026", "2026-03-02"]), "%d.%m.%Y").to_list() == [date(2026, 3, 2)] * 2
    assert as_dates(pl.Series([1772445600]), "epoch_seconds").to_list() == [date(2026, 3, 2)]
    assert as_dates(pl.Series([1772445600]), "iso").to_list() == [None]
