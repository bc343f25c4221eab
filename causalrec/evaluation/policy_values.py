"""The off-policy report: each policy's value per segment and metric, by every estimator, weights checked first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available
from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate, TooFewClusters, clustered_mean, contrast
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS, PolicyValueEstimator, logged_mean
from causalrec.estimators.weights import WeightSummary, effective_sample_size, summarise_weights
from causalrec.evaluation.rounds import (
    METRICS,
    EvaluationData,
    judged_rounds,
    rounds_for_estimators,
    same_rounds,
    segments,
    with_rewards,
)
from causalrec.evaluation.weight_diagnostics import check_rounds
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.held_out import is_held_out
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.settings.release import ReleaseRule

LOGGING = "logging policy"
LOGGED_MEAN, HELD_OUT_MEAN = "logged_mean", "answer_sheet_mean"
"""Rows that are no off-policy estimates: what was logged, and what a policy's own held-out logs say."""
SCHEMA: dict[str, pl.DataType] = {
    "segment": pl.String(),
    "policy": pl.String(),
    "metric": pl.String(),
    "estimator": pl.String(),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "baseline": pl.String(),
    "difference": pl.Float64(),
    "difference_lower": pl.Float64(),
    "difference_upper": pl.Float64(),
    "rounds": pl.Int64(),
    "effective_rounds": pl.Float64(),
    "effective_outcomes": pl.Float64(),
    "mean_weight": pl.Float64(),
    "max_weight": pl.Float64(),
    "first_day": pl.Date(),
    "last_day": pl.Date(),
    "status": pl.String(),
    "reason": pl.String(),
}
Cell = str | float | int | date | None
Row = dict[str, Cell]


def row_names() -> list[str]:
    """Every name that the column `estimator` may have."""
    return [*POLICY_VALUE_ESTIMATORS, LOGGED_MEAN, HELD_OUT_MEAN]


def bounded_row_names() -> list[str]:
    """Those of them whose value of a 0/1 outcome lies between 0 and 1."""
    return [LOGGED_MEAN, HELD_OUT_MEAN, *(each.name for each in POLICY_VALUE_ESTIMATORS.values() if each.bounded)]


def report(data: EvaluationData, rule: ReleaseRule) -> pl.DataFrame:
    """All rows: segments x policies x metrics x estimators, the logged mean, and the mean of a policy's own held-out
    logs where there are some.

    A metric that no round has (revenue without purchases) has no rows. The challenger is compared with the
    champion's policy where one is released, every other policy with the logging policy's plain mean.

    Returns:
        The table `off_policy_report`, with the columns of `SCHEMA`.

    Raises:
        InputError: Challenger and champion were not judged on the same rounds.
    """
    units = with_rewards(data)
    rounds = judged_rounds(data, units)
    rows: list[Row] = []
    for segment, keep in segments(units, data.report_by):
        part, held_out_logs = rounds.filter(keep), units.filter(keep & is_held_out(data.held_out))
        champion = part.filter(pl.col("policy") == CHAMPION)
        for (policy,), own in part.group_by("policy", maintain_order=True):
            against = same_rounds(own, champion) if policy == CHALLENGER and champion.height else None
            for metric in METRICS:
                if own[f"{metric}_reward"].null_count() < own.height:
                    question = PolicyQuestion(segment, str(policy), metric, own, against)
                    rows.extend(_rows(question, held_out_logs, data, rule))
    return pl.DataFrame(rows, schema=SCHEMA)


@dataclass(frozen=True)
class PolicyQuestion:
    """One policy's value in one metric, in one segment.

    Attributes:
        rounds: The policy's.
        champion: The champion's, row by row the same rounds; None: compared with the logging policy.
    """

    segment: str
    policy: str
    metric: str
    rounds: pl.DataFrame
    champion: pl.DataFrame | None = None

    def on(self, days: Sequence[date]) -> PolicyQuestion:
        """The same question on some days only."""
        keep = self.rounds["day"].is_in(list(days))
        champion = None if self.champion is None else self.champion.filter(keep)
        return replace(self, rounds=self.rounds.filter(keep), champion=champion)

    def row(self, estimator: str, answer: Answer, weights: WeightSummary | None) -> Row:
        """A row of the report without its numbers."""
        return {
            "segment": self.segment,
            "policy": self.policy,
            "metric": self.metric,
            "estimator": estimator,
            "baseline": LOGGING if self.champion is None else CHAMPION,
            "rounds": self.rounds.height,
            "effective_rounds": weights.effective_rows if weights else None,
            "mean_weight": weights.mean if weights else None,
            "max_weight": weights.largest if weights else None,
            "first_day": _day(self.rounds["day"].min()),
            "last_day": _day(self.rounds["day"].max()),
            "status": answer.status.value,
            "reason": answer.reason,
        }


