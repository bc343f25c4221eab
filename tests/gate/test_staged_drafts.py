"""A draft that is a file already: audited, published or refused without being read whole; and audits that spill."""

import io
import resource
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.figures import measured
from causalrec.answers import InputError
from causalrec.settings.deployment.lake import LakeSettings
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.expectations import metrics as row_metrics
from causalrec_assets.gate.expectations.limits import Limits
from causalrec_assets.gate.publishing import write_audit_publish
from tests.gate.conftest import DAY
from tests.gate.test_publishing import GOOD

PARAMS = {"nested_outcomes": True, "expected_rows": 2}


def staged(inputs, frame):
    path = inputs.store.staging(inputs.asset, inputs.day, inputs.run_id)
    frame.write_parquet(path)
    return path


def left_over(store):
    return [path for path in store.staging_folder.rglob("*") if path.is_file()]


def test_a_staged_file_is_published_as_it_is(attempt, store):
    inputs = attempt()
    path = staged(inputs, GOOD)
    content = path.read_bytes()
    outcome = write_audit_publish(Draft(inputs, staged=path, params=PARAMS))
    assert (outcome.rows, outcome.schema) == (2, GOOD.schema)
    assert store.objects.read(outcome.pointer.content[0]) == content
    assert left_over(store) == []


def test_a_staged_file_and_a_frame_of_the_same_rows_are_the_same_version(attempt):
    inputs = attempt("run-1")
    path = inputs.store.staging("sales", DAY, "run-1")
    GOOD.write_parquet(path, compression="zstd", statistics=True)
    one = write_audit_publish(Draft(inputs, staged=path, params=PARAMS)).pointer
    two = write_audit_publish(Draft(attempt("run-2"), GOOD, params=PARAMS)).pointer
    assert one.hash == two.hash


def test_a_refused_file_is_moved_whole_into_quarantine(attempt, store):
    many = pl.DataFrame(
        {"id": [str(k) for k in range(30_000)], "click": 1, "purchase": 0, "share": 2.0}, schema=GOOD.schema
    )
    inputs = attempt()
    path = staged(inputs, many)
    content = path.read_bytes()
    outcome = write_audit_publish(Draft(inputs, staged=path, params=PARAMS | {"expected_rows": 30_000}))
    folder = f"quarantine/sales/day={DAY}/run-1"
    assert outcome.refusal.reasons == ["column_values_to_be_between(share): 30000 row(s)"]
    assert store.objects.read(f"{folder}/table.parquet") == content
    kept = pl.read_parquet(io.BytesIO(store.objects.read(f"{folder}/offending_rows.parquet")))
    assert kept.height == outcome.offending.height == 10_000
    assert left_over(store) == []


def test_rows_that_are_set_aside_may_be_a_file_and_are_counted_by_the_gate(attempt, store, home):
    contract = yaml.safe_load((home.data / "contracts" / "sales.yaml").read_text())
    contract["rules"].append({"name": "reconcile", "expect": "expect_rows_to_reconcile", "landed": "$landed"})
    contract["rules"][-1]["set_aside"] = "$set_aside_rows"
    (home.data / "contracts" / "sales.yaml").write_text(yaml.safe_dump(contract))
    for landed, refused in ((5, False), (4, True)):
        inputs = attempt(f"run-{landed}")
        aside = staged(inputs, pl.DataFrame({"reason": ["no item"] * 3}))
        params = PARAMS | {"landed": landed, "set_aside_rows": 99}
        outcome = write_audit_publish(Draft(inputs, staged=staged(inputs, GOOD), set_aside=aside, params=params))
        assert (outcome.refusal is not None) is refused
        kept = store.objects.read(f"quarantine/sales/day={DAY}/run-{landed}/set_aside.parquet")
        assert pl.read_parquet(io.BytesIO(kept)).height == 3
    assert left_over(store) == []


def test_a_draft_is_a_frame_or_a_file(attempt):
    inputs = attempt()
    with pytest.raises(InputError, match="takes one of them"):
        write_audit_publish(Draft(inputs, GOOD, staged=staged(inputs, GOOD), params=PARAMS))


def test_a_table_is_scanned_where_it_is_or_fetched_once_for_an_attempt(attempt, store, monkeypatch):
    write_audit_publish(Draft(attempt(), GOOD, params=PARAMS))
    reader = attempt("run-2")
    table = reader.table("sales")
    assert table.scan().filter(pl.col("share") == 1).collect()["id"].to_list() == ["b"]
    monkeypatch.setattr(type(store.objects), "download", None)
    again = reader.table("sales")
    assert again.path == table.path
    assert again.scan().collect().equals(GOOD)
    reader.remove_fetched()
    assert [path for path in store.staging_folder.rglob("*") if path.is_file()] == []


