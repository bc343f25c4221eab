"""Effects by the front door: through mediators that carry the whole effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from causalrec.answers import ANSWERED
from causalrec.estimators.effects import EffectData, EffectEstimator, Role, first_of
from causalrec.estimators.effects.front_door import FrontDoorModels, front_door_effect, front_door_weighted
from causalrec.estimators.intervals import Estimate
from causalrec.model.crossfit import cross_fit_averaged, cross_fit_calibrated
from causalrec.model.effects.positivity import check_positivity, positivity_diagnostics
from causalrec.model.effects.sets import given, quoted
from causalrec.model.effects.study import EffectResult, EffectStudy

FORMS = {Role.WEIGHTED: front_door_weighted, Role.ROBUST: front_door_effect}
"""What the front door makes of the estimator that speaks for a role; others of the role have no form here."""


class FrontDoor:
    """The self-normalised weights of the front door, and the estimator that augments them."""

    name = "front_door"
    adjusts = False

    def reads(self, question: Mapping[str, Any]) -> list[str]:
        return list(question["mediators"])

    def estimand(self, question: Mapping[str, Any]) -> str:
        return f"through {quoted(question['mediators'])}, by which all of it passes"

    def assumptions(self, question: Mapping[str, Any]) -> str:
        mediators = ", ".join(question["mediators"])
        return (
            f"Front door: the whole effect passes through {mediators}, and given {given(question)} nothing unmeasured "
            f"moves {mediators} together with the treatment or with the outcome"
        )

    def estimate(self, study: EffectStudy) -> EffectResult:
        t, y, bound = study.treatment(), study.outcome(), study.settings.propensity_bound
        columns = list(study.question["columns"])
        outer, inner = study.matrix(columns), study.matrix([*columns, *self.reads(study.question)])
        propensity, given_mediators = study.propensity, cross_fit_calibrated(inner, t, study.fold, study.seed)
        within = (given_mediators >= bound) & (given_mediators <= 1 - bound)
        within &= (propensity >= bound) & (propensity <= 1 - bound)
        diagnostics = positivity_diagnostics(t, y, propensity, within, bound)
        data = EffectData(y, t, study.clusters)
        positivity = check_positivity(
            data, study.fold, study.question["outcome"], diagnostics["overlap_share"], study.settings
        )
        if not positivity.answered:
            return EffectResult(positivity, {}, diagnostics)
        arms = [t == 0, t == 1]
        fits = [cross_fit_averaged(inner, outer, y, study.fold, study.seed, arm, arms) for arm in arms]
        models = FrontDoorModels(
            np.clip(propensity, bound, 1 - bound),
            np.clip(given_mediators, bound, 1 - bound),
            np.column_stack([predicted for predicted, _ in fits]),
            np.stack([averages for _, averages in fits], axis=2),
        )
        e, averaged = models.propensity, models.averaged[:, 0, :]
        diagnostics["mean_if_not"] = float((e * averaged[:, 1] + (1 - e) * averaged[:, 0]).mean())
        estimates = {}
        for one in study.estimators:
            estimate = _estimate(one, first_of(one.role, study.estimators), data, models)
            if estimate is not None:
                estimates[one.name] = estimate
        return EffectResult(ANSWERED, estimates, diagnostics)


def _estimate(
    one: EffectEstimator, first: EffectEstimator, data: EffectData, models: FrontDoorModels
) -> Estimate | None:
    if one.role is Role.NAIVE:
        return one.estimate(data)
    if one is not first:
        return None
    return FORMS[one.role](data.outcome, data.treatment, models, data.clusters)
