"""A day's rows, cut by time into slices: in memory as far as they fit, then on disk; and writing them as one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from causalrec.engine.one_file import scan_ipc

DAY = 86_400_000_000
"""Microseconds; a day is one in UTC."""
SLICE_ROWS = 1_000_000
HELD = 5 * 1024**3 // 2
"""Bytes of rows that are held in memory: those of some 13 million events. What comes after them goes to disk, at the
price of writing and reading it, so that a day of any size is made; the making takes up to 1 GB beside them."""
ROW_GROUP = 250_000


class Slices:
    """Rows go in as they come, and come out slice by slice; no slice holds a time of another.

    The rows of one bin are never parted: as many as there are at one time have to fit.
    """

    def __init__(
        self, folder: Path, bins: Mapping[int, int], bin_minutes: int, rows: int = SLICE_ROWS, held: int = HELD
    ) -> None:
        """Args:
        folder: For what is not held in memory.
        bins: Bin of `bin_minutes` -> how many rows it will have.
        rows: Of a slice, as far as bins let choose.
        held: Bytes in memory.
        """
        self._folder, self._bin_minutes, self._room = folder, bin_minutes, held
        firsts, held = [0], 0
        for number, count in sorted(bins.items()):
            if held and held + count > rows:
                firsts.append(number)
                held = 0
            held += count
        self._firsts = np.array(firsts)
        self._parts: dict[int, list[pl.DataFrame | Path]] = defaultdict(list)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the slices that have rows, by their times."""
        return iter(sorted(self._parts))

    def numbers(self, times: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The slice of each time of the day, from 0."""
        bins = times.to_physical().to_numpy() % DAY // (self._bin_minutes * 60_000_000)
        return np.searchsorted(self._firsts, bins, side="right") - 1

    def add(self, rows: pl.DataFrame, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Args: numbers: the slice of each row."""
        # Parts may share what they are made of, so their sizes do not add up to that of the rows.
        self._room -= _bytes(rows)
        for number, part in _parted(rows, numbers):
            if self._room >= 0:
                self._parts[number].append(part)
                continue
            path = self._folder / f"slice-{number:05d}-{len(self._parts[number]):05d}.arrow"
            # In the newest layout a part of a frame would write the texts of the whole.
            part.write_ipc(path, compat_level=pl.CompatLevel.oldest())
            self._parts[number].append(path)

    def read(self, number: int) -> pl.DataFrame:
        """A slice's rows, as they came."""
        return pl.concat(
            part if isinstance(part, pl.DataFrame) else scan_ipc(part).collect() for part in self._parts[number]
        )

    def forget(self, number: int) -> None:
        """Let go of a slice that is not read again."""
        for part in self._parts.pop(number):
            if isinstance(part, Path):
                part.unlink()


def _bytes(rows: pl.DataFrame) -> int:
    """At most what rows take: Polars' own size leaves out the 16 bytes that each text takes beside its letters."""
    texts = sum(dtype == pl.String for dtype in rows.dtypes)
    return int(rows.estimated_size()) + 16 * texts * rows.height


def _parted(rows: pl.DataFrame, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of each slice that has some; the rows of a log are mostly in order, and then are not copied."""
    counts = np.bincount(numbers)
    in_order = bool((numbers[1:] >= numbers[:-1]).all())
    ends = np.cumsum(counts)
    for number in np.flatnonzero(counts).tolist():
        count = int(counts[number])
        if in_order:
            yield number, rows.slice(int(ends[number]) - count, count)
        else:
            yield number, rows.filter(pl.Series(numbers == number))


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