def _rows(
    question: PolicyQuestion, held_out_logs: pl.DataFrame, data: EvaluationData, rule: ReleaseRule
) -> Iterator[Row]:
    """The rows of one question: every estimator, what happened, and what the policy's own held-out logs say.

    Args:
        held_out_logs: The segment's units of held-out logging policies.
    """
    unknown = question.rounds[f"{question.metric}_reward"].null_count()
    if unknown:
        answer = not_available(
            f"{unknown:,} of {question.rounds.height:,} rounds have no known {question.metric} (an outcome or "
            "a price is missing); leaving them out would judge the policy on a selection"
        )
        yield from (question.row(name, answer, None) for name in (*POLICY_VALUE_ESTIMATORS, LOGGED_MEAN))
        return
    for estimator in POLICY_VALUE_ESTIMATORS.values():
        own_days = question.on(data.unseen_days) if estimator.on == "unseen" else question
        yield _estimator_row(estimator, own_days, data, rule)
    rounds = rounds_for_estimators(question.rounds, question.metric, data)
    weights = summarise_weights(rounds.weight)
    yield question.row(LOGGED_MEAN, ANSWERED, weights) | _mean(rounds.reward, rounds.clusters)
    if question.policy in rule.answer_sheet:
        own_logs = held_out_logs.filter(pl.col("policy") == rule.answer_sheet[question.policy])
        yield from _on_policy_value(question, own_logs, data)


def _on_policy_value(question: PolicyQuestion, own_logs: pl.DataFrame, data: EvaluationData) -> Iterator[Row]:
    """The plain mean of the policy's own logs over the days on which it is judged; nothing without them."""
    first, last = question.rounds["day"].min(), question.rounds["day"].max()
    own_logs = own_logs.filter(pl.col("day").is_between(first, last))
    reward = own_logs[f"{question.metric}_reward"]
    if own_logs.height and not reward.null_count():
        own = replace(question, rounds=own_logs, champion=None)
        mean = _mean(reward.to_numpy(), cluster_codes(own_logs, data.cluster))
        yield own.row(HELD_OUT_MEAN, ANSWERED, None) | mean


def _estimator_row(
    estimator: PolicyValueEstimator, question: PolicyQuestion, data: EvaluationData, rule: ReleaseRule
) -> Row:
    """One estimator's row: its value, and the difference from the baseline on the same rounds."""
    name, metric = estimator.name, question.metric
    reads_unseen = estimator.needs_model or estimator.on == "unseen"
    if reads_unseen and not question.rounds["day"].is_in(list(data.unseen_days)).any():
        return question.row(name, insufficient_evidence("no round lies on the judgement days"), None)
    rounds = rounds_for_estimators(question.rounds, metric, data)
    champion = None if question.champion is None else rounds_for_estimators(question.champion, metric, data)
    weights = summarise_weights(rounds.weight)
    answer = check_rounds(rounds, champion, metric, rule, estimator.needs_model)
    # Rare outcomes: with few of them behind a value, its interval is too short, however many rounds there
    # are.
    outcomes: Row = {"effective_outcomes": effective_sample_size(rounds.weight * rounds.reward)}
    if not answer.answered:
        return question.row(name, answer, weights) | outcomes
    try:
        value = estimator.estimate(rounds)
        base = logged_mean(rounds) if champion is None else estimator.estimate(champion)
        difference = contrast(value, base, rounds.clusters)
    except TooFewClusters as error:
        return question.row(name, insufficient_evidence(f"{error} ({data.cluster}); log more days"), weights)
    return (
        question.row(name, ANSWERED, weights)
        | outcomes
        | _numbers(value)
        | {
            "difference": difference.value,
            "difference_lower": difference.lower,
            "difference_upper": difference.upper,
        }
    )


def _mean(values: Floats, clusters: Codes) -> Row:
    try:
        return _numbers(clustered_mean(values, clusters))
    except TooFewClusters:
        # One cluster has a mean and no interval.
        return {"estimate": float(values.mean())}


def _numbers(estimate: Estimate) -> Row:
    return {
        "estimate": estimate.value,
        "std_error": estimate.std_error,
        "lower": estimate.lower,
        "upper": estimate.upper,
    }


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
