"""Recommendations by the champion: a slate per context, with its action propensities, potential outcomes and reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from causalrec_assets.policy.grid import Scored
from causalrec_assets.policy.objective import Objective
from causalrec_assets.policy.plackett_luce import draw_slates, first_slot
from causalrec_assets.policy.policy_config import PolicyConfig
from causalrec_assets.policy.reasons import reason

SCHEMA: dict[str, pl.DataType] = {
    "user_id": pl.String(), "context": pl.String(), "item_id": pl.String(), "rank": pl.Int64(), "action_propensity": pl.Float64(),
    "click_if_recommended": pl.Float64(), "click_if_not": pl.Float64(), "purchase_if_recommended": pl.Float64(),
    "revenue_if_recommended": pl.Float64(), "reason": pl.String(),
}


def latest_contexts(units: pl.DataFrame, columns: Sequence[str], limit: int | None) -> pl.DataFrame:
    """Whom to recommend to, in the context in which they were last seen.

    Args:
        units: Units of the newest days.
        columns: Context columns.
        limit: Without a user id a context is recommended to; at most so many, the commonest first.

    Returns:
        time, user_id and the context columns; one row per user, or per distinct context.
    """
    if units["user_id"].null_count() == 0:
        newest = units.sort("time", "unit_id").unique("user_id", keep="last", maintain_order=True)
        return newest.select("time", "user_id", *columns).sort("user_id")
    common = units.group_by(columns).agg(pl.len().alias("rows"), pl.col("time").max(), pl.col("user_id").first())
    return common.sort(["rows", *columns], descending=[True, *[False] * len(columns)]).head(limit).select("time", "user_id", *columns)


def recommend(
    contexts: pl.DataFrame, item_ids: Sequence[str], scored: Iterable[Scored], config: PolicyConfig, objective: Objective,
    columns: Sequence[str], seed: int,
) -> pl.DataFrame:
    """Draw a slate for every context.

    Args:
        contexts: From `latest_contexts`.
        item_ids: In the order of the grid's items.
        scored: The grid of the contexts against the catalogue.
        columns: Context columns, written into `context` as JSON.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    for part in scored:
        satisfaction = objective.satisfaction(part.click, part.purchase)
        revenue = objective.revenue(part.purchase, part.price)
        value = objective.value(satisfaction, revenue)
        p = first_slot(value, part.eligible, config.temperature, config.exploration)
        slate, propensity = draw_slates(p, config.slate_size, rng)
        typical = np.nanmedian(np.where(part.eligible, value, np.nan), axis=1)
        own = contexts.slice(part.contexts.start, part.contexts.stop - part.contexts.start)
        for k, context in enumerate(own.iter_rows(named=True)):
            shown = json.dumps({c: context[c] for c in columns})
            usual = float(satisfaction[k][part.eligible[k]].mean())
            for rank, (item, chance) in enumerate(zip(slate[k], propensity[k], strict=True), start=1):
                not_recommended = None if part.click_if_not is None else float(part.click_if_not[k, item])
                money = None if revenue is None else float(revenue[k, item])
                by_money = revenue is not None and objective.weight * (revenue[k, item] - revenue[k].mean()) > satisfaction[k, item] - usual
                why = reason(float(part.click[k, item]), not_recommended, money, "revenue" if by_money else "satisfaction",
                             bool(value[k, item] < typical[k]))
                rows.append((
                    context["user_id"], shown, item_ids[item], rank, float(chance), float(part.click[k, item]), not_recommended,
                    None if part.purchase is None else float(part.purchase[k, item]), money, why,
                ))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
