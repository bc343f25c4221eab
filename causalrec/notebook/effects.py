"""Effects of a 0/1 treatment on a 0/1 outcome, in a notebook, with scikit-learn's conventions:

effect = cr.AIPW().fit(X, treatment, outcome, clusters=user)
effect.effect_, effect.interval_, effect.answer_

They call what the assets `treatment_propensities` and `effects` call, and give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Self

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.arrays import Codes
from causalrec.estimators.effects import EFFECT_ESTIMATORS, EffectEstimator, Role, aipw, first_of, naive, snips
from causalrec.estimators.intervals import Estimate
from causalrec.logs.clusters import codes_of
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.back_door import BackDoor
from causalrec.model.effects.front_door import FrontDoor as FrontDoorStrategy
from causalrec.model.effects.instrument import Instrument
from causalrec.model.effects.positivity import check_arms
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.sets import covariates_of
from causalrec.model.effects.study import EffectResult, EffectStudy
from causalrec.notebook.frames import as_binary, as_column, as_frame
from causalrec.settings.model import EffectSettings


@dataclass(eq=False)
class _Effect:
    """Parameters and results of every estimator of an effect.

    Attributes:
        folds: Of the cross-fitting, by whole clusters; at least 3, for calibration is cross-fitted within it.
        positivity: Treatment propensities are cut to [positivity, 1 - positivity].
        min_outcomes_per_arm: With fewer units of an arm that have the outcome, or fewer that have not, the answer is
            `insufficient_evidence`.
        min_overlap_share: So it is when a smaller share of units has a propensity inside of the bounds.
        random_state: Of folds and trees.
        effect_: The difference that the treatment makes, in units of the outcome; None unless answered.
        interval_: Its 95 % limits, clustered; None unless answered.
        estimate_: The same with standard error, clusters and influence values; None unless answered.
        diagnostics_: Overlap, effective units, calibration and rates, by name; empty where nothing was fitted.
        answer_: Whether there is an effect, or why not, in words; whose effect it is where that is not all units.
    """

    folds: int = 3
    positivity: float = 0.01
    min_outcomes_per_arm: int = 50
    min_overlap_share: float = 0.9
    random_state: int = 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name. `deep` is scikit-learn's; there is nothing within them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; results stay until the next `fit`.

        Raises:
            InputError: A name is no parameter.
        """
        known = self.get_params()
        if unknown := sorted(params.keys() - known.keys()):
            raise InputError(
                f"{type(self).__name__} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def _settings(self) -> EffectSettings:
        """The parameters as the settings of `model.yaml`.

        Raises:
            InputError: A parameter is out of its range.
        """
        for name, kind, least, most, accepted in (
            ("folds", Integral, 3, math.inf, "a whole number of at least 3"),
            ("positivity", Real, math.nextafter(0, 1), math.nextafter(0.5, 0), "a number above 0 and below 0.5"),
            ("min_outcomes_per_arm", Integral, 1, math.inf, "a whole number of at least 1"),
            ("min_overlap_share", Real, 0, 1, "a number from 0 to 1"),
            ("random_state", Integral, 0, math.inf, "a whole number, not negative"),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kind) or not least <= float(value) <= most:
                raise InputError(f"{name} must be {accepted}, got {value!r}")
        return EffectSettings(
            folds=int(self.folds),
            propensity_bound=float(self.positivity),
            min_outcomes_per_arm=int(self.min_outcomes_per_arm),
            min_overlap_share=float(self.min_overlap_share),
        )

    def _fit(
        self, units: _Units, question: dict[str, Any], speaks: EffectEstimator, estimators: Sequence[EffectEstimator]
    ) -> Self:
        """Fit, and keep what one of the estimators says.

        Args:
            question: A row of `adjustment_sets`, as far as it is read.
            speaks: One of the estimators.
        """
        settings = self._settings()
        question = {**units.question, **question}
        result = EffectResult(check_arms(units.frame[question["treatment"]], units.clusters, settings))
        if result.answer.answered:
            propensities = treatment_propensities(
                units.frame,
                question["treatment"],
                covariates_of(question),
                units.clusters,
                settings,
                self.random_state,
            )
            result = estimate_effect(
                EffectStudy(
                    units.frame, question, propensities, units.clusters, settings, self.random_state, estimators
                )
            )
        estimate = result.estimates.get(speaks.name)
        self.answer_: Answer = result.answer
        self.diagnostics_: dict[str, Any] = dict(result.diagnostics)
        self.estimate_: Estimate | None = estimate
        self.effect_: float | None = None if estimate is None else estimate.value
        self.interval_: tuple[float, float] | None = None if estimate is None else (estimate.lower, estimate.upper)
        return self


class _BackDoorEffect(_Effect):
    """One registered estimator, given covariates that block every back door."""

    _estimator: EffectEstimator

    def fit(self, X: Any, treatment: Any, outcome: Any, clusters: Any = None) -> Self:
        """Estimate the effect.

        Args:
            X: The covariates to adjust for, (n, p): a frame of Polars or pandas, with text or numbers, or an array of
                numbers. Only what is known before the treatment belongs here; `identify` says which.
            treatment, outcome: (n,) 0 or 1: series, arrays or lists.
            clusters: (n,), whose units are not independent of each other, e.g. user ids; a row without one is a cluster
                of its own, or of the next column that names it where this is a frame. None: all rows are independent.

        Raises:
            InputError: A shape differs, or a value is not what it must be; the message names column and row.
        """
        units = _Units.of(X, treatment, outcome, clusters)
        return self._fit(units, {"strategy": BackDoor.name}, self._estimator, (self._estimator,))


class AIPW(_BackDoorEffect):
    """The augmented inverse-propensity (doubly robust) effect, cross-fitted: right when propensities or outcome models
    are.

    The formula and its source are at `causalrec.estimators.effects.aipw.aipw_effect`.
    """

    _estimator = aipw.AIPW()


class SNIPS(_BackDoorEffect):
    """The effect by self-normalised inverse-propensity weights: right when the propensities are.

    The formula and its source are at `causalrec.estimators.effects.snips.snips_effect`.
    """

    _estimator = snips.SNIPS()


class NaiveDifference(_BackDoorEffect):
    """The difference of the arms' mean outcomes: correlation, to be shown beside an effect.

    The same checks are made as for an effect given `X`, so that the two speak of the same units.
    """

    _estimator = naive.NaiveDifference()


class FrontDoor(_Effect):
    """The effect through mediators that carry all of it, where something hidden moves treatment and outcome."""

    def fit(self, X: Any, treatment: Any, outcome: Any, mediators: Any, clusters: Any = None) -> Self:
        """Estimate the effect.

        Args:
            X, treatment, outcome, clusters: As of `AIPW.fit`.
            mediators: (n, m), as X.

        Raises:
            InputError: A shape differs, or a value is not what it must be; the message names column and row.
        """
        through = as_frame(mediators, "mediators", "mediator")
        units = _Units.of(X, treatment, outcome, clusters).with_columns(through, "mediators")
        question = {"strategy": FrontDoorStrategy.name, "mediators": through.columns}
        return self._fit(units, question, first_of(Role.ROBUST), tuple(EFFECT_ESTIMATORS.values()))


class InstrumentalVariable(_Effect):
    """The effect among the units whose treatment an instrument decides, if it never moves a unit the other way."""

    def fit(self, X: Any, treatment: Any, outcome: Any, instrument: Any, clusters: Any = None) -> Self:
        """Estimate the effect.

        Args:
            X, treatment, outcome, clusters: As of `AIPW.fit`.
            instrument: (n,) 0 or 1.

        Raises:
            InputError: A shape differs, or a value is not what it must be; the message names column and row.
        """
        units = _Units.of(X, treatment, outcome, clusters)
        column = as_binary(instrument, "instrument", units.frame.height)
        units = units.with_columns(column.to_frame(), "the instrument")
        question = {"strategy": Instrument.name, "instrument": column.name}
        return self._fit(units, question, first_of(Role.ROBUST), tuple(EFFECT_ESTIMATORS.values()))


@dataclass(frozen=True)
class _Units:
    """What was given, as one table.

    Attributes:
        frame: n rows, with covariates, treatment and outcome.
        question: The names of these.
        clusters: (n,) codes.
    """

    frame: pl.DataFrame
    question: dict[str, Any]
    clusters: Codes

    @classmethod
    def of(cls, X: Any, treatment: Any, outcome: Any, clusters: Any) -> _Units:
        covariates = as_frame(X, "X")
        rows = covariates.height
        t, y = as_binary(treatment, "treatment", rows), as_binary(outcome, "outcome", rows)
        if clusters is None:
            keys = [pl.int_range(rows, eager=True)]
        elif getattr(clusters, "ndim", 1) == 2 or isinstance(clusters, pl.DataFrame):
            keys = as_frame(clusters, "clusters").get_columns()
        else:
            keys = [as_column(clusters, "clusters", rows)]
        if any(len(key) != rows for key in keys):
            raise InputError(f"clusters has {len(keys[0]):,} rows, X has {rows:,}")
        names = {"question": f"{t.name} on {y.name}", "treatment": t.name, "outcome": y.name}
        units = cls(covariates, {**names, "columns": covariates.columns}, codes_of(*keys))
        return units.with_columns(t.to_frame(), "the treatment").with_columns(y.to_frame(), "the outcome")

    def with_columns(self, others: pl.DataFrame, name: str) -> _Units:
        if others.height != self.frame.height:
            raise InputError(f"{name} has {others.height:,} rows, X has {self.frame.height:,}")
        if twice := [column for column in others.columns if column in self.frame.columns]:
            raise InputError(
                f"`{twice[0]}` is given twice, as {name} too; nothing is adjusted for its own treatment, outcome, "
                "mediators or instrument"
            )
        return _Units(self.frame.hstack(others), self.question, self.clusters)
