"""Rows that cannot be used, on their way to one file in quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from causalrec.engine.one_file import scan_ipc
from causalrec.logs.cleaning.row_rules import WRONG

MARKS: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "file": pl.String(),
    "row": pl.Int64(),
    "kind": pl.String(),
    "reason": pl.String(),
}


HELD_ROWS = 50_000
"""So many rows wait in memory: a file for each piece's few rows costs more than what is in it."""


class SetAside:
    """Collects rows with their `kind` and `reason`, and writes them at the end.

    Attributes:
        kinds: Kind -> how many rows.
        first: The first row that speaks against the files or the mapping, in words.
    """

    def __init__(self, folder: Path, files: Sequence[str], columns: Mapping[str, pl.DataType]) -> None:
        """Args:
        folder: For the parts, until they are written.
        files: What the files of events are called, by their number.
        columns: That the file has at least.
        """
        self._columns = {**columns, **MARKS}
        self._folder, self._parts, self._files = folder, list[Path](), pl.Series(files, dtype=pl.String)
        self._held: list[pl.DataFrame] = []
        self._held_rows = 0
        self.kinds: Counter[str] = Counter()
        self.first = ""

    def add(self, rows: pl.DataFrame) -> None:
        """Events, whose `file` is a number."""
        self.put(rows.with_columns(self._files.gather(rows["file"]).alias("file"), pl.lit("events").alias("feed")))

    def put(self, rows: pl.DataFrame) -> None:
        """Rows of any feed, whose `file` is a path."""
        if not rows.height:
            return
        self.kinds.update(dict(rows["kind"].value_counts().iter_rows()))
        wrong = rows.filter(pl.col("kind").is_in(WRONG))
        if not self.first and wrong.height:
            row = wrong.row(0, named=True)
            self.first = f"{row['file']}, row {row['row']}: {row['reason']}."
        # Made anew, texts do not hold on to those of the whole frame that the rows are from.
        self._held.append(rows.with_columns(pl.col(pl.String) + ""))
        self._held_rows += rows.height
        if self._held_rows >= HELD_ROWS:
            self._spill()

    def _spill(self) -> None:
        path = self._folder / f"aside-{len(self._parts):05d}.arrow"
        pl.concat(self._held, how="diagonal_relaxed").write_ipc(path)
        self._parts.append(path)
        self._held, self._held_rows = [], 0

    def write(self, path: Path) -> dict[str, int]:
        """Write all of them, by file and row; gives `kinds`."""
        parts = [*(scan_ipc(part) for part in self._parts), *(rows.lazy() for rows in self._held)]
        empty = pl.DataFrame(schema=self._columns).lazy()
        rows = pl.concat([empty, *parts], how="diagonal_relaxed").sort("feed", "file", "row")
        rows.sink_parquet(path, compression="zstd")
        return dict(self.kinds)
