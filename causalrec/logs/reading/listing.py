"""What lies below a feed's folder: data files, markers, and what is neither, said with the place's name.

What cannot be listed is never taken for not there, and what is no data file never stops days that it cannot belong to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from causalrec.answers import InputError
from causalrec.masking import masked

SUFFIXES = (".parquet", ".csv", ".tsv", ".psv", ".jsonl", ".ndjson")
PACKED = (".gz", ".zst")
UNFINISHED = (".part", ".tmp")
DAY = "day="


@dataclass
class Listing:
    """A folder's content.

    Attributes:
        files: Data files, by name.
        markers: Files whose name begins with `_`, by name.
        unlisted: (day of the `day=D` folder, message) of each folder whose content is not known; None: of any day.
        odd: (day of the `day=D` folder, path, message) of what is no data file; without a day it is nobody's rows.
    """

    files: list[Path] = field(default_factory=list)
    markers: list[Path] = field(default_factory=list)
    unlisted: list[tuple[date | None, str]] = field(default_factory=list)
    odd: list[tuple[date | None, Path, str]] = field(default_factory=list)

    @property
    def problems(self) -> list[tuple[date | None, str]]:
        """What keeps rows from being known: (day or None for every day, message)."""
        return [*self.unlisted, *((day, message) for day, _, message in self.odd if day is not None)]

    @property
    def passed_over(self) -> list[str]:
        """What is nobody's rows, in words."""
        return [message for day, _, message in self.odd if day is None]


def list_folder(root: Path) -> Listing:
    """Everything below a folder but hidden and unfinished names; nothing where there is no such folder.

    Links are not followed: what they lead to can change under its name, and may be anything that this process can read.
    """
    listing = Listing()
    if is_remote(root):
        _list_remote(root, listing)
    else:
        _list_local(root, listing)
    listing.files.sort()
    listing.markers.sort()
    listing.unlisted.sort(key=lambda one: one[1])
    listing.odd.sort(key=lambda one: one[1])
    return listing


def is_remote(path: Path) -> bool:
    """Whether a path is behind a URL, and not on this machine."""
    return getattr(path, "protocol", "") not in ("", "file", "local")


def is_data(path: Path) -> bool:
    """Whether a file's name says that it holds rows."""
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return Path(name).suffix in SUFFIXES


def folder_day(path: Path, root: Path) -> date | None:
    """The day of the `day=YYYY-MM-DD` folder that a file stands in.

    Raises:
        InputError: The folder's day is no date.
    """
    for part in path.relative_to(root).parts[:-1]:
        if part.startswith(DAY):
            try:
                return date.fromisoformat(part.removeprefix(DAY))
            except ValueError:
                message = f"{path}: the folder `{part}` must be `day=YYYY-MM-DD`; rename it"
                raise InputError(message) from None
    return None


def _passed_over(name: str) -> bool:
    return name.startswith(".") or Path(name).suffix.lower() in UNFINISHED


def _shown(path: Path) -> str:
    """A path as people can read it: a name that is no UTF-8 has its bytes spelled out."""
    return str(path).encode("utf-8", "backslashreplace").decode() if is_remote(path) else _spelled(path)


