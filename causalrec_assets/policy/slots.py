"""The slots that logs let us judge: what was shown, in which context, and what stood above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.answers import InputError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Slots:
    """Judged slots of one day, in the order of its units. An item is named by its row in the day's catalogue.

    Attributes:
        frame: One row per slot: the recommended units whose action propensity was logged.
        contexts: The distinct contexts of the slots. Within a day a context is who asks, in which hour, and
            where, since no covariate tells two moments of one hour apart.
        row: (slots,) the row of `contexts` of each slot.
        shown: (slots,) the item that was shown.
        above: (slots, k) the items that stood above it in its request, padded with -1. They are part of the
            slot's question: the logged ones stay, and only the slot itself is answered by another policy.
    """

    frame: pl.DataFrame
    contexts: pl.DataFrame
    row: Ints
    shown: Ints
    above: Ints


def judged_slots(
    units: pl.DataFrame, items: pl.DataFrame, reads: Sequence[str], held_out_policies: Sequence[str]
) -> Slots:
    """The slots of a day's units that can be judged.

    Args:
        units: Rows of `units` of one day.
        items: The catalogue of the day.
        reads: Columns, beside the user and the hour, that tell contexts apart: the source's context columns, and
            the position where the model reads it.
        held_out_policies: Their rows are an answer sheet, not logs to be judged from.

    Raises:
        InputError: A judged item is not in the catalogue: what would be shown in its place cannot be told.
    """
    place = items.select("item_id").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    recommended = units.filter(pl.col("recommended") == 1)
    recommended = recommended.join(place, on="item_id", how="left", maintain_order="left")
    held_out = pl.col("policy").is_in(list(held_out_policies)).fill_null(False)
    frame = recommended.filter(pl.col("action_propensity").is_not_null() & ~held_out)
    unknown = frame.filter(pl.col("place").is_null())["item_id"].unique().sort().to_list()
    if unknown:
        raise InputError(
            f"{len(unknown)} recommended item(s) are not in the catalogue of their day, e.g. {unknown[:3]}: land "
            "them in the items files, since a policy that chooses from the catalogue could never have shown them"
        )
    key = ["user_id", "_hour", *dict.fromkeys(c for c in reads if c != "user_id")]
    asked = frame.with_columns(pl.col("time").dt.truncate("1h").alias("_hour"))
    contexts = asked.unique(key, keep="first", maintain_order=True)
    codes = asked.select(key).join(
        contexts.select(key).with_row_index("_row"), on=key, how="left", nulls_equal=True, maintain_order="left"
    )["_row"]
    return Slots(
        frame.drop("place"),
        contexts.select("time", *(c for c in key if c != "_hour")),
        codes.to_numpy().astype(np.int64),
        frame["place"].to_numpy().astype(np.int64),
        _items_above(frame, recommended),
    )


def _items_above(frame: pl.DataFrame, recommended: pl.DataFrame) -> Ints:
    """(slots, k), padded with -1. Without a request id or a position nothing is known to stand above.

    All recommended rows of the request count, also those that are not judged themselves: they took their item.
    """
    slots = frame.select("request_id", "position").with_row_index("slot").drop_nulls()
    others = recommended.select("request_id", pl.col("position").alias("theirs"), "place").drop_nulls()
    above = slots.join(others, on="request_id").filter(pl.col("theirs") < pl.col("position"))
    above = above.sort("slot", "theirs", "place")
    above = above.with_columns(pl.int_range(pl.len()).over("slot").alias("k"))
    width = 0 if above.is_empty() else int(above["k"].to_numpy().max()) + 1
    out = np.full((frame.height, width), -1, dtype=np.int64)
    out[above["slot"].to_numpy(), above["k"].to_numpy()] = above["place"].to_numpy()
    return out
