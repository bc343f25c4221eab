"""Values that single slots cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from causalrec.answers import ANSWERED, Answer, not_available
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import POLICY, Columns, Logs, Whose


@dataclass(frozen=True)
class Beyond:
    """A value that the weight of one slot does not carry.

    Attributes:
        why: It is not available, in words.
    """

    name: str
    label: str
    meaning: str
    why: str
    assumes: str = ""

    def available(self, logs: Logs) -> Answer:
        """Never, and why."""
        return not_available(self.why)

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Nothing is left to be checked."""
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """The slot's own outcome, were it told."""
        return Columns(f"{metric}_reward")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """Nothing is taken off."""
        return ""

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """Nothing is taken off."""
        return None


WHOLE_SLATE = Beyond(
    "whole_slate",
    "whole slate",
    "all outcomes of the request, with all its slots changed together",
    "a whole slate's weight is the product of its slots' weights, which logs rarely carry; slots change one by one",
)
LATER_DAYS = Beyond(
    "later_days",
    "later days",
    "a user's outcomes on later days",
    "what a recommendation does to a user's later days needs users who are treated alike for many days (an experiment "
    "by user); these logs change single slots",
)
