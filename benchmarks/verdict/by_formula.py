"""The named values by their formulas, row by row of `target_policy`: what the report is held against.

Every value is a mean over judged slots of a score, so that all share one interval: that of a mean, clustered by user.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from causalrec.arrays import Codes, Floats
from causalrec.evaluation.rounds import EvaluationData
from causalrec.logs.clusters import cluster_codes


def scores(data: EvaluationData, policy: str) -> tuple[dict[str, Floats], Codes]:
    """The scores of a policy by name, (slots,) each, and the slots' clusters."""
    own = data.targets.filter(policy=policy)
    of_units = data.units.select("unit_id", "user_id", "recommended", "click", "item_id", "time", "position")
    slots = own.filter(kind="slot").join(of_units, on="unit_id", maintain_order="left")
    slots = slots.join(data.propensities, on="unit_id", maintain_order="left")
    organic = own.filter(kind="organic").join(of_units, on="unit_id", maintain_order="left")
    click = pl.col("click").cast(pl.Float64)
    of_request = organic.group_by("request_id").agg(
        met=(pl.col("met_weight") * (click - pl.col("shown_click_if_not"))).sum(),
        not_shown=(pl.col("not_shown_weight") * click).sum(),
        organic=click.sum(),
    )
    all_of_it = slots.group_by("request_id").agg(all_slots=click.sum(), judged=pl.len())
    slots = slots.join(of_request, on="request_id", how="left", maintain_order="left")
    slots = slots.join(all_of_it, on="request_id", how="left", maintain_order="left")
    slots = slots.with_columns(pl.col("met", "not_shown", "organic").fill_null(0.0))
    column: dict[str, Floats] = {
        name: slots[name].to_numpy().astype(np.float64) for name in slots.select(pl.selectors.numeric()).columns
    }
    weight = column["action_probability"] / column["action_propensity"]

    def doubly_robust(reward: Floats, of_policy: Floats, of_shown: Floats) -> Floats:
        return np.asarray(of_policy + weight * (reward - of_shown))

    raw = doubly_robust(column["click"], column["model_click"], column["shown_click"])
    # A request's organic rows belong to all its slots together: their sum over slots is what counts.
    met = column["model_click_if_not"] + column["met"] / column["judged"]
    not_shown = column["not_shown"] / column["judged"]
    # What is expected of the rest cancels between policies; it takes variance from their values.
    mean_organic, mean_rest = _rest(data, slots["position"])
    all_of_it = column["all_slots"] + column["organic"]
    own_and_organic, total = (
        doubly_robust(reward, column["model_click"] + mean, column["shown_click"] + mean)
        for reward, mean in ((column["click"] + column["organic"], mean_organic), (all_of_it, mean_rest))
    )
    found: dict[str, Floats] = {
        "raw": raw,
        "given_met": raw - met,
        "given_not_shown": raw - not_shown,
        "own_and_organic": own_and_organic,
        "total": total,
    }
    return found, cluster_codes(slots, data.cluster)


def logging_scores(data: EvaluationData, beside: str) -> dict[str, Floats]:
    """The scores of the logging policy itself in the slots of a policy that is judged beside it, by name.

    What would have happened anyway is that of the items shown: expected by the model, and corrected by the organic
    rows, weighed by the logging policy's own probabilities.
    """
    own = data.targets.filter(policy=beside)
    of_units = data.units.select("unit_id", pl.col("click").cast(pl.Float64))
    slots = own.filter(kind="slot").join(of_units, on="unit_id", maintain_order="left")
    organic = own.filter(kind="organic").join(of_units, on="unit_id", maintain_order="left")
    of_request = organic.group_by("request_id").agg(
        met=(pl.col("logging_met_weight") * (pl.col("click") - pl.col("shown_click_if_not"))).sum(),
        not_shown=(pl.col("logging_not_shown_weight") * pl.col("click")).sum(),
        organic=pl.col("click").sum(),
    )
    slots = slots.with_columns(all_slots=pl.col("click").sum().over("request_id"), judged=pl.len().over("request_id"))
    slots = slots.join(of_request, on="request_id", how="left", maintain_order="left")
    slots = slots.with_columns(pl.col("met", "not_shown", "organic").fill_null(0.0))
    click = pl.col("click")
    found = slots.select(
        raw=click,
        given_met=click - pl.col("shown_click_if_not") - pl.col("met") / pl.col("judged"),
        given_not_shown=click - pl.col("not_shown") / pl.col("judged"),
        own_and_organic=click + pl.col("organic"),
        total=pl.col("all_slots") + pl.col("organic"),
    )
    return {name: found[name].to_numpy() for name in found.columns}


def _rest(data: EvaluationData, position: pl.Series) -> tuple[Floats, Floats]:
    """Mean clicks beside each slot in its position on the training days: organic ones, and all but its own."""
    train = data.units.filter(~pl.col("day").is_in(list(data.unseen_days)))
    click, organic = pl.col("click").cast(pl.Float64), pl.col("recommended") == 0
    slots = train.with_columns(
        organic=click.filter(organic).sum().over("request_id"), rest=click.sum().over("request_id") - click
    ).filter(~organic)
    means = {
        place: rows.select(pl.col("organic", "rest").mean()).row(0) for (place,), rows in slots.group_by("position")
    }
    of_slots = [means[place] for place in position.to_list()]
    of_organic, of_rest = np.array(of_slots, dtype=np.float64).T
    return of_organic, of_rest
