"""What the logs of the last days say of users and items: a finite state, carried from day to day.

Exact integer counts in day buckets over `history_days` days, and the day each user and item was first seen. A
bucket falls out whole, so the influence of a late row ends, and carrying the state day by day gives the same
rows as building it from nothing.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.inputs import Inputs

SCHEMA: dict[str, pl.DataType] = {
    "entity": pl.String(),
    "user_id": pl.String(),
    "item_id": pl.String(),
    "category": pl.String(),
    "day": pl.Date(),
    "exposures": pl.Int64(),
    "clicks": pl.Int64(),
    "purchases": pl.Int64(),
}
KEYS: dict[str, tuple[str, ...]] = {
    "user": ("user_id",),
    "item": ("item_id",),
    "user_category": ("user_id", "category"),
}
FIRST_SEEN: dict[str, str] = {"user_first_seen": "user_id", "item_first_seen": "item_id"}


def empty_history() -> pl.DataFrame:
    """The state before the source's first day."""
    return pl.DataFrame(schema=SCHEMA)


def advance(
    before: pl.DataFrame, events: pl.DataFrame, items: pl.DataFrame, day: date, history_days: int
) -> pl.DataFrame:
    """The state at the end of a day, from the state at the end of the day before and the day's clean events.

    Args:
        before: The state at the end of the day before (`empty_history()` on the source's first day).
        events: The day's clean events.
        items: The catalogue, for the items' categories.
        history_days: Buckets of (day - history_days, day] are kept.
    """
    oldest = day - timedelta(days=history_days)
    is_count = pl.col("entity").is_in(list(KEYS))
    carried = before.filter(~is_count | (pl.col("day") > oldest))
    seen = events.join(items.select("item_id", "category"), on="item_id", how="left")
    today = [
        seen.drop_nulls(list(keys))
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("exposures"),
            pl.col("click").sum().cast(pl.Int64).alias("clicks"),
            pl.col("purchase").sum().cast(pl.Int64).alias("purchases"),
        )
        .with_columns(pl.lit(entity).alias("entity"), pl.lit(day).alias("day"))
        for entity, keys in KEYS.items()
    ]
    for entity, key in FIRST_SEEN.items():
        known = carried.filter(pl.col("entity") == entity).select(key)
        new = seen.select(key).drop_nulls().unique().join(known, on=key, how="anti")
        counts = [pl.lit(0, pl.Int64).alias(name) for name in ("exposures", "clicks", "purchases")]
        today.append(new.with_columns(pl.lit(entity).alias("entity"), pl.lit(day).alias("day"), *counts))
    columns = [pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()]
    state = pl.concat([carried, *today], how="diagonal").select(columns)
    return state.sort(list(SCHEMA), nulls_last=True)


def within_window(state: pl.DataFrame, day: date, history_days: int) -> bool:
    """Whether each count is of a day in (day - history_days, day], and nothing was first seen after it."""
    counts = state.filter(pl.col("entity").is_in(list(KEYS)))["day"]
    oldest = day - timedelta(days=history_days)
    return bool((counts > oldest).all()) and bool((state["day"] <= day).all())


def history_before(inputs: Inputs, day: date | None = None) -> pl.DataFrame:
    """The history at the end of the day before a day (this partition's, unless another is named).

    Raises:
        MissingDay: It has not been published, and the day is not the source's first.
    """
    day = day or inputs.day
    if day == inputs.first_day:
        return empty_history()
    if day < inputs.first_day:
        raise InputError(f"{day} is before the source's first day, {inputs.first_day} (sources.yaml)")
    return inputs.table("history", day - timedelta(days=1)).frame
