"""Doubly robust: a model's value, corrected by the weighted residuals."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, clustered_mean
from causalrec.estimators.policy_value.protocol import Days
from causalrec.estimators.policy_value.rounds import Rounds


class DR:
    """The target's value, doubly robust: the model's, corrected by the weighted residuals."""

    name = "dr"
    label = "doubly robust (DR)"
    needs_model = True
    on: Days = "all"
    decides = True
    bounded = False
    checked = True

    def estimate(self, rounds: Rounds) -> Estimate:
        """mean[ sum_a pi(a | x) q(x, a) + w (r - q(x, a)) ]

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
        logged, target = rounds.model()
        return clustered_mean(target + rounds.weight * (rounds.reward - logged), rounds.clusters)
