"""Landed files in any format, and values taken without loss or named."""

from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.logs.cleaning.clean import TYPES
from causalrec.logs.describe.observed import observe
from causalrec.logs.reading.casting import lacks_columns, take_all, take_columns
from causalrec.logs.reading.files import read_landed
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import FIRST, at, event, frame, land

TIME = pl.Datetime("us", "UTC")
NAN, INF = float("nan"), float("inf")


def feed(**columns):
    return Feed("events", columns)


def taken(values, dtype, time_zone="UTC", given=None):
    """The values of a landed column `theirs` as a column of ours."""
    raw = pl.DataFrame({"theirs": pl.Series(values, dtype=given)})
    return take_all(raw, feed(ours="theirs"), {"ours": dtype}, time_zone, Path("a.csv"))["ours"].to_list()


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl"])
def test_every_format_gives_the_same_rows(tmp_path, name):
    rows = frame(event("1", at(FIRST, 9), "hat", click=1), event("2", at(FIRST, 10), "shoe", action_propensity=0.25))
    columns = {
        "time": "timestamp",
        "item_id": "item_id",
        "click": "click",
        "action_propensity": "action_propensity",
    }
    types = {"time": TIME, "item_id": pl.String(), "click": pl.Int8(), "action_propensity": pl.Float64()}
    mapped = take_all(read_landed(land(tmp_path, name, rows)), Feed("events", columns), types, "UTC", Path(name))
    assert mapped.rows() == [(at(FIRST, 9), "hat", 1, None), (at(FIRST, 10), "shoe", 0, 0.25)]


def test_a_csv_cell_may_hold_a_line_break_and_a_comma(tmp_path):
    (tmp_path / "a.csv").write_text('item_id,title\nhat,"a hat,\nred"\n')
    assert read_landed(tmp_path / "a.csv").rows() == [("hat", "a hat,\nred")]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    (tmp_path / "a.csv").write_text("item_id,click\nhat,1\n", encoding="utf-8-sig")
    assert read_landed(tmp_path / "a.csv").columns == ["item_id", "click"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_file_of_no_bytes_has_no_rows(tmp_path, name):
    (tmp_path / name).touch()
    assert read_landed(tmp_path / name).is_empty()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"item_id,click,device\nhat,1,phone\nshoe,0\n"),
        ("a.csv", b'item_id,click\nhat,"1\n'),
        ("a.csv", b"item_id,click\nh\xffat,1\n"),
        ("a.jsonl", b'{"item_id": "hat"}\n{"item_id": '),
        ("a.parquet", b"PAR1 and then nothing"),
        ("a.parquet", b""),
    ],
    ids=["row_cut_off", "quote_left_open", "not_utf8", "line_cut_off", "truncated", "no_bytes"],
)
def test_a_broken_file_is_named_with_what_to_do(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} cannot be read as .*Land the whole file again, or remove it"):
        read_landed(tmp_path / name)


def test_a_csv_row_that_was_cut_off_is_named_by_its_line(tmp_path):
    (tmp_path / "a.csv").write_text("item_id,click,device\nhat,1,phone\nshoe,0\n")
    with pytest.raises(InputError, match=r"line 3 has 2 cell\(s\) and the header has 3"):
        read_landed(tmp_path / "a.csv")


def test_another_ending_is_refused_and_not_passed_over(tmp_path):
    (tmp_path / "a.csv.bz2").write_bytes(b"x")
    with pytest.raises(InputError, match=r"has the ending '.bz2'; landed files end in one of"):
        read_landed(tmp_path / "a.csv.bz2")


def test_a_missing_column_is_named_with_ours_theirs_and_what_the_file_has():
    with pytest.raises(InputError, match=r"f.csv: the column\(s\) \['ts'\] are missing .*\['time'\].* has \['when'\]"):
        take_all(pl.DataFrame({"when": [1]}), feed(time="ts"), {"time": TIME}, "UTC", Path("f.csv"))


