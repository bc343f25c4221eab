"""Reading a landed file: any of the formats, with an error that names the file, the row and what to do.

Nothing is guessed from values. A value is taken as its declared type without loss, or it is an error that names it:
1.5 is no position, 20260302 is no date, and a day without an hour is no time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.logs.sources import Constant, Source

SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")
UTC_TIME = pl.Datetime("us", "UTC")
EXACT_AS_FLOAT = 2**53
"""Whole numbers from here on are not all told apart by a Float64."""


def read_landed(path: Path) -> pl.DataFrame:
    """All rows of a landed file, as they are; every cell of a CSV file is text.

    Raises:
        InputError: The file cannot be read whole, or its ending is none of `SUFFIXES`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} has the ending {path.suffix!r}; landed files end in one of {list(SUFFIXES)}. Convert "
            "it, or move it out of the landing zone (names that begin with a dot, or end in .part or .tmp, "
            "are passed over)."
        )
    try:
        if suffix == ".parquet":
            return pl.read_parquet(path, glob=False, hive_partitioning=False)
        if path.stat().st_size == 0:
            return pl.DataFrame()
        if suffix == ".csv":
            return _read_csv(path)
        return pl.read_ndjson(path.read_bytes(), infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as {suffix[1:]}: {str(error).splitlines()[0]}. Land the whole file "
            "again, or remove it; nothing was published from it."
        ) from error


def _read_csv(path: Path) -> pl.DataFrame:
    # pyarrow's reader and not Polars': that one fills a row that was cut off with nulls, this one refuses it.
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import csv as arrow_csv

    if path.read_bytes().count(b'"') % 2:
        # A file cut off inside a cell: both readers would take what is there for the cell's whole content.
        raise ValueError('a quote is left open (one that belongs to a cell is written twice: "a 5"" pipe")')
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    table = arrow_csv.read_csv(
        path,
        # In one thread the error names the row.
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def map_columns(
    raw: pl.DataFrame,
    columns: Mapping[str, str],
    types: Mapping[str, pl.DataType],
    time_zone: str,
    path: Path,
) -> pl.DataFrame:
    """Rename to our names and cast to our types; a column that is not mapped becomes null of its type.

    An empty text and a NaN are how CSV and pandas write "no value", and become null.

    Args:
        columns: Our name -> the file's name.
        types: Our name -> our type; the result has exactly these columns, in this order.
        time_zone: Of times that carry none.

    Raises:
        InputError: A mapped column is not in the file, or a value is not of its type (named with its row).
    """
    if raw.width == 0:
        return pl.DataFrame(schema=dict(types))
    if missing := {ours: theirs for ours, theirs in columns.items() if theirs not in raw.columns}:
        raise InputError(
            f"{path}: the column(s) {sorted(missing.values())} are missing (sources.yaml maps "
            f"{sorted(missing)} to them); the file has {raw.columns}. Land a file that has them, or correct "
            "the mapping."
        )
    out = []
    for ours, dtype in types.items():
        if ours not in columns:
            out.append(pl.Series(ours, [None], dtype).new_from_index(0, raw.height))
            continue
        given = _without_blanks(raw[columns[ours]], dtype)
        cast = _cast(given, dtype, time_zone)
        bad = (cast.is_null() & given.is_not_null()).arg_true()
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"{path}, row {row + 1}: `{columns[ours]}` is {given.to_list()[row]!r}, which is not "
                f"{_words(dtype)} ({len(bad)} such row(s)). Correct the file, or the mapping of `{ours}` in "
                "sources.yaml."
            )
        out.append(cast.alias(ours))
    return pl.DataFrame(out)


def _words(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "a time such as 2026-03-02T10:15:00Z"
    if isinstance(dtype, pl.Date):
        return "a date such as 2026-03-02"
    if dtype.is_integer():
        return "a whole number" + (" from -128 to 127" if dtype == pl.Int8 else "")
    return "a finite number" if dtype.is_float() else "a text"


def _without_blanks(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        return (values if dtype == pl.String else values.str.strip_chars()).replace("", None)
    return values.fill_nan(None) if values.dtype.is_float() else values


def _cast(values: pl.Series, dtype: pl.DataType, time_zone: str) -> pl.Series:
    """Cast without loss; null where that is not possible."""
    if values.dtype == pl.Null:
        return values.cast(dtype)
    if isinstance(dtype, pl.Datetime):
        return _as_time(values, time_zone)
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


def _as_time(values: pl.Series, time_zone: str) -> pl.Series:
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


def constant_columns(frame: pl.DataFrame, constants: Mapping[str, Constant]) -> pl.DataFrame:
    """Set the columns that the source's mapping declares constant, keeping their types."""
    return frame.with_columns(pl.lit(value).cast(frame.schema[name]).alias(name) for name, value in constants.items())
