"""The effect report: trust, the causal estimate beside the naive one, assumptions, a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.sensitivity import e_value, e_value_of_limit

RECOMMENDED = "recommended"
ESTIMATES = {"naive": "naive", "snips": "snips", "causal": "aipw"}
DIAGNOSTICS = ("effective_treated", "effective_control", "overlap_share", "calibration_error")
SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(),
    "treatment": pl.String(),
    "outcome": pl.String(),
    "status": pl.String(),
    "reason": pl.String(),
    **{f"{name}{part}": pl.Float64() for name in ESTIMATES for part in ("", "_lower", "_upper")},
    "effective_treated": pl.Float64(),
    "effective_control": pl.Float64(),
    "overlap_share": pl.Float64(),
    "calibration_error": pl.Float64(),
    "e_value": pl.Float64(),
    "e_value_limit": pl.Float64(),
    "assumptions": pl.String(),
    "verdict": pl.String(),
}
ASSUMPTIONS = (
    "Consistency: a unit's outcome under the arm it had is its potential outcome of that arm. No "
    "interference: {interference}. "
    "Overlap: every kind of unit could have had either arm. {rest}. {data}"
)
OF_SLATES = "an item's outcome does not depend on which other items of the slate were recommended"
OF_UNITS = "a unit's outcome does not depend on the `{treatment}` of other units"
NOTHING = "nothing (in the graph nothing that could be adjusted for causes both)"
SPLIT = "The graph was found on one half of the users, the effect is that of the other half."
SHARED = (
    "The graph was found on the units that the effect is estimated on, and the interval takes it as given "
    "(discovery.yaml: split)."
)
BACK_DOOR = "No unmeasured confounding given {columns}{sensitivity}"
DIRECT = "No unmeasured confounding of the treatment, nor of {held}, given {columns}{sensitivity}"
FRONT_DOOR = (
    "Front door: the whole effect passes through {mediators}, and given {columns} nothing unmeasured moves "
    "{mediators} together with the treatment or with the outcome"
)
INSTRUMENT = (
    "Instrument: given {columns}, {instrument} is as good as random, moves the outcome only through the treatment, and "
    "never moves a unit away from it; the effect is that among the units whose treatment it decides"
)


def report(
    effects: pl.DataFrame, diagnostics: Mapping[str, Mapping[str, Any]], sets: pl.DataFrame, split: bool = False
) -> pl.DataFrame:
    """One row per question.

    Args:
        effects: The table `effects`.
        diagnostics: Its notes, per question.
        sets: The table `adjustment_sets`.
        split: Whether the graph was found on other units than the effects.

    Raises:
        KeyError: A question of `sets` has no rows in `effects`.
    """
    rows = []
    for question in sets.iter_rows(named=True):
        name = question["question"]
        by = {row["estimator"]: row for row in effects.filter(pl.col("question") == name).iter_rows(named=True)}
        first = by["aipw"]
        row: dict[str, Any] = {key: question[key] for key in ("question", "treatment", "outcome")}
        row |= {"status": first["status"], "reason": first["reason"], "assumptions": ""}
        found = diagnostics.get(name, {})
        row |= {key: found.get(key) for key in DIAGNOSTICS}
        if first["status"] == Status.ANSWERED:
            for ours, theirs in ESTIMATES.items():
                row |= {
                    f"{ours}{part}": by[theirs][column]
                    for part, column in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper"))
                }
            if (question.get("strategy") or "back_door") == "back_door":
                row |= sensitivity(row, float(found["mean_if_not"]))
            row["assumptions"] = assumptions(question, row.get("e_value"), row.get("e_value_limit"), split)
        row["verdict"] = verdict(row)
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def sensitivity(row: Mapping[str, Any], mean_if_not: float) -> dict[str, float | None]:
    """E-values of the effect and of its interval's limit, at the risk ratio (E[Y(0)] + effect) / E[Y(0)].

    Args:
        mean_if_not: E[Y(0)], the outcome's rate had nobody been treated. Where it is 0, or the effect would
            make the rate negative, there is no ratio, and the answer is None.
    """
    if mean_if_not <= 0 or mean_if_not + row["causal"] <= 0:
        return {"e_value": None, "e_value_limit": None}
    ratio = (mean_if_not + row["causal"]) / mean_if_not
    limit = (mean_if_not + (row["causal_lower"] if ratio >= 1 else row["causal_upper"])) / mean_if_not
    return {"e_value": e_value(ratio), "e_value_limit": e_value_of_limit(ratio, limit) if limit > 0 else 1.0}


def assumptions(question: Mapping[str, Any], value: float | None, limit: float | None, split: bool = False) -> str:
    """What the causal estimate rests on, with what it would take to break the last of them.

    Args:
        question: A row of `adjustment_sets`.
        value, limit: Its e-values; only adjustment has them.
        split: Whether the graph was found on other units.
    """
    sensitivity = ""
    if value is not None and limit is not None:
        sensitivity = (
            ": to explain the effect away, a hidden cause would have to multiply the risk of both treatment and "
            f"outcome by {value:.2f} (by {limit:.2f} for the interval to reach 0)"
        )
    held = ", ".join(question.get("held") or [])
    back_door = DIRECT if held else BACK_DOOR
    rest = {"front_door": FRONT_DOOR, "instrument": INSTRUMENT}.get(question.get("strategy") or "", back_door)
    words = rest.format(
        columns=", ".join(question["columns"]) or NOTHING,
        mediators=", ".join(question.get("mediators") or []),
        instrument=question.get("instrument"),
        held=held,
        sensitivity=sensitivity,
    )
    treatment = question["treatment"]
    interference = OF_SLATES if treatment == RECOMMENDED else OF_UNITS.format(treatment=treatment)
    return ASSUMPTIONS.format(interference=interference, rest=words, data=SPLIT if split else SHARED)


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


def verdict(row: Mapping[str, Any]) -> str:
    """One sentence for people. The reason of an answered row says whose effect it is, if not that of all units."""
    if row["status"] != Status.ANSWERED:
        return f"Cannot be told ({str(row['status']).replace('_', ' ')}): {row['reason']}."
    low, high = row["causal_lower"], row["causal_upper"]
    cause = "Recommending an item" if row["treatment"] == RECOMMENDED else f"The treatment `{row['treatment']}`"
    share = f"{100 * row['causal']:+.2f} points (95 % interval {100 * low:+.2f} to {100 * high:+.2f})"
    naive = f"the naive difference says {100 * row['naive']:+.2f}"
    chance = f"the chance of a {row['outcome']}"
    whose = f", {row['reason']}" if row["reason"] else ""
    if low > 0 or high < 0:
        return f"{cause} {'raises' if low > 0 else 'lowers'} {chance} by {share}{whose}; {naive}."
    return f"{cause} has no effect on {chance} that can be told from 0: {share}{whose}; {naive}."
