"""Covariates as of the end of the day before: one code for units that happened and candidates that might.

A covariate belongs to a context (who, when, where), to an item, or to the pair. Nothing of the day itself is
read, so that neither a unit's own outcome nor a later event can enter its covariates.
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
        unseen_rate: The click rate of what was never seen.
    """

    day: date
    users: pl.DataFrame | None
    items: pl.DataFrame | None
    pairs: pl.DataFrame | None
    unseen_rate: float


def as_of(history: pl.DataFrame | None, day: date, source: Source) -> AsOf:
    """Sum the day buckets of a history state.

    A past click rate is (clicks + rate x exposures of the prior) / (exposures + exposures of the prior).

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

    tenure = (pl.lit(day) - pl.col("day")).dt.total_days().alias("user_tenure_days")
    first = of("user_first_seen").select("user_id", tenure)
    users = (
        of("user")
        .group_by("user_id")
        .agg(pl.col("exposures").sum().alias("user_exposures"), pl.col("clicks").sum().alias("user_clicks"))
    )
    items = (
        of("item")
        .group_by("item_id")
        .agg(pl.col("exposures").sum().alias("item_exposures"), rate().alias("item_click_rate"))
    )
    pairs = of("user_category").group_by("user_id", "category").agg(rate().alias("user_category_click_rate"))
    known = first.join(users, on="user_id", how="full", coalesce=True)
    return AsOf(day, known, items, pairs, source.prior_rate)


def as_of_covariates(pairs: pl.DataFrame, state: AsOf, items: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Add every covariate to rows of a context and an item, in the rows' order.

    Args:
        pairs: `time`, `item_id`, the context columns, `user_id` where the source has one; where there is a `price`
            it is the one at the time of the event, and the catalogue's only fills its gaps.
        items: The catalogue, one row per item.

    Returns:
        The rows with the columns of `covariate_names`. An item that the catalogue does not have has nulls for
        what the catalogue would say.
    """
    rows = context_covariates(pairs, state)
    known = item_covariates(items, state, source).rename({"price": "list_price"}, strict=False)
    # A column that both have (a section of the shop) is the context's.
    known = known.drop([c for c in known.columns if c in rows.columns and c != "item_id"])
    rows = rows.join(known, on="item_id", how="left", maintain_order="left")
    if "list_price" in rows.columns:
        logged = [c for c in ("price",) if c in rows.columns]
        rows = rows.with_columns(pl.coalesce(*logged, "list_price").alias("price")).drop("list_price")
    return pair_covariates(unseen_items(rows, state), state)


def context_covariates(contexts: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of who asks and when: hour and weekday (UTC), the user's counts (0: never seen)."""
    contexts = contexts.with_columns(
        pl.col("time").dt.hour().cast(pl.Int64).alias("hour"),
        pl.col("time").dt.weekday().cast(pl.Int64).alias("weekday"),
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
    return items.with_columns(
        pl.col("item_exposures").fill_null(0), pl.col("item_click_rate").fill_null(state.unseen_rate)
    )


def pair_covariates(pairs: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of a user with an item: the past click rate in its category."""
    if state.pairs is None or "category" not in pairs.columns:
        return pairs
    joined = pairs.join(state.pairs, on=["user_id", "category"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(PAIR_HISTORY).fill_null(state.unseen_rate))


def covariate_names(source: Source) -> list[str]:
    """The pre-treatment columns of a source's units, in a stable order."""
    names = ["hour", "weekday", *source.context]
    names += ["category"] if "category" in source.item_columns else []
    names += ["price"] if "price" in source.item_columns or source.has("price") else []
    names += ["item_age_days"] if "published_at" in source.item_columns else []
    names += source.item_extra
    if source.has("user_id"):
        pairs = PAIR_HISTORY if "category" in source.item_columns else ()
        names += [*USER_HISTORY, *pairs, *ITEM_HISTORY]
    return list(dict.fromkeys(names))
