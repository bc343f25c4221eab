"""What happens in the slot, and to what people meet beside it."""

from __future__ import annotations

import polars as pl

from causalrec.answers import ANSWERED, Answer, not_available
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import POLICY, Columns, Logs, Whose

NO_ORGANIC = (
    "no organic outcomes of the requests are logged, so what a recommendation takes from them was never seen; log them "
    "(sources.yaml: organic_rows: every_impression or interactions_only, and request_id)"
)


class OwnAndOrganic:
    """The slot's outcome and all organic outcomes of its request, with this slot changed."""

    name = "own_and_organic"
    label = "own and organic"
    meaning = "outcomes of the slot and organic ones of its request, with one slot changed"
    assumes = "what the other slots of the request bring does not depend on this one"

    def available(self, logs: Logs) -> Answer:
        """With the organic outcomes of known requests."""
        return ANSWERED if logs.organic_rows != "none" and logs.requests else not_available(NO_ORGANIC)

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Nothing more than its rounds."""
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """The slot's outcome and the organic ones."""
        return Columns(f"{metric}_own_and_organic", rest="organic")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """Nothing is taken off."""
        return ""

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """Nothing is taken off: what would have happened anyway is in the outcomes of the request."""
        return None
