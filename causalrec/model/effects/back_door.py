"""Treatment propensities and effects of the questions, on the training window's units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from causalrec.answers import (
    ANSWERED,
    Answer,
    InputError,
    Status,
    insufficient_evidence,
    not_available,
)
from causalrec.arrays import Codes, Floats
from causalrec.engine.threads import one_thread
from causalrec.estimators.effects.aipw import aipw_effect, naive_difference, snips_effect
from causalrec.estimators.intervals import Estimate
from causalrec.estimators.scores import calibration_error
from causalrec.estimators.weights import effective_sample_size
from causalrec.model.crossfit import cross_fit, cross_fit_calibrated, folds_by_cluster
from causalrec.model.design_matrix import DesignMatrix
from causalrec.settings.model import ModelSettings

FEWEST_CLUSTERS = 15
"""Of fewer effective ones 95 % intervals cover 81 to 94 % (docs/decisions/0035)."""
ESTIMATORS = ("naive", "snips", "aipw")
SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(),
    "treatment": pl.String(),
    "outcome": pl.String(),
    "estimator": pl.String(),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "units": pl.Int64(),
    "clusters": pl.Int64(),
    "status": pl.String(),
    "reason": pl.String(),
}


@dataclass(frozen=True)
class Propensities:
    """P(T = 1 | x) of every unit, out of fold and calibrated, before any bound.

    Attributes:
        propensity: (n,) in (0, 1).
        fold: (n,) fold codes; the outcome models of the same question use the same folds.
    """

    propensity: Floats
    fold: Codes


def is_zero_or_one(values: pl.Series, asked_as: str) -> Answer:
    """Whether a treatment or an outcome is 0 or 1 in each unit; otherwise what it is, and what to land.

    Args:
        asked_as: treatment or outcome.
    """
    name = values.name
    if missing := values.null_count():
        return not_available(
            f"`{name}` is missing in {missing:,} of {len(values):,} units; a contrast of those in which it was seen is "
            "not an effect"
        )
    found = values.unique().sort()
    number = values.dtype.is_numeric() or values.dtype == pl.Boolean
    if number and found.cast(pl.Float64).is_in([0.0, 1.0]).all():
        return ANSWERED
    some = ", ".join(str(value) for value in found.head(3))
    kind = "" if number else f" of type {values.dtype}"
    return not_available(
        f"the {asked_as} `{name}` has {len(found):,} value{'s' if len(found) > 1 else ''}{kind} ({some}"
        f"{', ...' if len(found) > 3 else ''}), and an effect is asked of a {asked_as} that is 0 or 1, as a number: "
        + (
            "land a column that is 1 for the arm in question and 0 for the other, and declare it in sources.yaml "
            "(`context: {arm: number}`)"
            if asked_as == "treatment"
            else "ask about an outcome that is"
        )
    )


def can_be_compared(treatment: pl.Series, clusters: Codes, settings: ModelSettings) -> Answer:
    """Whether there are two arms, and enough clusters, to fit a treatment propensity."""
    if treatment.is_empty():
        return insufficient_evidence("the training window has no units")
    told = is_zero_or_one(treatment, "treatment")
    if not told.answered:
        return told
    t = as_binary(treatment)
    if t.min() == t.max():
        return insufficient_evidence(f"every unit of the training window has `{treatment.name}` = {t[0]:.0f}")
    groups = len(np.unique(clusters))
    if groups < settings.folds:
        return insufficient_evidence(
            f"the units come in {groups} clusters, at least {settings.folds} are needed (model.yaml: folds)"
        )
    return ANSWERED


@one_thread()
def treatment_propensities(
    units: pl.DataFrame,
    treatment: str,
    columns: Sequence[str],
    clusters: Codes,
    settings: ModelSettings,
    seed: int,
) -> Propensities:
    """The treatment propensity e(x) = P(T = 1 | x) of every unit, given an adjustment set.

    Folds are whole clusters; trees and their calibration are fitted on the other folds
    (`cross_fit_calibrated`).

    Args:
        units: (n rows) with the treatment and the columns.
        columns: The adjustment set; empty gives the share of the treated.
        clusters: (n,) codes.

    Raises:
        InputError: The treatment has values other than 0 and 1.
        ValueError: Fewer clusters than folds; ask `can_be_compared` first.
    """
    t = as_binary(units[treatment])
    x = DesignMatrix.fit(units, columns).plain(units)
    fold = folds_by_cluster(clusters, settings.folds, seed)
    return Propensities(cross_fit_calibrated(x, t, fold, seed), fold)


@one_thread()
def estimate_effect(
    units: pl.DataFrame,
    treatment: str,
    outcome: str,
    columns: Sequence[str],
    propensity: Floats,
    fold: Codes,
    clusters: Codes,
    settings: ModelSettings,
    seed: int,
) -> tuple[Answer, dict[str, Estimate], dict[str, Any]]:
    """Naive, SNIPS and AIPW of one question, beside each other.

    Propensities are cut to [bound, 1 - bound] for SNIPS and AIPW, so that no unit weighs more than 1 / bound;
    how many were cut is a diagnostic.

    Args:
        units: (n rows) with treatment, outcome and columns.
        columns: The adjustment set.
        propensity, fold: (n,), from `treatment_propensities` on the same units.
        clusters: (n,) codes.

    Returns:
        The answer; the estimates by name, empty unless answered; and the diagnostics: `overlap_share` of the
        units inside of the bounds, `bounded_units`, `effective_treated` and `effective_control` units,
        `calibration_error` of the propensities, `rate_treated` and `rate_control`, and, when answered,
        `mean_if_not` (AIPW's E[Y(0)]).

    Raises:
        InputError: Treatment or outcome have values other than 0 and 1.
    """
    if units[outcome].null_count():
        missing = units[outcome].null_count()
        return (
            not_available(
                f"`{outcome}` is missing in {missing:,} of {units.height:,} units; a contrast of those in which "
                "it was seen is not an effect"
            ),
            {},
            {},
        )
    t, y = as_binary(units[treatment]), as_binary(units[outcome])
    bound = settings.propensity_bound
    e = np.clip(propensity, bound, 1 - bound)
    inside = (propensity >= bound) & (propensity <= 1 - bound)
    diagnostics: dict[str, Any] = {
        "overlap_share": float(inside.mean()),
        "bounded_units": int((~inside).sum()),
        "effective_treated": effective_sample_size(t / e),
        "effective_control": effective_sample_size((1 - t) / (1 - e)),
        "calibration_error": calibration_error(t, propensity),
        "rate_treated": float(y[t == 1].mean()),
        "rate_control": float(y[t == 0].mean()),
    }
    doubt = enough(y, t, fold, outcome, diagnostics["overlap_share"], settings, clusters, e)
    if not doubt.answered:
        return doubt, {}, diagnostics
    x = DesignMatrix.fit(units, columns).plain(units)
    m1 = cross_fit(x, y, fold, seed, learn_on=t == 1)
    m0 = cross_fit(x, y, fold, seed, learn_on=t == 0)
    diagnostics["mean_if_not"] = float((m0 + (1 - t) * (y - m0) / (1 - e)).mean())
    return (
        ANSWERED,
        {
            "naive": naive_difference(y, t, clusters),
            "snips": snips_effect(y, t, e, clusters),
            "aipw": aipw_effect(y, t, e, m1, m0, clusters),
        },
        diagnostics,
    )


def effect_rows(question: Mapping[str, Any], answer: Answer, estimates: Mapping[str, Estimate]) -> list[dict[str, Any]]:
    """The three rows of a question in the table `effects`; without estimates every number is null."""
    rows = []
    for name in ESTIMATORS:
        found = estimates.get(name)
        rows.append(
            {
                **{key: question[key] for key in ("question", "treatment", "outcome")},
                "estimator": name,
                "estimate": found.value if found else None,
                "std_error": found.std_error if found else None,
                "lower": found.lower if found else None,
                "upper": found.upper if found else None,
                "units": found.rows if found else None,
                "clusters": found.clusters if found else None,
                "status": answer.status.value,
                "reason": answer.reason,
            }
        )
    return rows


def answer_of(row: Mapping[str, Any]) -> Answer:
    """The typed answer of a row of `adjustment_sets`."""
    return Answer(Status(row["status"]), row["reason"] or "")


def propensity_answer(table: Answer, refused: Mapping[str, Answer], question: str) -> Answer:
    """Whether a question has propensities, or why not.

    Args:
        table: The answer of `treatment_propensities` as a whole.
        refused: Its note `answers`: the questions that it gave none.
    """
    return refused.get(question, table)


def aligned(propensities: pl.DataFrame, question: str, units: pl.DataFrame) -> pl.DataFrame:
    """`propensity` and `fold` of one question in the order of the units.

    Args:
        propensities: The table `treatment_propensities`.

    Raises:
        InputError: The two are not about the same units: the units were made again after the propensities.
    """
    mine = propensities.filter(pl.col("question") == question).select("unit_id", "propensity", "fold")
    found = units.select("unit_id").join(mine, on="unit_id", how="left", maintain_order="left")
    if mine.height != units.height or found["propensity"].null_count():
        raise InputError(
            f"treatment_propensities of `{question}` is about {mine.height:,} units, the training window now "
            f"has {units.height:,}, {found['propensity'].null_count():,} of them without one: `units` was "
            "made again. Materialise `treatment_propensities` again"
        )
    return found.select("propensity", "fold")


def enough(
    y: Floats,
    t: Floats,
    fold: Codes,
    outcome: str,
    overlap_share: float,
    settings: ModelSettings,
    clusters: Codes | None = None,
    propensity: Floats | None = None,
) -> Answer:
    """Whether each arm has each value of the outcome often enough, from enough clusters; overlap; and several folds.

    Args:
        y, t: (n,) 0 or 1. An outcome that nearly always happens is as little known as one that hardly ever does: the
            rarer value counts.
        clusters: (n,) codes; None: each unit is independent. The weights w of a cluster's units add up to W, and the
            effective number of clusters is (sum W)^2 / sum W^2.
        propensity: (n,) of `t`, cut to its bounds: a unit weighs 1 / P(T = t | x); None: 1.
    """
    least = settings.min_outcomes_per_arm
    weight = np.ones(len(y)) if propensity is None else 1.0 / np.where(t == 1, propensity, 1 - propensity)
    for value in (1.0, 0.0):
        arms = [(t == arm) & (y == value) for arm in (1, 0)]
        told = f"`{outcome}`" if value else f"no `{outcome}`"
        events = min(int(rows.sum()) for rows in arms)
        if events < least:
            # Outcomes of an arm grow as the units do.
            more = math.ceil(len(y) * (least / events - 1)) if events else None
            return insufficient_evidence(
                f"an arm has {events} units with {told}, at least {least} are needed (model.yaml: "
                "min_outcomes_per_arm)"
                + ("" if more is None else f"; about {more:,} more units like these {len(y):,} would do")
            )
        code = np.arange(len(y)) if clusters is None else clusters
        found, needed = min(_effective(code[rows], weight[rows]) for rows in arms), min(FEWEST_CLUSTERS, least)
        if found < needed:
            return insufficient_evidence(
                f"the units of an arm with {told} are worth {found:.1f} clusters of equal weight (users, requests or "
                f"hours; a few have most of it), at least {needed} are needed for an interval"
            )
    if overlap_share < settings.min_overlap_share:
        return insufficient_evidence(
            f"only {overlap_share:.0%} of the units could have had either arm (a treatment propensity in "
            f"[{settings.propensity_bound}, {1 - settings.propensity_bound}]), at least "
            f"{settings.min_overlap_share:.0%} are needed (model.yaml: min_overlap_share); explore more"
        )
    if any(not ((fold != k) & (t == arm)).any() for k in np.unique(fold) for arm in (0, 1)):
        return insufficient_evidence("all units of an arm come from one fold of clusters")
    return ANSWERED


def _effective(clusters: Codes, weight: Floats) -> float:
    of_cluster = np.bincount(np.unique(clusters, return_inverse=True)[1], weight)
    return float(of_cluster.sum() ** 2 / (of_cluster**2).sum())


def as_binary(values: pl.Series) -> Floats:
    """A treatment or an outcome as 0.0 and 1.0.

    Raises:
        InputError: It has other values.
    """
    x = np.asarray(values.cast(pl.Float64).to_numpy(), dtype=np.float64)
    if not np.isin(x, (0.0, 1.0)).all():
        raise InputError(
            f"questions.yaml: `{values.name}` has values other than 0 and 1; effects are asked of treatments and "
            "outcomes that are 0 or 1"
        )
    return x
