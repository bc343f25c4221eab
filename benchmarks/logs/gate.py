"""The gate: a contract of ten expectations on a staged file, beside Great Expectations on a pandas frame of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.figures import Figure, measured, say
from causalrec.settings.deployment.lake import GateSettings

ROWS, KEYS = 2_000_000, 10_000_000
EXPECTED: list[dict[str, Any]] = [
    {"expect": "expect_column_values_to_not_be_null", "column": "event_id"},
    {"expect": "expect_column_values_to_be_unique", "column": "event_id"},
    {"expect": "expect_column_values_to_not_be_null", "column": "time"},
    {"expect": "expect_column_values_to_not_be_null", "column": "item_id"},
    {"expect": "expect_table_row_count_to_be_between", "min_value": 1},
    {"expect": "expect_column_values_to_be_in_set", "column": "recommended", "value_set": [0, 1]},
    {"expect": "expect_column_values_to_be_in_set", "column": "click", "value_set": [0, 1]},
    {"expect": "expect_column_values_to_be_in_set", "column": "purchase", "value_set": [0, 1]},
    {"expect": "expect_column_values_to_be_between", "column": "action_propensity", "min_value": 0, "max_value": 1},
    {"expect": "expect_column_values_to_be_between", "column": "position", "min_value": 1},
]


def run(scale: float, data: Path | None) -> list[Figure]:
    """Both contenders in fresh processes, and what more rows and more keys cost. `data` is not needed."""
    limit = GateSettings().memory_mb
    with tempfile.TemporaryDirectory(prefix="causalrec-gate-") as folder:
        rows, keys = int(ROWS * scale), int(KEYS * scale)
        once, twice = Path(folder) / "once.parquet", Path(folder) / "twice.parquet"
        ids, spill = Path(folder) / "ids.parquet", Path(folder) / "spill"
        say(f"gate: writing {rows:,}, {2 * rows:,} and {keys:,} rows")
        for path, count, columns in ((once, rows, None), (twice, 2 * rows, None), (ids, keys, ["event_id"])):
            measured(write_events, path, count, columns)
        say("gate: our gate")
        ours = min((measured(with_the_gate, once, spill, EXPECTED) for _ in range(2)), key=lambda m: m.result)
        say("gate: Great Expectations on pandas")
        pandas = min((measured(with_pandas, once) for _ in range(2)), key=lambda m: m.result)
        say("gate: more rows, and uniqueness")
        idle, more = measured(idle_gate, spill), measured(with_the_gate, twice, spill, EXPECTED)
        unique = measured(with_the_gate, ids, spill, EXPECTED[1:2])
    memory = f"{unique.peak_gb:.2f} GB, idle {idle.peak_gb:.2f} GB"
    size = f"{rows:,} rows, {len(EXPECTED)} expectations"
    return [
        Figure(
            "gate: seconds of Great Expectations on pandas / of ours",
            pandas.result / ours.result,
            4,
            "at least",
            f"{size}; {pandas.result:.1f} s with reading the file, {ours.result:.1f} s; imports and contexts left out",
        ),
        Figure(
            "gate: peak memory of Great Expectations on pandas / of ours",
            pandas.peak_gb / ours.peak_gb,
            how=f"{size}; {pandas.peak_gb:.2f} GB, {ours.peak_gb:.2f} GB",
        ),
        Figure(
            "gate: peak memory at twice the rows / at once",
            more.peak_gb / ours.peak_gb,
            1.2,
            how=f"{2 * rows:,} and {rows:,} rows; {more.peak_gb:.2f} GB, {ours.peak_gb:.2f} GB, {more.result:.1f} s",
        ),
        Figure(
            "gate: peak GB above an idle gate, uniqueness of distinct string ids",
            unique.peak_gb - idle.peak_gb,
            limit / 1000 + 0.3,
            how=f"{keys:,} ids, limit {limit} MB, {unique.result:.1f} s; {memory}",
        ),
    ]


def write_events(path: Path, rows: int, columns: list[str] | None = None) -> None:
    """Events that hold, streamed to a file."""
    number = pl.int_range(rows, dtype=pl.Int64)
    recommended = (number % 2).cast(pl.Int8)
    click = (number % 7 == 0).cast(pl.Int8)
    frame = pl.LazyFrame({"one": [0]}).select(
        pl.concat_str(pl.lit("2026-03-02-event-"), number.cast(pl.String).str.pad_start(10, "0")).alias("event_id"),
        (pl.lit(1_772_409_600_000_000) + number * 4_000).cast(pl.Datetime("us", "UTC")).alias("time"),
        pl.concat_str(pl.lit("item-"), (number % 500).cast(pl.String)).alias("item_id"),
        pl.concat_str(pl.lit("request-"), (number // 10).cast(pl.String)).alias("request_id"),
        recommended.alias("recommended"),
        pl.when(recommended == 1).then(number % 10 + 1).alias("position"),
        pl.when(recommended == 1).then(0.05 + (number % 90) / 100).alias("action_propensity"),
        click.alias("click"),
        (click * (number % 3 == 0)).cast(pl.Int8).alias("purchase"),
    )
    (frame.select(columns) if columns else frame).sink_parquet(path)


def with_the_gate(path: Path, spill: Path, expected: list[dict[str, Any]]) -> float:
    """Seconds of an audit, in a process that has made one before."""
    import time

    from causalrec_assets.gate.checking import audit
    from causalrec_assets.gate.contracts import parse_contract
    from causalrec_assets.gate.expectations.limits import Limits

    contract = parse_contract("t", {"table": "t", "columns": {}, "extra_columns": True, "rules": expected})
    limits = Limits(GateSettings().memory_mb, spill)
    audit(contract, pl.read_parquet(path, n_rows=10), {}, limits)
    started = time.perf_counter()
    result = audit(contract, path, {}, limits)
    seconds = time.perf_counter() - started
    if not result.holds:
        raise ValueError([finding.sentence() for finding in result.broken])
    return seconds


def idle_gate(spill: Path) -> float:
    """A gate that has only seen ten rows: what imports and contexts take."""
    path = spill.parent / "ten.parquet"
    write_events(path, 10)
    return with_the_gate(path, spill, EXPECTED)


def with_pandas(path: Path) -> float:
    """Seconds of reading the file into NumPy-backed pandas and validating it, in a warm context."""
    import time

    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations.registry import get_expectation_impl

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("table")
    definition = asset.add_batch_definition_whole_dataframe("all")

    def validate(frame: Any) -> bool:
        suite = gx.ExpectationSuite(name="contract")
        for rule in EXPECTED:
            arguments = {key: value for key, value in rule.items() if key != "expect"}
            suite.add_expectation(get_expectation_impl(rule["expect"])(**arguments))
        return bool(definition.get_batch({"dataframe": frame}).validate(suite, result_format="BOOLEAN_ONLY").success)

    validate(pd.read_parquet(path).head(10))
    started = time.perf_counter()
    held = validate(pd.read_parquet(path))
    seconds = time.perf_counter() - started
    if not held:
        raise ValueError("the expectations do not hold")
    return seconds