def test_the_day_of_a_file_is_its_own_whatever_its_folder_is_called(tmp_path):
    folder = tmp_path / "day=2026-03-03"
    folder.mkdir()
    pl.DataFrame({"day": ["2026-03-02"]}).write_parquet(folder / "t.parquet")
    rules = [{"name": "own_day", "holds": "day = '2026-03-02'"}]
    contract = parse_contract("t", {"table": "t", "columns": {"day": "String"}, "rules": rules})
    assert audit(contract, folder / "t.parquet", {}).holds


# -- limits ------------------------------------------------------------------------------------------------------------

UNIQUE = {
    "table": "t",
    "columns": {"id": "String", "twice": "String", "share": "Float64"},
    "rules": [
        {"expect": "expect_column_values_to_be_unique", "column": "id"},
        {"expect": "expect_column_values_to_be_unique", "column": "twice"},
        {"expect": "expect_column_values_to_be_between", "column": "share", "min_value": 0, "max_value": 1},
    ],
}


def write_ids(path: Path, rows: int) -> None:
    """Streamed, so that making them takes no memory; in `twice` two neighbours share each id."""
    number = pl.int_range(rows, dtype=pl.Int64)
    text = number.cast(pl.String).str.pad_start(10, "0")
    pair = (number // 2).cast(pl.String).str.pad_start(10, "0")
    event, share = pl.lit("event-of-the-day-"), pl.lit(0.5)
    ids = pl.concat_str(event, text).alias("id"), pl.concat_str(event, pair).alias("twice")
    pl.LazyFrame({"k": [0]}).select(*ids).with_columns(share=share).sink_parquet(path)


def audit_file(path: str, memory_mb: int, spill: str) -> tuple[list[tuple[str, int, bool]], int, float]:
    """Findings, the most that was spilled in MB, and the growth of the process in MB."""
    import threading

    contract = parse_contract("t", UNIQUE)
    small = Path(path).with_name("small.parquet")
    pl.scan_parquet(path).head(10).collect().write_parquet(small)
    limits = Limits(memory_mb, Path(spill))
    audit(contract, small, {}, limits)
    before, spilled, over = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, threading.Event()

    def watch() -> None:
        nonlocal spilled
        while not over.wait(0.01):
            spilled = max(spilled, sum(f.stat().st_size for f in Path(spill).rglob("*") if f.is_file()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = audit(contract, Path(path), {}, limits)
    over.set()
    watcher.join()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return [(f.rule, f.count, f.rows == tuple(range(10_000))) for f in result.broken], spilled, grown


@pytest.mark.slow
def test_uniqueness_of_more_keys_than_fit_spills_and_is_still_right(tmp_path):
    write_ids(tmp_path / "t.parquet", 3_000_000)
    broken, spilled, grown = measured(audit_file, str(tmp_path / "t.parquet"), 100, str(tmp_path / "spill")).result
    assert broken == [("column_values_to_be_unique(twice)", 3_000_000, True)]
    assert spilled > 0
    assert grown < 250


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.one_of(st.none(), st.text("ab", max_size=3), st.text(max_size=20)), max_size=40),
    hashes=st.integers(1, 50),
)
def test_what_stands_more_than_once_is_found_whatever_share_of_the_hashes_fits(tmp_path_factory, ids, hashes):
    path = tmp_path_factory.mktemp("ids") / "t.parquet"
    frame = pl.DataFrame({"id": ids}, schema={"id": pl.String})
    frame.write_parquet(path)
    rules = [{"name": "once", "expect": "expect_column_values_to_be_unique", "column": "id"}]
    contract = parse_contract("t", {"table": "t", "columns": {"id": "String"}, "rules": rules})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_metrics, "BYTES_A_HASH", Limits.memory_mb * 1_000_000 // hashes)
        finding = next(f for f in audit(contract, path, {}).findings if f.rule == "once")
    twice = frame.with_row_index().filter(pl.col("id").is_duplicated() & pl.col("id").is_not_null())
    assert (finding.held, finding.count, list(finding.rows)) == (
        not twice.height,
        twice.height,
        twice["index"].to_list(),
    )


def test_settings_of_the_gate_have_defaults():
    assert LakeSettings.parse({}).gate == LakeSettings.parse({"gate": {"memory_mb": 1000, "data_docs": True}}).gate
