"""JSON values of several kinds in one column: kept as their tokens, so that no reader turns one into another's kind.

A frame has one type for a column, and JSON has one for each value: beside one 1.5, 9007199254740993 would become its
neighbour; beside one text, true would become "true". Where a column mixes kinds, each value stands as it is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import polars as pl

FIELD = "\0json"
"""The one field of a column of tokens; no file's own record has just this."""
TOKENS = pl.Struct({FIELD: pl.String})
EXACT = 2**53


def tokens(written: list[str | None], name: str) -> pl.Series:
    """A column of JSON values as they are written; None where there is none."""
    return pl.DataFrame({FIELD: pl.Series(written, dtype=pl.String)}).select(pl.struct(FIELD).alias(name)).to_series()


def is_tokens(values: pl.Series) -> bool:
    return values.dtype == TOKENS


def type_name(dtype: pl.DataType) -> str:
    """A type as people read it."""
    return "values of several kinds" if dtype == TOKENS else str(dtype)


def shown_tokens(values: pl.Series) -> pl.Series:
    return values.struct.field(FIELD)


def kinds_of(values: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
    """The values of each kind with where they stand: texts, truth values, whole numbers, other numbers, records."""
    written = shown_tokens(values)
    first = written.str.head(1)
    kinds = {
        "text": first == '"',
        "truth": first.is_in(["t", "f"]),
        "record": first.is_in(["{", "["]),
        "number": first.is_in(list("-0123456789NI")),
    }
    for kind, mask in kinds.items():
        at = mask.fill_null(False).arg_true()
        if not len(at):
            continue
        some = written.gather(at)
        if kind == "text":
            yield at, pl.Series(values.name, [json.loads(text) for text in some.to_list()], pl.String)
        elif kind == "truth":
            yield at, (some == "true").alias(values.name)
        elif kind == "record":
            yield at, pl.Series(values.name, [[text] for text in some.to_list()], pl.List(pl.String))
        else:
            yield from _numbers(at, some.alias(values.name))


def _numbers(at: pl.Series, written: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
    whole = written.str.contains(r"^-?\d+$")
    small = whole & (written.cast(pl.Int64, strict=False).is_not_null())
    # Whole numbers of any length are told apart by their digits.
    for mask, dtype in ((small, pl.Int64), (whole & ~small, pl.String), (~whole, pl.Float64)):
        where = mask.arg_true()
        if len(where):
            some = written.gather(where)
            floats = pl.Series(written.name, [float(number) for number in some.to_list()], pl.Float64)
            yield at.gather(where), floats if dtype == pl.Float64 else some.cast(dtype)


def as_tokens(values: pl.Series) -> pl.Series:
    """A column of one kind as tokens, so that it can stand below one of another kind."""
    if is_tokens(values):
        return values
    return tokens([_written(value) for value in values.to_list()], values.name)


def _written(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return json.dumps(value, ensure_ascii=False, default=str)