def _spelled(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _misnamed(folder: Path) -> str:
    return (
        f"{_shown(folder)} is passed over: a folder that begins with `day=` must be `day=YYYY-MM-DD`, a day of the "
        "calendar. Rename it, or move it out of the landing zone."
    )


def _no_data(path: Path) -> str:
    return (
        f"{_shown(path)} has the ending {Path(path.name).suffix!r}; landed files end in one of {list(SUFFIXES)}, and "
        f"may be packed ({list(PACKED)}). Convert it, or move it out of the landing zone (names that begin with a dot, "
        "or end in .part or .tmp, are passed over)."
    )


def _sort_in(path: Path, day: date | None, listing: Listing) -> None:
    """A regular file."""
    try:
        path.name.encode()
    except UnicodeEncodeError:
        listing.odd.append((day, path, f"{_shown(path)}: its name is no UTF-8; rename it, or remove it."))
        return
    if path.name.startswith("_"):
        listing.markers.append(path)
    elif is_data(path):
        listing.files.append(path)
    else:
        listing.odd.append((day, path, _no_data(path)))


# -- a folder of this machine ------------------------------------------------------------------------------------------


def _list_local(root: Path, listing: Listing) -> None:
    folders: list[tuple[Path, date | None]] = [(root, None)]
    while folders:
        folder, day = folders.pop()
        try:
            with os.scandir(folder) as scan:
                entries = list(scan)
        except FileNotFoundError:
            # A folder that was removed while its parent was read holds nothing now.
            continue
        except OSError as error:
            listing.unlisted.append((day, _unlisted(folder, error)))
            continue
        for entry in entries:
            if not _passed_over(entry.name):
                _sort_entry(folder / entry.name, entry, day, folders, listing)


def _sort_entry(
    path: Path,
    entry: os.DirEntry[str],
    day: date | None,
    folders: list[tuple[Path, date | None]],
    listing: Listing,
) -> None:
    try:
        own, wrong = _day_of(entry.name, day)
        if entry.is_symlink():
            listing.odd.append((own, path, _link(path)))
        elif entry.is_dir(follow_symlinks=False):
            if wrong:
                listing.odd.append((None, path, _misnamed(path)))
            elif not entry.name.startswith("_"):
                folders.append((path, own))
        elif entry.is_file(follow_symlinks=False):
            _sort_in(path, day, listing)
        else:
            listing.odd.append((day, path, f"{_shown(path)} is no file (a pipe, a socket or a device); remove it."))
    except OSError as error:
        listing.unlisted.append((day, _unlisted(path, error)))


def _day_of(name: str, day: date | None) -> tuple[date | None, bool]:
    """The day of what lies below a folder of this name, and whether the name is wrong; the outermost day counts."""
    if day is not None or not name.startswith(DAY):
        return day, False
    try:
        return date.fromisoformat(name.removeprefix(DAY)), False
    except ValueError:
        return None, True


def _link(path: Path) -> str:
    return (
        f"{_shown(path)} is a link (to {_shown(path.readlink())}), and links are not followed: land the file itself, "
        "or remove it."
    )


def _unlisted(place: Path, error: BaseException) -> str:
    cause = masked(str(getattr(error, "strerror", None) or error or type(error).__name__))
    return (
        f"{_shown(place)} cannot be listed ({cause}), so nobody knows what is landed there, and nothing is built from "
        "the rest. Make it readable, or move it out of the landing zone."
    )


# -- behind a URL ------------------------------------------------------------------------------------------------------


def _list_remote(root: Any, listing: Listing) -> None:
    try:
        names = list(_found(root.fs, root.path))
    # A file system of any package may raise anything.
    except Exception as error:
        cause = masked(f"{type(error).__name__}: {str(error) or 'it gives no reason'}")
        listing.unlisted.append(
            (
                None,
                f"{masked(str(root))} cannot be listed ({cause}), so nobody knows what is landed there, and nothing is "
                "built. Check the address, the network, and `landing` and `landing_options` in sources.yaml.",
            )
        )
        return
    misnamed: dict[str, Path] = {}
    for name in sorted(names):
        parts = name.split("/")
        if any(_passed_over(part) for part in parts) or any(part.startswith("_") for part in parts[:-1]):
            continue
        day: date | None = None
        for k, part in enumerate(parts[:-1], 1):
            day, wrong = _day_of(part, day)
            if wrong:
                misnamed.setdefault("/".join(parts[:k]), root / "/".join(parts[:k]))
                break
        else:
            _sort_in(root / name, day, listing)
    listing.odd += [(None, folder, _misnamed(folder)) for folder in misnamed.values()]


def _found(files: Any, top: str) -> Iterator[str]:
    """The names of all files below a place, each without the place; nothing where there is none.

    fsspec's own walk passes over what it fails to list. Stores that list a whole prefix at once have a `find` of their
    own, which does not.
    """
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]
    from fsspec.asyn import AsyncFileSystem  # type: ignore[import-untyped]

    # What was listed before may be remembered; files that came since would be missed.
    files.invalidate_cache()
    beginning = top.rstrip("/") + "/"
    kind = type(files)
    if kind.find is not AbstractFileSystem.find or getattr(kind, "_find", None) not in (None, AsyncFileSystem._find):
        try:
            listed = files.find(top)
        except FileNotFoundError:
            return
        yield from (name.removeprefix(beginning) for name in listed if _below(name, beginning))
        return
    folders = [top]
    while folders:
        try:
            entries = files.ls(folders.pop(), detail=True)
        except FileNotFoundError:
            continue
        for entry in entries:
            name = str(entry["name"])
            if not _below(name.rstrip("/") + "/", beginning) or name.rstrip("/") == top.rstrip("/"):
                continue
            if entry["type"] == "directory":
                folders.append(name)
            elif _below(name, beginning):
                yield name.removeprefix(beginning)


def _below(name: str, beginning: str) -> bool:
    return name.startswith(beginning) and name != beginning and not name.endswith("//")
