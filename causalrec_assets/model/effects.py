"""Treatment propensities and effects of the questions, on the training window's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.answers import ANSWERED, Answer, Status, insufficient_evidence
from causalrec_assets.estimators.effects import aipw_effect, naive_difference, snips_effect
from causalrec_assets.estimators.intervals import Estimate
from causalrec_assets.estimators.scores import calibration_error
from causalrec_assets.estimators.weights import effective_sample_size
from causalrec_assets.model.crossfit import cross_fit, folds_by_cluster, recalibrate
from causalrec_assets.model.design_matrix import DesignMatrix
from causalrec_assets.model.settings import ModelSettings

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
ESTIMATORS = ("naive", "snips", "aipw")
SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(), "treatment": pl.String(), "outcome": pl.String(), "estimator": pl.String(),
    "estimate": pl.Float64(), "std_error": pl.Float64(), "lower": pl.Float64(), "upper": pl.Float64(), "units": pl.Int64(),
    "clusters": pl.Int64(), "status": pl.String(), "reason": pl.String(),
}


@dataclass(frozen=True)
class Propensities:
    """P(T = 1 | x) of every unit, out of fold and calibrated, before any bound."""

    propensity: Floats
    fold: Codes


def treatment_propensities(
    units: pl.DataFrame, treatment: str, columns: list[str], clusters: Codes, settings: ModelSettings, seed: int
) -> Propensities:
    """Cross-fit the treatment propensity on an adjustment set."""
    x = DesignMatrix.fit(units, columns).transform(units)
    t = units[treatment].to_numpy().astype(np.float64)
    fold = folds_by_cluster(clusters, settings.folds, seed)
    return Propensities(recalibrate(cross_fit(x, t, fold, seed), t, fold), fold)


def estimate_effect(
    units: pl.DataFrame, treatment: str, outcome: str, columns: list[str], propensity: Floats, fold: Codes, clusters: Codes,
    settings: ModelSettings, seed: int,
) -> tuple[Answer, dict[str, Estimate], dict[str, Any]]:
    """Naive, SNIPS and AIPW of one question.

    Args:
        columns: The adjustment set.
        propensity, fold: From `treatment_propensities` on the same units.

    Returns:
        The answer, the estimates by name (empty unless answered), and the diagnostics: overlap share, effective units of
        each arm, calibration error of the propensities, units whose propensity was bounded.
    """
    t = units[treatment].to_numpy().astype(np.float64)
    y = units[outcome].to_numpy().astype(np.float64)
    bound = settings.propensity_bound
    e = np.clip(propensity, bound, 1 - bound)
    inside = (propensity >= bound) & (propensity <= 1 - bound)
    diagnostics: dict[str, Any] = {
        "overlap_share": float(inside.mean()), "bounded_units": int((~inside).sum()),
        "effective_treated": effective_sample_size(t / e), "effective_control": effective_sample_size((1 - t) / (1 - e)),
        "calibration_error": calibration_error(t, propensity),
        "rate_treated": float(y[t == 1].mean()), "rate_control": float(y[t == 0].mean()),
    }
    events = min(int(y[t == 1].sum()), int(y[t == 0].sum()))
    if events < settings.min_outcomes_per_arm:
        return insufficient_evidence(f"{events} units with `{outcome}` in an arm, at least {settings.min_outcomes_per_arm} are "
                                     "needed (model.yaml)"), {}, diagnostics
    if diagnostics["overlap_share"] < settings.min_overlap_share:
        return insufficient_evidence(f"only {diagnostics['overlap_share']:.0%} of the units could have had either arm "
                                     f"(propensity within {bound} of 0 or 1); explore more"), {}, diagnostics
    x = DesignMatrix.fit(units, columns).transform(units)
    m1 = cross_fit(x, y, fold, seed, learn_on=t == 1)
    m0 = cross_fit(x, y, fold, seed, learn_on=t == 0)
    diagnostics["mean_if_not"] = float((m0 + (1 - t) * (y - m0) / (1 - e)).mean())
    estimates = {
        "naive": naive_difference(y, t, clusters),
        "snips": snips_effect(y, t, e, clusters),
        "aipw": aipw_effect(y, t, e, m1, m0, clusters),
    }
    return ANSWERED, estimates, diagnostics


def effect_rows(question: Mapping[str, Any], answer: Answer, estimates: Mapping[str, Estimate]) -> list[dict[str, Any]]:
    """The three rows of a question in the table `effects`."""
    rows = []
    for name in ESTIMATORS:
        found = estimates.get(name)
        rows.append({
            **{key: question[key] for key in ("question", "treatment", "outcome")}, "estimator": name,
            "estimate": found.value if found else None, "std_error": found.std_error if found else None,
            "lower": found.lower if found else None, "upper": found.upper if found else None,
            "units": found.rows if found else None, "clusters": found.clusters if found else None,
            "status": answer.status.value, "reason": answer.reason,
        })
    return rows


def answer_of(row: Mapping[str, Any]) -> Answer:
    """The typed answer of a row of `adjustment_sets`."""
    return Answer(Status(row["status"]), row["reason"])
