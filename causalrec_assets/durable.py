"""Small files that are there whole or not at all, whatever is killed, and one writer at a time."""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from causalrec_assets.answers import InputError


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Make or replace a file: a reader, and whoever comes after a kill or a full disk, sees the old or the new content.

    Args:
        mode: The file's permissions; those of the file that is replaced, unless given.
    """
    with _draft_of(path, content, mode) as draft:
        draft.replace(path)
    _sync_folder(path.parent)


def create_exclusively(path: Path, content: bytes, mode: int | None = None) -> None:
    """Create a file with all its content or not at all.

    Raises:
        FileExistsError: The name is taken. A hard link is used because `open("x")` would let a reader see a file
            whose content is still being written.
    """
    with _draft_of(path, content, mode) as draft:
        os.link(draft, path)
    _sync_folder(path.parent)


@contextmanager
def _draft_of(path: Path, content: bytes, mode: int | None) -> Iterator[Path]:
    """The content in a hidden file of the same folder, on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{uuid.uuid4().hex}.tmp"
    if mode is None and path.exists():
        mode = path.stat().st_mode & 0o7777
    try:
        # Nobody may read a secret between its creation and a change of its permissions.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode & 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Without this a new name may be gone after a power cut, though its content is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(lock: Path, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold a lock that the system lets go of when its holder ends, however it ends.

    Args:
        what: Who holds it, for the message: "another `make forget`".
        wait_seconds: How long to wait for the holder.

    Raises:
        InputError: It is still held.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + wait_seconds
    with lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise InputError(f"{what} is at work on {lock.parent}; wait until it has ended") from None
                time.sleep(0.05)
        yield
