"""An id has one form in every format, and what may be several ids is set aside."""

import json
import math
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.cells.ids import canonical_ids, id_of
from causalrec.cells.missing import SPELLINGS
from causalrec.logs.reading.casting import take_columns
from causalrec.logs.reading.files import read_landed
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import FIRST, SETTINGS, cleaned, source

NAN, INF = float("nan"), float("inf")


def ids(values, dtype=None, ours="user_id", **feed):
    """The ids of a landed column, and the reasons of rows that have none."""
    raw = pl.DataFrame({"theirs": pl.Series(values, dtype=dtype)})
    taken = take_columns(raw, Feed("events", {ours: "theirs"}, **feed), {ours: pl.String()}, "UTC")
    return taken.rows[ours].to_list(), taken.reason.to_list()


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([12, -1], pl.Int64, ["12", "-1"]),
        ([2**64 - 1], pl.UInt64, ["18446744073709551615"]),
        ([10**30], pl.Int128, ["1" + "0" * 30]),
        ([12.0, NAN, -0.0, 2.0**53 - 1], pl.Float64, ["12", None, "0", "9007199254740991"]),
        ([2.0**24 - 1], pl.Float32, ["16777215"]),
        ([Decimal("12.00"), Decimal(10)], pl.Decimal(10, 2), ["12", "10"]),
        (["12", "012", " 12", "1e3", "1e17", "1.5", "+12", "012.0", "12.5e"], pl.String, None),
        (["Ann", "ann", "a\u0301", "á", "a ", "NA", "none", "Null", "-", "0"], pl.String, None),
        (["hat", None, "nan"], pl.Categorical, ["hat", None, None]),
        (["hat"], pl.Enum(["hat"]), ["hat"]),
        ([b"0a1b", None], pl.Binary, ["0a1b", None]),
        ([None], pl.Null, [None]),
    ],
    ids=str,
)
def test_an_id_is_its_letters_or_its_digits_and_nothing_is_changed(values, dtype, expected):
    found, reasons = ids(values, dtype)
    assert found == (expected if expected is not None else values)
    assert reasons == [None] * len(values)


@pytest.mark.parametrize(
    ("values", "dtype", "says"),
    [
        ([2.0**53, 1e17], pl.Float64, "a float that stands for several whole numbers"),
        ([2.0**24], pl.Float32, "a float that stands for several whole numbers"),
        ([1.5, 0.1], pl.Float64, "a fraction, whose zeros at the end are lost"),
        ([INF], pl.Float64, "no id: write ids as text or whole numbers"),
        ([Decimal("12.50")], pl.Decimal(10, 2), "a fraction"),
        ([True, False], pl.Boolean, "no id: write ids as text or whole numbers"),
        ([b"\xff\x00", b"\x00\x00\x00\x0c"], pl.Binary, "bytes that are no text"),
        ([["a"]], pl.List(pl.String), "no id"),
        (["hat\ufffd"], pl.String, "a text that lost a letter"),
        (["1e+17", "1.23457E+11", "-1.5e300"], pl.String, "a number that was rounded"),
        (["12.0", "7.00", "-0.0"], pl.String, "say which in sources.yaml, `float_ids: whole` or `float_ids: text`"),
    ],
    ids=str,
)
def test_what_may_be_several_ids_is_none_and_says_why(values, dtype, says):
    found, reasons = ids(values, dtype)
    assert found == [None] * len(values)
    assert all(says in reason for reason in reasons)


def test_bytes_that_are_no_text_are_shown_as_hexadecimals():
    assert ids([b"\xfe\x01"])[1][0].startswith("`theirs` is 0xfe01, which is bytes")


def test_the_source_says_what_a_whole_number_with_a_point_is():
    written = ["12.0", "12", "9007199254740993.0", "1e+17"]
    assert ids(written, float_ids="whole")[0] == ["12", "12", None, None]
    assert ids(written, float_ids="text")[0] == written
    assert ids([12.0, 2.0**53], float_ids="text")[0] == ["12", None]


