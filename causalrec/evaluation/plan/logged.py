"""The rounds behind the difference that decides, with how the logging policy chose in them."""

from __future__ import annotations

import polars as pl

from causalrec.answers import Answer, not_available
from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.evaluation.requests import with_requests
from causalrec.evaluation.rounds import (
    EvaluationData,
    judged_rounds,
    rounds_for_estimators,
    same_rounds,
    with_rewards,
)
from causalrec.evaluation.trials.exploration import LoggedRounds
from causalrec.policy.policies import CHALLENGER, CHAMPION


def logged_rounds(data: EvaluationData, estimand: str, metric: str) -> LoggedRounds | Answer:
    """The challenger's rounds and its champion's, as the report judges them.

    Args:
        estimand: Which value decides.
        metric: satisfaction or revenue.

    Returns:
        The answer where logs with more exploration cannot be told from these.
    """
    value = ESTIMANDS[estimand]
    if value.behind(metric):
        return not_available(
            f"{value.label} takes off what would have happened anyway, and how much more exploration would change what "
            "people meet is not known"
        )
    units = with_rewards(data)
    slots = judged_rounds(data, units)
    slots = with_requests(slots.filter(pl.col("policy").is_in([CHALLENGER, CHAMPION])), data, units)
    columns = value.reads(metric)
    if columns.keep:
        slots = slots.filter(columns.keep)
    challenger, champion = slots.filter(policy=CHALLENGER), slots.filter(policy=CHAMPION)
    if challenger.is_empty():
        return not_available("no judged round of the challenger has a logged action propensity; log them")
    unknown = challenger["candidates"].null_count() + int((challenger["candidates"] == 0).sum())
    if unknown:
        return not_available(
            f"of {unknown:,} of {challenger.height:,} rounds it is not known how many items could have been shown: "
            "another release made `target_policy`; materialise it again"
        )
    if challenger[columns.reward].null_count() or challenger["weight"].null_count():
        return not_available("some rounds have no known outcome or no logged action propensity")
    rounds = rounds_for_estimators(challenger, metric, data, columns)
    base = None
    if champion.height:
        base = rounds_for_estimators(same_rounds(challenger, champion), metric, data, columns)
    if not rounds.has_model or (base is not None and not base.has_model):
        return not_available(f"the outcome model expects no {metric} of these rounds")
    return LoggedRounds(
        rounds,
        base,
        challenger["action_propensity"].to_numpy(),
        challenger["candidates"].cast(pl.Float64).to_numpy(),
    )
