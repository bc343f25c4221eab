"""The landing index: which files there are, which days they touch, and which of them cannot be used.

A file is scanned once; what was found is kept under its content's hash. A file that cannot be used blocks the
day of its `day=D` folder, or every day when it stands outside of one, until it is replaced or removed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.store import canonical, create_exclusively, sha256, sha256_of_file
from causalrec_assets.home import Home
from causalrec_assets.logs.reading import UTC_TIME, map_columns, read_landed
from causalrec_assets.logs.sources import Source

EMPTY_DAY = "_EMPTY"
UNFINISHED = (".part", ".tmp")
SCAN = "2"
"""Goes into the cache's keys; raise it when a scan finds something else in the same content."""


@dataclass(frozen=True)
class LandedFile:
    """A usable file.

    Attributes:
        own_day: The day of its `day=D` folder.
        rows_of_day: The source's days -> how many of the file's rows belong to each; see `days_of_rows`.
        outside: How many rows belong to no day of the source.
    """

    path: Path
    sha256: str
    own_day: date | None
    rows_of_day: Mapping[date, int]
    outside: int = 0

    @property
    def days(self) -> list[date]:
        return sorted(self.rows_of_day)


@dataclass(frozen=True)
class LandingIndex:
    """All files of the events folder.

    Attributes:
        problems: (day or None for every day, message) of each file that cannot be used.
        empty_days: Days that are declared to have no events.
        sent_again: Files whose content another file has, by whose name they come; they are not read.
    """

    root: Path
    files: tuple[LandedFile, ...]
    problems: tuple[tuple[date | None, str], ...]
    empty_days: frozenset[date] = frozenset()
    sent_again: tuple[Path, ...] = ()

    @cached_property
    def by_day(self) -> dict[date, list[LandedFile]]:
        """The files with rows of each day, in the order of their names."""
        found: dict[date, list[LandedFile]] = defaultdict(list)
        for file in self.files:
            for day in file.rows_of_day:
                found[day].append(file)
        return dict(found)

    @property
    def days(self) -> list[date]:
        """The days for which anything was landed, ascending."""
        return sorted(self.by_day.keys() | self.empty_days)

    @property
    def newest_day(self) -> date | None:
        return self.days[-1] if self.days else None

    def files_of(self, day: date) -> list[LandedFile]:
        """The files with rows of a day, in the order of their names.

        Raises:
            InputError: A file that concerns the day cannot be used, or nothing was landed for it.
        """
        if problems := self.problems_of(day):
            raise InputError(" ".join(problems))
        found = self.by_day.get(day, [])
        if not found and day not in self.empty_days:
            raise InputError(
                f"{self.root}: nothing has been landed for {day}. Land its events, or, if nothing happened, "
                f"an empty file `day={day}/{EMPTY_DAY}`."
            )
        return found

    def fingerprint(self, day: date) -> str:
        """Changes when the files that concern a day change."""
        hashes = sorted(file.sha256 for file in self.by_day.get(day, []))
        return sha256(canonical([hashes, day in self.empty_days, self.problems_of(day)]))

    def problems_of(self, day: date) -> list[str]:
        """What is wrong with files that concern a day."""
        return [message for where, message in self.problems if where in (None, day)]


def landing_index(home: Home, source: Source) -> LandingIndex:
    """The landing index of a home."""
    return index_landing(home.landing, source, home.work / "landing_index")


def index_landing(landing: Path, source: Source, cache: Path) -> LandingIndex:
    """Scan the events folder.

    Args:
        landing: The landing zone.
        cache: A folder for what was found in each file, keyed by its content; safe to delete.
    """
    root = landing / source.events_folder
    files: list[LandedFile] = []
    problems: list[tuple[date | None, str]] = []
    empty: set[date] = set()
    for path in landed_files(root):
        own_day = None
        try:
            own_day = folder_day(path, root)
            file = _scan(path, own_day, source, cache)
        except InputError as error:
            problems.append((own_day, str(error)))
            continue
        files.append(file)
        if own_day is not None and not file.rows_of_day and not file.outside:
            empty.add(own_day)
    for marker in root.rglob(EMPTY_DAY):
        try:
            if (day := folder_day(marker, root)) is not None:
                empty.add(day)
        except InputError as error:
            problems.append((None, str(error)))
    files, again = _each_content_once(files)
    covered = frozenset(day for day in empty if source.covers(day))
    return LandingIndex(root, tuple(files), tuple(problems), covered, tuple(again))


