"""From landed rows to clean events: our names, our types, one order; every landed row ends in exactly one place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec_assets.logs.landing import LandedFile
from causalrec_assets.logs.reading import constant_columns, extra_types, map_columns, read_landed
from causalrec_assets.logs.sources import Source

TYPES: dict[str, pl.DataType] = {
    "event_id": pl.String(), "time": pl.Datetime("us", "UTC"), "user_id": pl.String(), "item_id": pl.String(),
    "request_id": pl.String(), "position": pl.Int64(), "policy": pl.String(), "action_propensity": pl.Float64(),
    "recommended": pl.Int8(), "click": pl.Int8(), "purchase": pl.Int8(), "rating": pl.Float64(),
    "revenue": pl.Float64(), "price": pl.Float64(),
}


@dataclass(frozen=True)
class Cleaned:
    """A day's rows: `landed_rows` = rows of `events` + rows of `set_aside`.

    Attributes:
        set_aside: Rows that cannot be used, with `reason`, `file` and `row` (from 1).
    """

    events: pl.DataFrame
    set_aside: pl.DataFrame
    landed_rows: int


def event_types(source: Source) -> dict[str, pl.DataType]:
    return {**TYPES, **extra_types(source, source.context)}


def clean_day(files: Sequence[LandedFile], source: Source, day: date) -> Cleaned:
    """Read the rows of a day from the files that hold some.

    The order of the result does not depend on the order of the files: by time, then event id.

    Raises:
        InputError: A file cannot be read, lacks a mapped column, or has a value that is not of its type.
    """
    types = event_types(source)
    parts = [_day_of_file(file, source, types, day) for file in files]
    empty = pl.DataFrame(schema={**types, "file": pl.String(), "row": pl.Int64()})
    rows = pl.concat([part for part in parts if part.height] or [empty])
    unusable = (
        pl.when(pl.col("time").is_null()).then(pl.lit("no time"))
        .when(pl.col("item_id").is_null()).then(pl.lit("no item"))
    )
    rows = rows.with_columns(unusable.alias("reason"))
    events = rows.filter(pl.col("reason").is_null()).select(list(types))
    return Cleaned(events.sort("time", "event_id"), rows.filter(pl.col("reason").is_not_null()), rows.height)


def _day_of_file(file: LandedFile, source: Source, types: dict[str, pl.DataType], day: date) -> pl.DataFrame:
    raw = read_landed(file.path)
    mapped = constant_columns(map_columns(raw, source.columns, types, source.time_zone, file.path), source.constants)
    mapped = mapped.with_columns(pl.lit(str(file.path)).alias("file"), pl.int_range(1, pl.len() + 1).alias("row"))
    # A row without a time belongs to its file's own day, else to the file's first day: it must be counted once.
    home_day = file.own_day or file.days[0]
    mapped = mapped.filter(pl.col("time").dt.date().fill_null(home_day) == day)
    if "event_id" not in source.columns:
        mapped = mapped.with_columns(pl.Series("event_id", _content_ids(mapped.drop("file", "row", "event_id"))))
    return mapped


def _content_ids(rows: pl.DataFrame) -> list[str]:
    """An id from a row's own content, and its ordinal among rows of the same content."""
    seen: dict[str, int] = {}
    ids = []
    for row in rows.iter_rows():
        content = hashlib.sha256(repr(row).encode()).hexdigest()[:24]
        seen[content] = seen.get(content, 0) + 1
        ids.append(f"{content}-{seen[content]}")
    return ids
