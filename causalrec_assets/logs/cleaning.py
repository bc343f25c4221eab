"""From landed rows to clean events: our names, our types, one order; each landed row ends in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec_assets.logs.forgotten import without_forgotten
from causalrec_assets.logs.landing import LandedFile, days_of_rows
from causalrec_assets.logs.reading import constant_columns, extra_types, map_columns, read_landed
from causalrec_assets.logs.sources import Source

TYPES: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "user_id": pl.String(),
    "item_id": pl.String(),
    "request_id": pl.String(),
    "position": pl.Int64(),
    "policy": pl.String(),
    "action_propensity": pl.Float64(),
    "recommended": pl.Int8(),
    "click": pl.Int8(),
    "purchase": pl.Int8(),
    "rating": pl.Float64(),
    "revenue": pl.Float64(),
    "price": pl.Float64(),
    "click_time": pl.Datetime("us", "UTC"),
    "purchase_time": pl.Datetime("us", "UTC"),
    "rating_time": pl.Datetime("us", "UTC"),
    "campaign_id": pl.String(),
    "experiment_id": pl.String(),
    "variant": pl.String(),
}


@dataclass(frozen=True)
class Cleaned:
    """A day's rows.

    Attributes:
        set_aside: Rows that cannot be used, with `reason`, `file` and `row` (from 1, without a header).
        forgotten_rows: Rows of users who asked to be forgotten; they are kept nowhere.
        landed_rows: The rows that the landing index counted for the day. Counted apart from the cleaning, so
            that "`events`, `set_aside` and the forgotten are together the landed rows" can fail.
    """

    events: pl.DataFrame
    set_aside: pl.DataFrame
    landed_rows: int
    forgotten_rows: int = 0


def event_types(source: Source) -> dict[str, pl.DataType]:
    """The columns of a source's clean events, in their order."""
    return {**TYPES, **extra_types(source, source.context)}


def clean_day(
    files: Sequence[LandedFile], source: Source, day: date, forgotten: frozenset[str] = frozenset()
) -> Cleaned:
    """Read the rows of a day from the files that hold some.

    The result does not depend on the order of the files: it is sorted by time, then event id.

    Raises:
        InputError: A file cannot be read, lacks a mapped column, or has a value that is not of its type.
    """
    types = event_types(source)
    parts = [_day_of_file(file, source, types, day) for file in files]
    empty = pl.DataFrame(schema={**types, "file": pl.String(), "row": pl.Int64()})
    landed = pl.concat([part for part in parts if part.height] or [empty])
    rows = without_forgotten(landed, forgotten)
    unusable = (
        pl.when(pl.col("time").is_null())
        .then(pl.lit("no time"))
        .when(pl.col("time").dt.date() != day)
        .then(pl.lit("its time is outside of the source's days"))
        .when(pl.col("item_id").is_null())
        .then(pl.lit("no item"))
    )
    rows = rows.with_columns(unusable.cast(pl.String).alias("reason"))
    events = rows.filter(pl.col("reason").is_null()).select(list(types)).sort("time", "event_id")
    set_aside = rows.filter(pl.col("reason").is_not_null()).sort("file", "row")
    landed_rows = sum(file.rows_of_day.get(day, 0) for file in files)
    return Cleaned(events, set_aside, landed_rows, landed.height - rows.height)


def _day_of_file(file: LandedFile, source: Source, types: dict[str, pl.DataType], day: date) -> pl.DataFrame:
    mapped = map_columns(read_landed(file.path), source.columns, types, source.time_zone, file.path)
    mapped = constant_columns(mapped, source.constants).with_columns(
        pl.lit(str(file.path)).alias("file"), pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row")
    )
    mapped = mapped.filter(days_of_rows(mapped["time"], file.own_day, source) == day)
    if "event_id" not in source.columns:
        mapped = mapped.with_columns(_content_ids(mapped.drop("file", "row", "event_id")).alias("event_id"))
    return mapped


def _content_ids(rows: pl.DataFrame) -> pl.Series:
    """An id from a row's own content, and its ordinal among the rows of the file with the same content.

    The ordinal is the file's, not the day's: the same row in two files has the same id twice, which the
    contract refuses. Rows sent again in another file are far more common than two equal events in two files.
    """
    # A time as a number, so that its spelling is nobody's choice.
    plain = rows.with_columns(pl.col("time").dt.epoch("us"))
    texts = plain.select(pl.struct(pl.all()).struct.json_encode().alias("text"))["text"]
    hashes = pl.Series("hash", [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts], pl.String)
    ordinal = (pl.int_range(pl.len()).over("hash") + 1).cast(pl.String)
    return hashes.to_frame().select(pl.format("{}-{}", "hash", ordinal))["hash"]
