"""The release rule and the thresholds of trust: `data/release.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Must, number, whole
from causalrec.settings.objective import Logged, logs_whole_requests

OUTCOMES, ENOUGH_OUTCOMES = "min_effective_outcomes", 32.0
"""Of fewer 95 % intervals cover 63 to 94 %, from here on 93 %, and from 160 on 95 % (docs/decisions/0035)."""
ESTIMANDS = ("raw", "given_met", "given_not_shown", "own_and_organic", "total")
DAYS_A_LOOK = 7
"""Looks come after whole weeks only, so that a gain which differs by weekday averages out."""


def _names(sheet: object) -> object:
    if isinstance(sheet, Mapping):
        return {str(policy): str(logs) for policy, logs in sheet.items()}
    return sheet or {}


class ReleaseRule(Settings):
    """When evidence counts, and when a challenger is released.

    Attributes:
        estimand: Which value of a policy decides. Left out: total where the requests and their organic outcomes are
            logged, else raw.
        false_release_share: Of histories of `per_days` days in which no challenger is better, at most this share may
            hold a release.
        off_policy_share: The same where another policy than the champion made the logs: weights are heavier then, and
            the normal approximation a little short.
        per_days: The length of such a history, in days.
        trial_weeks: How long a trial lasts: one look at the end of each week.
        retrospective: For logs that have ended and are too short for a trial: no trial; the challenger is judged once,
            on its own judgement days, with this one-sided error.
        min_gain: A release needs an estimated gain of at least this share of what the champion has.
        futility: Whether a trial ends early, from its second look on, once such a gain has become unlikely.
        revenue: What is asked of revenue: no_sign_of_harm (at the look's level it is not shown to fall), or
            rule_out_loss (at that level a loss beyond `revenue_margin` is ruled out).
        revenue_margin: The share of the champion's revenue that may be lost.
        refresh: Whether the champion's own recipe, trained on newer days, may replace it without a trial.
        refresh_margin: It must be shown that it loses less than this share of what the champion has; what one refresh
            leaves open of it is missing to the next, until a trial or a person chooses another champion.
        refresh_share: Of histories of `per_days` days of a recipe whose newer bundles get worse, at most this share may
            lose more than that margin, in one refresh or in several together.
        min_effective_rounds: With fewer, an off-policy value is `insufficient_evidence`.
        min_effective_outcomes: With fewer effective satisfied rounds, or unsatisfied ones, or rounds that brought
            money, an off-policy value is `insufficient_evidence`, however many rounds there are: its interval would be
            too short. 0: this is not asked.
        min_difference_outcomes: The same of the difference that decides, in rounds weighed by how far the two policies
            differ in them; with fewer its error at a look is larger than it says.
        max_skewness: Nothing is decided where the difference's error leans towards a release by more than this
            skewness, or away from one by more than three times as much.
        min_clusters: With fewer effective clusters nothing is decided.
        max_mean_weight_gap: A value is `insufficient_evidence` when the mean importance weight is further from 1 by
            what may be chance; by more it is `not_identifiable` (it is 1 when the logged action propensities are right
            and cover the policy).
        max_weight_share: So it is when one round carries a larger share of all weight.
        max_pareto_k: Nothing is decided where the tail of the weights is heavier than that of a generalised Pareto
            distribution of this shape.
        answer_sheet: Target policy -> held-out logging policy whose own mean is shown beside its estimates.
    """

    FILE = "release.yaml"

    estimand: Annotated[
        Literal["raw", "given_met", "given_not_shown", "own_and_organic", "total"] | None,
        Must(f"one of {list(ESTIMANDS)} (or left out)"),
    ] = None
    false_release_share: Annotated[float, number(0, 1, "()")] = 0.05
    off_policy_share: Annotated[float, number(0, 1, "()")] = 0.04
    per_days: Annotated[int, whole(7)] = 90
    trial_weeks: Annotated[int, whole(1)] = 4
    retrospective: Annotated[
        float | None, Must("a number in (0, 0.5) (or left out)", lambda error: error is None or 0 < error < 0.5)
    ] = None
    min_gain: Annotated[float, number(0)] = 0.01
    futility: bool = True
    revenue: Annotated[Literal["no_sign_of_harm", "rule_out_loss"], Must("no_sign_of_harm or rule_out_loss")] = (
        "no_sign_of_harm"
    )
    revenue_margin: Annotated[float, number(0)]
    refresh: bool = True
    refresh_margin: Annotated[float, number(0, closed="()")] = 0.02
    refresh_share: Annotated[float, number(0, 1, "()")] = 0.05
    min_effective_rounds: Annotated[float, number(0)]
    min_effective_outcomes: Annotated[float, number(0)] = ENOUGH_OUTCOMES
    min_difference_outcomes: Annotated[float, number(0)] = 20.0
    max_skewness: Annotated[float, number(0, closed="()")] = 0.1
    min_clusters: Annotated[float, number(2)] = 5.0
    max_mean_weight_gap: Annotated[float, number(0)]
    max_weight_share: Annotated[float, number(0)]
    max_pareto_k: Annotated[float, number(0)] = 1.0
    answer_sheet: Annotated[
        dict[str, str], BeforeValidator(_names), Must("a mapping of a policy to a held-out logging policy")
    ]

    @model_validator(mode="after")
    def _a_trial_fits_its_history(self) -> Self:
        if self.trial_weeks * DAYS_A_LOOK > self.per_days:
            raise Conflict(
                "trial_weeks",
                f"`trial_weeks: {self.trial_weeks}` are {self.trial_weeks * DAYS_A_LOOK} days, and the share of false "
                f"releases is of histories of {self.per_days} (`per_days`); shorten the trial, or lengthen the history",
            )
        return self

    def deciding_estimand(self, source: Logged) -> str:
        """The estimand that decides for a source's logs."""
        return self.estimand or ("total" if logs_whole_requests(source) else "raw")

    def error_a_look(self, champion_logs: bool) -> float:
        """The one-sided error of each look of a trial, by the calendar; of the only look, where it is retrospective.

        Args:
            champion_logs: Whether the logs were made by the policy that the challenger is held against.
        """
        if self.retrospective is not None:
            return self.retrospective
        share = self.false_release_share if champion_logs else self.off_policy_share
        return share * DAYS_A_LOOK / self.per_days

    def refresh_error(self) -> float:
        """The one-sided error of each weekly look at a refresh."""
        return self.refresh_share * DAYS_A_LOOK / self.per_days

    def words(self) -> str:
        """The rule in one sentence for the report."""
        money = {
            "no_sign_of_harm": "it is not shown to fall",
            "rule_out_loss": f"a loss of more than {self.revenue_margin:.0%} of it is ruled out",
        }[self.revenue]
        if self.retrospective is not None:
            return (
                "The logs are too short for a trial: a policy is released when, in one look back at days that it never "
                f"saw, its gain in satisfaction is above 0 with a one-sided error of {self.retrospective:.1%}, the "
                f"estimated gain is at least {self.min_gain:.0%} of today's rate and, where there is revenue, {money}."
            )
        return (
            f"A policy is released when, in a trial of up to {self.trial_weeks} weeks on days after its enrolment, its "
            f"gain in satisfaction is above 0 at one of the weekly looks; of {self.per_days} days in which no new "
            f"policy is better, at most {self.false_release_share:.0%} may hold a release. The estimated gain must be "
            f"at least {self.min_gain:.0%} of today's rate and, where there is revenue, {money}."
        )
