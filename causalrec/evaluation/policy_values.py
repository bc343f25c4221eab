"""The off-policy report: each policy's value per segment and metric, by every estimator, weights checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available
from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate, TooFewClusters, clustered_mean, contrast
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS, PolicyValueEstimator, Rounds, deciding
from causalrec.estimators.policy_value.protocol import Days
from causalrec.estimators.weights import effective_sample_size, summarise_weights
from causalrec.evaluation.estimands import ESTIMANDS, Estimand
from causalrec.evaluation.estimands.bounds import bounds
from causalrec.evaluation.estimands.protocol import LOGGING
from causalrec.evaluation.requests import with_requests
from causalrec.evaluation.rounds import (
    METRICS,
    OBJECTIVE,
    EvaluationData,
    judged_rounds,
    rounds_for_estimators,
    same_rounds,
    segments,
    with_rewards,
)
from causalrec.evaluation.trust.difference import DifferenceDiagnostics, calibrated, carries_a_decision
from causalrec.evaluation.trust.weight_diagnostics import check_rounds
from causalrec.evaluation.values.against import anyway_told, value_less_anyway, value_of_base, value_of_logging
from causalrec.evaluation.values.promise import promises
from causalrec.evaluation.values.question import PolicyQuestion, Row
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.held_out import is_held_out
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.settings.objective import DO, EFFECT_GIVEN_MET, TOTAL, Form
from causalrec.settings.release import ReleaseRule

LOGGED_MEAN, HELD_OUT_MEAN = "logged_mean", "answer_sheet_mean"
"""Rows that are no off-policy estimates: what was logged, and what a policy's own held-out logs say."""
SCHEMA: dict[str, pl.DataType] = {
    "segment": pl.String(),
    "policy": pl.String(),
    "estimand": pl.String(),
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
    "difference_std_error": pl.Float64(),
    "anyway": pl.Float64(),
    "anyway_lower": pl.Float64(),
    "anyway_upper": pl.Float64(),
    "rounds": pl.Int64(),
    "effective_rounds": pl.Float64(),
    "effective_outcomes": pl.Float64(),
    "mean_weight": pl.Float64(),
    "max_weight": pl.Float64(),
    "clusters": pl.Int64(),
    "effective_clusters": pl.Float64(),
    "difference_outcomes": pl.Float64(),
    "pareto_k": pl.Float64(),
    "decision_status": pl.String(),
    "decision_reason": pl.String(),
    "first_day": pl.Date(),
    "last_day": pl.Date(),
    "status": pl.String(),
    "reason": pl.String(),
}
RAW, GIVEN_MET, GIVEN_NOT_SHOWN = "raw", "given_met", "given_not_shown"
GIVEN = (GIVEN_MET, GIVEN_NOT_SHOWN)
ESTIMAND_OF: dict[Form, str] = {DO: RAW, EFFECT_GIVEN_MET: GIVEN_MET, TOTAL: "total"}
"""The form that a policy maximises -> the value of a policy that it is."""


def row_names() -> list[str]:
    """Every name that the column `estimator` may have."""
    return [*POLICY_VALUE_ESTIMATORS, LOGGED_MEAN, HELD_OUT_MEAN]


def bounded_row_names() -> list[str]:
    """Those of them whose value of a 0/1 outcome lies between 0 and 1."""
    return [LOGGED_MEAN, HELD_OUT_MEAN, *(each.name for each in POLICY_VALUE_ESTIMATORS.values() if each.bounded)]


def report(data: EvaluationData, rule: ReleaseRule) -> pl.DataFrame:
    """All rows: segments x policies x estimands x metrics x estimators, the logged mean, and the mean of a policy's own
    held-out logs where there are some.

    A metric that no round has (revenue without purchases) has no rows. The challenger is compared with the
    champion's policy where one is released, every other policy with the logging policy's plain mean.

    Returns:
        The table `off_policy_report`, with the columns of `SCHEMA`.

    Raises:
        InputError: Challenger and champion were not judged on the same rounds.
    """
    units = with_rewards(data)
    rounds = with_requests(judged_rounds(data, units), data, units)
    rows: list[Row] = []
    for segment, keep in segments(units, data.report_by):
        part, held_out_logs = rounds.filter(keep), units.filter(keep & is_held_out(data.held_out))
        champion = part.filter(pl.col("policy") == CHAMPION)
        for (policy,), own in part.group_by("policy", maintain_order=True):
            against = same_rounds(own, champion) if policy == CHALLENGER and champion.height else None
            for estimand in ESTIMANDS.values():
                for metric in metrics_of(data, estimand):
                    question = PolicyQuestion(segment, str(policy), metric, own, against, estimand)
                    if metric == OBJECTIVE and data.promised:
                        rows.extend(promises(question, data.unseen_days, data.cluster, [LOGGED_MEAN]))
                    elif own[f"{metric}_reward"].null_count() < own.height:
                        rows.extend(_rows(question, held_out_logs, data, rule))
    return pl.DataFrame(rows, schema=SCHEMA)


