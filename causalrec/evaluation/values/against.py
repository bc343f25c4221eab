"""A value less what would have happened anyway, and the value that it is held against."""

from __future__ import annotations

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available
from causalrec.estimators.intervals import Estimate, clustered_ratio, contrast
from causalrec.estimators.policy_value import PolicyValueEstimator, Rounds, logged_mean
from causalrec.estimators.weights import effective_sample_size
from causalrec.evaluation.estimands.protocol import LOGGING, POLICY, Whose
from causalrec.evaluation.trust.needed import more_rounds, pace_of, rounds_for_share_of
from causalrec.evaluation.values.question import PolicyQuestion
from causalrec.settings.release import OUTCOMES, ReleaseRule


def anyway_told(question: PolicyQuestion, estimator: PolicyValueEstimator, rounds: Rounds, rule: ReleaseRule) -> Answer:
    """Whether what would have happened anyway can be told, of the policy and of the champion."""
    for who, frame in (("", question.rounds), ("of the champion: ", question.champion)):
        if frame is not None:
            answer = _told(question, frame, estimator, rounds, rule)
            if not answer.answered:
                return Answer(answer.status, f"{who}{answer.reason}")
    return ANSWERED


def value_less_anyway(
    question: PolicyQuestion, estimator: PolicyValueEstimator, rounds: Rounds
) -> tuple[Estimate, Estimate | None]:
    """V1 - V0 on the same rounds, and V0; V1 alone where nothing is taken off.

    Raises:
        TooFewClusters: See `from_influence`.
    """
    return _less(question, question.rounds, estimator, estimator.estimate(rounds), rounds)


def value_of_base(
    question: PolicyQuestion,
    estimator: PolicyValueEstimator,
    rounds: Rounds,
    base_rounds: Rounds | None,
    rule: ReleaseRule,
) -> Estimate | Answer:
    """What a value is held against: the champion's by the same estimator, or the logging policy's.

    Args:
        rounds: The policy's.
        base_rounds: The champion's; None: there is none.

    Raises:
        TooFewClusters: See `from_influence`.
    """
    if base_rounds is None or question.champion is None:
        return value_of_logging(question, estimator, rounds, rule)
    if question.estimand.behind(question.metric):
        answer = question.estimand.check(question.champion, question.metric)
        if not answer.answered:
            return Answer(answer.status, f"of the champion: {answer.reason}")
    return _less(question, question.champion, estimator, estimator.estimate(base_rounds), base_rounds)[0]


def value_of_logging(
    question: PolicyQuestion, estimator: PolicyValueEstimator, rounds: Rounds, rule: ReleaseRule
) -> Estimate | Answer:
    """The logging policy's own value: the mean of what was logged, less what would have happened without it.

    The items that it shows are the logged ones, so a model's expectation under it is the mean of that of the items
    shown; its organic rows are weighed by its own probabilities.

    Returns:
        The value; or why it is not told.

    Raises:
        TooFewClusters: See `from_influence`.
    """
    estimand, metric = question.estimand, question.metric
    value = logged_mean(rounds)
    if not estimand.behind(metric):
        return value
    answer = estimand.check(question.rounds, metric, LOGGING)
    if answer.answered:
        answer = _told(question, question.rounds, estimator, rounds, rule, LOGGING)
    if not answer.answered:
        return Answer(answer.status, f"of the logging policy: {answer.reason}")
    return _less(question, question.rounds, estimator, value, rounds, LOGGING)[0]


def naive(question: PolicyQuestion, rounds: Rounds) -> Estimate | None:
    """The mean outcome of what was recommended less that of what was met unprompted, as logged: correlation.

    Returns:
        None where nothing is taken off, or nothing was met.

    Raises:
        TooFewClusters: See `from_influence`.
    """
    shared = question.rounds.select(
        met=(pl.col("organic_rows") / pl.col("judged_slots")).cast(pl.Float64),
        outcomes=(pl.col(f"{question.metric}_of_organic") / pl.col("judged_slots")).cast(pl.Float64),
    ).fill_null(0.0)
    met = shared["met"].to_numpy()
    if not met.any():
        return None
    organic = clustered_ratio(shared["outcomes"].to_numpy(), met, rounds.clusters)
    return contrast(logged_mean(rounds), organic, rounds.clusters)


def _told(
    question: PolicyQuestion,
    slots: pl.DataFrame,
    estimator: PolicyValueEstimator,
    rounds: Rounds,
    rule: ReleaseRule,
    whose: Whose = POLICY,
) -> Answer:
    """Whether a model, where one is needed, and enough organic outcomes stand behind V0."""
    anyway = question.estimand.anyway(slots, question.metric, rounds.clusters, whose)
    if anyway is None:
        return ANSWERED
    if estimator.needs_model and not anyway.has_model:
        return not_available(
            "what the model expects of items that nobody recommended is not known; it has seen one arm only"
        )
    if not np.isfinite(anyway.reward).all():
        return not_available(f"what was met beside some slots has no known {question.metric}")
    if estimator.on == "unseen":
        return ANSWERED
    # A request counts once, not once a slot.
    column = question.estimand.behind(question.metric, whose)
    by_request = slots.drop_nulls("request_id").unique("request_id", maintain_order=True)[column]
    effective = effective_sample_size(by_request.to_numpy())
    if effective >= rule.min_effective_outcomes:
        return ANSWERED
    settled = "; how many rounds it would take cannot be said: judge on more days"
    if effective:
        more = rounds_for_share_of(slots.height, effective, rule.min_effective_outcomes)
        settled = f"; judge on {more_rounds(more, pace_of(slots))}"
    return insufficient_evidence(
        f"{effective:,.0f} effective organic outcomes stand behind what would have happened anyway (at "
        f"least {rule.min_effective_outcomes:,.0f} are needed, release.yaml: {OUTCOMES}){settled}"
    )


def _less(
    question: PolicyQuestion,
    slots: pl.DataFrame,
    estimator: PolicyValueEstimator,
    value: Estimate,
    rounds: Rounds,
    whose: Whose = POLICY,
) -> tuple[Estimate, Estimate | None]:
    anyway = question.estimand.anyway(slots, question.metric, rounds.clusters, whose)
    if anyway is None:
        return value, None
    happened = estimator.estimate(anyway)
    return contrast(value, happened, rounds.clusters), happened
