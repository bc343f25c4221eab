"""One question's effect as a task and as a result: what travels together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from causalrec.answers import Answer
from causalrec.arrays import Codes, Floats
from causalrec.estimators.effects import EFFECT_ESTIMATORS, EffectEstimator, Nuisance
from causalrec.estimators.intervals import Estimate
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.effects.positivity import as_binary
from causalrec.model.effects.propensities import Propensities
from causalrec.settings.model import EffectSettings


@dataclass(frozen=True)
class EffectStudy:
    """What the effect of one question is estimated from.

    Attributes:
        units: n rows, with all columns of the question.
        question: A row of `adjustment_sets` with an answer.
        propensities: P(T = 1 | `covariates_of(question)`) of these units, and their folds.
        clusters: (n,) codes.
        settings: Of `model.yaml`.
        seed: Of every fit.
        estimators: Which estimates are made; all that are registered, unless given.
    """

    units: pl.DataFrame
    question: Mapping[str, Any]
    propensities: Propensities
    clusters: Codes
    settings: EffectSettings
    seed: int
    estimators: Sequence[EffectEstimator] = field(default_factory=lambda: tuple(EFFECT_ESTIMATORS.values()))

    @property
    def propensity(self) -> Floats:
        return self.propensities.propensity

    @property
    def fold(self) -> Codes:
        return self.propensities.fold

    def treatment(self) -> Floats:
        """T of every unit, (n,), 0 or 1."""
        return as_binary(self.units[self.question["treatment"]])

    def outcome(self) -> Floats:
        """Y of every unit, (n,), 0 or 1."""
        return as_binary(self.units[self.question["outcome"]])

    def matrix(self, columns: Sequence[str]) -> Floats:
        """The design matrix of some columns, (n, their width)."""
        return DesignMatrix.fit(self.units, columns).plain(self.units)

    def needs(self, nuisance: Nuisance) -> bool:
        return any(nuisance in estimator.needs for estimator in self.estimators)


@dataclass(frozen=True)
class EffectResult:
    """What became of a question.

    Attributes:
        answer: With the estimand as its reason where that is not the total effect among all units.
        estimates: By the estimator's name; empty unless answered. An estimator that the strategy has no form of is
            left out.
        diagnostics: `strategy`; `overlap_share` of the units inside of the bounds, `bounded_units`,
            `effective_treated` and `effective_control` units, `calibration_error` of the propensities, `rate_treated`
            and `rate_control`, and, when answered, `mean_if_not`, the doubly robust E[Y(0)]. What else a strategy
            measures is beside them.
    """

    answer: Answer
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