def metrics_of(data: EvaluationData, estimand: Estimand) -> list[str]:
    """Satisfaction and revenue; and the objective itself under the estimand that its form maximises."""
    objective = data.objective
    # Without a weight of money the objective is what satisfies, told already; but log P is no outcome.
    if objective is None or not (objective.weight or objective.maximises == DO):
        return [*METRICS]
    return [*METRICS, OBJECTIVE] if estimand.name == ESTIMAND_OF[objective.maximises] else [*METRICS]


def _rows(
    question: PolicyQuestion, held_out_logs: pl.DataFrame, data: EvaluationData, rule: ReleaseRule
) -> Iterator[Row]:
    """The rows of one question: every estimator, what happened, and what the policy's own held-out logs say.

    Args:
        held_out_logs: The segment's units of held-out logging policies.
    """
    answer, question = _told(question, data)
    if not answer.answered:
        for name in (*POLICY_VALUE_ESTIMATORS, LOGGED_MEAN):
            row = question.row(name, answer, None)
            yield row | _bounds(question, POLICY_VALUE_ESTIMATORS.get(name), answer, data)
        return
    on_days: dict[Days, PolicyQuestion] = {
        "all": question,
        "unseen": question.where(pl.col("day").is_in(list(data.unseen_days))),
    }
    # Asked once, whichever estimators reach it: of the weights it takes longer than a value.
    calibration = {
        days: cache(partial(calibrated, own.rounds, own.champion, data.cluster)) for days, own in on_days.items()
    }
    for estimator in POLICY_VALUE_ESTIMATORS.values():
        days = estimator.on
        row = _estimator_row(estimator, on_days[days], data, rule, calibration[days])
        # What it rests on is said of a value that there is.
        yield row if row["reason"] else row | {"reason": answer.reason}
    rounds = rounds_for_estimators(question.rounds, question.metric, data, question.columns)
    weights = summarise_weights(rounds.weight)
    yield question.row(LOGGED_MEAN, ANSWERED, weights) | _logged(question, rounds, rule)
    if question.policy in rule.answer_sheet and question.estimand.name == RAW:
        own_logs = held_out_logs.filter(pl.col("policy") == rule.answer_sheet[question.policy])
        yield from _on_policy_value(question, own_logs, data)


def _bounds(
    question: PolicyQuestion, estimator: PolicyValueEstimator | None, answer: Answer, data: EvaluationData
) -> Row:
    """What can still be said of outcomes that would have come anyway, in numbers and words; of what decides alone."""
    raw = f"{question.metric}_reward"
    zeros_and_ones = question.metric == "satisfaction" and not question.rounds[raw].null_count()
    told = question.estimand.name in GIVEN and zeros_and_ones and not question.rounds.is_empty()
    if not told or estimator is None or not estimator.decides:
        return {}
    rounds = rounds_for_estimators(question.rounds, question.metric, data)
    champion = question.champion
    base = None if champion is None else rounds_for_estimators(champion, question.metric, data)
    found = bounds(rounds, base)
    return {"anyway_lower": found.lower, "anyway_upper": found.upper, "reason": f"{answer.reason}. {found.words}"}