def test_a_column_that_is_not_mapped_is_null_of_its_type():
    mapped = take_all(
        pl.DataFrame({"a": ["x", "y"]}), feed(b="a"), {"b": pl.String(), "c": pl.Int8()}, "UTC", Path("f")
    )
    assert mapped.schema == {"b": pl.String, "c": pl.Int8}
    assert mapped["c"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["1", "0", "true", "False", "1.0", ""], pl.Int8(), [1, 0, 1, 0, 1, None]),
        ([True, False, None], pl.Int8(), [1, 0, None]),
        ([1.0, NAN, 3.0], pl.Int64(), [1, None, 3]),
        ([9_007_199_254_740_993], pl.Int64(), [9_007_199_254_740_993]),
        (["9007199254740993"], pl.Int64(), [9_007_199_254_740_993]),
        (["0.5", " 1e-3 ", ""], pl.Float64(), [0.5, 0.001, None]),
        ([0.5, NAN], pl.Float64(), [0.5, None]),
        ([12, 13], pl.String(), ["12", "13"]),
        ([12.0, NAN, 1.5], pl.String(), ["12", None, "1.5"]),
        (["a", "", None], pl.String(), ["a", None, None]),
        (["2026-03-02", "2026-03-03 00:00:00"], pl.Date(), [date(2026, 3, 2), date(2026, 3, 3)]),
        ([datetime(2026, 3, 2, 23)], pl.Date(), [date(2026, 3, 2)]),
        ([None, None], pl.Int8(), [None, None]),
    ],
)
def test_a_value_is_taken_without_loss(values, dtype, expected):
    assert taken(values, dtype) == expected


@pytest.mark.parametrize(
    ("values", "dtype", "says"),
    [
        (["1", "maybe"], pl.Int8(), "row 2: `theirs` is 'maybe', which is not a whole number"),
        ([1.5], pl.Int64(), "is 1.5, which is not a whole number"),
        (["0.7"], pl.Int8(), "is '0.7', which is not a whole number"),
        ([300], pl.Int8(), "is 300, which is not a whole number from -128 to 127"),
        (["lots"], pl.Float64(), "is 'lots', which is not a finite number"),
        ([INF], pl.Float64(), "is inf, which is not a finite number"),
        (["inf"], pl.Float64(), "is 'inf', which is not a finite number"),
        ([20260302], pl.Date(), "is 20260302, which is not a date such as 2026-03-02"),
        (["02.03.2026"], pl.Date(), "which is not a date"),
        ([[1, 2]], pl.String(), r"is \[1, 2\], which is not a text"),
        ([1772445600], TIME, "is 1772445600, which is not a time such as 2026-03-02T10:15:00Z"),
        (["2026-03-02"], TIME, "is '2026-03-02', which is not a time"),
        ([date(2026, 3, 2)], TIME, "which is not a time"),
        (["", "x", "y"], TIME, r"row 2: `theirs` is 'x'.*\(2 such row\(s\)\)"),
    ],
)
def test_a_value_of_another_type_is_named_with_file_row_and_what_is_expected(values, dtype, says):
    with pytest.raises(InputError, match=rf"a\.csv, .*{says}"):
        taken(values, dtype)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02 10:00:00+01:00",
        "2026-03-02T10:00:00.000+0100",
        "2026-03-02 10:00:00",
    ],
)
def test_times_become_utc_and_one_without_a_zone_is_of_the_sources(text):
    assert taken([text], TIME, "Europe/Berlin") == [datetime(2026, 3, 2, 9, tzinfo=UTC)]


def test_spellings_of_time_may_differ_from_row_to_row():
    texts = ["2026-03-02 10:00:00", "2026-03-02T10:00:00.5Z", "2026-03-02T10:00:00+02:00", None]
    assert taken(texts, TIME) == [
        at(FIRST, 10),
        at(FIRST, 10).replace(microsecond=500_000),
        at(FIRST, 8),
        None,
    ]


