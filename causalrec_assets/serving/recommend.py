"""Recommendations by the champion: a slate per context, with propensities, potential outcomes and reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints, Mask
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import draw_slates, first_slot
from causalrec.policy.reasons import ranked_by, reason
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig

SCHEMA: dict[str, pl.DataType] = {
    "user_id": pl.String(),
    "context": pl.String(),
    "item_id": pl.String(),
    "rank": pl.Int64(),
    "action_propensity": pl.Float64(),
    "click_if_recommended": pl.Float64(),
    "click_if_not": pl.Float64(),
    "purchase_if_recommended": pl.Float64(),
    "revenue_if_recommended": pl.Float64(),
    "reason": pl.String(),
}


@dataclass(frozen=True)
class RecommendationsNotes:
    """What the table `recommendations` says beside its rows; one without an answer has none.

    Attributes:
        champion: The hash of the bundle that serves.
        entry: The entry of the release log that lets it serve.
        contexts_without_a_candidate: How many have no recommendation at all.
        contexts_with_a_short_slate: How many have some, and fewer than a slate.
    """

    champion: str
    entry: int
    contexts_without_a_candidate: int
    contexts_with_a_short_slate: int


def latest_contexts(units: pl.DataFrame, columns: Sequence[str], limit: int | None) -> pl.DataFrame:
    """Whom to recommend to, in the context in which they were last seen.

    Args:
        units: Units of the days from which contexts are taken.
        columns: Context columns.
        limit: None: one context per user, and units without a user are left out. Else, for a source without
            users: one per distinct context, at most so many, the commonest first.

    Returns:
        time, user_id and the context columns, in a stable order.
    """
    if limit is None:
        named = units.filter(pl.col("user_id").is_not_null()).sort("time", "unit_id")
        newest = named.unique("user_id", keep="last", maintain_order=True)
        return newest.select("time", "user_id", *columns).sort("user_id")
    common = units.group_by(columns).agg(pl.len().alias("rows"), pl.col("time").max(), pl.col("user_id").first())
    ordered = common.sort(["rows", *columns], descending=[True, *[False] * len(columns)])
    return ordered.head(limit).select("time", "user_id", *columns)


def recommend(
    contexts: pl.DataFrame,
    item_ids: Sequence[str],
    scored: Iterable[Scored],
    config: PolicyConfig,
    objective: Objective,
    columns: Sequence[str],
    seed: Sequence[int],
) -> pl.DataFrame:
    """Draw a slate for every context by Plackett-Luce, without replacement.

    `action_propensity` of rank k is the probability of its item given the items above it, as a log needs it. A context
    with fewer candidates than `slate_size` has a slate of them all; one without a candidate has none.

    Args:
        contexts: From `latest_contexts`.
        item_ids: In the order of the catalogue.
        scored: The contexts against the catalogue, or few columns of it.
        columns: Context columns, written into `context` as JSON.
        seed: Of the draws: equal seeds give equal slates.

    Returns:
        The table `recommendations`: a row per context and rank, with the columns of `SCHEMA`.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for part in scored:
        revenue = objective.revenue(part.purchase, part.price)
        satisfaction, money = objective.terms(part)
        value, columns_of = objective.value(satisfaction, money), part.columns
        first = first_slot(value, part.eligible, config.solved, config.exploration, columns_of)
        slate, propensity = draw_slates(first, config.slate_size, rng, columns_of)
        # A context has a slate as long as its candidates reach.
        there = np.arange(slate.shape[1]) < part.count[:, None]
        sizes = there.sum(axis=1)

        def of(values: Floats | None, slate: Ints = slate, there: Mask = there) -> Floats | None:
            return None if values is None else np.take_along_axis(values, slate, axis=1)[there]

        explored = _explored(part, first, config.exploration)
        chosen = {
            "click_if_recommended": of(part.click),
            "click_if_not": of(part.click_if_not),
            "purchase_if_recommended": of(part.purchase),
            "revenue_if_recommended": of(revenue),
        }
        rows = int(sizes.sum())
        own = contexts.slice(part.contexts.start, part.contexts.stop - part.contexts.start)
        shown = [json.dumps({c: row[c] for c in columns}) for row in own.iter_rows(named=True)]
        by_money = of(_lifted_by_revenue(part, satisfaction, money, objective).astype(np.float64))
        reasons = _reasons(chosen, by_money, of(explored.astype(np.float64)), objective)
        of_context = np.repeat(np.arange(len(sizes)), sizes)
        parts.append(
            pl.DataFrame(
                {
                    "user_id": pl.Series(own["user_id"].to_list(), dtype=pl.String).gather(of_context),
                    "context": pl.Series(shown, dtype=pl.String).gather(of_context),
                    "item_id": [item_ids[k] for k in part.item(of_context, slate[there]).tolist()],
                    "rank": np.broadcast_to(np.arange(1, slate.shape[1] + 1), slate.shape)[there],
                    "action_propensity": propensity[there],
                    **{
                        name: pl.Series([None] * rows, dtype=pl.Float64) if v is None else v
                        for name, v in chosen.items()
                    },
                    "reason": reasons,
                }
            ).select([pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()])
        )
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def slate_sizes(contexts: pl.DataFrame, items: pl.DataFrame, config: PolicyConfig) -> pl.Series:
    """How many items the slate of each context has, counted from the catalogue: as many as wanted, or all there are."""
    if not config.match:
        return pl.Series("size", [min(items.height, config.slate_size)], pl.Int64).new_from_index(0, contexts.height)
    there = items.select(config.match).drop_nulls().group_by(config.match).agg(pl.len().cast(pl.Int64).alias("size"))
    sizes = contexts.select(config.match).join(there, on=list(config.match), how="left", maintain_order="left")
    return sizes["size"].fill_null(0).clip(upper_bound=config.slate_size)


def _explored(part: Scored, first: Floats, exploration: float) -> Mask:
    """(contexts, items): whether an item, if drawn, more likely came from the uniform share than from its
    rank.

    P(uniform | drawn) = (exploration / candidates) / p, by Bayes; the same in every slot, since what stands
    above divides both.
    """
    uniform = exploration / np.maximum(part.count[:, None], 1)
    return np.asarray(uniform > 0.5 * (first if part.columns is None else first / part.columns.stands_for))


def _lifted_by_revenue(part: Scored, satisfaction: Floats, revenue: Floats | None, objective: Objective) -> Mask:
    """(contexts, items): whether money lifts the item further above the mean candidate than satisfaction does.

    Args:
        satisfaction, revenue: The two terms of the objective's form.
    """
    if revenue is None or objective.weight is None:
        return np.zeros_like(part.eligible)
    count = np.maximum(part.count[:, None], 1)
    items = part.eligible if part.columns is None else part.eligible * part.columns.stands_for

    def above_mean(values: Floats) -> Floats:
        return np.asarray(values - (values * items).sum(axis=1, keepdims=True) / count)

    return np.asarray(objective.weight * above_mean(revenue) > above_mean(satisfaction))


def _reasons(
    chosen: Mapping[str, Floats | None], by_money: Floats | None, explored: Floats | None, objective: Objective
) -> list[str]:
    def at(values: Floats | None, k: int) -> float | None:
        return None if values is None else float(values[k])

    click = chosen["click_if_recommended"]
    assert click is not None and by_money is not None and explored is not None
    return [
        reason(
            float(click[k]),
            at(chosen["click_if_not"], k),
            at(chosen["revenue_if_recommended"], k),
            ranked_by(objective.maximises, bool(by_money[k])),
            bool(explored[k]),
        )
        for k in range(len(click))
    ]