def _each_content_once(files: Iterable[LandedFile]) -> tuple[list[LandedFile], list[Path]]:
    """A file that was sent again under another name holds the same events: the first by name is read, and no other."""
    first: dict[str, LandedFile] = {}
    again = []
    for file in files:
        if file.sha256 in first and file.rows_of_day:
            again.append(file.path)
        else:
            first.setdefault(file.sha256, file)
    return list(first.values()), again


def days_of_rows(times: pl.Series, own_day: date | None, source: Source) -> pl.Series:
    """The day that each row of a file belongs to, so that every row is counted on exactly one day.

    A row belongs to the day of its time, in UTC. One without a time, or with a time outside of the source's
    days, belongs to its file's own day, else to the first of the file's days (and will be set aside there).

    Returns:
        Dates; null where the source has no such day.
    """
    days = times.dt.date()
    inside = (days >= source.first_day).fill_null(False)
    if source.last_day is not None:
        inside &= (days <= source.last_day).fill_null(False)
    days = days.set(~inside, None)
    home = own_day if own_day is not None and source.covers(own_day) else days.min()
    return days if home is None else days.fill_null(pl.Series([home]))


def landed_files(root: Path) -> list[Path]:
    """The files below a folder, by name; hidden, marker (`_NAME`) and unfinished files are passed over."""
    if not root.exists():
        return []
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in UNFINISHED
        and not any(part.startswith((".", "_")) for part in path.relative_to(root).parts)
    )


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
                message = f"{path}: the folder `{part}` must be `day=YYYY-MM-DD`; rename it"
                raise InputError(message) from None
    return None


def dated_files(root: Path) -> list[tuple[date, Path]]:
    """A snapshot's files with the day from which on each counts: those outside of a `day=D` folder first."""
    return sorted((folder_day(path, root) or date.min, path) for path in landed_files(root))


def snapshot_files(root: Path, day: date) -> list[Path]:
    """The files of a snapshot as of a day, the later ones last."""
    return [path for when, path in dated_files(root) if when <= day]


def fingerprint_of(paths: Iterable[Path]) -> str:
    """Changes when the content, the number or the order of the files changes."""
    return sha256(canonical([_hash_of(path) for path in paths]))


def _hash_of(path: Path) -> str:
    try:
        stat = path.stat()
        return _content_hash(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror}. Make it readable, or remove it."
        raise InputError(message) from error


@lru_cache(maxsize=100_000)
def _content_hash(path: Path, size: int, modified_ns: int) -> str:
    # Size and time of change are not used: they are the cache's key, so that a file is hashed once a process.
    return sha256_of_file(path)


@lru_cache(maxsize=100_000)
def _kept(entry: Path) -> dict[str, Any]:
    # Named by what it is about, so it never changes.
    return dict(json.loads(entry.read_text()))


def _scan(path: Path, own_day: date | None, source: Source, cache: Path) -> LandedFile:
    """What is in a file, from the cache or by reading it."""
    content = _hash_of(path)
    means = [dict(source.columns), source.time_zone, source.first_day, source.last_day]
    key = [SCAN, path.suffix, content, own_day, means]
    kept = cache / f"{sha256(canonical(key))}.json"
    if kept.exists():
        found = _kept(kept)
        rows_of_day = {date.fromisoformat(day): int(rows) for day, rows in found["rows_of_day"].items()}
        return LandedFile(path, content, own_day, rows_of_day, int(found["outside"]))
    raw = read_landed(path)
    # Every mapped column is looked for here, so that a file that lacks one is refused whole.
    needed = source.columns if raw.height else {}
    times = map_columns(raw, needed, {"time": UTC_TIME}, source.time_zone, path)["time"]
    days = days_of_rows(times, own_day, source)
    if days.null_count() and times.null_count() == len(times):
        raise InputError(
            f"{path}: no row has a time, and the file stands in no `day=YYYY-MM-DD` folder of the source's "
            "days; its day cannot be known. Land it in the folder of its day, or remove it."
        )
    counts = Counter(days.drop_nulls().to_list())
    rows_by_name = {day.isoformat(): rows for day, rows in counts.items()}
    found = {"rows_of_day": rows_by_name, "outside": days.null_count()}
    # Where another process has scanned the same content meanwhile, its entry is the same.
    with suppress(FileExistsError):
        create_exclusively(kept, canonical(found))
    return LandedFile(path, content, own_day, dict(counts), days.null_count())
