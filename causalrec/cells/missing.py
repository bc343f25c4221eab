"""How exporters write "no value": an empty cell, and the spellings that a source names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from causalrec.cells.screening import BLANKS, maybe_one_of

SPELLINGS = ("nan", "NaN", "NULL", "null", "None", r"\N", "<NA>", "NaT", "undefined", "(null)", "#N/A")
"""Where a source names none: pandas (`astype(str)`), SQL, Hive and Postgres, Python, JavaScript, Excel. Not among them
is what is also somebody's value: NA (Namibia, North America), none (an arm), Null (a surname), - and 0."""


def without_missing(values: pl.Series, spellings: Sequence[str]) -> pl.Series:
    """Values with null where they say that there is none: the empty text, blanks alone, NaN, and the spellings.

    Args:
        spellings: Compared whole, without the blanks around, with case.
    """
    if values.dtype == pl.String:
        return _of_text(values, spellings)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype.is_numeric():
        # So that -1 is missing in every format, or in none.
        numbers = _numbers(tuple(spellings), values.dtype.is_integer())
        gap = values.cast(numbers.dtype, strict=False).is_in(numbers.implode()) if len(numbers) else numbers.is_null()
        if gap.any():
            return pl.select(pl.when(~gap.fill_null(False)).then(values)).to_series().alias(values.name)
    return values


def _of_text(values: pl.Series, spellings: Sequence[str]) -> pl.Series:
    at = maybe_one_of(values, spellings)
    if not len(at):
        return values
    some = values.gather(at)
    gap = some.str.strip_chars(BLANKS).is_in(["", *spellings]).fill_null(False)
    return values.clone().scatter(at.filter(gap), None) if gap.any() else values


@lru_cache(maxsize=64)
def _numbers(spellings: tuple[str, ...], whole: bool) -> pl.Series:
    parsed = []
    for spelling in spellings:
        try:
            parsed.append(int(spelling) if whole else float(spelling))
        except ValueError:
            continue
    numbers = pl.Series(parsed, dtype=pl.Int128 if whole else pl.Float64, strict=False).drop_nulls()
    # NaN is a gap whatever is listed.
    return numbers if whole else numbers.drop_nans()
