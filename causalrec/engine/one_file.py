"""Reading one file by its name, whatever is in the name.

Polars and DuckDB take a path for a pattern: `events[1].parquet` would read `events1.parquet`, and a home at `h[x]y`
the one at `hxy`. A folder `day=D` above a file would become a column.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl


def scan_parquet(path: Path, row_index_name: str | None = None) -> pl.LazyFrame:
    """The rows of just this file, read as far as a query needs them."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, row_index_name=row_index_name)


def read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """The rows of just this file."""
    return pl.read_parquet(path, columns=columns, glob=False, hive_partitioning=False)


def parquet_schema(path: Path) -> pl.Schema:
    """The columns of just this file, with their types."""
    return scan_parquet(path).collect_schema()


def parquet_rows(path: Path) -> int:
    """The number of rows, which a Parquet file says at its end."""
    return int(scan_parquet(path).select(pl.len()).collect().item())


def scan_ipc(path: Path) -> pl.LazyFrame:
    """The rows of just this Arrow file, read as far as a query needs them."""
    return pl.scan_ipc(path, glob=False)


def literal(path: Path) -> str:
    """A path as a pattern that only it fits, for DuckDB, which takes every path for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))
