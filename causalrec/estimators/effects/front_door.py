"""The effect of a binary treatment by the front door: weighted, and robust to one of its models being wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.effects.checks import checked_arms, checked_propensity
from causalrec.estimators.intervals import Estimate, contrast, from_influence


@dataclass(frozen=True)
class FrontDoorModels:
    """What is fitted for a front door, cross-fitted, for n units; w are the covariates and m the mediators.

    Attributes:
        propensity: (n,), P(T = 1 | w), in (0, 1).
        propensity_given_mediators: (n,), P(T = 1 | m, w), in (0, 1). By Bayes' rule it says how likely the mediators
            are under either arm, so that they may be of any kind and number.
        outcome: (n, 2), E[Y | m, T = t, w] in column t.
        averaged: (n, 2, 2), at [:, a, t] the mean of `outcome[:, t]` over the mediators of arm a, given w.
    """

    propensity: Floats
    propensity_given_mediators: Floats
    outcome: Floats
    averaged: Floats


def front_door_effect(outcome: Floats, treatment: Floats, models: FrontDoorModels, clusters: Codes) -> Estimate:
    """The front-door effect from its efficient influence function.

    psi(1) - psi(0), and psi(a) is the mean of

        f(m | a, w) / f(m | T, w) (Y - mu(m, T, w)) + 1{T = a} / e(a | w) (xi(m, w) - theta(a, w)) + gamma(a, T, w)

    with mu the outcome model, gamma(a, t, w) its mean over the mediators of arm a, xi the mean of mu and theta that of
    gamma over the treatment given w, and f(m | a, w) / f(m | t, w) = P(a | m, w) e(t | w) / (P(t | m, w) e(a | w)).

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        models: Cross-fitted.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome.

    Raises:
        ValueError: An arm is empty, a propensity is not in (0, 1), lengths differ, or a value is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Fulcher, Shpitser, Marealle and Tchetgen Tchetgen (2020), JRSS-B 82(1), "Robust inference on population indirect
        causal effects: the generalized front door criterion", theorem 1, without its term for the direct effect.

    Not for:
        An effect with another way than through the mediators, or mediators that something hidden moves.
    """
    y, t, ratio = _ratios(outcome, treatment, models)
    n, e, arm = len(y), models.propensity, t.astype(np.int64)
    mu, gamma = np.asarray(models.outcome, dtype=np.float64), np.asarray(models.averaged, dtype=np.float64)
    if mu.shape != (n, 2) or gamma.shape != (n, 2, 2):
        raise ValueError(f"{n} outcomes but models of shape {mu.shape} and {gamma.shape}")
    rows = np.arange(n)
    xi = e * mu[:, 1] + (1 - e) * mu[:, 0]
    score = np.zeros(n)
    for a, sign in ((1, 1.0), (0, -1.0)):
        theta = e * gamma[:, a, 1] + (1 - e) * gamma[:, a, 0]
        taken = (t == a) / (e if a else 1 - e)
        score += sign * (ratio[a] * (y - mu[rows, arm]) + taken * (xi - theta) + gamma[rows, a, arm])
    value = float(score.mean())
    return from_influence(value, score - value, clusters)


def front_door_weighted(outcome: Floats, treatment: Floats, models: FrontDoorModels, clusters: Codes) -> Estimate:
    """The front-door effect by self-normalised weights alone: no outcome model is asked.

    sum(r1 Y) / sum(r1) - sum(r0 Y) / sum(r0), with ra = f(m | a, w) / f(m | T, w)

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        models: Of them only the two propensities are read.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome. The interval takes the propensities as known.

    Raises:
        ValueError: An arm is empty, a propensity is not in (0, 1), lengths differ, or a value is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Fulcher et al. (2020), their first estimator, weights normalised as in Hajek (1971).

    Not for:
        Mediators that all but tell the arm: a few units then carry the estimate.
    """
    y, _, ratio = _ratios(outcome, treatment, models)
    arms = []
    for weights in ratio:
        mean = float((weights * y).sum() / weights.sum())
        arms.append(from_influence(mean, weights * (y - mean) / weights.mean(), clusters))
    return contrast(arms[1], arms[0], clusters)


def _ratios(
    outcome: Floats, treatment: Floats, models: FrontDoorModels
) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    """f(m | a, w) / f(m | T, w) for a = 0 and a = 1, beside the checked outcome and treatment."""
    y, t = checked_arms(outcome, treatment)
    e = checked_propensity(models.propensity, len(y))
    given = checked_propensity(models.propensity_given_mediators, len(y))
    odds = given / (1 - given) * (1 - e) / e
    return y, t, (np.where(t == 0, 1.0, 1 / odds), np.where(t == 1, 1.0, odds))
