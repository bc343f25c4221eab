"""What a named value of a policy is: what it assumes, and which scores of judged slots it is the mean of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import polars as pl

from causalrec.answers import Answer
from causalrec.arrays import Floats
from causalrec.estimators.policy_value import PolicyValueEstimator


@dataclass(frozen=True)
class Logs:
    """What the logs hold beside the slots.

    Attributes:
        organic_rows: every_impression, interactions_only or none, as `sources.yaml` says it.
        requests: Whether rows say which request they are of.
    """

    organic_rows: str = "none"
    requests: bool = False


@dataclass(frozen=True)
class Columns:
    """Where an estimand finds what it reads of judged slots (`causalrec.evaluation.requests`).

    Attributes:
        reward: The column of the outcome that is counted for a slot.
        rest: What else than the slot's own outcome is counted, of which a model's expectation is added: `organic`,
            `request`, or nothing.
        keep: The column of the slots that can be counted; empty: all can.
    """

    reward: str
    rest: Literal["", "organic", "request"] = ""
    keep: str = ""


class Estimand(Protocol):
    """A named value of a policy.

    Attributes:
        name: In the column `estimand` of `off_policy_report`, and in `release.yaml`.
        label: For people.
        meaning: What it is of, in one sentence.
        assumes: What it takes for granted, in words; exact action propensities and support go without saying.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def assumes(self) -> str: ...

    def available(self, logs: Logs) -> Answer:
        """Whether logs of this kind can tell it at all; if not, what they lack, and what would have to be logged."""
        ...

    def check(self, slots: pl.DataFrame, metric: str) -> Answer:
        """Whether these slots can tell it.

        Args:
            slots: Judged slots of one policy, with the sums of their requests.
            metric: satisfaction or revenue.
        """
        ...

    def reads(self, metric: str) -> Columns:
        """The columns of the rounds that off-policy estimators take."""
        ...

    def behind(self, metric: str) -> str:
        """The column of weighted outcomes, once a request, that stand behind `anyway`; empty where nothing is."""
        ...

    def anyway(self, slots: pl.DataFrame, metric: str, estimator: PolicyValueEstimator) -> Floats | None:
        """What would have happened anyway, a score a slot whose mean is V0, (slots,).

        Args:
            estimator: Of the value that it is taken from: one that only weighs has it by weighting, one that trusts a
                model alone by the model, and a doubly robust one by both.

        Returns:
            None where nothing is taken off.
        """
        ...
