"""Effects by the back door: adjusting for columns that block every path but the causal ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from causalrec.answers import ANSWERED
from causalrec.estimators.effects import EffectData, Nuisance
from causalrec.model.crossfit import cross_fit
from causalrec.model.effects.positivity import check_positivity, positivity_diagnostics
from causalrec.model.effects.sets import BACK_DOOR, covariates_of, given, quoted
from causalrec.model.effects.study import EffectResult, EffectStudy


class BackDoor:
    """Every registered estimator, given the adjustment set; of a direct effect, given the held mediators too."""

    name = BACK_DOOR
    adjusts = True

    def reads(self, question: Mapping[str, Any]) -> list[str]:
        return list(question.get("held") or [])

    def estimand(self, question: Mapping[str, Any]) -> str:
        if question.get("effect") == "direct":
            return f"with {quoted(question['held'])} held, for every unit, at the value that it had"
        return ""

    def assumptions(self, question: Mapping[str, Any]) -> str:
        held = ", ".join(self.reads(question))
        of_held = f" of the treatment, nor of {held}," if held else ""
        return f"No unmeasured confounding{of_held} given {given(question)}"

    def estimate(self, study: EffectStudy) -> EffectResult:
        """Propensities are cut to [bound, 1 - bound], so that no unit weighs more than 1 / bound; how many were cut is
        a diagnostic.
        """
        t, y, bound = study.treatment(), study.outcome(), study.settings.propensity_bound
        e = np.clip(study.propensity, bound, 1 - bound)
        within = (study.propensity >= bound) & (study.propensity <= 1 - bound)
        diagnostics = positivity_diagnostics(t, y, study.propensity, within, bound)
        positivity = check_positivity(
            EffectData(y, t, study.clusters, e),
            study.fold,
            study.question["outcome"],
            diagnostics["overlap_share"],
            study.settings,
        )
        if not positivity.answered:
            return EffectResult(positivity, {}, diagnostics)
        predicted = None
        if study.needs(Nuisance.OUTCOME_MODEL):
            x = study.matrix(covariates_of(study.question))
            m1, m0 = (cross_fit(x, y, study.fold, study.seed, learn_on=t == arm) for arm in (1, 0))
            diagnostics["mean_if_not"] = float((m0 + (1 - t) * (y - m0) / (1 - e)).mean())
            predicted = (m1, m0)
        data = EffectData(y, t, study.clusters, e, predicted)
        return EffectResult(ANSWERED, {one.name: one.estimate(data) for one in study.estimators}, diagnostics)
