"""What a policy would have been worth, in a notebook:

cr.policy_value(cr.Rounds(reward, weight, None, None, clusters), estimators=["ips", "snips"])
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from causalrec.answers import InputError, insufficient_evidence
from causalrec.estimators.intervals import TooFewClusters
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS, Rounds
from causalrec.estimators.weights import summarise_weights
from causalrec.evaluation.trust.weight_diagnostics import check_rounds
from causalrec.settings.release import ENOUGH_OUTCOMES, ReleaseRule

SCHEMA: dict[str, pl.DataType] = {
    "estimator": pl.String(),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "rounds": pl.Int64(),
    "effective_rounds": pl.Float64(),
    "status": pl.String(),
    "reason": pl.String(),
}


def policy_value(
    rounds: Rounds,
    estimators: Sequence[str] | None = None,
    *,
    min_effective_rounds: float = 100,
    min_effective_outcomes: float = ENOUGH_OUTCOMES,
    max_mean_weight_gap: float = 0.5,
    max_weight_share: float = 0.1,
) -> pl.DataFrame:
    """The value of a target policy by every estimator, as the asset `off_policy_report` tells it.

    Args:
        rounds: n logged rounds, and what the target policy would have done in them.
        estimators: Names; None: all, those that need a model only where the rounds have one.
        min_effective_rounds, min_effective_outcomes, max_mean_weight_gap, max_weight_share: What keeps a value from
            being told, as in `release.yaml`.

    Returns:
        A row for each estimator: its estimate with a clustered 95 % interval, in reward a round; how many rounds the
        weights leave; and the status, with the reason where there is no estimate.

    Raises:
        InputError: No estimator has a name that is asked for, or a threshold is out of its range.
    """
    names = (
        list(estimators)
        if estimators is not None
        else [each.name for each in POLICY_VALUE_ESTIMATORS.values() if rounds.has_model or not each.needs_model]
    )
    if unknown := [name for name in names if name not in POLICY_VALUE_ESTIMATORS]:
        raise InputError(f"no estimator is called {', '.join(unknown)}; there are {', '.join(POLICY_VALUE_ESTIMATORS)}")
    rule = ReleaseRule.parse(
        {
            "min_effective_rounds": min_effective_rounds,
            "min_effective_outcomes": min_effective_outcomes,
            "max_mean_weight_gap": max_mean_weight_gap,
            "max_weight_share": max_weight_share,
            # Of the verdict, which is not asked for here.
            "revenue_margin": 0.0,
            "answer_sheet": {},
        },
        where="policy_value",
    )
    return pl.DataFrame([_row(name, rounds, rule) for name in names], schema=SCHEMA)


def _row(name: str, rounds: Rounds, rule: ReleaseRule) -> dict[str, str | float | int | None]:
    estimator, weights = POLICY_VALUE_ESTIMATORS[name], summarise_weights(rounds.weight)
    # Where rewards are 0 or 1 those without are counted too: nearly always satisfied is as little known as hardly ever.
    metric = "satisfaction" if np.isin(rounds.reward, (0.0, 1.0)).all() else "revenue"
    answer = check_rounds(rounds, None, metric, rule, estimator.needs_model)
    numbers: dict[str, float] = {}
    if answer.answered:
        try:
            value = estimator.estimate(rounds)
        except TooFewClusters as error:
            answer = insufficient_evidence(str(error))
        else:
            numbers = {
                "estimate": value.value,
                "std_error": value.std_error,
                "lower": value.lower,
                "upper": value.upper,
            }
    return {
        "estimator": name,
        **numbers,
        "rounds": weights.rows,
        "effective_rounds": weights.effective_rows,
        "status": answer.status.value,
        "reason": answer.reason,
    }
