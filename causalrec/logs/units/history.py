"""What the logs of the last days say of users and items: sums over a window, carried from day to day.

The state of a day has two kinds of rows. `user`, `item` and `user_category` are exact integer sums over the last
`history_days` days. `user_today`, `item_today` and `user_category_today` are what the day alone counted. So a day costs
its own events and the state, whatever lies behind it: sums of the day before, plus today's counts, less those of the
day that leaves the window, read from that day's own state. The influence of a late row ends when its day leaves, and
carrying the state gives the same rows as building it from nothing.

An entity whose sums are all 0 drops out. What stays is the day on which a user or an item was first seen, one row each
for ever; the day last seen is kept while it is within the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from causalrec.engine.slices import write_table
from causalrec.logs.units.day_counts import KEYS, MEASURES, Frame, Has, day_before, day_counts, every_day
from causalrec.settings.logs.sources import Source

SCHEMA: dict[str, pl.DataType] = {
    "entity": pl.String(),
    "user_id": pl.String(),
    "item_id": pl.String(),
    "category": pl.String(),
    **{measure: pl.Int64() for measure in MEASURES["item"]},
    "first_seen": pl.Date(),
    "last_seen": pl.Date(),
}
SEEN = ("user", "item")
"""Of whom it is kept when they were first and last seen."""
TODAY = "_today"
PART_ROWS = 500_000
FAR = 2**31 - 1
"""A day's number that is none."""


def empty_history() -> pl.DataFrame:
    """The state before the source's first day."""
    return pl.DataFrame(schema=SCHEMA)


def leaving_days(source: Source, day: date, has: Has = every_day) -> list[date]:
    """The days that leave the window as `day` enters, ascending: one, or of a sparse source as many as lie between."""
    since = day_before(source, day, has)
    if since is None:
        return []
    oldest = [since + timedelta(days=k + 1 - source.history_days) for k in range((day - since).days)]
    return [d for d in oldest if d >= source.first_day and d < day and has(d)]


def states_read(source: Source, day: date, has: Has = every_day) -> list[date]:
    """The days whose states a day's is made from: the day before, and the days that leave; ascending."""
    since = day_before(source, day, has)
    return sorted({*leaving_days(source, day, has), *([since] if since else [])})


def advance(
    earlier: Mapping[date, Frame],
    events: Mapping[date, Frame],
    items: Frame,
    source: Source,
    day: date,
    has: Has = every_day,
) -> pl.DataFrame:
    """The state at the end of a day.

    Args:
        earlier: The states at the end of each of `states_read`.
        events: Clean events of each of `days_read`: of the day and, where outcomes become known later, of days before.
        items: The day's catalogue, for the items' categories and list prices.
        has: Whether a day has tables; of a sparse source, some have none.

    Raises:
        KeyError: A day's state or events that are needed are not given.
    """
    return pl.concat([empty_history(), *state_parts(earlier, events, items, source, day, has)])


def state_parts(
    earlier: Mapping[date, Frame],
    events: Mapping[date, Frame],
    items: Frame,
    source: Source,
    day: date,
    has: Has = every_day,
) -> Iterator[pl.DataFrame]:
    """The state of `advance` in parts, in the order of its rows; arguments as there."""
    since = day_before(source, day, has)
    before = earlier[since].lazy() if since is not None else empty_history().lazy()
    left = [earlier[d].lazy() for d in leaving_days(source, day, has)]
    leaving = pl.concat(left) if left else empty_history().lazy()
    today = day_counts(events, items, source, day, has)
    for entity in sorted(KEYS):
        now = today.pop(entity).sort(KEYS[entity])
        yield from _parts(_carried(entity, before, leaving, now, day, source.history_days), entity)
        yield from _parts(now, entity + TODAY)


def _parts(rows: pl.DataFrame, entity: str) -> Iterator[pl.DataFrame]:
    """An entity's rows, with all columns of the state."""
    columns = [
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SCHEMA.items()
        if name != "entity"
    ]
    for part in rows.iter_slices(PART_ROWS):
        yield part.select(pl.lit(entity).alias("entity"), *columns)


def _carried(
    entity: str, before: pl.LazyFrame, leaving: pl.LazyFrame, today: pl.DataFrame, day: date, history_days: int
) -> pl.DataFrame:
    """An entity's sums: those of the day before, and today's, less those of the day that leaves."""
    keys, measures = KEYS[entity], list(MEASURES[entity])
    seen = ["first_seen", "last_seen"] if entity in SEEN else []
    was = before.filter(pl.col("entity") == entity).select(*keys, *measures, *seen)
    gone = leaving.filter(pl.col("entity") == entity + TODAY).select(*keys, -pl.col(measures))
    now = today.select(*keys, *measures)
    if seen:
        on = pl.when(pl.col("exposures") > 0).then(pl.lit(day))
        now = now.with_columns(on.alias("first_seen"), on.alias("last_seen"))
    parts = [part.collect(engine="streaming") for part in (was, gone)]
    # Each is sorted, so that a stable sort has runs to merge and nothing to compare twice.
    rows = pl.concat([parts[0], now, parts[1]], how="diagonal").sort(keys, maintain_order=True)
    sums = _summed_runs(rows, keys, measures, seen)
    kept = pl.any_horizontal(pl.col(measures) != 0)
    if seen:
        recent = pl.col("last_seen") > day - timedelta(days=history_days)
        sums = sums.with_columns(pl.when(recent).then("last_seen").alias("last_seen"))
        kept = kept | pl.col("first_seen").is_not_null()
    return sums.filter(kept)


def _summed_runs(rows: pl.DataFrame, keys: Sequence[str], measures: Sequence[str], seen: Sequence[str]) -> pl.DataFrame:
    """One row for each run of equal keys: the sums of its measures, the first day it was seen and the last."""
    if not rows.height:
        return rows
    other = pl.any_horizontal(pl.col(key) != pl.col(key).shift() for key in keys).fill_null(True)
    starts = rows.select(other).to_series()
    at = np.flatnonzero(starts.to_numpy())
    sums = [pl.Series(name, np.add.reduceat(rows[name].to_numpy(), at)) for name in measures]
    for name, of, never in zip(seen, (np.minimum, np.maximum), (FAR, -FAR), strict=False):
        days = pl.Series(name, of.reduceat(rows[name].to_physical().fill_null(never).to_numpy(), at))
        sums.append(days.replace(never, None).cast(pl.Date))
    return rows.select(keys).filter(starts).with_columns(sums)


def write_history(parts: Iterator[pl.DataFrame], path: Path) -> None:
    """Write the parts of a state to a Parquet file, one after the other."""
    write_table(parts, SCHEMA, path)


def within_window(state: Frame, day: date, history_days: int) -> bool:
    """Whether who was last seen was so in (day - history_days, day], and nobody was first seen after the day."""
    oldest = day - timedelta(days=history_days)
    fine = (
        (pl.col("last_seen") > oldest).all() & (pl.col("last_seen") <= day).all() & (pl.col("first_seen") <= day).all()
    )
    return bool(state.lazy().select(fine).collect(engine="streaming").item())


def summary(state: Frame) -> pl.DataFrame:
    """Rows, exposures, clicks and the oldest first day of each entity."""
    counts = [pl.len().alias("rows"), pl.col("exposures", "clicks", "purchases").sum(), pl.col("first_seen").min()]
    return state.lazy().group_by("entity").agg(counts).sort("entity").collect(engine="streaming")
