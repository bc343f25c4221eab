"""What an audit may use, and how it names a row."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

POSITION = "file_row_number"
"""DuckDB's own column of a Parquet file: where a row stands, from 0."""


MOST_ROWS = 10_000
"""So many offending rows of a rule are kept beside a refused draft."""


@dataclass(frozen=True)
class Limits:
    """What an audit may use of this machine.

    Attributes:
        memory_mb: Of memory, beside what the process has anyway.
        spill: A folder for what does not fit; each process has its own below it.
    """

    memory_mb: int = 1000
    spill: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "causalrec-spill")
