"""A process's own folder for drafts: what a killed process has left is cleared by whoever comes next.

The folder is locked for as long as its process lives, and the system lets go of a lock however a process ends; a folder
whose lock can be had belongs to nobody any more. Where a file system knows no locks nothing is cleared here, and the
sweep by age does it (`retention.staging_days`).
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

PREFIX = "process-"


@dataclass(frozen=True)
class _Held:
    process: int
    folder: Path
    descriptor: int


_held: dict[Path, _Held] = {}
_one_at_a_time = threading.Lock()


def workplace(staging: Path) -> Path:
    """This process's folder below a staging folder; on its first use, what dead processes left there is removed."""
    with _one_at_a_time:
        held = _held.get(staging)
        # A forked process has a copy of what its parent holds, and its own folder.
        if held is not None and held.process == os.getpid() and held.folder.is_dir():
            return held.folder
        staging.mkdir(parents=True, exist_ok=True)
        clear_workplaces(staging)
        _held[staging] = _claim(staging)
        return _held[staging].folder


def clear_workplaces(staging: Path) -> list[Path]:
    """Remove the folders of processes that are gone.

    Returns:
        Those that were removed.
    """
    gone = []
    for folder in sorted(staging.glob(f"{PREFIX}*")):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # Somebody else has removed it.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # Its process lives, or the file system knows no locks.
        else:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
        finally:
            os.close(descriptor)
    return gone


def _claim(staging: Path) -> _Held:
    while True:
        folder = staging / f"{PREFIX}{uuid.uuid4().hex}"
        folder.mkdir()
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # Cleared before it could be locked: it looked like that of a dead process.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        except OSError:
            pass  # No locks here; nobody clears it before its time.
        if folder.is_dir():
            return _Held(os.getpid(), folder, descriptor)
        os.close(descriptor)


@atexit.register
def _remove_own() -> None:
    for held in _held.values():
        if held.process == os.getpid():
            shutil.rmtree(held.folder, ignore_errors=True)
