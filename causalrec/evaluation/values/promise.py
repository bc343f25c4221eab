"""What the outcome model promises of an objective that is no outcome: form `do`, E[log P + lambda R]."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available
from causalrec.estimators.intervals import Estimate, TooFewClusters, contrast
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS, PolicyValueEstimator, Rounds
from causalrec.evaluation.values.question import PolicyQuestion, Row
from causalrec.logs.clusters import cluster_codes

COLUMN = "model_objective"
NO_OUTCOME = not_available(
    "the objective is E[log P + lambda R], and log P is no outcome: only the model can promise it; "
    "satisfaction and revenue are judged by themselves"
)
DECIDES_NOTHING = not_available("a model's promise of its own policy decides nothing")


def promises(question: PolicyQuestion, days: Collection[date], cluster: str, others: Collection[str]) -> Iterator[Row]:
    """A row an estimator: the one that trusts the model alone has the promise, the others have the reason.

    Args:
        question: Of the objective, with `model_objective`.
        days: Those that the model has not seen.
        others: The names of rows that are no estimators.
    """
    for name, estimator in POLICY_VALUE_ESTIMATORS.items():
        alone = estimator.needs_model and estimator.on == "unseen"
        yield _promise(question, estimator, days, cluster) if alone else question.row(name, NO_OUTCOME, None)
    for name in others:
        yield question.row(name, NO_OUTCOME, None)


def _promise(question: PolicyQuestion, estimator: PolicyValueEstimator, days: Collection[date], cluster: str) -> Row:
    asked = question.where(pl.col("day").is_in(list(days)))
    if asked.rounds.is_empty():
        return asked.row(estimator.name, insufficient_evidence("no round lies on the judgement days"), None)
    codes = cluster_codes(asked.rounds, cluster)

    def of(frame: pl.DataFrame) -> Estimate:
        promised = frame[COLUMN].to_numpy()
        return estimator.estimate(Rounds(promised, np.ones(len(promised)), promised, promised, codes))

    if asked.rounds[COLUMN].null_count():
        missing = not_available("there is no outcome model for these rounds, and nobody promises anything")
        return asked.row(estimator.name, missing, None)
    try:
        value = of(asked.rounds)
        row = asked.row(estimator.name, ANSWERED, None) | {
            "estimate": value.value,
            "std_error": value.std_error,
            "lower": value.lower,
            "upper": value.upper,
        }
        answer: Answer = DECIDES_NOTHING
        if asked.champion is None or asked.champion[COLUMN].null_count():
            answer = not_available("nothing else promises the objective of what it is held against")
        else:
            difference = contrast(value, of(asked.champion), codes)
            row |= {
                "difference": difference.value,
                "difference_lower": difference.lower,
                "difference_upper": difference.upper,
                "difference_std_error": difference.std_error,
            }
    except TooFewClusters as error:
        return asked.row(estimator.name, insufficient_evidence(f"{error} ({cluster}); log more days"), None)
    return row | {"decision_status": answer.status.value, "decision_reason": answer.reason}
