"""The naive difference of the arms: correlation."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.arrays import Codes, Floats
from causalrec.estimators.effects.checks import checked_arms
from causalrec.estimators.effects.protocol import EffectData, Nuisance, Role
from causalrec.estimators.intervals import Estimate, from_influence


def naive_difference(outcome: Floats, treatment: Floats, clusters: Codes) -> Estimate:
    """The difference of the arms' mean outcomes: correlation, shown beside every effect.

    mean(Y | T = 1) - mean(Y | T = 0)

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome.

    Raises:
        ValueError: An arm is empty, lengths differ, or an outcome is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Neyman (1923), translated in Statistical Science 5(4) (1990); the interval as in `from_influence`.

    Not for:
        Deciding anything, unless the treatment was assigned at random.
    """
    y, t = checked_arms(outcome, treatment)
    share = t.mean()
    one, zero = y[t == 1].mean(), y[t == 0].mean()
    influence = t * (y - one) / share - (1 - t) * (y - zero) / (1 - share)
    return from_influence(float(one - zero), influence, clusters)


@dataclass(frozen=True)
class NaiveDifference:
    """The registered form of the estimator: see the function."""

    name: str = "naive"
    label: str = "naive difference"
    role: Role = Role.NAIVE
    needs: frozenset[Nuisance] = frozenset()

    def estimate(self, data: EffectData) -> Estimate:
        """The effect, in units of the outcome."""
        return naive_difference(data.outcome, data.treatment, data.clusters)