def test_a_time_column_without_a_zone_is_of_the_sources():
    assert taken([datetime(2026, 7, 1, 12)], TIME, "Europe/Berlin") == [datetime(2026, 7, 1, 10, tzinfo=UTC)]


def test_the_hour_shown_twice_is_the_first_and_the_hour_skipped_is_an_error():
    assert taken(["2026-10-25 02:30:00"], TIME, "Europe/Berlin") == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    with pytest.raises(InputError, match="2026-03-29 02:30:00"):
        taken(["2026-03-29 02:30:00"], TIME, "Europe/Berlin")


def test_a_declared_constant_fills_its_column_and_keeps_its_type():
    of = Feed("events", {"item_id": "item"}, {"recommended": 1})
    types = {"item_id": pl.String(), "recommended": pl.Int8()}
    filled = take_all(pl.DataFrame({"item": ["hat", "shoe"]}), of, types, "UTC", Path("f"))
    assert filled["recommended"].to_list() == [1, 1]
    assert filled.schema["recommended"] == pl.Int8


def test_a_line_that_is_no_json_is_named_and_not_repeated(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"user": "bob"}\n{"user": "u17", "item": oops}\n')
    with pytest.raises(InputError, match=r"line 2 is no JSON \(Expecting value, character 25\)") as error:
        read_landed(path)
    assert "u17" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "listed"),
    [
        (["ann-0017", "2026-03-02T10:00:00Z", "i1", "1"], False),
        (["ann@example.org", "49301234567", "x"], False),
        (["visitor", "ts", "article", "feature_2024_1"], True),
        (["", "visitor", "ts", "article"], True),
    ],
)
def test_the_first_row_of_a_file_without_a_header_is_not_repeated(header, listed):
    feed = Feed("events", {"time": "timestamp", "item_id": "item", "user_id": "user"})
    with pytest.raises(InputError, match="are missing") as error:
        lacks_columns(header, feed, "a.csv")
    assert (header[1] in str(error.value)) == listed
    assert ("is its header line missing?" in str(error.value)) != listed


def odd_columns():
    """A value of every type that Parquet has."""
    moment = datetime(2026, 3, 2, 10)
    return {
        "moment": pl.Series([moment]),
        "day": pl.Series([date(2026, 3, 2)]),
        "clock": pl.Series([moment.time()]),
        "length": pl.Series([moment - datetime(2026, 3, 1)]),
        "record": pl.Series([{"a": 1}]),
        "list": pl.Series([[1]]),
        "array": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)),
        "bytes": pl.Series([b"\xff"]),
        "category": pl.Series(["x"], dtype=pl.Categorical),
        "nothing": pl.Series([None]),
        "truth": pl.Series([True]),
        "float": pl.Series([1e300]),
        "half": pl.Series([0.1], dtype=pl.Float32),
        "decimal": pl.Series(["1.50"]).cast(pl.Decimal(10, 2)),
        "whole": pl.Series([2**64 - 1], dtype=pl.UInt64),
    }


@pytest.mark.parametrize("kind", odd_columns())
def test_a_value_of_any_type_is_taken_or_named_under_every_name(kind):
    types = {**TYPES, "title": pl.String(), "published_at": pl.Date()}
    frame = pl.DataFrame({"theirs": odd_columns()[kind]})
    for ours, dtype in types.items():
        formats = ("iso", "epoch_seconds", "%d.%m.%Y %H:%M") if dtype.is_temporal() else ("iso",)
        for codes, time_format in product(({}, {ours: {"1": 1, "true": 1}}), formats):
            feed = Feed("events", {ours: "theirs"}, codes=codes, time_format=time_format)
            taken = take_columns(frame, feed, {ours: dtype}, "Europe/Berlin")
            assert taken.rows.schema == {ours: dtype}
            assert (taken.rows[ours][0] is None) == (taken.unreadable == 1 or kind == "nothing")
            assert take_columns(frame.clear(), feed, {ours: dtype}, "UTC").unreadable == 0
    assert observe(frame["theirs"]).words()
