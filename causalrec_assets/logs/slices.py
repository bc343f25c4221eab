"""A day's rows on this machine's disk, cut by time into slices that fit in memory; and writing them as one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

DAY = 86_400_000_000
"""Microseconds; a day is one in UTC."""
SLICE_ROWS = 1_000_000
ROW_GROUP = 250_000


class Slices:
    """Rows go in as they come, and come out slice by slice; no slice holds a time of another.

    The rows of one bin are never parted: as many as there are at one time have to fit.
    """

    def __init__(self, folder: Path, bins: Mapping[int, int], bin_minutes: int, rows: int = SLICE_ROWS) -> None:
        """Args: bins: bin of `bin_minutes` -> how many rows it will have."""
        self._folder, self._bin_minutes = folder, bin_minutes
        firsts, held = [0], 0
        for number, count in sorted(bins.items()):
            if held and held + count > rows:
                firsts.append(number)
                held = 0
            held += count
        self._firsts = np.array(firsts)
        self._files: dict[int, list[Path]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._firsts)

    def numbers(self, times: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The slice of each time of the day, from 0."""
        bins = times.to_physical().to_numpy() % DAY // (self._bin_minutes * 60_000_000)
        return np.searchsorted(self._firsts, bins, side="right") - 1

    def add(self, rows: pl.DataFrame, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Args: numbers: the slice of each row."""
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            here = numbers == number
            part = rows if here.all() else rows.filter(pl.Series(here))
            path = self._folder / f"slice-{number:05d}-{len(self._files[number]):05d}.arrow"
            part.write_ipc(path)
            self._files[number].append(path)

    def read(self, number: int) -> pl.DataFrame | None:
        """A slice's rows, as they came; None where there are none."""
        files = self._files.get(number)
        return pl.concat([pl.read_ipc(path) for path in files]) if files else None


def write_table(frames: Iterator[pl.DataFrame], schema: Mapping[str, pl.DataType], path: Path) -> int:
    """Write frames one after another as one Parquet file, whose bytes do not depend on how the rows were parted.

    Args:
        schema: Columns and types of each.

    Returns:
        How many rows there were.

    Raises:
        Exception: Whatever `frames` raises.
    """
    from polars.io.plugins import register_io_source

    rows = 0
    raised: list[BaseException] = []

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        nonlocal rows
        try:
            for group in _of_equal_size(frames, ROW_GROUP):
                rows += group.height
                yield group
        except BaseException as error:
            # The engine would say it in its own words.
            raised.append(error)
            raise

    try:
        register_io_source(source, schema=pl.Schema(schema)).sink_parquet(
            path,
            compression="zstd",
            # As small as the default level here, and a quarter faster.
            compression_level=1,
            row_group_size=ROW_GROUP,
            maintain_order=True,
        )
    except BaseException:
        if raised:
            raise raised[0] from None
        raise
    return rows


def _of_equal_size(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        while frame.height:
            part, frame = frame.head(rows - height), frame.slice(rows - height)
            held.append(part)
            height += part.height
            if height == rows:
                yield pl.concat(held, rechunk=True)
                held, height = [], 0
    if held:
        yield pl.concat(held, rechunk=True)
