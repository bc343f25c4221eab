"""A path is one file's name: no pattern that others fit, and no column."""

import ast
from pathlib import Path

import polars as pl
import pytest

import causalrec_assets
from causalrec.engine import slices
from causalrec.engine.one_file import parquet_rows, parquet_schema, read_parquet, scan_ipc, scan_parquet
from causalrec.logs.cleaning import clean as cleaning
from causalrec.logs.cleaning import set_aside
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract
from tests.logs.worlds import FIRST, at, cleaned, event, frame, index, land

NAMES = ["day=2026-03-02/events[1].parquet", "a*b/events.parquet", "a?b.parquet", "h[x]y/a[!b]{c,d}.parquet"]
MINE = pl.DataFrame({"mine": [1, 2]})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.gate
def test_a_name_that_looks_like_a_pattern_is_read_as_that_file_and_no_other(tmp_path, name):
    path = tmp_path / name
    for other in ("day=2026-03-02/events1", "axb/events", "axb", "hxy/aa{c,d}", "hxy/aac"):
        beside = tmp_path / f"{other}.parquet"
        beside.parent.mkdir(exist_ok=True)
        pl.DataFrame({"theirs": ["x"]}).write_parquet(beside)
    path.parent.mkdir(exist_ok=True)
    MINE.write_parquet(path)
    assert read_parquet(path).equals(MINE)
    assert scan_parquet(path).collect().equals(MINE)
    assert parquet_schema(path) == MINE.schema
    assert parquet_rows(path) == 2
    rules = [{"name": "mine", "holds": "mine > 0"}]
    contract = parse_contract("t", {"table": "t", "columns": {"mine": "Int64"}, "rules": rules})
    assert audit(contract, path, {}).holds
    arrow = path.with_suffix(".arrow")
    MINE.write_ipc(arrow)
    assert scan_ipc(arrow).collect().equals(MINE)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_landed_file_and_a_home_may_be_named_like_a_pattern(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(cleaning, "Slices", lambda *asked: slices.Slices(*asked, rows=1, held=0))
    monkeypatch.setattr(set_aside, "HELD_ROWS", 1)
    mine, theirs = tmp_path / "h[x]y", tmp_path / "hxy"
    land(mine, f"day={FIRST}/events[1].{ending}", frame(event("1", at(FIRST, 9), "hat"), event("2", None, None)))
    for root in (mine, theirs):
        land(root, f"day={FIRST}/events1.{ending}", frame(event("3", at(FIRST, 9), "shoe")))
    land(theirs, f"day={FIRST}/events2.{ending}", frame(event("4", at(FIRST, 9), "sock")))
    assert [file.path.name for file in index(mine).files_of(FIRST)] == [f"events1.{ending}", f"events[1].{ending}"]
    found = cleaned(mine)
    assert found.events["item_id"].to_list() == ["hat", "shoe"]
    assert found.set_aside["row"].to_list() == [2]


OPENERS = {
    f"{verb}_{kind}" for verb in ("read", "scan") for kind in ("parquet", "ipc", "csv", "ndjson", "parquet_schema")
}


def takes_a_pattern(call):
    """Whether a call of Polars opens a path and does not say that it is one; what is in memory has no path."""
    named = isinstance(call.func, ast.Attribute) and call.func.attr in OPENERS
    if not named or not isinstance(call.func.value, ast.Name) or call.func.value.id != "pl":
        return False
    inside = ast.unparse(call.args[0])
    return not (inside.startswith("io.BytesIO(") or inside in ("content", "block")) and "glob" not in {
        keyword.arg for keyword in call.keywords
    }


def test_no_module_opens_a_table_by_a_pattern():
    folder = Path(causalrec_assets.__file__).parent
    found = [
        f"{path.relative_to(folder)}:{node.lineno}"
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and takes_a_pattern(node)
    ]
    assert found == []
