"""Which code made a table."""

from __future__ import annotations

from pathlib import Path

from causalrec.hashing import sha256

CODE = Path(__file__).resolve().parents[1]


def code_hash(stage: str, root: Path = CODE) -> str:
    """The hash of a stage's own sources: a change of its code makes its partitions stale."""
    parts = [path.read_bytes() for path in sorted((root / stage).glob("*.py"))]
    return sha256(b"\0".join(parts))