def test_a_truth_value_or_a_fraction_may_name_an_arm_and_no_person():
    assert ids([True, False], ours="variant")[0] == ["true", "false"]
    assert ids([0.5, 1.0], ours="policy")[0] == ["0.5", "1"]
    assert ids([True], ours="campaign_id")[0] == [None]


def test_codes_say_what_an_id_is_and_are_not_read_further():
    codes = {"user_id": {"true": "yes", "12.0": "12.0", "nan": "", "None": "guest"}}
    assert ids(["12.0", "nan", "None", "x"], codes=codes) == (["12.0", None, "guest", "x"], [None] * 4)
    assert ids([True], codes=codes) == (["yes"], [None])
    assert ids([1.0, 3.0, NAN], codes={"user_id": {"1": "one"}})[0] == ["one", "3", None]


@pytest.mark.parametrize("spelling", ["", " ", "\t", *SPELLINGS, " nan", "NULL   "])
def test_a_spelled_gap_is_no_person_no_number_and_no_time(spelling):
    assert ids([spelling, "u1"]) == ([None, "u1"], [None, None])
    raw = pl.DataFrame({"n": [spelling, "1"], "t": [spelling, "2026-03-02T10:00:00Z"]})
    types = {"position": pl.Int64(), "price": pl.Float64(), "time": pl.Datetime("us", "UTC"), "device": pl.String()}
    feed = Feed("events", {"position": "n", "price": "n", "time": "t", "device": "n"})
    taken = take_columns(raw, feed, types, "UTC")
    assert taken.unreadable == 0
    assert taken.rows.row(0) == (None, None, None, None)


def test_the_source_says_how_its_gaps_are_written():
    of = source(missing=["-", "NA", -1])
    assert of.events.missing == of.items.missing == ("-", "NA", "-1")
    assert ids(["-", "NA", "-1", "nan"], missing=of.events.missing)[0] == [None, None, None, "nan"]
    # A gap is one in every format.
    assert ids([-1, 7], missing=of.events.missing)[0] == ids([-1.0, 7.0], missing=of.events.missing)[0] == [None, "7"]
    assert source(missing=[]).events.missing == ()
    assert source(missing=[None]).events.missing == ("null", "NULL")
    for wrong in ("nan", [True], [["nan"]]):
        with pytest.raises(InputError, match=r"sources.yaml: `missing` must be a list of spellings"):
            source(missing=wrong)
    with pytest.raises(InputError, match=r"`float_ids` must be one of \['refuse', 'whole', 'text'\]"):
        source(float_ids="yes")


def test_six_thousand_rows_without_a_user_are_no_bot(tmp_path):
    path = tmp_path / "landing" / "events" / "a.csv"
    path.parent.mkdir(parents=True)
    rows = (
        f"2026-03-02T10:{k // 120:02}:{k % 120 // 2:02}Z,s{k % 50},{'nan' if k % 11 else f'u{k % 97}'},{k % 2}"
        for k in range(6600)
    )
    path.write_text("\n".join(["timestamp,item_id,user_id,click", *rows]))
    columns = {name: SETTINGS["events"]["columns"][name] for name in ("time", "item_id", "user_id", "click")}
    of = source(
        events={"columns": columns},
        context=None,
        items=None,
        organic_rows="none",
        purchase_needs_click=False,
        outcomes={"click": {}},
    )
    day = cleaned(tmp_path, FIRST, of)
    assert day.events["user_id"].null_count() == 6000
    assert "bot" not in day.aside
    assert day.rows + sum(day.aside.values()) == 6600


@pytest.mark.parametrize(("typed", "expected"), [("u1", "u1"), ("9007199254740993", "9007199254740993"), (" 1", " 1")])
def test_an_id_that_a_person_types_has_the_form_that_files_give_it(typed, expected):
    assert id_of(typed) == expected


def test_what_a_person_types_that_is_no_id_is_refused_with_why():
    with pytest.raises(InputError, match=r"'12.0' is no id: .*float_ids"):
        id_of("12.0")
    assert id_of("12.0", "whole") == "12"
    with pytest.raises(InputError, match="'nan' is how the source writes that there is no id"):
        id_of("nan")


