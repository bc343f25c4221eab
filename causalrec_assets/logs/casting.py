"""From a file's names and types to ours, without loss: what cannot be taken is named with its row, never guessed.

1.5 is no position, 20260302 is no date, and a day without an hour is no time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.logs.feeds import Feed
from causalrec_assets.logs.sources import Source
from causalrec_assets.logs.values import Constant

UTC_TIME = pl.Datetime("us", "UTC")
EXACT_AS_FLOAT = 2**53
"""Whole numbers from here on are not all told apart by a Float64."""
EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}
LAST_MICROSECOND = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z: no calendar here goes further."""


@dataclass(frozen=True)
class Taken:
    """Rows under our names and types.

    Attributes:
        rows: One for each given row; a value that could not be taken is null.
        reason: Why a row cannot be used, in words: its first value that could not be taken; null where all could.
    """

    rows: pl.DataFrame
    reason: pl.Series

    @property
    def unreadable(self) -> int:
        return len(self.reason) - self.reason.null_count()


def take_columns(raw: pl.DataFrame, feed: Feed, types: Mapping[str, pl.DataType], time_zone: str) -> Taken:
    """Rename to our names and cast to our types; a column that is not mapped becomes null of its type.

    An empty text and a NaN are how CSV and pandas write "no value", and become null. A mapped column that the rows
    do not have is null too: JSON Lines leave out what is null. `lacks_columns` is asked of the whole file before.

    Args:
        types: Our name -> our type; the result has exactly these columns, in this order.
        time_zone: Of times that carry none.
    """
    out, reason = [], pl.Series("reason", [None], pl.String).new_from_index(0, raw.height)
    for ours, dtype in types.items():
        if ours in feed.constants:
            out.append(pl.Series(ours, [feed.constants[ours]]).cast(dtype).new_from_index(0, raw.height))
            continue
        theirs = feed.columns.get(ours)
        if theirs is None or theirs not in raw.columns:
            out.append(pl.Series(ours, [None], dtype).new_from_index(0, raw.height))
            continue
        given = _without_blanks(raw[theirs], dtype)
        if ours in feed.codes:
            given = _decoded(given, feed.codes[ours])
        cast = _cast(given, dtype, time_zone, feed.time_format)
        if cast.null_count() > given.null_count():
            bad = cast.is_null() & given.is_not_null()
            said = pl.concat_str(pl.lit(f"`{theirs}` is "), _shown(given), pl.lit(f", which is not {_words(dtype)}"))
            reason = reason.fill_null(pl.select(pl.when(bad).then(said)).to_series())
        out.append(cast.alias(ours))
    return Taken(pl.DataFrame(out), reason.alias("reason"))


def lacks_columns(columns: Iterable[str], feed: Feed, path: object) -> None:
    """Say which mapped columns a file does not have.

    Raises:
        InputError: There are some.
    """
    there = list(columns)
    if missing := {ours: theirs for ours, theirs in feed.columns.items() if theirs not in there}:
        shown = there if len(there) <= 50 else [*there[:50], f"and {len(there) - 50} more"]
        raise InputError(
            f"{path}: the column(s) {sorted(missing.values())} are missing (sources.yaml maps "
            f"{sorted(missing)} to them); the file has {shown}. Land a file that has them, or correct "
            "the mapping."
        )


def take_all(
    raw: pl.DataFrame, feed: Feed, types: Mapping[str, pl.DataType], time_zone: str, path: object
) -> pl.DataFrame:
    """`take_columns` for a file that must be good whole.

    Raises:
        InputError: A mapped column is not in the file, or a value is not of its type (named with its row).
    """
    if raw.width == 0:
        return pl.DataFrame(schema=dict(types))
    lacks_columns(raw.columns, feed, path)
    taken = take_columns(raw, feed, types, time_zone)
    if taken.unreadable:
        raise unreadable(path, taken.reason)
    return taken.rows


def unreadable(path: object, reason: pl.Series, first_row: int = 1) -> InputError:
    """What is said of a file with values that cannot be taken: the first one, and how many rows have some."""
    row = int(reason.is_not_null().arg_true()[0])
    return InputError(
        f"{path}, row {row + first_row}: {reason[row]} ({len(reason) - reason.null_count()} such row(s)). Correct the "
        "file, or the mapping in sources.yaml."
    )


