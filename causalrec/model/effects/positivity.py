"""Whether the data can tell two arms apart: both arms exist, both outcomes do in each, and every unit could have had
either arm.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, InputError, insufficient_evidence, not_available
from causalrec.arrays import Codes, Floats, Mask
from causalrec.estimators.effects.protocol import EffectData
from causalrec.estimators.scores import calibration_error
from causalrec.estimators.weights import effective_sample_size
from causalrec.settings.model import EffectSettings

FEWEST_CLUSTERS = 15
"""Of fewer effective ones 95 % intervals cover 81 to 94 % (docs/decisions/0035)."""


def as_binary(values: pl.Series) -> Floats:
    """A treatment or an outcome as 0.0 and 1.0, (n,).

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


def check_binary(values: pl.Series, asked_as: str) -> Answer:
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
    distinct = values.unique().sort()
    number = values.dtype.is_numeric() or values.dtype == pl.Boolean
    if number and distinct.cast(pl.Float64).is_in([0.0, 1.0]).all():
        return ANSWERED
    some = ", ".join(str(value) for value in distinct.head(3))
    kind = "" if number else f" of type {values.dtype}"
    return not_available(
        f"the {asked_as} `{name}` has {len(distinct):,} value{'s' if len(distinct) > 1 else ''}{kind} ({some}"
        f"{', ...' if len(distinct) > 3 else ''}), and an effect is asked of a {asked_as} that is 0 or 1, as a number: "
        + (
            "land a column that is 1 for the arm in question and 0 for the other, and declare it in sources.yaml "
            "(`context: {arm: number}`)"
            if asked_as == "treatment"
            else "ask about an outcome that is"
        )
    )


def check_arms(treatment: pl.Series, clusters: Codes, settings: EffectSettings) -> Answer:
    """Whether there are two arms, and enough clusters, to fit a treatment propensity."""
    if treatment.is_empty():
        return insufficient_evidence("the training window has no units")
    binary = check_binary(treatment, "treatment")
    if not binary.answered:
        return binary
    t = as_binary(treatment)
    if t.min() == t.max():
        return insufficient_evidence(f"every unit of the training window has `{treatment.name}` = {t[0]:.0f}")
    groups = len(np.unique(clusters))
    if groups < settings.folds:
        return insufficient_evidence(
            f"the units come in {groups} clusters, at least {settings.folds} are needed (model.yaml: folds)"
        )
    return ANSWERED


def check_positivity(
    data: EffectData, fold: Codes, outcome: str, overlap_share: float, settings: EffectSettings
) -> Answer:
    """Whether each arm has each value of the outcome often enough, from enough clusters; overlap; and several folds.

    An outcome that nearly always happens is as little known as one that hardly ever does: the rarer value counts. The
    weights w of a cluster's units add up to W, and the effective number of clusters is (sum W)^2 / sum W^2.

    Args:
        data: With propensities cut to their bounds a unit weighs 1 / P(T = t | x); without any, 1.
        fold: (n,) fold codes.
        outcome: Its name.
        overlap_share: The share of units whose propensity lies within the bounds.
    """
    y, t = data.outcome, data.treatment
    least = settings.min_outcomes_per_arm
    e = data.propensity
    weight = np.ones(len(y)) if e is None else 1.0 / np.where(t == 1, e, 1 - e)
    for value in (1.0, 0.0):
        arms = [(t == arm) & (y == value) for arm in (1, 0)]
        event = f"`{outcome}`" if value else f"no `{outcome}`"
        events = min(int(rows.sum()) for rows in arms)
        if events < least:
            # Outcomes of an arm grow as the units do.
            more = math.ceil(len(y) * (least / events - 1)) if events else None
            return insufficient_evidence(
                f"an arm has {events} units with {event}, at least {least} are needed (model.yaml: "
                "min_outcomes_per_arm)"
                + ("" if more is None else f"; about {more:,} more units like these {len(y):,} would do")
            )
        effective = min(_effective_clusters(data.clusters[rows], weight[rows]) for rows in arms)
        needed = min(FEWEST_CLUSTERS, least)
        if effective < needed:
            return insufficient_evidence(
                f"the units of an arm with {event} are worth {effective:.1f} clusters of equal weight (users, requests "
                f"or hours; a few have most of it), at least {needed} are needed for an interval"
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


def positivity_diagnostics(t: Floats, y: Floats, propensity: Floats, within: Mask, bound: float) -> dict[str, Any]:
    """How far the arms overlap, how many units each is worth, and how often the outcome was seen in it.

    Args:
        t, y: (n,) 0 or 1.
        propensity: (n,) of `t`, before any bound.
        within: (n,) whether a unit's propensities lie within the bounds.
        bound: They are cut to [bound, 1 - bound].

    Returns:
        The first seven of `EffectResult.diagnostics`, by name.
    """
    e = np.clip(propensity, bound, 1 - bound)
    return {
        "overlap_share": float(within.mean()),
        "bounded_units": int((~within).sum()),
        "effective_treated": effective_sample_size(t / e),
        "effective_control": effective_sample_size((1 - t) / (1 - e)),
        "calibration_error": calibration_error(t, propensity),
        "rate_treated": float(y[t == 1].mean()),
        "rate_control": float(y[t == 0].mean()),
    }


def _effective_clusters(clusters: Codes, weight: Floats) -> float:
    of_cluster = np.bincount(np.unique(clusters, return_inverse=True)[1], weight)
    return float(of_cluster.sum() ** 2 / (of_cluster**2).sum())
