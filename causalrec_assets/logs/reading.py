"""Reading a landed file: any of the formats, with an error that names the file, the row and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.logs.sources import Source

SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")


def read_landed(path: Path) -> pl.DataFrame:
    """All rows of a landed file, as they are.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix == ".csv":
            # Every cell as text: what it means is the mapping's business, and a guess could differ between files.
            return pl.read_csv(path, infer_schema=False) if path.stat().st_size else pl.DataFrame()
        if path.suffix in (".jsonl", ".ndjson"):
            return pl.read_ndjson(path, infer_schema_length=None) if path.stat().st_size else pl.DataFrame()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as {path.suffix[1:]}: {str(error).splitlines()[0]}. Land the whole file again, or "
            "remove it; nothing was published from it."
        ) from error
    raise InputError(f"{path} has the ending {path.suffix!r}; landed files end in one of {SUFFIXES}")


def map_columns(
    raw: pl.DataFrame, columns: Mapping[str, str], types: Mapping[str, pl.DataType], time_zone: str, path: Path
) -> pl.DataFrame:
    """Rename to our names and cast to our types; a column that is not mapped becomes null of its type.

    Args:
        columns: Our name -> the file's name.
        types: Our name -> our type; the result has exactly these columns, in this order.
        time_zone: Of times that carry none.

    Raises:
        InputError: A mapped column is not in the file, or a value cannot be read as its type (named with its row).
    """
    if missing := {ours: theirs for ours, theirs in columns.items() if theirs not in raw.columns}:
        raise InputError(
            f"{path}: the column(s) {sorted(missing.values())} are missing (mapped to {sorted(missing)} in sources.yaml); "
            f"the file has {raw.columns}. Land a file with them, or correct the mapping."
        )
    out = []
    for ours, dtype in types.items():
        if ours not in columns:
            out.append(pl.lit(None, dtype).alias(ours))
            continue
        theirs = raw[columns[ours]]
        cast = _as_time(theirs, time_zone) if isinstance(dtype, pl.Datetime) else _cast(theirs, dtype)
        bad = (cast.is_null() & theirs.is_not_null()).arg_true()
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"{path}, row {row + 1}: `{columns[ours]}` is {theirs[row]!r}, which is not a {dtype} "
                f"({len(bad)} such row(s)). Correct the file or the mapping in sources.yaml."
            )
        out.append(cast.alias(ours))
    return raw.select(out) if raw.width else pl.DataFrame(schema=dict(types))


def _cast(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String and dtype != pl.String:
        values = values.replace("", None)
        if dtype.is_integer():
            lowered = values.str.to_lowercase().replace({"true": "1", "false": "0"})
            return lowered.cast(pl.Float64, strict=False).cast(dtype, strict=False)
    return values.cast(dtype, strict=False)


def _as_time(values: pl.Series, time_zone: str) -> pl.Series:
    if values.dtype == pl.String:
        values = values.replace("", None)
        zoned = values.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
        naive = values.str.to_datetime(time_unit="us", strict=False).dt.replace_time_zone(time_zone, ambiguous="earliest")
        return zoned.fill_null(naive.dt.convert_time_zone("UTC")) if zoned.null_count() else zoned
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone is None:
            values = values.dt.replace_time_zone(time_zone, ambiguous="earliest")
        return values.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return pl.Series(values.name, [None] * len(values), pl.Datetime("us", "UTC"))


def extra_types(source: Source, names: Iterable[str]) -> dict[str, pl.DataType]:
    """The types of a source's own columns."""
    return {name: pl.Float64() if source.kinds[name] == "number" else pl.String() for name in names}


def constant_columns(frame: pl.DataFrame, constants: Mapping[str, Any]) -> pl.DataFrame:
    """Set the columns that the source's mapping declares constant, keeping their types."""
    return frame.with_columns(pl.lit(value).cast(frame.schema[name]).alias(name) for name, value in constants.items())
