"""Telling a place that cannot be written, full or read-only, from everything else that can go wrong."""

from __future__ import annotations

import errno

SAYS = (
    "the disk is full. Nothing was published, and what was good before stays readable. Make room (`make sweep` removes "
    "old versions), then run it again."
)
READ_ONLY = (
    "{where} cannot be written ({why}). Nothing was published, and what was good before stays readable. Make it "
    "writable for this user, or let `root` of lake.yaml name another place for the lake; then run it again."
)


def disk_is_full(error: BaseException) -> bool:
    """Whether a write failed for want of room; Polars, pyarrow, DuckDB and SQLite say so in words only."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return True
    words = ("No space left on device", "Disk quota exceeded", "database or disk is full")
    return any(one in str(error) for one in words)


def cannot_write(error: BaseException) -> str | None:
    """What to say of a write that failed because of where it went; None for every other error, and its causes too."""
    seen: BaseException | None = error
    while seen is not None:
        if disk_is_full(seen):
            return SAYS
        if why := _read_only(seen):
            name = getattr(seen, "filename2", None) or getattr(seen, "filename", None)
            return READ_ONLY.format(where=name or "a folder of this home or its lake", why=why)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def _read_only(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return error.strerror or type(error).__name__
    words = ("Read-only file system", "attempt to write a readonly database", "unable to open database file")
    return next((one for one in words if one in str(error)), None)
