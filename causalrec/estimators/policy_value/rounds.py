"""The value of a target policy from the logs of another: IPS, SNIPS, DM and DR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate, clustered_mean, clustered_ratio, contrast

ESTIMATORS = ("ips", "snips", "dm", "dr")


@dataclass(frozen=True)
class Rounds:
    """Logged rounds and what a target policy would have done in them.

    Attributes:
        reward: r, (n,), observed rewards, n >= 1.
        weight: w = pi(a | x) / pi0(a | x), (n,): the target's action probability of the logged action over
            the logged action propensity; finite, not negative.
        model_logged: q(x, a), (n,), a model's prediction for the logged action; None without a model.
        model_target: sum over a of pi(a | x) q(x, a), (n,); None without a model.
        clusters: (n,) codes.

    Raises:
        ValueError: There is no round, lengths differ, or a weight is negative or not finite.
    """

    reward: Floats
    weight: Floats
    model_logged: Floats | None
    model_target: Floats | None
    clusters: Codes

    def __post_init__(self) -> None:
        n = len(self.reward)
        if n == 0:
            raise ValueError("there are no rounds to judge a policy on")
        for name in ("weight", "model_logged", "model_target", "clusters"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise ValueError(f"{n} rewards but {len(values)} values of {name}")
        if not np.isfinite(self.weight).all() or (self.weight < 0).any():
            raise ValueError("importance weights must be finite and not negative")


def ips(rounds: Rounds) -> Estimate:
    """The target's value by inverse propensity scores.

    mean(w r)

    Args:
        rounds: Logged rounds; the model's predictions are not read.

    Returns:
        Reward a round. Unbiased when pi0 is positive wherever pi is and the action propensities are exact.

    Raises:
        TooFewClusters: Fewer than two clusters.

    Source:
        Horvitz and Thompson (1952), JASA 47(260); for policies, Strehl et al. (2010), NeurIPS 23.

    Not for:
        Heavy-tailed weights: one round can carry the estimate, and it can leave the range of the rewards.
    """
    return clustered_mean(rounds.weight * rounds.reward, rounds.clusters)


def snips(rounds: Rounds) -> Estimate:
    """The target's value by self-normalised inverse propensity scores.

    sum(w r) / sum(w)

    Args:
        rounds: Logged rounds; the model's predictions are not read.

    Returns:
        Reward a round, within the range of the observed rewards. Biased of order 1 / n, often much less
        variable than IPS, and unchanged by a common factor of the weights.

    Raises:
        ZeroDivisionError: All weights are 0.
        TooFewClusters: Fewer than two clusters.

    Source:
        Swaminathan and Joachims (2015), NeurIPS 28, "The self-normalized estimator for counterfactual
        learning".

    Not for:
        A mean weight far from 1: the factor that it divides away then says that the propensities are wrong.
    """
    return clustered_ratio(rounds.weight * rounds.reward, rounds.weight, rounds.clusters)


def dm(rounds: Rounds) -> Estimate:
    """The target's value by a model alone (direct method).

    mean[ sum_a pi(a | x) q(x, a) ]

    Args:
        rounds: Logged rounds with a model's predictions; neither rewards nor weights are read.

    Returns:
        Reward a round. The interval covers the draw of the contexts only, not the model's error.

    Raises:
        ValueError: There is no model.
        TooFewClusters: Fewer than two clusters.

    Source:
        Beygelzimer and Langford (2009), KDD; as named in Dudik, Langford and Li (2011), ICML, section 2.

    Not for:
        Evidence: the policy was chosen by the same model.
    """
    return clustered_mean(_model(rounds.model_target), rounds.clusters)


def dr(rounds: Rounds) -> Estimate:
    """The target's value, doubly robust: the model's, corrected by the weighted residuals.

    mean[ sum_a pi(a | x) q(x, a) + w (r - q(x, a)) ]

    Args:
        rounds: Logged rounds with a model's predictions, fitted on other days.

    Returns:
        Reward a round. Unbiased with exact action propensities whatever the model, which takes variance away.

    Raises:
        ValueError: There is no model.
        TooFewClusters: Fewer than two clusters.

    Source:
        Dudik, Langford and Li (2011), ICML, section 2; Dudik et al. (2014), Statistical Science 29(4).

    Not for:
        A model that was fitted on these rounds.
    """
    residual = rounds.reward - _model(rounds.model_logged)
    return clustered_mean(_model(rounds.model_target) + rounds.weight * residual, rounds.clusters)


def logged_mean(rounds: Rounds) -> Estimate:
    """The logging policy's own value on these rounds.

    mean(r)

    Args:
        rounds: Logged rounds; only rewards and clusters are read.

    Returns:
        Reward a round.

    Raises:
        TooFewClusters: Fewer than two clusters.

    Source:
        The on-policy mean; no assumption about propensities is made.

    Not for:
        Rounds of several logging policies together.
    """
    return clustered_mean(rounds.reward, rounds.clusters)


def estimate(name: str, rounds: Rounds) -> Estimate:
    """The target's value by one of `ESTIMATORS`, named.

    Raises:
        KeyError: No estimator has this name.
    """
    return {"ips": ips, "snips": snips, "dm": dm, "dr": dr}[name](rounds)


def gain(name: str, rounds: Rounds) -> Estimate:
    """The target's value minus the logging policy's mean on the same rounds.

    estimate(rounds) - mean(r), with the interval of the difference: what both owe to the rounds cancels.

    Args:
        name: One of `ESTIMATORS`.
        rounds: Logged rounds.

    Returns:
        Reward a round; above 0 the target is better than the logging policy.

    Raises:
        KeyError: No estimator has this name.
        ValueError: The estimator needs a model and there is none.
        TooFewClusters: Fewer than two clusters.

    Source:
        `contrast` of the two influence functions.

    Not for:
        A comparison with a policy other than the one that made the logs; use `contrast` of the two estimates.
    """
    return contrast(estimate(name, rounds), logged_mean(rounds), rounds.clusters)


def _model(values: Floats | None) -> Floats:
    if values is None:
        raise ValueError("this estimator needs a model's predictions; only IPS and SNIPS do without")
    return values
