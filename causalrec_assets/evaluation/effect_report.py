"""The effect report: trust, then the causal estimate beside the naive one, then the assumptions and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from causalrec_assets.answers import Status
from causalrec_assets.estimators.sensitivity import e_value, e_value_of_limit

ESTIMATES = {"naive": "naive", "snips": "snips", "causal": "aipw"}
SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(), "treatment": pl.String(), "outcome": pl.String(), "status": pl.String(), "reason": pl.String(),
    **{f"{name}{part}": pl.Float64() for name in ESTIMATES for part in ("", "_lower", "_upper")},
    "effective_treated": pl.Float64(), "effective_control": pl.Float64(), "overlap_share": pl.Float64(),
    "calibration_error": pl.Float64(), "e_value": pl.Float64(), "e_value_limit": pl.Float64(), "assumptions": pl.String(),
    "verdict": pl.String(),
}
ASSUMPTIONS = (
    "Consistency: a unit's outcome under the arm it had is its potential outcome of that arm. No interference: an item's outcome "
    "does not depend on which other items of the slate were recommended. Overlap: every kind of unit could have had either arm. "
    "No unmeasured confounding given {columns}; the e-value says how strong a confounder would have to be to explain the effect away."
)


def report(effects: pl.DataFrame, diagnostics: Mapping[str, Mapping[str, Any]], sets: pl.DataFrame) -> pl.DataFrame:
    """One row per question.

    Args:
        effects: The table `effects`.
        diagnostics: Its notes, per question.
        sets: The table `adjustment_sets`.
    """
    rows = []
    for question in sets.iter_rows(named=True):
        name = question["question"]
        by = {row["estimator"]: row for row in effects.filter(pl.col("question") == name).iter_rows(named=True)}
        first = by["aipw"]
        row: dict[str, Any] = {key: question[key] for key in ("question", "treatment", "outcome")}
        row |= {"status": first["status"], "reason": first["reason"]}
        found = diagnostics.get(name, {})
        row |= {k: found.get(k) for k in ("effective_treated", "effective_control", "overlap_share", "calibration_error")}
        columns = ", ".join(question["columns"]) or "nothing"
        row["assumptions"] = ASSUMPTIONS.format(columns=columns) if question["columns"] else ""
        if first["status"] == Status.ANSWERED:
            for ours, theirs in ESTIMATES.items():
                row |= {ours: by[theirs]["estimate"], f"{ours}_lower": by[theirs]["lower"], f"{ours}_upper": by[theirs]["upper"]}
            row |= _sensitivity(row, float(found["mean_if_not"]))
        row["verdict"] = verdict(row)
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def _sensitivity(row: Mapping[str, Any], base: float) -> dict[str, float | None]:
    """E-values on the risk-ratio scale: (E[Y(0)] + effect) / E[Y(0)]."""
    if base <= 0 or base + row["causal"] <= 0:
        return {"e_value": None, "e_value_limit": None}
    ratio = (base + row["causal"]) / base
    limit = (base + (row["causal_lower"] if ratio >= 1 else row["causal_upper"])) / base
    return {"e_value": e_value(ratio), "e_value_limit": e_value_of_limit(ratio, limit) if limit > 0 else 1.0}


def verdict(row: Mapping[str, Any]) -> str:
    """One sentence for people."""
    if row["status"] != Status.ANSWERED:
        return f"Cannot be told ({str(row['status']).replace('_', ' ')}): {row['reason']}."
    low, high = row["causal_lower"], row["causal_upper"]
    share = f"{100 * row['causal']:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})"
    naive = f"the naive difference says {100 * row['naive']:+.2f}"
    if low > 0:
        return f"Recommending raises {row['outcome']} by {share}; {naive}."
    if high < 0:
        return f"Recommending lowers {row['outcome']} by {share}; {naive}."
    return f"No effect on {row['outcome']} can be told from 0: {share}; {naive}."
