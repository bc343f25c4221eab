"""The landing index: which days a file touches, and what is said of files that cannot be used."""

import errno
import os
import re
from datetime import date, timedelta

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.logs.landing import index as landing
from causalrec.logs.landing.day_assignment import Placing
from causalrec.logs.landing.files import fingerprint_of, snapshot_files
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, SECOND, at, event, frame, index, land, source

ONE = frame(event("1", at(FIRST, 9), "hat"))
TWO = frame(event("2", at(SECOND, 9), "hat"))
BOTH = frame(event("3", at(FIRST, 23), "hat"), event("4", at(SECOND, 1), "hat"), event("5", at(SECOND, 2), "hat"))


def names(files):
    return [file.path.name for file in files]


def test_a_file_touches_the_days_of_its_rows_wherever_it_lies(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, "b.csv", BOTH)
    land(tmp_path, "deeper/still/c.jsonl", TWO)
    indexed = index(tmp_path)
    assert indexed.days == [FIRST, SECOND]
    assert indexed.newest_day == SECOND
    assert names(indexed.files_of(FIRST)) == ["b.csv", "a.parquet"]
    assert names(indexed.files_of(SECOND)) == ["b.csv", "c.jsonl"]
    assert indexed.files_of(SECOND)[0].rows_of_day == {FIRST: 1, SECOND: 2}


def test_nothing_landed_is_no_day(tmp_path):
    (tmp_path / "landing").mkdir()
    indexed = index(tmp_path)
    assert indexed.days == []
    assert indexed.newest_day is None
    with pytest.raises(InputError, match=f"nothing has been landed for {FIRST}.*day={FIRST}/_EMPTY"):
        indexed.files_of(FIRST)


@pytest.mark.parametrize(
    "name", [".a.parquet", "a.parquet.part", "a.tmp", ".hidden/a.parquet", "_tmp/a.parquet", "_SUCCESS"]
)
def test_hidden_and_unfinished_files_are_passed_over(tmp_path, name):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    unfinished = tmp_path / "landing" / "events" / f"day={FIRST}" / name
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(b"half a file")
    assert names(index(tmp_path).files_of(FIRST)) == ["a.parquet"]


