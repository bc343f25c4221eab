"""The effect of a question by the strategy that identifies it: back door, front door or instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, Status, insufficient_evidence, not_available
from causalrec.arrays import Codes, Floats, Mask
from causalrec.engine.threads import one_thread
from causalrec.estimators.effects.aipw import aipw_effect, naive_difference, snips_effect
from causalrec.estimators.effects.front_door import FrontDoorModels, front_door_effect, front_door_weighted
from causalrec.estimators.effects.instrument import WEAK, WeakInstrument, complier_effect, strength
from causalrec.estimators.intervals import Estimate
from causalrec.estimators.scores import calibration_error
from causalrec.estimators.weights import effective_sample_size
from causalrec.model.crossfit import cross_fit, cross_fit_averaged, cross_fit_calibrated
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.effects import back_door as fit
from causalrec.settings.model import ModelSettings

Told = tuple[Answer, dict[str, Estimate], dict[str, Any]]


def covariates_of(question: Mapping[str, Any]) -> list[str]:
    """What the treatment propensity of a question is given: its adjustment set, and the mediators that it holds.

    Args:
        question: A row of `adjustment_sets`.
    """
    return [*question["columns"], *(question.get("held") or [])]


def blocks_back_doors(sets: pl.DataFrame) -> pl.DataFrame:
    """The questions whose `columns` alone give the total effect: what a model of both arms may stand on.

    Args:
        sets: The table `adjustment_sets`.
    """
    found = sets.filter(pl.col("status") == Status.ANSWERED)
    if "strategy" not in sets.columns:
        return found
    return found.filter((pl.col("strategy") == "back_door") & (pl.col("effect") == "total"))


def estimand_of(question: Mapping[str, Any]) -> str:
    """Whose effect an answered question gives, and of what kind, in words; empty for the total effect among all."""
    strategy, treatment = question.get("strategy"), question["treatment"]
    if strategy == "instrument":
        return (
            f"among the units whose `{treatment}` the instrument `{question['instrument']}` decides, if it never moves "
            f"a unit away from `{treatment}`"
        )
    if strategy == "front_door":
        return f"through {_listed(question['mediators'])}, by which all of it passes"
    if question.get("effect") == "direct":
        return f"with {_listed(question['held'])} held, for every unit, at the value that it had"
    return ""


@one_thread()
def estimate_question(
    units: pl.DataFrame,
    question: Mapping[str, Any],
    propensity: Floats,
    fold: Codes,
    clusters: Codes,
    settings: ModelSettings,
    seed: int,
) -> Told:
    """Naive, weighted and doubly robust estimate of an answered question.

    A direct effect adjusts for the held mediators beside the adjustment set. A front door and an instrument give the
    estimates `snips` and `aipw` their own meaning: the self-normalised weights, and the estimator that augments them,
    of that strategy. The answer's reason says the estimand where it is not the total effect among all units.

    Args:
        units: (n rows) with all columns of the question.
        question: A row of `adjustment_sets` with an answer; a table without the column `strategy` is all back doors.
        propensity, fold: (n,), P(T = 1 | `covariates_of(question)`) and the folds of it.
        clusters: (n,) codes.

    Returns:
        As `effects.estimate_effect`. The diagnostics also name the `strategy`.

    """
    t, y = question["treatment"], question["outcome"]
    strategy = question.get("strategy") or "back_door"
    extra = [*(question.get("held") or []), *(question.get("mediators") or [])]
    instrument = question.get("instrument")
    if gap := _missing(units, [y, *extra, *([instrument] if instrument else [])]):
        return gap, {}, {}
    for column, asked_as in ((t, "treatment"), (y, "outcome")):
        told = fit.is_zero_or_one(units[column], asked_as)
        if not told.answered:
            return told, {}, {}
    if units[t].n_unique() < 2:
        return insufficient_evidence(f"the units that the effect is estimated on have one arm of `{t}` only"), {}, {}
    if strategy == "front_door":
        found = _by_front_door(units, t, y, question, propensity, fold, clusters, settings, seed)
    elif strategy == "instrument":
        found = _by_instrument(units, t, y, question, fold, clusters, settings, seed)
    else:
        columns = covariates_of(question)
        found = fit.estimate_effect(units, t, y, columns, propensity, fold, clusters, settings, seed)
    answer, estimates, diagnostics = found
    if answer.answered:
        answer = Answer(Status.ANSWERED, estimand_of(question))
    return answer, estimates, {"strategy": strategy, **diagnostics} if diagnostics else {}


def _by_front_door(
    units: pl.DataFrame,
    treatment: str,
    outcome: str,
    question: Mapping[str, Any],
    propensity: Floats,
    fold: Codes,
    clusters: Codes,
    settings: ModelSettings,
    seed: int,
) -> Told:
    t, y = fit.as_binary(units[treatment]), fit.as_binary(units[outcome])
    outer = _matrix(units, question["columns"])
    inner = _matrix(units, [*question["columns"], *question["mediators"]])
    given = cross_fit_calibrated(inner, t, fold, seed)
    bound = settings.propensity_bound
    within = (given >= bound) & (given <= 1 - bound) & (propensity >= bound) & (propensity <= 1 - bound)
    diagnostics = _trust(t, y, propensity, within, bound)
    doubt = fit.enough(y, t, fold, outcome, diagnostics["overlap_share"], settings, clusters)
    if not doubt.answered:
        return doubt, {}, diagnostics
    arms = [t == 0, t == 1]
    fits = [cross_fit_averaged(inner, outer, y, fold, seed, learned, arms) for learned in arms]
    models = FrontDoorModels(
        np.clip(propensity, bound, 1 - bound),
        np.clip(given, bound, 1 - bound),
        np.column_stack([predicted for predicted, _ in fits]),
        np.stack([averages for _, averages in fits], axis=2),
    )
    found = {
        "naive": naive_difference(y, t, clusters),
        "snips": front_door_weighted(y, t, models, clusters),
        "aipw": front_door_effect(y, t, models, clusters),
    }
    e, averaged = models.propensity, models.averaged[:, 0, :]
    diagnostics["mean_if_not"] = float((e * averaged[:, 1] + (1 - e) * averaged[:, 0]).mean())
    return ANSWERED, found, diagnostics


def _by_instrument(
    units: pl.DataFrame,
    treatment: str,
    outcome: str,
    question: Mapping[str, Any],
    fold: Codes,
    clusters: Codes,
    settings: ModelSettings,
    seed: int,
) -> Told:
    name = question["instrument"]
    t, y = fit.as_binary(units[treatment]), fit.as_binary(units[outcome])
    z = np.asarray(units[name].cast(pl.Float64).to_numpy(), dtype=np.float64) if _is_number(units[name]) else None
    if z is None or not np.isin(z, (0.0, 1.0)).all() or z.min() == z.max():
        why = f"the instrument `{name}` must be 0 or 1, and both must occur; give sources.yaml a column that is"
        return not_available(why), {}, {}
    x, bound = _matrix(units, question["columns"]), settings.propensity_bound
    share = cross_fit_calibrated(x, z, fold, seed)
    within = (share >= bound) & (share <= 1 - bound)
    diagnostics = _trust(z, y, share, within, bound)
    # The naive difference is that of the treatment's arms; so are the rates beside it.
    diagnostics |= {"rate_treated": float(y[t == 1].mean()), "rate_control": float(y[t == 0].mean())}
    doubt = fit.enough(y, z, fold, outcome, diagnostics["overlap_share"], settings, clusters)
    if not doubt.answered:
        return doubt, {}, diagnostics
    e = np.clip(share, bound, 1 - bound)

    def robust(end: Floats) -> Estimate:
        on, off = (cross_fit(x, end, fold, seed, learn_on=z == arm) for arm in (1, 0))
        return aipw_effect(end, z, e, on, off, clusters)

    moved = robust(t)
    diagnostics |= {"instrument_strength": strength(moved), "compliers": abs(moved.value)}
    weighted = snips_effect(t, z, e, clusters)
    weak = (
        f"the instrument `{name}` moves `{treatment}` by {100 * moved.value:+.2f} points only (F "
        f"{strength(moved):.1f}, at least {WEAK:.0f} is needed): the effect may be anything"
    )
    if min(strength(moved), strength(weighted)) < WEAK:
        return insufficient_evidence(weak), {}, diagnostics
    try:
        found = {
            "naive": naive_difference(y, t, clusters),
            "snips": complier_effect(snips_effect(y, z, e, clusters), weighted, clusters),
            "aipw": complier_effect(robust(y), moved, clusters),
        }
    except WeakInstrument:
        return insufficient_evidence(weak), {}, diagnostics
    if wild := [k for k, v in found.items() if abs(v.value) > 1]:
        why = (
            f"{' and '.join(wild)} by the instrument `{name}` is {found[wild[0]].value:+.2f}, which no difference of "
            "chances can be: it is too weak here, or acts on the outcome by itself"
        )
        return insufficient_evidence(why), {}, diagnostics
    without = snips_effect(y * (1 - t), z, e, clusters)
    diagnostics["mean_if_not"] = float(np.clip(-without.value / weighted.value, 0, 1))
    return ANSWERED, found, diagnostics


def _trust(t: Floats, y: Floats, propensity: Floats, within: Mask, bound: float) -> dict[str, Any]:
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


def _matrix(units: pl.DataFrame, columns: list[str]) -> Floats:
    return DesignMatrix.fit(units, columns).plain(units)


def _missing(units: pl.DataFrame, columns: list[str]) -> Answer | None:
    for name in columns:
        if missing := units[name].null_count():
            return not_available(
                f"`{name}` is missing in {missing:,} of {units.height:,} units; a contrast of those in which it was "
                "seen is not an effect"
            )
    return None


def _is_number(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype == pl.Boolean


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
