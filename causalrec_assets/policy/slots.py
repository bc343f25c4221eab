"""The slots that logs let us judge: what was shown, in which context, and what stood above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

COLUMNS = ("unit_id", "day", "time", "user_id", "request_id", "position", "item_id", "action_propensity")


@dataclass(frozen=True)
class Slots:
    """Judged slots.

    Attributes:
        frame: One row per slot: `COLUMNS` and the source's context columns.
        above: `slot` (a row of `frame`) and `item_id` of each item that stood above it in the same request. They are part
            of the slot's question: the logged ones are kept, and only the slot itself is answered by another policy.
    """

    frame: pl.DataFrame
    above: pl.DataFrame


def judged_slots(units: pl.DataFrame, context: Sequence[str], held_out_policies: Sequence[str]) -> Slots:
    """The recommended units whose action propensity was logged, in the order of the units.

    Args:
        units: Rows of `units`.
        context: The source's context columns.
        held_out_policies: Their rows are an answer sheet, not logs to be judged from.
    """
    recommended = units.filter(pl.col("recommended") == 1)
    held_out = pl.col("policy").is_in(list(held_out_policies)).fill_null(False)
    frame = recommended.filter(pl.col("action_propensity").is_not_null() & ~held_out).select(*COLUMNS, *context)
    # Without a request id nothing is known to stand above; a request's own rows without a propensity still do.
    slots = frame.select("request_id", "position").with_row_index("slot").drop_nulls()
    others = recommended.select("request_id", pl.col("position").alias("their_position"), "item_id").drop_nulls()
    above = slots.join(others, on="request_id").filter(pl.col("their_position") < pl.col("position"))
    return Slots(frame, above.select(pl.col("slot").cast(pl.Int64), "item_id").sort("slot", "item_id"))


def slots_of_day(slots: Slots, rows: pl.Series) -> Slots:
    """Some rows of the slots, with the items above them.

    Args:
        rows: Boolean, one per row of `slots.frame`.
    """
    kept = pl.DataFrame({"slot": rows.arg_true().cast(pl.Int64)}).with_row_index("new")
    above = slots.above.join(kept, on="slot").select(pl.col("new").cast(pl.Int64).alias("slot"), "item_id")
    return Slots(slots.frame.filter(rows), above.sort("slot", "item_id"))
