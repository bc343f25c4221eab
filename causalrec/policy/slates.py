"""Which rows of a request form one slate, one draw without replacement: only then is it known what stood above.

A page that is loaded again, an infinite scroll whose positions begin anew, two carousels under one request id, a slot
that is missing: their rows are told apart by time, or are not judged. It is decided by positions and times, never by
what else could have been shown, so that leaving rows out is no selection by the action.
"""

from __future__ import annotations

import polars as pl

NO_REQUEST = "its request is not known, so what stood above it is not"
NO_POSITION = "its position is not known, so what stood above it is not"
SHOWN_AGAIN = "it repeats the slot of an earlier row of its request: the same item in the same position"
LOADED_AGAIN = "it is of a later load of its request: what that load was drawn from is not known"
NO_ONE_DRAW = "a position or an item stands twice in its request, and time does not tell the loads apart"
SLOT_MISSING = "a slot above it is missing from its request"
SLATE_REASONS = (NO_REQUEST, NO_POSITION, SHOWN_AGAIN, LOADED_AGAIN, NO_ONE_DRAW, SLOT_MISSING)


def unslated(units: pl.DataFrame) -> pl.DataFrame:
    """The recommended rows of which it is not known what stood above them, where requests and positions are logged.

    - A row that repeats position and item of an earlier one of its request is passed over.
    - Where a position or an item still stands twice, the first load ends before the row that repeats it, in the order
      of time, then position. It counts if the pause before that row is longer than any pause within the load, else no
      row of the request does. Rows of later loads do not count.
    - A slot counts if all slots above it are logged, recommended or not.
    - A row without a position, or without a request, counts if nothing can stand above it: it is the only recommended
      row of its request, or in the first slot.

    Args:
        units: recommended, request_id, position, item_id, time.

    Returns:
        `at` (the row's number in `units`, ascending) and `reason`, one of `SLATE_REASONS`.
    """
    rows = units.select("recommended", "request_id", "position", "item_id", "time").with_row_index("at")
    recommended = rows.filter(pl.col("recommended") == 1)
    placed = pl.col("request_id").is_not_null() & pl.col("position").is_not_null()
    loads = _loads(recommended.filter(placed))
    kept = loads.filter(pl.col("reason").is_null())
    reasons = [_unplaced(recommended), loads.select("at", "reason"), _below_a_gap(kept, rows.filter(placed))]
    return pl.concat(reasons).drop_nulls("reason").sort("at")


def _unplaced(recommended: pl.DataFrame) -> pl.DataFrame:
    """Rows without a request or a position."""
    no_request = pl.col("request_id").is_null()
    reason = (
        pl.when(no_request & (pl.col("position") > 1))
        .then(pl.lit(NO_REQUEST))
        .when(~no_request & pl.col("position").is_null() & (pl.len().over("request_id") > 1))
        .then(pl.lit(NO_POSITION))
    )
    odd = recommended.with_columns(reason.alias("reason"))
    return odd.filter(no_request | pl.col("position").is_null()).select("at", "reason")


def _loads(placed: pl.DataFrame) -> pl.DataFrame:
    """The placed rows by request, in the order of time, with the reason of those that are of no first load."""
    ordered = placed.sort("request_id", "time", "position", "at")
    once = pl.struct("request_id", "position", "item_id").is_first_distinct()
    again = ordered.filter(~once).select(pl.all(), pl.lit(SHOWN_AGAIN).alias("reason"))
    repeats = ~(
        pl.struct("request_id", "position").is_first_distinct() & pl.struct("request_id", "item_id").is_first_distinct()
    )
    pause = pl.col("time").diff().over("request_id").fill_null(pl.duration(microseconds=0))
    rest = ordered.filter(once).with_columns(repeats.alias("repeats"), pause.alias("pause"))
    rest = rest.with_columns(pl.col("repeats").cum_sum().over("request_id").alias("before"))
    # The row that ends the first load is the first one that repeats something.
    ends = pl.col("repeats") & (pl.col("before") == 1)
    within = pl.col("pause").filter(pl.col("before") == 0).max().over("request_id")
    apart = pl.col("pause").filter(ends).max().over("request_id") > within
    reason = (
        pl.when(pl.col("before").max().over("request_id") == 0)
        .then(pl.lit(None, pl.String))
        .when(~apart)
        .then(pl.lit(NO_ONE_DRAW))
        .when(pl.col("before") > 0)
        .then(pl.lit(LOADED_AGAIN))
    )
    rest = rest.with_columns(reason.alias("reason")).select(again.columns)
    return pl.concat([again, rest])


def _below_a_gap(kept: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """The rows of first loads above which a slot is empty, that neither a recommended nor an organic row fills."""
    others = placed.filter(pl.col("recommended") == 0).join(kept, on="request_id", how="semi")
    filled = pl.concat([frame.select("request_id", "position") for frame in (kept, others)]).unique()
    filled = filled.with_columns(pl.col("position").rank("dense").over("request_id").cast(pl.Int64).alias("slot"))
    slots = kept.join(filled, on=["request_id", "position"], how="left")
    return slots.filter(pl.col("slot") < pl.col("position")).select("at", pl.lit(SLOT_MISSING).alias("reason"))
