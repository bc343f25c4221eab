"""Files that end what reads them: made, so that they do in every release that can be made to."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq


def with_time_zone_that_panics(path: Path) -> bytes:
    """The content of a Parquet file with a time in UTC, whose zone is spelled `UgC`: two bytes, and a panic."""
    content = path.read_bytes()
    schema = pq.read_metadata(path).metadata[b"ARROW:schema"]
    spoiled = base64.b64encode(base64.b64decode(schema).replace(b"UTC", b"UgC"))
    assert len(spoiled) == len(schema)
    assert content.count(schema) == 1
    return content.replace(schema, spoiled)


def with_one_long_value(path: Path, rows: pl.DataFrame, column: str, size: int) -> None:
    """Write rows of which all name the same value of so many bytes, once: a dictionary."""
    table = rows.to_arrow()
    value = pa.DictionaryArray.from_arrays(pa.array([0] * rows.height, pa.int32()), pa.array(["x" * size]))
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, value), path, compression="zstd")


def end_at_once(path: Path, name: str, *others: object) -> None:
    os.abort()
