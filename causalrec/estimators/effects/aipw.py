"""The augmented inverse-propensity (doubly robust) effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.effects.checks import checked_arms, checked_propensity
from causalrec.estimators.effects.protocol import EffectData, Nuisance, Role
from causalrec.estimators.intervals import Estimate, from_influence


def aipw_effect(
    outcome: Floats,
    treatment: Floats,
    propensity: Floats,
    if_treated: Floats,
    if_not: Floats,
    clusters: Codes,
) -> Estimate:
    """The augmented inverse-propensity (doubly robust) effect: right when propensities or outcome models are.

    mean[ m1 - m0 + T (Y - m1) / e - (1 - T) (Y - m0) / (1 - e) ]

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        propensity: e, (n,), P(T = 1 | x), in (0, 1), cross-fitted.
        if_treated, if_not: m1(x) = E[Y | T = 1, x] and m0(x) = E[Y | T = 0, x], (n,), finite, cross-fitted.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome.

    Raises:
        ValueError: An arm is empty, a propensity is not in (0, 1), lengths differ, or a value is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Robins, Rotnitzky and Zhao (1994), JASA 89(427); with cross-fitting, Chernozhukov et al. (2018),
        Econometrics Journal 21(1), section 5.1, eq. 5.3.

    Not for:
        A confounder that is not in x: both nuisances are then wrong, and so is the interval.
    """
    y, t = checked_arms(outcome, treatment)
    e = checked_propensity(propensity, len(y))
    m1, m0 = np.asarray(if_treated, dtype=np.float64), np.asarray(if_not, dtype=np.float64)
    if not m1.shape == m0.shape == y.shape:
        raise ValueError(f"{len(y)} outcomes but predictions of shape {m1.shape} and {m0.shape}")
    score = m1 - m0 + t * (y - m1) / e - (1 - t) * (y - m0) / (1 - e)
    value = float(score.mean())
    return from_influence(value, score - value, clusters)


@dataclass(frozen=True)
class AIPW:
    """The registered form of the estimator: see the function."""

    name: str = "aipw"
    label: str = "AIPW"
    role: Role = Role.ROBUST
    needs: frozenset[Nuisance] = frozenset({Nuisance.PROPENSITY, Nuisance.OUTCOME_MODEL})

    def estimate(self, data: EffectData) -> Estimate:
        """The effect, in units of the outcome."""
        m1, m0 = data.fitted_outcomes()
        return aipw_effect(data.outcome, data.treatment, data.fitted_propensity(), m1, m0, data.clusters)
