"""All that comes of a request."""

from __future__ import annotations

import polars as pl

from causalrec.answers import ANSWERED, Answer, not_available
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.own_and_organic import NO_ORGANIC
from causalrec.evaluation.estimands.protocol import POLICY, Columns, Logs, Whose

MOST_LEFT_OUT = 0.02
"""Share of the judged slots whose slate may not be wholly logged."""


class Total:
    """All outcomes of the request, of this slot, the other slots and organic ones, with one slot changed.

    Later slots are drawn as the logging policy draws them, given the new item. A difference of two policies needs no
    model of who meets what: the slot was filled at random, and what came of the request was seen.
    """

    name = "total"
    label = "total"
    meaning = "all outcomes of the request, of every slot and organic ones, with one slot changed"
    assumes = "no effect beyond the request: on other requests, days or users"

    def available(self, logs: Logs) -> Answer:
        """With the organic outcomes of known requests."""
        return ANSWERED if logs.organic_rows != "none" and logs.requests else not_available(NO_ORGANIC)

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Whether the slates are wholly logged."""
        broken = slots.height - int(slots["whole_slate"].sum())
        if broken > MOST_LEFT_OUT * slots.height:
            return not_available(
                f"{broken:,} of {slots.height:,} judged slots are of slates with a slot that is not logged, whose "
                "outcomes are part of the total; own and organic outcomes are told beside it"
            )
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """All outcomes of the request."""
        return Columns(f"{metric}_total", rest="request", keep="whole_slate")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """Nothing is taken off."""
        return ""

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """Nothing is taken off: what would have happened anyway is in the outcomes of the request."""
        return None
