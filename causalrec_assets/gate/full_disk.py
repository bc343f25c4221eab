"""Telling a full disk from everything else that can go wrong with a write."""

from __future__ import annotations

import errno

SAYS = (
    "the disk is full. Nothing was published, and what was good before stays readable. Make room (`make sweep` removes "
    "old versions), then run it again."
)


def disk_is_full(error: BaseException) -> bool:
    """Whether a write failed for want of room; Polars, pyarrow and DuckDB say so in words only."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(words in str(error) for words in ("No space left on device", "Disk quota exceeded"))
