"""What an off-policy estimator is."""

from __future__ import annotations

from typing import Literal, Protocol

from causalrec.estimators.intervals import Estimate
from causalrec.estimators.policy_value.rounds import Rounds

Days = Literal["all", "unseen"]


class PolicyValueEstimator(Protocol):
    """An estimator of a target policy's value from the logs of another.

    Attributes:
        name: In the column `estimator` of `off_policy_report`.
        label: For people, e.g. "doubly robust (DR)".
        needs_model: Whether it reads a model's predictions.
        on: The days whose rounds it takes: "all" of them, or those "unseen" by the model. On the others of "all" the
            model's predictions are 0.
        decides: Whether the verdict reads it; of exactly one it does.
        bounded: Whether its value lies within the range of the rewards, or of the model's predictions.
        checked: Whether the report holds it against the mean of a policy's own held-out logs, where there are some.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def needs_model(self) -> bool: ...
    @property
    def on(self) -> Days: ...
    @property
    def decides(self) -> bool: ...
    @property
    def bounded(self) -> bool: ...
    @property
    def checked(self) -> bool: ...

    def estimate(self, rounds: Rounds) -> Estimate:
        """The target's value.

        Args:
            rounds: Logged rounds; with a model's predictions where `needs_model`.

        Returns:
            Reward a round, with a clustered 95 % interval.

        Raises:
            ValueError: It needs a model and there is none.
            TooFewClusters: Fewer than two clusters.
        """
        ...
