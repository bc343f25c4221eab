"""The landing index: which files there are, which days they touch, and which of them cannot be used.

A file is scanned once; what was found is kept under its content's hash. A file that cannot be used blocks the day of its
`day=D` folder, or every day when it stands outside of one, until it is replaced or removed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.store import canonical, create_exclusively, sha256, sha256_of_file
from causalrec_assets.logs.reading import SUFFIXES, map_columns, read_landed
from causalrec_assets.logs.sources import Source

EMPTY_DAY = "_EMPTY"
TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class LandedFile:
    """A usable file and the days of its rows. Rows without a time belong to the file's own day."""

    path: Path
    sha256: str
    days: tuple[date, ...]
    own_day: date | None


@dataclass(frozen=True)
class LandingIndex:
    """All files of the events folder.

    Attributes:
        problems: (day or None for every day, message) of each file that cannot be used.
        empty_days: Days that are declared to have no events.
    """

    root: Path
    files: tuple[LandedFile, ...]
    problems: tuple[tuple[date | None, str], ...]
    empty_days: frozenset[date] = field(default_factory=frozenset)

    @property
    def days(self) -> list[date]:
        """The days for which anything was landed, ascending."""
        return sorted({day for file in self.files for day in file.days} | self.empty_days)

    @property
    def newest_day(self) -> date | None:
        return self.days[-1] if self.days else None

    def files_of(self, day: date) -> list[LandedFile]:
        """The files with rows of a day, in the order of their names.

        Raises:
            InputError: A file that concerns the day cannot be used, or nothing was landed for it.
        """
        if problems := [message for where, message in self.problems if where in (None, day)]:
            raise InputError(" ".join(problems))
        found = [file for file in self.files if day in file.days]
        if not found and day not in self.empty_days:
            raise InputError(
                f"{self.root}: nothing has been landed for {day}. Land its events, or, if nothing happened, an empty "
                f"file `day={day}/{EMPTY_DAY}`."
            )
        return found

    def fingerprint(self, day: date) -> str:
        """Changes when the files that concern a day change."""
        hashes = sorted(file.sha256 for file in self.files if day in file.days)
        return sha256(canonical([hashes, day in self.empty_days, [m for d, m in self.problems if d in (None, day)]]))


def index_landing(landing: Path, source: Source, cache: Path) -> LandingIndex:
    """Scan the events folder.

    Args:
        landing: The landing zone.
        cache: A folder for what was found in each file, keyed by its content; safe to delete.
    """
    root = landing / source.events_folder
    files: list[LandedFile] = []
    problems: list[tuple[date | None, str]] = []
    by_content: dict[str, list[LandedFile]] = defaultdict(list)
    for path in landed_files(root):
        own_day = folder_day(path, root)
        try:
            content = _content_hash(path, path.stat().st_size, path.stat().st_mtime_ns)
            file = LandedFile(path, content, _days(path, content, own_day, source, cache), own_day)
        except InputError as error:
            problems.append((own_day, str(error)))
            continue
        files.append(file)
        if file.days:
            by_content[content].append(file)
    for same in by_content.values():
        if len(same) > 1:
            names = " and ".join(str(file.path) for file in same)
            message = (
                f"{names} have the same content: the file was sent again under another name, and its events would count "
                "twice. Remove one of them."
            )
            problems.extend((day, message) for day in same[0].days)
    empty = {day for path in root.rglob(EMPTY_DAY) if (day := folder_day(path, root))}
    empty |= {file.own_day for file in files if file.own_day and not file.days}
    return LandingIndex(root, tuple(files), tuple(problems), frozenset(empty))


def landed_files(root: Path) -> list[Path]:
    """The files below a folder, without hidden ones and those still being written (`.part`, `.tmp`)."""
    if not root.exists():
        return []
    found = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))
    return sorted(path for path in found if path.suffix in SUFFIXES)


def folder_day(path: Path, root: Path) -> date | None:
    """The day of the `day=YYYY-MM-DD` folder that a file stands in.

    Raises:
        InputError: The folder's day is no date.
    """
    for part in path.relative_to(root).parts[:-1]:
        if part.startswith("day="):
            try:
                return date.fromisoformat(part.removeprefix("day="))
            except ValueError:
                raise InputError(f"{path}: the folder `{part}` must be `day=YYYY-MM-DD`") from None
    return None


def snapshot_files(root: Path, day: date) -> list[Path]:
    """The files of a snapshot as of a day: later folders win over earlier ones, files outside of one come first."""
    dated = [(folder_day(path, root) or date.min, path) for path in landed_files(root)]
    return [path for when, path in sorted(dated) if when <= day]


def fingerprint_of(paths: Iterable[Path]) -> str:
    return sha256(canonical([_content_hash(p, p.stat().st_size, p.stat().st_mtime_ns) for p in paths]))


@lru_cache(maxsize=100_000)
def _content_hash(path: Path, size: int, modified_ns: int) -> str:
    return sha256_of_file(path)


def _days(path: Path, content: str, own_day: date | None, source: Source, cache: Path) -> tuple[date, ...]:
    """The days of a file's rows, from the cache or by reading its time column."""
    key = sha256(canonical([content, str(own_day), source.columns, source.time_zone]))
    kept = cache / f"{key}.json"
    if kept.exists():
        return tuple(date.fromisoformat(day) for day in json.loads(kept.read_text()))
    raw = read_landed(path)
    # Every mapped column is looked for here, so that a file that lacks one is refused whole.
    needed = {ours: theirs for ours, theirs in source.columns.items() if raw.height}
    times = map_columns(raw, needed, {"time": TIME}, source.time_zone, path)["time"]
    days = set(times.dt.date().drop_nulls().unique().to_list())
    if times.null_count() and own_day:
        days.add(own_day)
    if times.null_count() and not days:
        raise InputError(f"{path}: no row has a time, and the file stands in no `day=` folder; its day cannot be known")
    try:
        create_exclusively(kept, canonical(sorted(day.isoformat() for day in days)))
    except FileExistsError:
        pass  # another process has scanned the same content: the entry is the same
    return tuple(sorted(days))
