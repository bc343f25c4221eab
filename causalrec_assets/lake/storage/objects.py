"""Named bytes under one root, a folder or an object store: what a lake needs of either, and nothing more.

Three promises hold everywhere. `create` makes a name once: of all who try, one succeeds. No name is ever seen
half-written. A listing is never older than the call.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from causalrec.answers import InputError
from causalrec.durable import create_exclusively, open_draft, write_whole


@dataclass(frozen=True)
class Found:
    """An object as a listing showed it."""

    name: str
    size: int
    modified: datetime


class Objects(Protocol):
    """A root and the objects below it; names have slashes and no leading one."""

    def where(self, name: str) -> Path | str:
        """Where an object is, for people: a path or a URL."""
        ...

    def read(self, name: str) -> bytes:
        """The content; `FileNotFoundError` where there is none."""
        ...

    def create(self, name: str, content: bytes) -> None:
        """Make a new object; `FileExistsError` when the name is taken, by whomever."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Make or replace an object."""
        ...

    def upload(self, source: Path, name: str) -> None:
        """Make or replace an object from a file of this machine; the file may be moved."""
        ...

    def download(self, name: str, target: Path) -> None:
        """Copy an object to a file of this machine; `FileNotFoundError` where there is none."""
        ...

    def find(self, folder: str = "") -> list[Found]:
        """Every object below a folder, by name; nothing where there is no such folder."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        ...


def local_path(objects: Objects, name: str) -> Path | None:
    """The file of an object, where it is one on this machine."""
    place = objects.where(name)
    return place if isinstance(place, Path) else None


# -- a folder ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Folder:
    """Objects as files below a folder. A hidden file is a draft that is still being written, or was left by a kill.

    Attributes:
        single_writer: Only one process writes at a time, so that a file system without hard links will do.
    """

    root: Path
    single_writer: bool = False

    def where(self, name: str) -> Path:
        return self.root / name

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def create(self, name: str, content: bytes) -> None:
        """Make a file with all its content or not at all.

        Raises:
            FileExistsError: The name is taken.
            InputError: The file system has no hard links.
        """
        target = self.root / name
        try:
            create_exclusively(target, content)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            if not self.single_writer:
                raise InputError(
                    f"{target.parent}: this file system has no hard links, so of two runs that publish at once "
                    "both might win. Put the lake elsewhere (lake.yaml: `root`), or say `single_writer: true` "
                    "there if no two runs ever publish at the same time"
                ) from error
            if target.exists():
                raise FileExistsError(errno.EEXIST, "exists already", str(target)) from error
            self.write(name, content)

    def write(self, name: str, content: bytes) -> None:
        write_whole(self.root / name, content)

    def upload(self, source: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with open_draft(target.parent) as (draft, _):
                shutil.copyfile(source, draft)
                _sync(draft)
                draft.replace(target)

    def download(self, name: str, target: Path) -> None:
        shutil.copyfile(self.root / name, target)

    def find(self, folder: str = "") -> list[Found]:
        objects = _files(str(self.root / folder), f"{folder}/" if folder else "")
        return sorted(objects, key=lambda one: one.name)

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            (self.root / name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _files(folder: str, prefix: str) -> Iterator[Found]:
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _files(entry.path, f"{prefix}{entry.name}/")
            continue
        try:
            stat = entry.stat()
        except FileNotFoundError:  # a draft that became a file while the folder was read
            continue
        yield Found(prefix + entry.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
