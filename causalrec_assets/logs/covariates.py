"""Covariates as of the end of the day before: the same code for units that happened and for candidates that might.

A covariate belongs to a context (who, when, where), to an item, or to the pair. Nothing of the day itself is read, so that
neither a unit's own outcome nor a later event can enter its covariates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec_assets.logs.sources import Source

USER_HISTORY = ("user_exposures", "user_clicks", "user_tenure_days")
ITEM_HISTORY = ("item_exposures", "item_click_rate")
PAIR_HISTORY = ("user_category_click_rate",)


@dataclass(frozen=True)
class AsOf:
    """The history at the end of the day before `day`, summed per user, item and pair.

    Attributes:
        users, items, pairs: None where the source has no user id, and so no history.
    """

    day: date
    users: pl.DataFrame | None
    items: pl.DataFrame | None
    pairs: pl.DataFrame | None
    unseen_rate: float


def as_of(history: pl.DataFrame | None, day: date, source: Source) -> AsOf:
    """Sum the day buckets of a history state.

    Args:
        history: The state at the end of the day before `day`; None where it is not available.
        source: For the prior of the click rates.
    """
    if history is None:
        return AsOf(day, None, None, None, source.prior_rate)

    def rate() -> pl.Expr:
        prior = source.prior_rate * source.prior_exposures
        return (pl.col("clicks").sum() + prior) / (pl.col("exposures").sum() + source.prior_exposures)

    def of(entity: str) -> pl.DataFrame:
        return history.filter(pl.col("entity") == entity)

    first = of("user_first_seen").select("user_id", (pl.lit(day) - pl.col("day")).dt.total_days().alias("user_tenure_days"))
    users = of("user").group_by("user_id").agg(
        pl.col("exposures").sum().alias("user_exposures"), pl.col("clicks").sum().alias("user_clicks")
    )
    items = of("item").group_by("item_id").agg(
        pl.col("exposures").sum().alias("item_exposures"), rate().alias("item_click_rate")
    )
    pairs = of("user_category").group_by("user_id", "category").agg(rate().alias("user_category_click_rate"))
    return AsOf(day, first.join(users, on="user_id", how="full", coalesce=True), items, pairs, source.prior_rate)


def context_covariates(contexts: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of who asks and when: hour, weekday, and the user's counts (0 for one never seen)."""
    contexts = contexts.with_columns(
        pl.col("time").dt.hour().cast(pl.Int64).alias("hour"), pl.col("time").dt.weekday().cast(pl.Int64).alias("weekday")
    )
    if state.users is None:
        return contexts
    return contexts.join(state.users, on="user_id", how="left", maintain_order="left").with_columns(
        pl.col(USER_HISTORY).fill_null(0)
    )


def item_covariates(items: pl.DataFrame, state: AsOf, source: Source) -> pl.DataFrame:
    """The catalogue's covariates per item: category, list price, age, extra columns, and its counts."""
    columns = [c for c in ("category", "price", "published_at") if c in source.item_columns]
    known = items.select("item_id", *columns, *source.item_extra)
    if "published_at" in columns:
        age = (pl.lit(state.day) - pl.col("published_at")).dt.total_days().alias("item_age_days")
        known = known.with_columns(age).drop("published_at")
    if state.items is None:
        return known
    return unseen_items(known.join(state.items, on="item_id", how="left", maintain_order="left"), state)


def unseen_items(items: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """An item that was never seen has no exposures and the prior's click rate."""
    if state.items is None:
        return items
    return items.with_columns(pl.col("item_exposures").fill_null(0), pl.col("item_click_rate").fill_null(state.unseen_rate))


def pair_covariates(pairs: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of a user with an item: the past click rate in its category."""
    if state.pairs is None:
        return pairs
    joined = pairs.join(state.pairs, on=["user_id", "category"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(PAIR_HISTORY).fill_null(state.unseen_rate))


def covariate_names(source: Source) -> list[str]:
    """The pre-treatment columns of a source's units, in a stable order."""
    history = source.has("user_id")
    names = ["hour", "weekday", *source.context]
    names += [c for c in ("category", "price") if c in source.item_columns or (c == "price" and source.has("price"))]
    names += ["item_age_days"] if "published_at" in source.item_columns else []
    names += source.item_extra
    names += [*USER_HISTORY, *PAIR_HISTORY, *ITEM_HISTORY] if history else []
    return list(dict.fromkeys(names))
