"""What a recommendation adds to meeting the item."""

from __future__ import annotations

import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available, not_identifiable
from causalrec.arrays import Floats
from causalrec.estimators.policy_value import PolicyValueEstimator
from causalrec.evaluation.estimands.protocol import Columns, Logs

FEWEST = 100
"""Effective organic rows, weighed as the policy's slots are: fewer do not stand for them."""
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

    def check(self, slots: pl.DataFrame, metric: str) -> Answer:
        """Whether enough of what the policy shows is met organically, and both arms have a model."""
        if slots["met_unknown"].any():
            return not_available(
                "how often each item is met organically is not known of the days before the judged ones"
            )
        of_slots = slots.select(pl.col("met_sum", "met_squares") / pl.col("judged_slots")).sum()
        total, squares = of_slots.row(0)
        if not squares:
            return insufficient_evidence("nothing that this policy shows was met organically on the judged days")
        effective = total**2 / squares
        if effective < FEWEST:
            return insufficient_evidence(
                f"the organic rows are worth {effective:,.0f} of what this policy shows (at least {FEWEST} are asked): "
                "people hardly ever meet what it shows"
            )
        if (met := total / slots.height) < LEAST_MET:
            return not_identifiable(
                f"of what this policy shows, {1 - met:.0%} is not met organically (at most {1 - LEAST_MET:.0%} is "
                "accepted), and what happens to it without a recommendation rests on a model alone"
            )
        return ANSWERED

    def reads(self, metric: str) -> Columns:
        """The slot's own outcome."""
        return Columns(f"{metric}_reward")

    def behind(self, metric: str) -> str:
        """The weighted organic outcomes of the request."""
        return f"{metric}_met"

    def anyway(self, slots: pl.DataFrame, metric: str, estimator: PolicyValueEstimator) -> Floats | None:
        """V0 by the estimator's own means."""
        model = pl.col(f"{metric}_model_if_not")
        if not estimator.needs_model:
            score = pl.col(f"{metric}_met") / pl.col("judged_slots")
        elif estimator.on == "unseen":
            score = model
        else:
            score = model + pl.col(f"{metric}_met_residual") / pl.col("judged_slots")
        return slots.select(score.cast(pl.Float64)).to_series().to_numpy()
