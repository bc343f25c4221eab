"""The table `effects`: a row per question and estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from causalrec.answers import not_available
from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.model.effects.study import EffectResult

SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(),
    "treatment": pl.String(),
    "outcome": pl.String(),
    "estimator": pl.String(),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "units": pl.Int64(),
    "clusters": pl.Int64(),
    "status": pl.String(),
    "reason": pl.String(),
}


def effect_rows(question: Mapping[str, Any], result: EffectResult) -> list[dict[str, Any]]:
    """The rows of a question in the table `effects`, one per registered estimator, in the registry's order.

    Without estimates every number is null. An estimator that the question's strategy has no form of is not available.

    Args:
        question: A row of `adjustment_sets`.

    Returns:
        Rows of `SCHEMA`.
    """
    rows = []
    for name in EFFECT_ESTIMATORS:
        estimate, answer = result.estimates.get(name), result.answer
        if answer.answered and estimate is None:
            answer = not_available(
                f"the estimator `{name}` has no form for the strategy `{result.diagnostics['strategy']}`"
            )
        rows.append(
            {
                **{key: question[key] for key in ("question", "treatment", "outcome")},
                "estimator": name,
                "estimate": estimate.value if estimate else None,
                "std_error": estimate.std_error if estimate else None,
                "lower": estimate.lower if estimate else None,
                "upper": estimate.upper if estimate else None,
                "units": estimate.rows if estimate else None,
                "clusters": estimate.clusters if estimate else None,
                "status": answer.status.value,
                "reason": answer.reason,
            }
        )
    return rows
