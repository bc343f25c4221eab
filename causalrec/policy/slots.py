"""The slots that logs let us judge: what was shown, in which context, and what stood above it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Ints, Mask
from causalrec.logs.units.held_out import is_held_out
from causalrec.policy.above import Above
from causalrec.policy.slates import unslated

UNLISTED = "its item is not in the catalogue of its day"
NO_CANDIDATE = "its item is no candidate of its context (policy.yaml: match)"
ITEM_REASONS = (UNLISTED, NO_CANDIDATE)
"""Of rows that a policy which chooses among the candidates could never have shown."""


@dataclass(frozen=True)
class Slots:
    """Judged slots of one day, in the order of its units. An item is named by its row in the day's catalogue.

    Attributes:
        frame: One row per slot: the recommended units whose action propensity was logged, and of which it is known
            what stood above them.
        contexts: The distinct contexts of the slots. Within a day a context is who asks, in which hour, and
            where, since no covariate tells two moments of one hour apart.
        row: (slots,) the row of `contexts` of each slot.
        shown: (slots,) the item that was shown.
        above: The items that stood above each slot in its request. They are part of the slot's question: the logged
            ones stay, and only the slot itself is answered by another policy.
        not_judged: Reason -> how many recommended units with a logged propensity are not among the slots for it.
        unlisted: The first few items that the catalogue does not list.
    """

    frame: pl.DataFrame
    contexts: pl.DataFrame
    row: Ints
    shown: Ints
    above: Above
    not_judged: Mapping[str, int]
    unlisted: tuple[str, ...] = ()


def judged_slots(
    units: pl.DataFrame,
    items: pl.DataFrame,
    reads: Sequence[str],
    held_out_policies: Sequence[str],
    matches: Collection[Sequence[str]] = (),
    slates: bool = True,
) -> Slots:
    """The slots of a day's units that can be judged.

    Args:
        units: Rows of `units` of one day.
        items: The catalogue of the day.
        reads: Columns, beside the user and the hour, that tell contexts apart: the source's context columns, and
            the position where the model reads it.
        held_out_policies: Their rows are an answer sheet, not logs to be judged from.
        matches: The `match` of each policy that is to be judged: a slot counts if its item is a candidate of all.
        slates: Whether the source logs requests and positions. Where it does not, nothing is known to stand above any
            slot, and each is judged alone.
    """
    rows = units.with_row_index("at").with_columns(
        (pl.col("action_propensity").is_not_null() & ~is_held_out(held_out_policies)).alias("weighable")
    )
    recommended = rows.filter(pl.col("recommended") == 1)
    recommended = recommended.join(places(items), on="item_id", how="left", maintain_order="left")
    odd = unslated(units) if slates else pl.DataFrame(schema={"at": pl.UInt32, "reason": pl.String})
    recommended = recommended.join(odd, on="at", how="left", maintain_order="left")
    loads = recommended.filter(pl.col("reason").is_null()) if slates else recommended.clear()
    reason = (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(pl.col("place").is_null())
        .then(pl.lit(UNLISTED))
        .when(~pl.Series(_candidates(recommended, items, matches), dtype=pl.Boolean))
        .then(pl.lit(NO_CANDIDATE))
    )
    weighable = recommended.with_columns(reason.alias("reason")).filter("weighable")
    frame, left_out = weighable.filter(pl.col("reason").is_null()), weighable.filter(pl.col("reason").is_not_null())
    key = ["user_id", "_hour", *dict.fromkeys(c for c in reads if c != "user_id")]
    by_hour = frame.with_columns(pl.col("time").dt.truncate("1h").alias("_hour"))
    contexts = by_hour.unique(key, keep="first", maintain_order=True)
    codes = by_hour.select(key).join(
        contexts.select(key).with_row_index("_row"), on=key, how="left", nulls_equal=True, maintain_order="left"
    )["_row"]
    return Slots(
        frame.drop("at", "weighable", "place", "reason"),
        contexts.select("time", *(c for c in key if c != "_hour")),
        codes.to_numpy().astype(np.int64),
        frame["place"].to_numpy().astype(np.int64),
        _items_above(frame, loads),
        dict(left_out["reason"].value_counts().sort("reason").iter_rows()),
        tuple(left_out.filter(pl.col("reason") == UNLISTED)["item_id"].unique().sort().head(3)),
    )


def places(items: pl.DataFrame) -> pl.DataFrame:
    """item_id and its row in the catalogue."""
    return items.select("item_id").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))


def _candidates(rows: pl.DataFrame, items: pl.DataFrame, matches: Collection[Sequence[str]]) -> Mask:
    """(rows,) whether the item equals its context in all columns of all matches; what is not known equals nothing."""
    columns = list(dict.fromkeys(column for match in matches for column in match))
    if not columns:
        return np.ones(rows.height, dtype=bool)
    of_items = items.select("item_id", *(pl.col(c).alias(f"_of_item_{c}") for c in columns))
    both = rows.select("item_id", *columns).join(of_items, on="item_id", how="left", maintain_order="left")
    same = pl.all_horizontal((pl.col(c) == pl.col(f"_of_item_{c}")).fill_null(False) for c in columns)
    return np.asarray(both.select(same).to_series().to_numpy(), dtype=bool)


def _items_above(frame: pl.DataFrame, loads: pl.DataFrame) -> Above:
    """Without a request or a position nothing stands above.

    All rows of the load count, also those that are not judged themselves: they took their item. One that is not in
    the catalogue took none of it.
    """
    took = loads.drop_nulls(["request_id", "position", "place"]).sort("request_id", "position")
    took = took.with_row_index("first").select("request_id", "position", "place", pl.col("first").cast(pl.Int64))
    runs = took.group_by("request_id").agg(pl.col("first").min())
    slots = frame.select("at", "request_id", "position").join(runs, on="request_id", how="left", maintain_order="left")
    # The last item that stands above, by its number among all that took one.
    last = took.select("request_id", "position", pl.col("first").alias("last"))
    below = (
        slots.drop_nulls(["position", "first"])
        .sort("position")
        .join_asof(
            last.sort("position"),
            on="position",
            by="request_id",
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,  # both are, as of the lines above
        )
    )
    counts = below.select("at", (pl.col("last") - pl.col("first") + 1).fill_null(0).alias("count"))
    slots = slots.join(counts, on="at", how="left", maintain_order="left")
    starts = slots["first"].fill_null(0).to_numpy().astype(np.int64)
    return Above.runs(took["place"].to_numpy().astype(np.int64), starts, slots["count"].fill_null(0).to_numpy())
