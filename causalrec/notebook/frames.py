"""What people have in a notebook as what the library reads: pandas and Polars frames, NumPy arrays, lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from causalrec.answers import InputError


def as_frame(values: Any, name: str, prefix: str = "x") -> pl.DataFrame:
    """A table of columns with names.

    Args:
        values: A frame of Polars or pandas, (n, p), or an array of numbers, (n, p) or (n,).
        name: What it is to the caller, for messages.
        prefix: Columns of an array are called by it and their number, from 0.

    Raises:
        InputError: It is none of these.
    """
    if isinstance(values, pl.DataFrame):
        return values
    if isinstance(values, pl.Series):
        return values.to_frame(values.name or f"{prefix}0")
    if _is_pandas(values):
        frame = values.to_frame(values.name or f"{prefix}0") if values.ndim == 1 else values
        return pl.from_pandas(frame.rename(columns=str).reset_index(drop=True))
    array = np.asarray(values)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} must be a frame of Polars or pandas, or an array of numbers of shape (n, p); got "
            f"{type(values).__name__} of shape {array.shape} and type {array.dtype}"
        )
    return pl.DataFrame({f"{prefix}{k}": array[:, k] for k in range(array.shape[1])})


def as_column(values: Any, name: str, rows: int) -> pl.Series:
    """One value a row. A series keeps its name.

    Args:
        values: A series of Polars or pandas, an array, (n,), or a list.
        name: What it is to the caller, for messages; the column's name where it has none.
        rows: n.

    Raises:
        InputError: It has another shape.
    """
    if isinstance(values, pl.Series):
        column = values
    elif _is_pandas(values) and values.ndim == 1:
        column = as_frame(values, name).to_series().alias(str(values.name or ""))
    else:
        array = np.asarray(values)
        if array.ndim != 1:
            raise InputError(f"{name} must have one value a row, shape (n,); got shape {array.shape}")
        column = pl.Series(name, array.tolist() if array.dtype.kind == "O" else array)
    if len(column) != rows:
        raise InputError(f"{name} has {len(column):,} rows, X has {rows:,}")
    return column.alias(str(column.name) or name)


def as_binary(values: Any, name: str, rows: int) -> pl.Series:
    """As `as_column`, of values that are 0 or 1.

    Raises:
        InputError: It has another shape, or a row is missing or something else; the message names the row from 1.
    """
    column = as_column(values, name, rows)
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise InputError(f"{name} `{column.name}` must be 0 or 1, as a number; it is {column.dtype}")
    wrong = ~column.cast(pl.Float64).is_in([0.0, 1.0]).fill_null(False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        value = column[row]
        given = "missing" if value is None or value != value else repr(value)
        raise InputError(f"{name} `{column.name}` must be 0 or 1; in row {row + 1} it is {given}")
    return column


def _is_pandas(values: Any) -> bool:
    return type(values).__module__.partition(".")[0] == "pandas" and hasattr(values, "ndim")
