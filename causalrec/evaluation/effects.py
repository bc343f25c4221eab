"""The effect report: overlap, the causal estimate beside the naive one, assumptions, a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.effects import EFFECT_ESTIMATORS, Role, first_of
from causalrec.estimators.sensitivity import e_value, e_value_of_limit
from causalrec.model.effects import strategy_of

RECOMMENDED = "recommended"
CAUSAL = "causal"
"""The column of the estimate that the report stands on: that of the first doubly robust estimator."""
PARTS = {"": "estimate", "_lower": "lower", "_upper": "upper"}
"""Ending of a column of the report -> the column of `effects` that it is."""
DIAGNOSTICS = ("effective_treated", "effective_control", "overlap_share", "calibration_error")
ASSUMPTIONS = (
    "Consistency: a unit's outcome under the arm it had is its potential outcome of that arm. No "
    "interference: {interference}. "
    "Overlap: every kind of unit could have had either arm. {rest}. {data}"
)
OF_SLATES = "an item's outcome does not depend on which other items of the slate were recommended"
OF_UNITS = "a unit's outcome does not depend on the `{treatment}` of other units"
SPLIT = "The graph was found on one half of the users, the effect is that of the other half."
SHARED = (
    "The graph was found on the units that the effect is estimated on, and the interval takes it as given "
    "(discovery.yaml: split)."
)


def estimate_columns() -> dict[str, str]:
    """Column of the report -> the registered estimator whose estimate it holds, in the registry's order."""
    robust = first_of(Role.ROBUST).name
    return {CAUSAL if name == robust else name: name for name in EFFECT_ESTIMATORS}


def schema() -> dict[str, pl.DataType]:
    """The columns of the report, with three of each registered estimator."""
    return {
        "question": pl.String(),
        "treatment": pl.String(),
        "outcome": pl.String(),
        "status": pl.String(),
        "reason": pl.String(),
        **{f"{column}{part}": pl.Float64() for column in estimate_columns() for part in PARTS},
        "effective_treated": pl.Float64(),
        "effective_control": pl.Float64(),
        "overlap_share": pl.Float64(),
        "calibration_error": pl.Float64(),
        "e_value": pl.Float64(),
        "e_value_limit": pl.Float64(),
        "assumptions": pl.String(),
        "verdict": pl.String(),
    }


def report(
    effects: pl.DataFrame, diagnostics: Mapping[str, Mapping[str, Any]], sets: pl.DataFrame, split: bool = False
) -> pl.DataFrame:
    """One row per question.

    Args:
        effects: The table `effects`.
        diagnostics: Its notes, per question.
        sets: The table `adjustment_sets`.
        split: Whether the graph was found on other units than the effects.

    Returns:
        Rows of `schema()`.

    Raises:
        KeyError: A question of `sets` has no rows in `effects`.
    """
    rows, columns = [], estimate_columns()
    for question in sets.iter_rows(named=True):
        name = question["question"]
        estimates = {row["estimator"]: row for row in effects.filter(pl.col("question") == name).iter_rows(named=True)}
        causal = estimates[columns[CAUSAL]]
        row: dict[str, Any] = {key: question[key] for key in ("question", "treatment", "outcome")}
        row |= {"status": causal["status"], "reason": causal["reason"], "assumptions": ""}
        measured, whose = diagnostics.get(name, {}), ""
        row |= {key: measured.get(key) for key in DIAGNOSTICS}
        if causal["status"] == Status.ANSWERED:
            for column, estimator in columns.items():
                # A table from before an estimator was registered has no row of it.
                estimate = estimates.get(estimator, {})
                row |= {f"{column}{part}": estimate.get(of) for part, of in PARTS.items()}
            strategy = strategy_of(question)
            if strategy.adjusts:
                row |= sensitivity(row, float(measured["mean_if_not"]))
            row["assumptions"] = assumptions(question, row.get("e_value"), row.get("e_value_limit"), split)
            whose = strategy.estimand(question)
        row["verdict"] = verdict(row, whose)
        rows.append(row)
    return pl.DataFrame(rows, schema=schema())


def sensitivity(row: Mapping[str, Any], mean_untreated: float) -> dict[str, float | None]:
    """E-values of the effect and of its interval's limit, at the risk ratio (E[Y(0)] + effect) / E[Y(0)].

    Args:
        mean_untreated: E[Y(0)], the outcome's rate had nobody been treated. Where it is 0, or the effect would
            make the rate negative, there is no ratio, and the answer is None.
    """
    if mean_untreated <= 0 or mean_untreated + row["causal"] <= 0:
        return {"e_value": None, "e_value_limit": None}
    ratio = (mean_untreated + row["causal"]) / mean_untreated
    limit = (mean_untreated + (row["causal_lower"] if ratio >= 1 else row["causal_upper"])) / mean_untreated
    return {"e_value": e_value(ratio), "e_value_limit": e_value_of_limit(ratio, limit) if limit > 0 else 1.0}


def assumptions(question: Mapping[str, Any], value: float | None, limit: float | None, split: bool = False) -> str:
    """What the causal estimate rests on, with what it would take to break the last of them.

    Args:
        question: A row of `adjustment_sets`.
        value, limit: Its e-values; only adjustment has them.
        split: Whether the graph was found on other units.
    """
    rest = strategy_of(question).assumptions(question)
    if value is not None and limit is not None:
        rest += (
            ": to explain the effect away, a hidden cause would have to multiply the risk of both treatment and "
            f"outcome by {value:.2f} (by {limit:.2f} for the interval to reach 0)"
        )
    treatment = question["treatment"]
    interference = OF_SLATES if treatment == RECOMMENDED else OF_UNITS.format(treatment=treatment)
    return ASSUMPTIONS.format(interference=interference, rest=rest, data=SPLIT if split else SHARED)


def heading(treatments: Sequence[str]) -> str:
    """What the effects are of."""
    if set(treatments) <= {RECOMMENDED}:
        return "What recommending changes"
    names = [f"`{name}`" if name != RECOMMENDED else "recommending" for name in dict.fromkeys(treatments)]
    return f"What {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} change{'s' * (len(names) == 1)}"


def lead(treatment: str) -> str:
    """What an effect of a treatment is, in one sentence."""
    if treatment == RECOMMENDED:
        return (
            "The effect of showing an item: what happens with the recommendation, minus what would have happened "
            "without it."
        )
    return f"The effect of `{treatment}`: what happens where it is 1, minus what would have happened had it been 0."


def verdict(row: Mapping[str, Any], whose: str = "") -> str:
    """One sentence for people.

    Args:
        row: Of the report.
        whose: The estimand of an answered row, where it is not the total effect among all units.
    """
    if row["status"] != Status.ANSWERED:
        return f"Cannot be told ({str(row['status']).replace('_', ' ')}): {row['reason']}."
    low, high = row["causal_lower"], row["causal_upper"]
    cause = "Recommending an item" if row["treatment"] == RECOMMENDED else f"The treatment `{row['treatment']}`"
    share = f"{100 * row['causal']:+.2f} points (95 % interval {100 * low:+.2f} to {100 * high:+.2f})"
    naive = f"the naive difference says {100 * row[first_of(Role.NAIVE).name]:+.2f}"
    chance = f"the chance of a {row['outcome']}"
    of = f", {whose}" if whose else ""
    if low > 0 or high < 0:
        return f"{cause} {'raises' if low > 0 else 'lowers'} {chance} by {share}{of}; {naive}."
    return f"{cause} has no effect on {chance} that can be told from 0: {share}{of}; {naive}."
