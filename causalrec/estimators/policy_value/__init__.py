"""The value of a target policy from the logs of another, by every registered estimator."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, contrast
from causalrec.estimators.policy_value.dm import DM
from causalrec.estimators.policy_value.dr import DR
from causalrec.estimators.policy_value.ips import IPS
from causalrec.estimators.policy_value.logged_mean import logged_mean
from causalrec.estimators.policy_value.protocol import PolicyValueEstimator
from causalrec.estimators.policy_value.rounds import Rounds
from causalrec.estimators.policy_value.snips import SNIPS
from causalrec.registry import by_name

__all__ = [
    "POLICY_VALUE_ESTIMATORS",
    "PolicyValueEstimator",
    "Rounds",
    "deciding",
    "gain",
    "in_reading_order",
    "logged_mean",
    "weighting",
]


POLICY_VALUE_ESTIMATORS: dict[str, PolicyValueEstimator] = by_name(IPS(), SNIPS(), DM(), DR())
"""In the order of the report's rows."""


def deciding() -> PolicyValueEstimator:
    """The one that the verdict reads."""
    (estimator,) = (each for each in POLICY_VALUE_ESTIMATORS.values() if each.decides)
    return estimator


def weighting() -> PolicyValueEstimator:
    """The first that only weighs, on all rounds: what can be told of a policy when no model can tell anything."""
    return next(each for each in POLICY_VALUE_ESTIMATORS.values() if not each.needs_model and each.on == "all")


def in_reading_order() -> list[PolicyValueEstimator]:
    """For people: what the model promises of its own policy, then what weighting says, last what decides."""
    return sorted(POLICY_VALUE_ESTIMATORS.values(), key=lambda each: (each.decides, each.on == "all"))


def gain(estimator: PolicyValueEstimator, rounds: Rounds) -> Estimate:
    """The target's value minus the logging policy's mean on the same rounds.

    estimate(rounds) - mean(r), with the interval of the difference: what both owe to the rounds cancels.

    Args:
        estimator: One of `POLICY_VALUE_ESTIMATORS`.
        rounds: Logged rounds.

    Returns:
        Reward a round; above 0 the target is better than the logging policy.

    Raises:
        ValueError: The estimator needs a model and there is none.
        TooFewClusters: Fewer than two clusters.

    Source:
        `contrast` of the two influence functions.

    Not for:
        A comparison with a policy other than the one that made the logs; use `contrast` of the two estimates.
    """
    return contrast(estimator.estimate(rounds), logged_mean(rounds), rounds.clusters)