def test_a_file_is_scanned_once_and_found_again_under_its_content(tmp_path, monkeypatch):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    before = index(tmp_path)
    entries = {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()}

    def read_again(path, *others, **more):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(landing, "look_into", read_again)
    assert index(tmp_path) == before
    assert {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == entries


def test_another_mapping_scans_again(tmp_path):
    land(
        tmp_path,
        f"day={FIRST}/a.csv",
        frame(event("1", at(FIRST, 23, 30), "hat")).with_columns(pl.col("timestamp").dt.to_string("%Y-%m-%d %H:%M:%S")),
    )
    assert index(tmp_path).days == [FIRST]
    assert index(tmp_path, source(time_zone="America/New_York")).days == [SECOND]


def test_the_fingerprint_of_a_day_changes_with_its_own_files_only(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"day={SECOND}/a.parquet", TWO)
    before = index(tmp_path)
    land(tmp_path, f"day={SECOND}/late.parquet", frame(event("9", at(SECOND, 3), "sock")))
    after = index(tmp_path)
    assert after.fingerprint(FIRST) == before.fingerprint(FIRST)
    assert after.fingerprint(SECOND) != before.fingerprint(SECOND)


def test_a_late_row_in_another_days_folder_changes_its_own_days_fingerprint(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    before = index(tmp_path).fingerprint(FIRST)
    land(tmp_path, f"day={SECOND}/a.parquet", BOTH)
    assert index(tmp_path).fingerprint(FIRST) != before


def test_an_unreadable_file_blocks_the_day_of_its_folder_only(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    bad = land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    bad.write_bytes(bad.read_bytes()[:100])
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    with pytest.raises(
        InputError, match=r"b\.parquet cannot be read as parquet.*Land the whole file again, or remove it"
    ):
        indexed.files_of(SECOND)


def test_an_unreadable_file_outside_of_a_days_folder_blocks_every_day_until_it_is_removed(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    bad = tmp_path / "landing" / "events" / "b.parquet"
    bad.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"b\.parquet cannot be read"):
        index(tmp_path).files_of(FIRST)
    bad.unlink()
    assert names(index(tmp_path).files_of(FIRST)) == ["a.parquet"]


@pytest.mark.parametrize("gone", ["timestamp", "item_id", "click"])
def test_a_missing_column_blocks_the_day_and_is_named(tmp_path, gone):
    land(tmp_path, f"day={FIRST}/a.csv", ONE.drop(gone))
    with pytest.raises(InputError, match=rf"a\.csv: the column\(s\) \['{gone}'\] are missing"):
        index(tmp_path).files_of(FIRST)


def test_a_time_that_cannot_be_read_blocks_the_day_and_is_named_with_its_row(tmp_path):
    rows = ONE.with_columns(pl.lit("yesterday").alias("timestamp"))
    land(tmp_path, f"day={FIRST}/a.csv", rows)
    with pytest.raises(InputError, match=r"a\.csv, row 1: `timestamp` is 'yesterday', which is not a time"):
        index(tmp_path).files_of(FIRST)


def test_a_file_sent_again_under_another_name_counts_once_and_changes_nothing(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    before = index(tmp_path)
    again = land(tmp_path, "resent/b-again.parquet", TWO)
    indexed = index(tmp_path)
    assert names(indexed.files_of(SECOND)) == ["b.parquet"]
    assert indexed.sent_again == (again,)
    assert [indexed.fingerprint(day) for day in (FIRST, SECOND)] == [before.fingerprint(day) for day in (FIRST, SECOND)]
    (tmp_path / "landing" / "events" / f"day={SECOND}" / "b.parquet").unlink()
    assert names(index(tmp_path).files_of(SECOND)) == ["b-again.parquet"]


def test_of_a_file_that_also_lies_in_an_earlier_days_folder_the_one_in_its_own_is_read(tmp_path):
    land(tmp_path, f"day={FIRST}/again.parquet", TWO)
    land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    indexed = index(tmp_path)
    assert names(indexed.files_of(SECOND)) == ["b.parquet"]
    assert [path.name for path in indexed.sent_again] == ["again.parquet"]


def test_a_file_of_an_unknown_kind_blocks_and_is_not_passed_over(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    (tmp_path / "landing" / "events" / f"day={FIRST}" / "b.xlsx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"b\.xlsx has the ending '\.xlsx'"):
        index(tmp_path).files_of(FIRST)


@pytest.mark.parametrize("folder", ["day=monday", "day=2026-02-30", "day="])
def test_a_folder_whose_day_is_no_date_is_said_and_blocks_no_day(tmp_path, folder):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"{folder}/b.parquet", TWO)
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    assert indexed.days == [FIRST]
    (message,) = indexed.passed_over
    assert f"{folder} is passed over" in message
    assert "must be `day=YYYY-MM-DD`" in message


def odd_readme(path):
    path.write_text("who lands what")


def odd_link(path):
    path.symlink_to("/etc/hostname")


def odd_pipe(path):
    os.mkfifo(path)


def odd_name(path):
    path.with_name("h\udcfct.csv").write_text("event_id\n")


ODD = {odd_readme: "has the ending ''", odd_link: "is a link", odd_pipe: "is no file", odd_name: r"h\xfct.csv"}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_data_file_is_said_and_stops_the_day_of_its_folder_only(tmp_path, odd):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    other = land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    odd(other.with_name("ODD"))
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    with pytest.raises(InputError, match=re.escape(ODD[odd])):
        indexed.files_of(SECOND)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_data_file_and_stands_in_no_days_folder_is_said_and_stops_nothing(tmp_path, odd):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    odd(tmp_path / "landing" / "events" / "ODD")
    indexed = index(tmp_path)
    assert indexed.problems == ()
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    assert ODD[odd] in " ".join(indexed.passed_over)


def test_a_link_that_is_called_as_a_day_concerns_that_day(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    elsewhere = land(tmp_path / "elsewhere", f"day={SECOND}/b.parquet", TWO).parent
    (tmp_path / "landing" / "events" / f"day={SECOND}").symlink_to(elsewhere)
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    with pytest.raises(InputError, match=f"day={SECOND} is a link"):
        indexed.files_of(SECOND)


def cannot_be_listed(monkeypatch, name):
    scan = os.scandir

    def refuse(place):
        if str(place).endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)


def test_a_folder_below_a_day_that_cannot_be_listed_stops_that_day_and_is_named(tmp_path, monkeypatch):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    land(tmp_path, f"day={SECOND}/more/c.parquet", frame(event("7", at(SECOND, 8), "hat")))
    cannot_be_listed(monkeypatch, "more")
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    with pytest.raises(InputError, match=rf"day={SECOND}/more cannot be listed \(Permission denied\)"):
        indexed.files_of(SECOND)


@pytest.mark.parametrize("name", ["events", "more"])
def test_a_folder_of_no_day_that_cannot_be_listed_stops_every_day(tmp_path, monkeypatch, name):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, "more/b.parquet", TWO)
    cannot_be_listed(monkeypatch, name)
    with pytest.raises(InputError, match=rf"{name} cannot be listed \(Permission denied\)"):
        index(tmp_path).files_of(FIRST)


def test_a_landing_zone_that_is_not_there_is_no_empty_one(tmp_path):
    with pytest.raises(InputError, match=r"the landing zone .* is not there. Is its disk mounted"):
        index(tmp_path).files_of(FIRST)


def test_a_feeds_folder_that_leads_out_of_the_landing_zone_is_not_read(tmp_path):
    land(tmp_path / "elsewhere", f"day={FIRST}/a.parquet", ONE)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "events").symlink_to(tmp_path / "elsewhere" / "landing" / "events")
    with pytest.raises(InputError, match="leads out of the landing zone"):
        index(tmp_path).files_of(FIRST)


def mark(root, day, name, text=""):
    marker = root / "landing" / "events" / f"day={day}" / name
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(text)


def test_a_marker_declares_a_day_empty(tmp_path):
    mark(tmp_path, SECOND, "_EMPTY")
    indexed = index(tmp_path)
    assert indexed.days == [SECOND]
    assert indexed.files_of(SECOND) == []


def bytes_of_none(path):
    path.with_suffix(".csv").write_bytes(b"")


def header_only(path):
    ONE.clear().write_csv(path.with_suffix(".csv"))


def rowless_parquet(path):
    ONE.clear().write_parquet(path.with_suffix(".parquet"))


@pytest.mark.parametrize("write", [bytes_of_none, header_only, rowless_parquet])
def test_files_without_a_row_declare_nothing_unless_a_marker_stands_beside_them(tmp_path, write):
    for day in (FIRST, SECOND):
        mark(tmp_path, day, "_HELD")
        write(tmp_path / "landing" / "events" / f"day={day}" / "a.x")
    for day in (FIRST, SECOND):
        with pytest.raises(InputError, match=f"no file of {day} has a row. .*`_EMPTY` beside"):
            index(tmp_path).files_of(day)
    mark(tmp_path, SECOND, "_EMPTY")
    assert index(tmp_path).files_of(SECOND) == []


def test_a_file_without_a_row_beside_one_that_has_some_is_a_part_like_any_other(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"day={FIRST}/b.csv", ONE.clear())
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    assert (indexed.problems, indexed.passed_over) == ((), ())


def test_a_file_without_a_row_that_stands_in_no_days_folder_is_said(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, "none.csv", ONE.clear())
    indexed = index(tmp_path)
    assert indexed.problems == ()
    assert "none.csv has no row" in indexed.passed_over[0]


def test_an_empty_day_with_rows_beside_its_marker_has_its_rows_and_is_said(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    mark(tmp_path, FIRST, "_EMPTY")
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    assert f"says that {FIRST} is empty, and files beside it have rows" in indexed.passed_over[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("120", {"rows": 120}), (" 7\n", {"rows": 7}), ("rows: 5\nclick: 2\n", {"rows": 5, "click": 2})],
)
def test_what_is_right_although_it_is_fewer_is_read_from_a_marker_and_is_part_of_the_fingerprint(
    tmp_path, text, numbers
):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    before = index(tmp_path).fingerprint(FIRST)
    mark(tmp_path, FIRST, "_FEWER", text)
    indexed = index(tmp_path)
    assert indexed.fewer == {FIRST: numbers}
    assert indexed.fingerprint(FIRST) != before


@pytest.mark.parametrize("text", ["", "yes", "-3", "click", "rows: many", ": 4", "1.5"])
def test_a_marker_of_fewer_rows_without_a_number_is_refused(tmp_path, text):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    mark(tmp_path, FIRST, "_FEWER", text)
    with pytest.raises(InputError, match=r"_FEWER .*must hold the number of rows"):
        index(tmp_path).files_of(FIRST)


def test_a_marker_that_stands_in_no_days_folder_says_nothing_and_that_is_said(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    (tmp_path / "landing" / "events" / "_EMPTY").touch()
    indexed = index(tmp_path)
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]
    assert "says nothing of any day" in indexed.passed_over[0]


def test_a_file_without_any_time_outside_of_a_days_folder_cannot_be_placed(tmp_path):
    land(tmp_path, "a.parquet", ONE.with_columns(timestamp=pl.lit(None, pl.Datetime("us", "UTC"))))
    with pytest.raises(InputError, match=r"a\.parquet: no row has a time.*Land it in the folder of its day"):
        index(tmp_path).files_of(FIRST)


def test_a_row_of_no_day_of_the_source_belongs_to_its_files_day_and_makes_no_day_of_its_own(tmp_path):
    broken_clock = event("9", at(date(1970, 1, 1), 0), "hat")
    land(tmp_path, f"day={SECOND}/a.parquet", pl.concat([TWO, frame(broken_clock)]))
    indexed = index(tmp_path)
    assert indexed.days == [SECOND]
    assert indexed.files_of(SECOND)[0].rows_of_day == {SECOND: 2}


def test_a_file_from_before_the_sources_first_day_is_counted_and_read_by_no_day(tmp_path):
    land(tmp_path, "old.parquet", frame(event("0", at(FIRST - timedelta(days=9), 5), "hat")))
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    indexed = index(tmp_path)
    assert indexed.days == [FIRST]
    assert sum(file.outside for file in indexed.files) == 1
    assert names(indexed.files_of(FIRST)) == ["a.parquet"]


def test_every_row_belongs_to_one_day():
    times = pl.Series([at(SECOND, 1), None, at(date(1970, 1, 1), 0), at(FIRST, 1)], dtype=pl.Datetime("us", "UTC"))

    def days(rows, own_day, of):
        placing = Placing.of(of, CleaningRules(), today=SECOND)
        why = placing.reasons(rows, own_day)
        return placing.days(rows, why, placing.home(own_day, rows.dt.date().drop_nulls().to_list())).to_list()

    assert days(times, SECOND, source()) == [SECOND, SECOND, SECOND, FIRST]
    assert days(times, None, source()) == [SECOND, FIRST, FIRST, FIRST]
    assert days(times, None, source(last_day=FIRST)) == [FIRST] * 4
    assert days(times.slice(1, 2), None, source()) == [None, None]


def test_a_snapshot_as_of_a_day_reads_no_later_folder_and_dated_ones_after_undated(tmp_path):
    for name in (f"day={SECOND}/a.csv", f"day={FIRST}/b.csv", "c.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("item_id\nhat\n")
    assert [path.name for path in snapshot_files(tmp_path, FIRST)] == ["c.csv", "b.csv"]
    assert [path.name for path in snapshot_files(tmp_path, SECOND)] == ["c.csv", "b.csv", "a.csv"]


def test_the_fingerprint_of_files_is_of_their_content(tmp_path):
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text("item_id\nhat\n")
    other.write_text("item_id\nhat\n")
    assert fingerprint_of([one]) == fingerprint_of([other])
    other.write_text("item_id\nsock\n")
    assert fingerprint_of([one]) != fingerprint_of([other])
    with pytest.raises(InputError, match=r"gone\.csv cannot be opened"):
        fingerprint_of([tmp_path / "gone.csv"])
