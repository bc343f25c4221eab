"""Inverse propensity scores: logged rewards, weighted."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, clustered_mean
from causalrec.estimators.policy_value.protocol import Days
from causalrec.estimators.policy_value.rounds import Rounds


class IPS:
    """The target's value by inverse propensity scores."""

    name = "ips"
    label = "IPS"
    needs_model = False
    on: Days = "all"
    decides = False
    bounded = False
    checked = False

    def estimate(self, rounds: Rounds) -> Estimate:
        """mean(w r)

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