def _told(question: PolicyQuestion, data: EvaluationData) -> tuple[Answer, PolicyQuestion]:
    """Whether the logs can tell the estimand, and the question on the rounds that can."""
    estimand, metric = question.estimand, question.metric
    answer = estimand.available(data.logs)
    if answer.answered and estimand.behind(metric):
        # Of other days it is not known what policies would have done with what was met.
        question = question.where(pl.col("day").is_in(list(data.unseen_days)))
        if question.rounds.is_empty():
            return insufficient_evidence("no round lies on the judgement days"), question
    if answer.answered:
        answer = estimand.check(question.rounds, metric)
    if not answer.answered:
        return answer, question
    columns = question.columns
    if columns.keep:
        question = question.where(pl.col(columns.keep))
    if columns.keep_logging and estimand.check(question.rounds, metric, LOGGING).answered:
        question = question.where(pl.col(columns.keep_logging))
    unknown = question.rounds[columns.reward].null_count()
    if unknown:
        return not_available(
            f"{unknown:,} of {question.rounds.height:,} rounds have no known {metric} (an outcome or "
            "a price is missing); leaving them out would judge the policy on a selection"
        ), question
    if estimand.name in GIVEN:
        split = question.rounds.group_by("request_id").agg((pl.len() < pl.col("judged_slots").first()).alias("split"))
        if split.filter(pl.col("request_id").is_not_null())["split"].any():
            return not_available(
                "the slots of a request are of several segments, and what people met beside them is of none"
            ), question
    return answer, question


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
    estimator: PolicyValueEstimator,
    question: PolicyQuestion,
    data: EvaluationData,
    rule: ReleaseRule,
    calibration: Callable[[], Answer],
) -> Row:
    """One estimator's row: its value, and the difference from the baseline on the same rounds.

    Args:
        calibration: What `calibrated` says of the question's rounds.
    """
    name, metric = estimator.name, question.metric
    reads_unseen = estimator.needs_model or estimator.on == "unseen"
    if reads_unseen and not question.rounds["day"].is_in(list(data.unseen_days)).any():
        return question.row(name, insufficient_evidence("no round lies on the judgement days"), None)
    rounds = rounds_for_estimators(question.rounds, metric, data, question.columns)
    champion = question.champion
    base_rounds = None if champion is None else rounds_for_estimators(champion, metric, data, question.columns)
    weights = summarise_weights(rounds.weight)
    answer = check_rounds(rounds, base_rounds, metric, rule, estimator.needs_model, question.pace)
    # Rare outcomes: with few of them behind a value, its interval is too short, however many rounds there
    # are.
    outcomes: Row = {"effective_outcomes": effective_sample_size(rounds.weight * rounds.reward)}
    if not answer.answered:
        return question.row(name, answer, weights) | outcomes
    untold = anyway_told(question, estimator, rounds, rule)
    if not untold.answered:
        return question.row(name, untold, weights) | outcomes
    try:
        value, anyway = value_less_anyway(question, estimator, rounds)
        row = question.row(name, ANSWERED, weights) | outcomes | _numbers(value)
        if anyway is not None:
            row |= {"anyway": anyway.value, "anyway_lower": anyway.lower, "anyway_upper": anyway.upper}
        base = value_of_base(question, estimator, rounds, base_rounds, rule)
        if isinstance(base, Answer):
            return row | _decision(base)
        difference = contrast(value, base, rounds.clusters, unequal=True)
    except TooFewClusters as error:
        return question.row(name, insufficient_evidence(f"{error} ({data.cluster}); log more days"), weights)
    diagnostics = DifferenceDiagnostics.of(rounds, base_rounds)
    carries = carries_a_decision(diagnostics, len(rounds.reward), rule, question.pace)
    if carries.answered:
        carries = calibration()
    return (
        row
        | {
            "difference": difference.value,
            "difference_lower": difference.lower,
            "difference_upper": difference.upper,
            "difference_std_error": difference.std_error,
            "clusters": diagnostics.clusters,
            "effective_clusters": diagnostics.effective_clusters,
            "difference_outcomes": diagnostics.outcomes,
            # Without a tail there is no shape.
            "pareto_k": diagnostics.pareto_k if np.isfinite(diagnostics.pareto_k) else None,
        }
        | _decision(carries)
    )


def _logged(question: PolicyQuestion, rounds: Rounds, rule: ReleaseRule) -> Row:
    """The logging policy's own value of the estimand."""
    if not question.estimand.behind(question.metric):
        return _mean(rounds.reward, rounds.clusters)
    try:
        value = value_of_logging(question, deciding(), rounds, rule)
    except TooFewClusters as error:
        value = insufficient_evidence(f"{error}; log more days")
    if isinstance(value, Answer):
        return {"status": value.status.value, "reason": value.reason}
    return _numbers(value)


def _decision(answer: Answer) -> Row:
    return {"decision_status": answer.status.value, "decision_reason": answer.reason}


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
