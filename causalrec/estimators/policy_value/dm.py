"""The direct method: a model alone."""

from __future__ import annotations

from causalrec.estimators.intervals import Estimate, clustered_mean
from causalrec.estimators.policy_value.protocol import Days
from causalrec.estimators.policy_value.rounds import Rounds


class DM:
    """The target's value by a model alone (direct method)."""

    name = "dm"
    label = "model alone (DM)"
    needs_model = True
    on: Days = "unseen"
    decides = False
    bounded = True
    checked = False

    def estimate(self, rounds: Rounds) -> Estimate:
        """mean[ sum_a pi(a | x) q(x, a) ]

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
        _, target = rounds.model()
        return clustered_mean(target, rounds.clusters)