def _words(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "a time such as 2026-03-02T10:15:00Z"
    if isinstance(dtype, pl.Date):
        return "a date such as 2026-03-02"
    if dtype.is_integer():
        return "a whole number" + (" from -128 to 127" if dtype == pl.Int8 else "")
    return "a finite number" if dtype.is_float() else "a text"


def _shown(values: pl.Series) -> pl.Series:
    """Values as messages show them, cut: a cell of ten megabytes is no reason that a person can read."""
    if values.dtype.is_nested():
        return pl.Series([str(value)[:80] for value in values.to_list()], dtype=pl.String)
    cut = values.cast(pl.String, strict=False).str.slice(0, 80)
    return cut if values.dtype != pl.String else pl.select(pl.format("'{}'", cut)).to_series()


def _without_blanks(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        return (values if dtype == pl.String else values.str.strip_chars()).replace("", None)
    return values.fill_nan(None) if values.dtype.is_float() else values


def _decoded(values: pl.Series, codes: Mapping[str, Constant]) -> pl.Series:
    """The user's codes as our values; what no code names stays as it is."""
    table = {theirs: str(ours) for theirs, ours in codes.items()}
    return values.cast(pl.String, strict=False).replace(table)


def _cast(values: pl.Series, dtype: pl.DataType, time_zone: str, time_format: str) -> pl.Series:
    """Cast without loss; null where that is not possible."""
    if values.dtype == dtype and not dtype.is_float():
        return values
    if values.dtype == pl.Null:
        return values.cast(dtype)
    if isinstance(dtype, pl.Datetime):
        return _as_time(values, time_zone, time_format)
    if isinstance(dtype, pl.Date):
        return _as_date(values)
    if dtype == pl.String:
        return _as_text(values)
    number = values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.String)
    if not number:
        return _nothing(values, dtype)
    return _as_integer(values, dtype) if dtype.is_integer() else _as_float(values)


def _as_integer(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        values = values.str.to_lowercase().replace({"true": "1", "false": "0"})
        exact = values.cast(pl.Int64, strict=False)
    elif values.dtype.is_integer() or values.dtype == pl.Boolean:
        return values.cast(dtype, strict=False)
    else:
        exact = _nothing(values, pl.Int64())
    # pandas writes whole numbers with a gap among them as 3.0
    float_ = values.cast(pl.Float64, strict=False)
    whole = (float_ == float_.floor()) & (float_.abs() < EXACT_AS_FLOAT)
    return exact.fill_null(float_.set(~whole.fill_null(False), None).cast(pl.Int64)).cast(dtype, strict=False)


def _as_float(values: pl.Series) -> pl.Series:
    cast = values.cast(pl.Float64, strict=False)
    return cast.set(~cast.is_finite().fill_null(True), None)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested():
        return _nothing(values, pl.String())
    text = values.cast(pl.String, strict=False)
    if values.dtype.is_float():
        # An id that pandas turned into a float is still the same id.
        return _as_integer(values, pl.Int64()).cast(pl.String).fill_null(text)
    return text


def _as_date(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return values.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[ T].*)?$").str.to_date("%Y-%m-%d", strict=False)
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date)
    return _nothing(values, pl.Date())


def _as_time(values: pl.Series, time_zone: str, time_format: str) -> pl.Series:
    if time_format in EPOCHS and not isinstance(values.dtype, pl.Datetime):
        return _since_epoch(values, EPOCHS[time_format])
    if values.dtype == pl.String and "%" in time_format:
        if "%z" in time_format or "%:z" in time_format:
            return values.str.to_datetime(time_format, time_unit="us", time_zone="UTC", strict=False)
        return _in_zone(values.str.to_datetime(time_format, time_unit="us", strict=False), time_zone)
    if values.dtype == pl.String:
        text = values.str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(r"[Zz]$", "+00:00")
        text = text.str.replace(r" ?([+-]\d{2}):?(\d{2})$", "${1}:${2}")
        naive = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        zoned = text.set(naive.is_not_null(), None).str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False
        )
        return zoned.fill_null(_in_zone(naive, time_zone))
    if isinstance(values.dtype, pl.Datetime):
        times = values.dt.cast_time_unit("us")
        zoneless = values.dtype.time_zone is None
        return _in_zone(times, time_zone) if zoneless else times.dt.convert_time_zone("UTC")
    return _nothing(values, UTC_TIME)


def _since_epoch(values: pl.Series, microseconds: int) -> pl.Series:
    if values.dtype.is_float() or values.dtype == pl.String:
        number = values.cast(pl.Float64, strict=False)
        # Parts of a microsecond are below what any log means.
        since = (number.set(~number.is_finite().fill_null(False), None) * microseconds).round()
        since = since.set(~since.is_between(-LAST_MICROSECOND, LAST_MICROSECOND), None).cast(pl.Int64)
    elif values.dtype.is_integer():
        number, most = values.cast(pl.Int64, strict=False), LAST_MICROSECOND // microseconds
        since = number.set(~number.is_between(-most, most), None) * microseconds
    else:
        return _nothing(values, UTC_TIME)
    return since.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _in_zone(times: pl.Series, time_zone: str) -> pl.Series:
    # The hour that a clock shows twice in autumn is taken for the first of the two; the hour that it skips in
    # spring does not exist, so such a time is an error.
    zoned = times.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _nothing(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series(values.name, [None], dtype).new_from_index(0, len(values))


def extra_types(source: Source, names: Iterable[str]) -> dict[str, pl.DataType]:
    """The types of a source's own columns."""
    return {name: pl.Float64() if source.kinds[name] == "number" else pl.String() for name in names}
