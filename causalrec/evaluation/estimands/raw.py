"""What happens in the policy's slots."""

from __future__ import annotations

import polars as pl

from causalrec.answers import ANSWERED, Answer
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import POLICY, Columns, Logs, Whose


class Raw:
    """The outcomes in the policy's slots, whether or not they would have happened anyway."""

    name = "raw"
    label = "raw"
    meaning = "outcomes of the items in the policy's slots, whatever would have happened without them"
    assumes = "what comes of an item depends on its own slot only"

    def available(self, logs: Logs) -> Answer:
        """Always."""
        return ANSWERED

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Nothing more than its rounds."""
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """The slot's own outcome."""
        return Columns(f"{metric}_reward")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """Nothing is taken off."""
        return ""

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """Nothing is taken off."""
        return None
