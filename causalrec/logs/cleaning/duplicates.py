"""Events that were sent more than once: the rule does not depend on the order, or on how often.

Of the rows with one id the earliest is the event; at one time, the first by content. Rows without an id of their own
are one event when their content is the same and says who asked; where nobody knows who asked, equal rows of one file
are events of their own, and the file that has most of them counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.logs.cleaning.row_rules import REPEATED_ID, SENT_AGAIN
from causalrec.settings.logs.sources import Source

Keys = npt.NDArray[np.uint64]
SLICE_BITS = 16
"""The last bits of a key hold the slice: an id whose rows are in two slices is found by its other bits."""
LAST_BITS = np.uint64(2**SLICE_BITS - 1)
MARKS = ("file", "row")
AWAY: dict[str, pl.DataType] = {"at": pl.UInt32(), "kind": pl.String(), "reason": pl.String()}
"""Rows of a slice that are set aside: where they stand in it, from 0, and why."""


class IdKeys:
    """The keys of a day's ids: 8 bytes a row, from which those that occur more than once are found."""

    def __init__(self) -> None:
        self._parts: list[Keys] = []

    def add(self, ids: pl.Series, slices: npt.NDArray[np.int64]) -> None:
        self._parts.append(id_keys(ids) | slices.astype(np.uint64))

    def sorted(self) -> Keys:
        # Polars sorts on all cores.
        return pl.Series(np.concatenate(self._parts)).sort().to_numpy() if self._parts else np.empty(0, np.uint64)


def id_keys(ids: pl.Series) -> Keys:
    """A key of each id, with room for the slice; two ids may share one, which is why a find is looked at again."""
    return np.asarray(ids.hash(seed=0).to_numpy() & ~LAST_BITS, dtype=np.uint64)


def repeats_by_slice(keys: Keys) -> dict[int, Keys]:
    """The keys, without their slice, of the ids that occur more than once in a slice."""
    repeated = _distinct(keys[1:][keys[1:] == keys[:-1]])
    slices = repeated & LAST_BITS
    return {int(number): repeated[slices == number] & ~LAST_BITS for number in set(slices.tolist())}


def in_two_slices(keys: Keys) -> Keys:
    """The keys, without their slice, of the ids whose rows are in more than one."""
    once = _distinct(keys) & ~LAST_BITS
    return _distinct(once[1:][once[1:] == once[:-1]])


def also_before(keys: Keys, before: Iterable[Keys]) -> Keys:
    """The keys of the day, without their slice, that occur among those of earlier days."""
    today, repeated = _distinct(keys & ~LAST_BITS), []
    for part in before:
        both = np.sort(np.concatenate([today, _distinct(np.sort(part))]))
        repeated.append(both[1:][both[1:] == both[:-1]])
    return _distinct(np.sort(np.concatenate(repeated))) if repeated else np.empty(0, np.uint64)


def _distinct(ordered: Keys) -> Keys:
    """Each key once. (`np.unique` hashes, which is twenty times slower at this size.)"""
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


@dataclass(frozen=True)
class Repeats:
    """What the whole day knows of its ids.

    Attributes:
        by_slice: Slice -> keys of the ids that may occur more than once in it.
        first: `first_times` of the ids that may occur in another slice, or on a day before.
    """

    by_slice: dict[int, Keys] = field(default_factory=dict)
    first: pl.DataFrame | None = None

    def away(self, rows: pl.DataFrame, number: int) -> pl.DataFrame:
        """The rows of a slice that were sent again, as `AWAY`; only those of suspect ids are looked at.

        Args:
            rows: All rows of the slice.
        """
        within = self.by_slice.get(number, np.empty(0, np.uint64))
        suspects = within if self.first is None else np.concatenate([within, id_keys(self.first["event_id"])])
        if not len(suspects):
            return pl.DataFrame(schema=AWAY)
        suspect = pl.Series(id_keys(rows["event_id"])).is_in(pl.Series(suspects).implode())
        among = rows.with_row_index("at").filter(suspect).with_columns(no_reason("kind"), no_reason("reason"))
        if self.first is not None:
            among = set_later_aside(among, self.first)
        return set_repeats_aside(among, within).filter(pl.col("kind").is_not_null()).select(list(AWAY))


