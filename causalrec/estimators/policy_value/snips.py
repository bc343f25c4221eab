"""Self-normalised inverse propensity scores: a weighted mean of logged rewards."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, clustered_ratio
from causalrec.estimators.policy_value.protocol import Days
from causalrec.estimators.policy_value.rounds import Rounds


class SNIPS:
    """The target's value by self-normalised inverse propensity scores."""

    name = "snips"
    label = "SNIPS"
    needs_model = False
    on: Days = "all"
    decides = False
    bounded = True
    checked = True

    def estimate(self, rounds: Rounds) -> Estimate:
        """sum(w r) / sum(w)

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
