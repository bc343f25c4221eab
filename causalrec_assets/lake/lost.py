"""A version whose pointer is there and whose content is not, or not whole: a copy of the lake that stopped half-way.

Such a version is not current: it is built again by whatever builds what is not current, and whoever reads it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from causalrec.answers import InputError

PARQUET = b"PAR1"
"""What a Parquet file ends with."""


class LostObject(InputError):
    """Something that a version is made of is not in the lake, or is cut off."""


def heal(table: str, day: object) -> str:
    return (
        f"A copy of the lake may have stopped half-way: copy it again, or materialise `{table}` of {day} "
        f"(`make backfill FROM={day} TO={day}` does)."
    )


def cut_off(names: Sequence[str], sizes: Sequence[int], listed_sizes: Mapping[str, int]) -> str | None:
    """Which of some objects is missing or has another size than it was published with; None: none has.

    Args:
        sizes: Of the objects, in bytes; versions of earlier releases have none.
        listed_sizes: Object -> its size, as a listing shows it.
    """
    for name in names:
        if name not in listed_sizes:
            return f"{name} is not there"
        if not listed_sizes[name] and name.endswith(".parquet"):
            return f"{name} is empty"
    for name, size in zip(names, sizes, strict=False):
        if listed_sizes[name] != size:
            return f"{name} has {listed_sizes[name]:,} bytes, and was published with {size:,}"
    return None


def ends_like_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, 2) < 2 * len(PARQUET):
            return False
        file.seek(-len(PARQUET), 2)
        return file.read() == PARQUET
