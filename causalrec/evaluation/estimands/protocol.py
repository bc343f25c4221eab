"""What a named value of a policy is: what it assumes, and which scores of judged slots it is the mean of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import polars as pl

from causalrec.answers import Answer
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds

Whose = Literal["", "logging_"]
"""Before the names of a request's sums: the policy's own, or those of the policy that made the logs."""
POLICY: Final = ""
LOGGING: Final = "logging_"


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
        keep_logging: Of those that can be held against the logging policy. A few that cannot are left out.
    """

    reward: str
    rest: Literal["", "organic", "request"] = ""
    keep: str = ""
    keep_logging: str = ""


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

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Whether these slots can tell it.

        Args:
            slots: Judged slots of one policy, with the sums of their requests.
            metric: satisfaction or revenue.
            whose: Of the policy, or of the one that made the logs.
        """
        ...

    def reads(self, metric: str) -> Columns:
        """The columns of the rounds that off-policy estimators take."""
        ...

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """The column of weighted outcomes, once a request, that stand behind `anyway`; empty where nothing is."""
        ...

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """What would have happened anyway, as rounds whose value is V0: a round a slot.

        The estimator of the value that it is taken from reads them as well: one that only weighs has V0 by weighting,
        one that trusts a model alone by the model, and a doubly robust one by both.

        Args:
            clusters: (slots,) codes.

        Returns:
            None where nothing is taken off.
        """
        ...
