"""What a recommendation adds to not offering the item at all."""

from __future__ import annotations

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, Status, not_available, not_identifiable
from causalrec.arrays import Codes
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import POLICY, Columns, Logs, Whose

MOST_LEFT_OUT = 0.02
"""Share of the judged slots of whose request some probability may be unknown."""
LEAST = 0.05
"""Of the probability that an item is not offered: where it is smaller, hardly any request tells what happens then."""


class GivenNotShown:
    """Outcomes in the policy's slots, less what the same items bring in the request where they are not offered.

    V0 = mean over slots s of sum over organic outcomes j of
    pi(a_j | above_s) / prod_{l >= s} (1 - pi0(a_j | above_l)) Y_j

    The weight is that of a logging policy which never offers a_j from slot s on. It is known by design: no model of who
    meets what, and no model of outcomes, is needed.

    Source:
        Horvitz and Thompson (1952), JASA 47(260), with the
        sequential weights of Robins (1986), Mathematical Modelling 7.
    """

    name = "given_not_shown"
    label = "given not shown"
    meaning = "what a recommendation adds to the item not being offered in the request, when some meet it all the same"
    assumes = "each slot's items are drawn by the logged probabilities; other items' outcomes are left as they are"

    def available(self, logs: Logs) -> Answer:
        """With the organic outcomes of known requests."""
        if logs.organic_rows != "none" and logs.requests:
            return ANSWERED
        return not_available(
            "no organic outcomes of the requests are logged, so what happens to an item that is not shown was never "
            "seen; log them (sources.yaml: organic_rows, and request_id)"
        )

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Whether the probabilities of what was not shown are known, and not too near to being always shown."""
        if not (slots["organic_rows"] > 0).any():
            return not_available("no request of the judged slots has an organic row")
        if slots.height - int(slots["not_shown_known"].sum()) > MOST_LEFT_OUT * slots.height:
            return not_available(
                "with which probability the logging policy would have shown the items that people met organically is "
                "not known; log it on organic rows (sources.yaml: events.columns.first_slot_propensity), or let a "
                f"stored bundle draw the slates and log its name{_why(slots)}"
            )
        least = slots["not_shown_least"].min()
        if isinstance(least, float) and least < LEAST:
            return not_identifiable(
                f"some item is offered with a probability of {1 - least:.1%} wherever it could be met, so what happens "
                "without it is hardly ever seen; let the logging policy explore more"
            )
        return Answer(Status.ANSWERED, _origins(slots))

    def reads(self, metric: str) -> Columns:
        """The slot's own outcome."""
        return Columns(f"{metric}_reward", keep="not_shown_known")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """The weighted organic outcomes of the request."""
        return f"{whose}{metric}_not_shown"

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """V0 by design, whatever the estimator of the rest: the score is its own model, with nothing to correct."""
        score = slots.select((pl.col(self.behind(metric, whose)) / pl.col("judged_slots")).cast(pl.Float64))
        values = score.to_series().fill_null(np.nan).to_numpy()
        return Rounds(values, np.ones(len(values)), values, values, clusters)


def _why(slots: pl.DataFrame) -> str:
    """Why the probabilities are not known: the commonest reason."""
    unknown = slots.filter(~pl.col("not_shown_known"))["not_shown_unknown"].drop_nulls()
    return f": {unknown.value_counts(sort=True).row(0)[0]}" if len(unknown) else ""


def _origins(slots: pl.DataFrame) -> str:
    """Where the probabilities are from, by how many of the requests."""
    known = slots.filter((pl.col("organic_rows") > 0) & pl.col("not_shown_known")).unique("request_id")
    # Tables of earlier releases do not say it.
    counts = known["not_shown_from"].replace("", None).drop_nulls().value_counts(sort=True)
    told = "; ".join(f"{words} ({count:,} requests)" for words, count in counts.iter_rows())
    return f"with which probability the logging policy would have shown what people met: {told}" if told else ""
