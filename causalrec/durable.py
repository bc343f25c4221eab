"""Small files that are there whole or not at all, whatever is killed, and one writer at a time."""

from __future__ import annotations

import fcntl
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from causalrec.answers import InputError

DRAFT = re.compile(r"\.[0-9a-f]{32}\.tmp")


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
    if mode is None and path.exists():
        mode = path.stat().st_mode & 0o7777
    # Nobody may read a secret between its creation and a change of its permissions.
    with open_draft(path.parent, 0o666 if mode is None else mode & 0o600) as (draft, descriptor):
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield draft


@contextmanager
def open_draft(folder: Path, mode: int = 0o666) -> Iterator[tuple[Path, int]]:
    """A new hidden file, and its descriptor; it is gone afterwards, unless it was given a name meanwhile.

    It is locked for as long as its writer lives, so that `clear_drafts` can tell it from one that a kill has left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        draft = folder / f".{uuid.uuid4().hex}.tmp"
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with suppress(OSError):  # Where the file system knows no locks, nobody clears either.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # Cleared before it could be locked: it looked like one that a kill has left.
    try:
        yield draft, descriptor
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)


def clear_drafts(folder: Path) -> list[Path]:
    """Remove the drafts below a folder that nobody writes to any more.

    Returns:
        Those that were removed.
    """
    gone = []
    for place, _, names in os.walk(folder):
        for name in names:
            if not DRAFT.fullmatch(name):
                continue
            draft = Path(place) / name
            try:
                descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW)
            except OSError:
                continue  # It has become a file, or is not ours to write to.
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink(missing_ok=True)
                gone.append(draft)
            except OSError:
                pass  # Somebody writes to it, or the file system knows no locks: the sweep by age takes it.
            finally:
                os.close(descriptor)
    return gone


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
