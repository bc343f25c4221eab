"""The effect by self-normalised inverse-propensity weights."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.arrays import Codes, Floats
from causalrec.estimators.effects.checks import checked_arms, checked_propensity
from causalrec.estimators.effects.protocol import EffectData, Nuisance, Role
from causalrec.estimators.intervals import Estimate, from_influence


def snips_effect(outcome: Floats, treatment: Floats, propensity: Floats, clusters: Codes) -> Estimate:
    """The effect by self-normalised inverse-propensity weights (Hajek's estimator in each arm).

    sum(T Y / e) / sum(T / e) - sum((1 - T) Y / (1 - e)) / sum((1 - T) / (1 - e))

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        propensity: e, (n,), treatment propensities P(T = 1 | x), in (0, 1).
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome. The interval takes the propensities as known.

    Raises:
        ValueError: An arm is empty, lengths differ, an outcome is not finite, or a propensity is not in
            (0, 1).
        TooFewClusters: Fewer than two clusters.

    Source:
        Hajek (1971), comment in "Foundations of Statistical Inference"; as an estimator of effects, Lunceford
        and Davidian (2004), Statistics in Medicine 23(19), their IPW2.

    Not for:
        Poor overlap: a few rows then carry the estimate.
    """
    y, t = checked_arms(outcome, treatment)
    e = checked_propensity(propensity, len(y))
    w1, w0 = t / e, (1 - t) / (1 - e)
    one, zero = (w1 * y).sum() / w1.sum(), (w0 * y).sum() / w0.sum()
    influence = w1 * (y - one) / w1.mean() - w0 * (y - zero) / w0.mean()
    return from_influence(float(one - zero), influence, clusters)


@dataclass(frozen=True)
class SNIPS:
    """The registered form of the estimator: see the function."""

    name: str = "snips"
    label: str = "SNIPS"
    role: Role = Role.WEIGHTED
    needs: frozenset[Nuisance] = frozenset({Nuisance.PROPENSITY})

    def estimate(self, data: EffectData) -> Estimate:
        """The effect, in units of the outcome."""
        return snips_effect(data.outcome, data.treatment, data.fitted_propensity(), data.clusters)