def no_reason(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def first_times(candidates: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The time of the earliest row of each id.

    Args:
        candidates: Frames with `event_id` and `time`.

    Returns:
        event_id, first_time.
    """
    rows = pl.concat([frame.select("event_id", "time") for frame in candidates])
    return rows.group_by("event_id").agg(pl.col("time").min().alias("first_time"))


def set_later_aside(rows: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Mark the rows whose id an earlier row has, with `kind` and `reason`."""
    later = pl.col("first_time") < pl.col("time")
    return (
        rows.join(first, on="event_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(later).then(pl.lit(REPEATED_ID)).otherwise("kind").alias("kind"),
            pl.when(later).then(_event_was_at("first_time")).otherwise("reason").alias("reason"),
        )
        .drop("first_time")
    )


def _event_was_at(time: str) -> pl.Expr:
    return pl.format("the event of its id was at {}", pl.col(time).dt.to_string("%Y-%m-%d %H:%M:%S"))


def set_repeats_aside(rows: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """Mark all but one of the rows of one id, with `kind` and `reason`.

    Args:
        rows: All rows of their times.
        keys: Of the ids that may occur more than once.
    """
    repeated = pl.Series(id_keys(rows["event_id"])).is_in(pl.Series(keys).implode()) & rows["kind"].is_null()
    content = [name for name in rows.columns if name not in (*MARKS, *AWAY)]
    among = rows.filter(repeated).with_columns(content_texts(rows.filter(repeated).select(content)).alias("content"))
    # Of equal rows any one is the event; which of them is named as sent again is only for people to read.
    among = among.sort("event_id", "time", "content", *MARKS, nulls_last=True)
    first = pl.col("content").first().over("event_id")
    among = among.with_columns(
        pl.col("time").first().over("event_id").alias("first_time"),
        pl.when(pl.int_range(pl.len()).over("event_id") == 0)
        .then(None)
        .when(pl.col("content") == first)
        .then(pl.lit(SENT_AGAIN))
        .otherwise(pl.lit(REPEATED_ID))
        .alias("kind"),
    )
    reason = (
        pl.when(pl.col("kind") == SENT_AGAIN)
        .then(pl.lit("the same row again"))
        .when((pl.col("kind") == REPEATED_ID) & (pl.col("first_time") < pl.col("time")))
        .then(_event_was_at("first_time"))
        .when(pl.col("kind") == REPEATED_ID)
        .then(pl.lit("another row of its id and time says otherwise"))
    )
    among = among.with_columns(reason.otherwise(None).alias("reason"))
    return pl.concat([rows.filter(~repeated), among.select(rows.columns)])


def with_content_ids(rows: pl.DataFrame, source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give rows without an id one from their content; and find those that were sent again, as `AWAY`.

    Args:
        rows: All rows of their times, so that equal rows are together.
    """
    content = [name for name in rows.columns if name not in (*MARKS, "event_id")]
    texts = content_texts(rows.select(content))
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
    rows = rows.with_columns(pl.Series("event_id", hashes, pl.String))
    known = [pl.col(name).is_not_null() for name in ("user_id", "request_id") if name in source.columns]
    asker_known = pl.any_horizontal(known) if known else pl.lit(False)
    # The ordinal is the file's: the same row in another file is the same event.
    ordinal = pl.int_range(1, pl.len() + 1).over("event_id", "file", order_by="row")
    rows = rows.with_columns(pl.when(asker_known).then(1).otherwise(ordinal).alias("ordinal"))
    rows = rows.with_columns(pl.format("{}-{}", "event_id", "ordinal").alias("event_id")).drop("ordinal")
    again = rows.select(pl.int_range(pl.len()).over("event_id", order_by=list(MARKS)) > 0).to_series().arg_true()
    return rows, away_for(again, SENT_AGAIN, "the same row again")


def away_for(rows: pl.Series, kind: str, reason: str) -> pl.DataFrame:
    """Rows that are set aside for one reason, as `AWAY`."""
    return pl.DataFrame({"at": rows}).select(pl.col("at"), pl.lit(kind).alias("kind"), pl.lit(reason).alias("reason"))


def content_texts(rows: pl.DataFrame) -> pl.Series:
    """A row's content in one spelling; a time as a number, so that its spelling is nobody's choice."""
    times = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime)]
    plain: Any = rows.with_columns(pl.col(times).dt.epoch("us"))
    return pl.Series(plain.select(pl.struct(pl.all()).struct.json_encode().alias("text"))["text"])
