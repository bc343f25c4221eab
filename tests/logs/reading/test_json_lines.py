"""JSON Lines: each value is what it is, and what is wrong with a file is said with its line."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.reading import json_lines as module
from causalrec.logs.reading.casting import take_columns
from causalrec.logs.reading.files import open_landed, read_landed
from causalrec.logs.reading.json_lines import json_lines
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import FIRST, cleaned, index, source

TYPES = {"item_id": pl.String(), "click": pl.Int8(), "price": pl.Float64(), "title": pl.String()}


def read(tmp_path, *lines):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return read_landed(path)


def taken(tmp_path, *lines, ours):
    raw = read(tmp_path, *lines)
    return take_columns(raw, Feed("events", {ours: "v"}), {ours: TYPES[ours]}, "UTC").rows[ours].to_list()


def values(*written):
    return [f'{{"v": {value}}}' for value in written]


@pytest.mark.parametrize(
    ("written", "ours", "expected"),
    [
        (("true", "0", "false", "1", '"1"', "null", "1.0"), "click", [1, 0, 0, 1, 1, None, 1]),
        (("2.5", "NaN", "3", '"4"', "null"), "price", [2.5, None, 3.0, 4.0, None]),
        (('"a\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\ude00"'), "title", ["a\ufffd", "\ufffd\ufffd", "\U0001f600"]),
        (
            ("9007199254740993", "9007199254740992", "12.0", "1e3", "0.5"),
            "item_id",
            ["9007199254740993", "9007199254740992", "12", "1000", None],
        ),
        (('"true"', "true"), "item_id", ["true", None]),
        (("18446744073709551616", "-1"), "item_id", ["18446744073709551616", "-1"]),
        (('"hat\\ud83d"', '"hat\\ud83c"', '"hat"'), "item_id", [None, None, "hat"]),
        (("12", '{"a": 1}', "[1]"), "item_id", ["12", None, None]),
    ],
)
def test_a_value_is_what_it_is_whatever_stands_beside_it(tmp_path, written, ours, expected):
    assert taken(tmp_path, *values(*written), ours=ours) == expected


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['{"a": 1}', '{"a": 1, "b": 2, "b": 3}'], "line 2 has the key 'b' more than once"),
        (['{"a": 1}', '{"a": {"b": 2, "b": 3}}'], "line 2 has the key 'b' more than once"),
        (['{"a": 1}', "null"], "line 2 is no JSON object"),
        (["null"], "line 1 is no JSON object"),
        (["[1, 2]"], "line 1 is no JSON object"),
        (['{"a": 1}{"a": 2}'], r"line 1 is no JSON \(Extra data, character 9\)"),
        (['{"a":', "1}"], "line 1 is no JSON"),
        (['{"a": 1}', '{"a": '], "line 2 is no JSON"),
        (['{"a": 1}', b'{"a": "\xff"}'], "line 2 is not UTF-8"),
        (
            ['{"a": 1}', '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"],
            "line 2 has records within records, more than 100 deep",
        ),
        (['{"a": ' * 3000 + "1" + "}" * 3000], "line 1 has records within records, more than 100 deep"),
        (['{"a": 1}'.encode("utf-16")], "line 1 holds a NUL byte.*UTF-16"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, lines, says):
    with pytest.raises(InputError, match=rf"a\.jsonl cannot be read as jsonl: {says}"):
        read(tmp_path, *lines)


def test_brackets_in_a_text_or_side_by_side_are_no_depth(tmp_path):
    wide = '{"a": "' + "[{" * 300 + '\\"[", "b": [' + ", ".join(["{}"] * 300) + "]}"
    assert read(tmp_path, wide)["a"].to_list() == ["[{" * 300 + '"[']


def test_blank_lines_byte_order_marks_and_line_ends_of_any_kind_are_no_rows(tmp_path):
    lines = (b'\xef\xbb\xbf{"a": 1}\r', b"", b'\xef\xbb\xbf{"a": 2}\r', b"  ", b'  {"a": 3}', b"")
    assert read(tmp_path, *lines)["a"].to_list() == [1, 2, 3]
    assert read(tmp_path, b"{}", b"{}").height == 2


def test_texts_stay_texts_also_where_they_look_like_times(tmp_path):
    found = read(tmp_path, '{"x": 1}', '{"x": 2, "t": "2026-03-02T10:00:00Z", "d": "2026-03-02"}')
    assert found.rows() == [(1, None, None), (2, "2026-03-02T10:00:00Z", "2026-03-02")]
    assert found.columns == ["x", "t", "d"]


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "v", "é"]), LEAVES, max_size=4), min_size=1, max_size=12)


@given(ROWS, st.booleans(), st.integers(16, 400))
def test_every_row_and_value_comes_back_whatever_the_size_of_blocks(tmp_path_factory, rows, ascii_, block):
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows), encoding="utf-8")
    found = module.together(list(json_lines(path, None, block)))
    assert found.height == len(rows)
    for name in ("a", "b", "v", "é"):
        column = found[name] if name in found.columns else pl.Series([None] * len(rows))
        back = _back(column)
        for row, value in zip(rows, back, strict=True):
            assert value == row.get(name)


def _back(column):
    if module.as_tokens(column) is column:
        return [None if t is None else json.loads(t) for t in column.struct.field("\0json").to_list()]
    return column.to_list()


def test_a_line_that_is_not_tidy_costs_its_stretch_and_not_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STRETCH", 200)
    exact = []
    line_by_line = module._exact
    monkeypatch.setattr(module, "_exact", lambda block, line: exact.append(line) or line_by_line(block, line))
    lines = [f'{{"v": {k}, "t": "text"}}' for k in range(100)]
    lines[50] = lines[50].replace("50", "NaN", 1).replace("text", "\\ud83d")
    found = read(tmp_path, *lines)
    assert found.height == 100
    assert len(exact) == 1
    assert 40 < exact[0] <= 51


# -- keys that are left out ------------------------------------------------------------------------------------------


def quiet(tmp_path, name, *lines):
    path = tmp_path / "landing" / "events" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


COLUMNS = {"time": "ts", "item_id": "sku", "user_id": "uid", "click": "click", "position": "pos"}
OF = source(
    events={"columns": COLUMNS}, context=None, organic_rows="none", purchase_needs_click=False, outcomes={"click": {}}
)


def line(hour, **more):
    return json.dumps({"ts": f"2026-03-02T{hour:02}:00:00Z", "sku": "s", "uid": f"u{hour}", "click": 0} | more)


def test_a_quiet_hour_without_a_key_is_read_where_another_file_has_it(tmp_path):
    quiet(tmp_path, f"day={FIRST}/h09.jsonl", line(9, pos=1))
    quiet(tmp_path, f"day={FIRST}/h10.jsonl", line(10))
    day = cleaned(tmp_path, FIRST, OF)
    assert day.events["position"].to_list() == [1, None]
    assert index(tmp_path, OF).problems == ()


def test_a_key_that_no_file_has_is_misspelled(tmp_path):
    quiet(tmp_path, f"day={FIRST}/h10.jsonl", line(10))
    quiet(tmp_path, f"day={FIRST}/h11.jsonl", line(11))
    with pytest.raises(InputError, match=r"h10.jsonl: the column\(s\) \['pos'\] are missing"):
        cleaned(tmp_path, FIRST, OF)


def test_a_file_without_any_time_or_item_is_refused_whatever_others_have(tmp_path):
    quiet(tmp_path, f"day={FIRST}/h09.jsonl", line(9, pos=1))
    quiet(tmp_path, f"day={FIRST}/h10.jsonl", line(10, pos=1).replace('"sku"', '"item"'))
    with pytest.raises(InputError, match=r"h10.jsonl: the column\(s\) \['sku'\] are missing"):
        cleaned(tmp_path, FIRST, OF)


def test_a_catalogue_in_json_lines_may_leave_out_what_another_one_has(tmp_path):
    of = source(items={"columns": {"item_id": "sku", "title": "name"}})
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"sku": 9007199254740993, "name": "Hat"}\n{"sku": 1.0, "name": "Sock"}\n')
    second.write_text('{"sku": "shoe"}\n')
    assert item_snapshot([first, second], of).select("item_id", "title").rows() == [
        ("1", "Sock"),
        ("9007199254740993", "Hat"),
        ("shoe", None),
    ]
    with pytest.raises(InputError, match=r"b.jsonl: the column\(s\) \['name'\] are missing"):
        item_snapshot([second], of)


def test_only_the_columns_that_are_asked_for_are_given(tmp_path):
    read(tmp_path, '{"a": 1, "b": true}', '{"a": 2, "b": 0}')
    with open_landed(tmp_path / "a.jsonl", CleaningRules()) as landed:
        assert {name for piece in landed.pieces(["b", "c"]) for name in piece.columns} == {"b"}
