"""Effects by an instrument: among the units whose treatment it decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.arrays import Floats
from causalrec.estimators.effects import EffectData, Role
from causalrec.estimators.effects.aipw import aipw_effect
from causalrec.estimators.effects.instrument import WEAK, WeakInstrument, complier_effect, strength
from causalrec.estimators.effects.snips import snips_effect
from causalrec.model.crossfit import cross_fit, cross_fit_calibrated
from causalrec.model.effects.positivity import check_positivity, positivity_diagnostics
from causalrec.model.effects.sets import given
from causalrec.model.effects.study import EffectResult, EffectStudy


class Instrument:
    """Of each estimator the ratio of two: the instrument's effect on the outcome, over that on the treatment.

    The naive one stays what it is, the difference of the treatment's arms.
    """

    name = "instrument"
    adjusts = False

    def reads(self, question: Mapping[str, Any]) -> list[str]:
        return [question["instrument"]]

    def estimand(self, question: Mapping[str, Any]) -> str:
        treatment = question["treatment"]
        return (
            f"among the units whose `{treatment}` the instrument `{question['instrument']}` decides, if it never moves "
            f"a unit away from `{treatment}`"
        )

    def assumptions(self, question: Mapping[str, Any]) -> str:
        return (
            f"Instrument: given {given(question)}, {question['instrument']} is as good as random, moves the outcome "
            "only through the treatment, and never moves a unit away from it; the effect is that among the units whose "
            "treatment it decides"
        )

    def estimate(self, study: EffectStudy) -> EffectResult:
        """The diagnostics also have `instrument_strength`, an F statistic, and the share of `compliers`."""
        name, treatment = study.question["instrument"], study.question["treatment"]
        t, y, z = study.treatment(), study.outcome(), _two_arms(study.units[name])
        if z is None:
            why = f"the instrument `{name}` must be 0 or 1, and both must occur; give sources.yaml a column that is"
            return EffectResult(not_available(why))
        x, bound, clusters = study.matrix(study.question["columns"]), study.settings.propensity_bound, study.clusters
        share = cross_fit_calibrated(x, z, study.fold, study.seed)
        within = (share >= bound) & (share <= 1 - bound)
        diagnostics = positivity_diagnostics(z, y, share, within, bound)
        # The naive difference is that of the treatment's arms; so are the rates beside it.
        diagnostics |= {"rate_treated": float(y[t == 1].mean()), "rate_control": float(y[t == 0].mean())}
        positivity = check_positivity(
            EffectData(y, z, clusters),
            study.fold,
            study.question["outcome"],
            diagnostics["overlap_share"],
            study.settings,
        )
        if not positivity.answered:
            return EffectResult(positivity, {}, diagnostics)
        e = np.clip(share, bound, 1 - bound)

        def on(end: Floats) -> EffectData:
            m1, m0 = (cross_fit(x, end, study.fold, study.seed, learn_on=z == arm) for arm in (1, 0))
            return EffectData(end, z, clusters, e, (m1, m0))

        on_treatment = on(t)
        moved = aipw_effect(t, z, e, *on_treatment.fitted_outcomes(), clusters)
        diagnostics |= {"instrument_strength": strength(moved), "compliers": abs(moved.value)}
        causal = [one for one in study.estimators if one.role is not Role.NAIVE]
        moves = {one.name: one.estimate(on_treatment) for one in causal}
        weak = insufficient_evidence(
            f"the instrument `{name}` moves `{treatment}` by {100 * moved.value:+.2f} points only (F "
            f"{strength(moved):.1f}, at least {WEAK:.0f} is needed): the effect may be anything"
        )
        if min(strength(move) for move in (moved, *moves.values())) < WEAK:
            return EffectResult(weak, {}, diagnostics)
        on_outcome = on(y)
        try:
            estimates = {
                one.name: one.estimate(EffectData(y, t, clusters))
                if one.role is Role.NAIVE
                else complier_effect(one.estimate(on_outcome), moves[one.name], clusters)
                for one in study.estimators
            }
        except WeakInstrument:
            return EffectResult(weak, {}, diagnostics)
        if wild := [k for k, v in estimates.items() if abs(v.value) > 1]:
            why = (
                f"{' and '.join(wild)} by the instrument `{name}` is {estimates[wild[0]].value:+.2f}, which no "
                "difference of chances can be: it is too weak here, or acts on the outcome by itself"
            )
            return EffectResult(insufficient_evidence(why), {}, diagnostics)
        without, weighted = (snips_effect(end, z, e, clusters).value for end in (y * (1 - t), t))
        diagnostics["mean_if_not"] = float(np.clip(-without / weighted, 0, 1))
        return EffectResult(ANSWERED, estimates, diagnostics)


def _two_arms(values: pl.Series) -> Floats | None:
    """An instrument as 0.0 and 1.0, (n,); None where it has other values, or one of them only."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        return None
    z = np.asarray(values.cast(pl.Float64).to_numpy(), dtype=np.float64)
    return z if np.isin(z, (0.0, 1.0)).all() and z.min() < z.max() else None
