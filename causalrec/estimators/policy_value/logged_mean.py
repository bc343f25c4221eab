"""The logging policy's own value: what every target policy is compared with until one is released."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, clustered_mean
from causalrec.estimators.policy_value.rounds import Rounds


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