# -- the same table in every format ----------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\n"), max_size=6
) | st.sampled_from(
    [
        "12",
        "12.0",
        "012",
        " 12",
        "1e3",
        "1e+3",
        "true",
        "True",
        "nan",
        "NULL",
        "",
        "a",
        "A",
        "\ufffd",
        "2",
        "2.00",
        "0x1f",
    ]
)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(2**53 - 3, 2**53 + 3) | st.integers(-3, 3)
FLOATS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(2**53 - 3, 2**53 + 3).map(float)
    | st.integers(-3, 13).map(float)
)
COLUMNS = st.one_of(
    st.lists(TEXTS | st.none(), min_size=1, max_size=8).map(lambda v: (v, pl.String)),
    st.lists(WHOLE | st.none(), min_size=1, max_size=8).map(lambda v: (v, pl.Int64)),
    st.lists(FLOATS | st.none(), min_size=1, max_size=8).map(lambda v: (v, pl.Float64)),
    st.lists(st.booleans() | st.none(), min_size=1, max_size=8).map(lambda v: (v, pl.Boolean)),
)


def write(folder, name, frame):
    path = folder / name
    {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[path.suffix[1:]](path)
    return path


@given(COLUMNS)
@example(([9007199254740992.0, 1e17, 12.0, None, 1.5], pl.Float64))
@example((["12", "12.0", "012", "", "nan"], pl.String))
@example(([True, False, None], pl.Boolean))
def test_the_same_ids_in_every_format_are_the_same_or_set_aside(tmp_path_factory, column):
    values, dtype = column
    folder = tmp_path_factory.mktemp("ids")
    frame = pl.DataFrame({"theirs": pl.Series(values, dtype=dtype), "k": list(range(len(values)))})
    found = []
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        raw = read_landed(write(folder, name, frame))
        taken = take_columns(raw, Feed("events", {"user_id": "theirs"}), {"user_id": pl.String()}, "UTC")
        found.append(list(zip(taken.rows["user_id"].to_list(), taken.reason.is_not_null().to_list(), strict=True)))
    for given_, *ids_ in zip(values, *found, strict=True):
        known = {id_ for id_, aside in ids_ if not aside}
        assert len(known) <= 1, (given_, ids_)
    for ids_ in found:
        # Two values are one id only where they are one number.
        of = {}
        for given_, (id_, _) in zip(values, ids_, strict=True):
            if id_ is not None:
                assert of.setdefault(id_, given_) == given_


KINDS = st.one_of(TEXTS, WHOLE, FLOATS, st.booleans(), st.none(), st.integers(2**63, 2**70))


@given(st.lists(KINDS, min_size=1, max_size=6))
@example([9007199254740993, 12.5, 9007199254740992])
@example([True, "true", 1, "1", 1.0, "1.0"])
def test_in_json_lines_an_id_is_the_same_whatever_stands_beside_it(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("ids")

    def read(some):
        path = folder / "a.jsonl"
        path.write_text("".join(json.dumps({"k": 1, "theirs": value}) + "\n" for value in some))
        taken = take_columns(read_landed(path), Feed("e", {"user_id": "theirs"}), {"user_id": pl.String()}, "UTC")
        return taken.rows["user_id"].to_list()

    together = read(values)
    assert together == [read([value])[0] for value in values]
    for value, id_ in zip(values, together, strict=True):
        if isinstance(value, bool):
            assert id_ is None
        elif isinstance(value, int):
            assert id_ == str(value)
        elif isinstance(value, float):
            exact = math.isfinite(value) and value == math.floor(value) and abs(value) < 2**53
            assert id_ == (str(int(value)) if exact else None)


def test_the_canonical_form_of_a_canonical_form_is_itself():
    once = canonical_ids(pl.Series(["12", "hat", " x", "9007199254740993"]))
    assert canonical_ids(once).equals(once)


def test_a_number_that_stands_for_a_gap_is_told_from_its_neighbours():
    most = 2**63 - 1
    assert ids([most, most - 1, 7], missing=(str(most),))[0] == [None, str(most - 1), "7"]
