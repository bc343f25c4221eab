"""What a recommendation adds to meeting the item."""

from __future__ import annotations

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available, not_identifiable
from causalrec.arrays import Codes, Floats
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import LOGGING, POLICY, Columns, Logs, Whose
from causalrec.evaluation.trust.needed import more_rounds, pace_of, rounds_for_share_of

FEWEST = 100
"""Effective organic rows, weighed as the policy's slots are: fewer do not stand for them."""
MOST_LEFT_OUT = 0.02
"""Share of the judged slots of whose request the logging policy's probabilities may be unknown."""
LEAST_MET = 0.7
"""Mean weight a slot, which is 1 where all that the policy shows can be met: three standard errors of `FEWEST` rows."""


class GivenMet:
    """Outcomes in the policy's slots, less what the same items bring where people meet them unprompted.

    V0 = mean over slots of [ sum_a pi(a | x) q0(x, a) + c ], where c is the slot's share of its request's
    sum over organic rows j of h_j (Y_j - q0(x_j, a_j)), h_j = sum over slots of pi(a_j) / m(a_j),
    and m is how often the item is met. Right if the model of the other arm is, or how often an item is met.

    Source:
        Robins, Rotnitzky and Zhao (1994), JASA 89(427), augmented inverse probability weighting, with the ratio of what
        the policy shows to what is met for the weight.
    """

    name = "given_met"
    label = "given met"
    meaning = "what a recommendation adds to an organic impression of the same item"
    assumes = (
        "no unmeasured cause both of meeting an item organically and of its outcome; what people do who meet it "
        "unprompted is what they would do without the recommendation, if they met it"
    )

    def available(self, logs: Logs) -> Answer:
        """With every organic impression of known requests."""
        if logs.organic_rows == "every_impression" and logs.requests:
            return ANSWERED
        return not_available(
            "the logs do not hold every organic impression of each request, so what an item brings without a "
            "recommendation was never seen; log them (sources.yaml: organic_rows: every_impression, and request_id)"
        )

    def check(self, slots: pl.DataFrame, metric: str, whose: Whose = POLICY) -> Answer:
        """Whether enough of what the policy shows is met organically, and both arms have a model."""
        unknown = slots.height - int(slots[f"{whose}met_known"].sum())
        if whose == LOGGING and unknown > MOST_LEFT_OUT * slots.height:
            return not_available(
                "with which probability the logging policy would have shown what people met organically is not known, "
                "so what it would have brought anyway is not told; log it on organic rows (sources.yaml: "
                "events.columns.first_slot_propensity)"
            )
        if whose == POLICY and unknown:
            return not_available(
                "how often each item is met organically is not known of the days before the judged ones"
            )
        of_slots = slots.select(pl.col(f"{whose}met_sum", f"{whose}met_squares") / pl.col("judged_slots")).sum()
        total, squares = of_slots.row(0)
        if not squares:
            return insufficient_evidence(
                "nothing that this policy shows was met organically on the judged days; how many rounds it would take "
                "cannot be said: judge on more days, or a policy that shows what people meet"
            )
        effective = total**2 / squares
        if effective < FEWEST:
            more = rounds_for_share_of(slots.height, effective, FEWEST)
            return insufficient_evidence(
                f"the organic rows are worth {effective:,.0f} of what this policy shows (at least {FEWEST} are asked): "
                f"people hardly ever meet what it shows; judge on {more_rounds(more, pace_of(slots))}"
            )
        if (met := total / slots.height) < LEAST_MET:
            return not_identifiable(
                f"of what this policy shows, {1 - met:.0%} is not met organically (at most {1 - LEAST_MET:.0%} is "
                "accepted), and what happens to it without a recommendation rests on a model alone; more rounds like "
                "these would not change that, a policy that shows what people meet would"
            )
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """The slot's own outcome."""
        return Columns(f"{metric}_reward", keep_logging=f"{LOGGING}met_known")

    def behind(self, metric: str, whose: Whose = POLICY) -> str:
        """The weighted organic outcomes of the request."""
        return f"{whose}{metric}_met"

    def anyway(self, slots: pl.DataFrame, metric: str, clusters: Codes, whose: Whose = POLICY) -> Rounds | None:
        """A slot's share of the weight of its request's organic rows, their mean outcome, and what a model expects.

        The weight's mean is 1 where all that the policy shows can be met, so it can be normalised by.
        """
        of = pl.col("judged_slots")
        weight, outcomes, residual, of_policy = (
            slots.select(value.cast(pl.Float64)).to_series().fill_null(np.nan).to_numpy()
            for value in (
                pl.col(f"{whose}met_sum") / of,
                pl.col(self.behind(metric, whose)) / of,
                pl.col(f"{self.behind(metric, whose)}_residual") / of,
                pl.col(f"{whose}{metric}_model_if_not"),
            )
        )

        def mean(total: Floats) -> Floats:
            return np.asarray(np.divide(total, weight, out=np.zeros(len(weight)), where=weight > 0))

        known = np.isfinite(of_policy).all() and np.isfinite(residual).all()
        logged = mean(outcomes - residual) if known else None
        return Rounds(mean(outcomes), weight, logged, of_policy if known else None, clusters)
