"""The landing index of a feed: which files there are, which days they touch, and which of them cannot be used.

A file is scanned once; what was found is kept under its content's hash. A file that cannot be used blocks the
day of its `day=D` folder, or every day when it stands outside of one, until it is replaced or removed. What is no data
file at all blocks the day of its folder, and outside of one nothing. Only a marker declares a day empty.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from causalrec.answers import InputError
from causalrec.durable import create_exclusively
from causalrec.hashing import canonical, sha256
from causalrec.logs.landing.day_assignment import Placing
from causalrec.logs.landing.fewer import numbers_of
from causalrec.logs.landing.files import feed_folder, hash_of, stamp_of
from causalrec.logs.landing.first_look import BIN_MINUTES, look_into
from causalrec.logs.reading.casting import lacks_columns
from causalrec.logs.reading.listing import Listing, folder_day, list_folder
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Feed
from causalrec.settings.logs.sources import Source

EMPTY_DAY = "_EMPTY"
"""The marker of a day on which nothing happened."""
FEWER = "_FEWER"
"""The marker of a day that may be built from fewer rows than before; see `fewer`."""
SCAN = "5"
"""Goes into the cache's keys; raise it when a scan finds something else in the same content."""


@dataclass(frozen=True)
class LandedFile:
    """A usable file.

    Attributes:
        own_day: The day of its `day=D` folder.
        home: The day of its rows that have none of their own.
        rows_of_day: The source's days -> how many of the file's rows belong to each; see `Placing`.
        outside: How many rows belong to no day of the source.
        bins: Day -> bin of `BIN_MINUTES` -> rows of that time, those without a usable time left out.
        columns: The file's own columns with their types, as it has them.
        stamp: Of the moment at which it was indexed; a file that has another one was written to since.
    """

    path: Path
    sha256: str
    own_day: date | None
    home: date | None
    rows_of_day: Mapping[date, int]
    outside: int = 0
    bins: Mapping[date, Mapping[int, int]] = field(default_factory=dict, repr=False)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)
    stamp: tuple[object, ...] = field(default=(), compare=False, repr=False)

    @property
    def days(self) -> list[date]:
        return sorted(self.rows_of_day)

    @property
    def in_place(self) -> int:
        """How many rows belong to the day of their own time."""
        return sum(sum(counts.values()) for counts in self.bins.values())

    def require_unchanged(self) -> None:
        """Raises InputError: the file was written to since it was indexed."""
        if self.stamp and stamp_of(self.path) != self.stamp:
            raise InputError(
                f"{self.path} changed while it was read: it is still being written, or was replaced. Land it under "
                "a name that ends in .part and rename it when it is whole; then run this day again."
            )


@dataclass(frozen=True)
class LandingIndex:
    """All files of a feed.

    Attributes:
        problems: (day or None for every day, message) of each file that cannot be used.
        empty_days: Days that are declared to have no rows.
        sent_again: Files whose content another file has, by whose name they come; they are not read.
        passed_over: What lies there and is nobody's rows, or contradicts itself, in words.
        fewer: Day -> what a person says is right although it is fewer than before: `rows`, or an outcome -> how many.
    """

    root: Path
    files: tuple[LandedFile, ...]
    problems: tuple[tuple[date | None, str], ...]
    empty_days: frozenset[date] = frozenset()
    sent_again: tuple[Path, ...] = ()
    passed_over: tuple[str, ...] = ()
    fewer: Mapping[date, Mapping[str, int]] = field(default_factory=dict)

    @cached_property
    def by_day(self) -> dict[date, list[LandedFile]]:
        """The files with rows of each day, in the order of their names."""
        files_by_day: dict[date, list[LandedFile]] = defaultdict(list)
        for file in self.files:
            for day in file.rows_of_day:
                files_by_day[day].append(file)
        return dict(files_by_day)

    @cached_property
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
        files = self.by_day.get(day, [])
        if not files and day not in self.empty_days:
            raise InputError(
                f"{self.root}: nothing has been landed for {day}. Land its events, or, if nothing happened, "
                f"an empty file `day={day}/{EMPTY_DAY}`."
            )
        return files

    def hashes(self, first: date, last: date) -> list[str]:
        """Of the content of all files with rows of some days."""
        days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
        return sorted({file.sha256 for day in days for file in self.by_day.get(day, [])})

    def fingerprint(self, day: date) -> str:
        """Changes when the files that concern a day change."""
        hashed: list[object] = [self.hashes(day, day), day in self.empty_days, self.problems_of(day)]
        if day in self.fewer:
            hashed.append(self.fewer[day])
        return sha256(canonical(hashed))

    def problems_of(self, day: date) -> list[str]:
        """What is wrong with files that concern a day."""
        return [message for where, message in self.problems if where in (None, day)]


def index_landing(
    landing: Path,
    source: Source,
    cache: Path,
    feed: Feed | None = None,
    rules: CleaningRules | None = None,
    placing: Placing | None = None,
) -> LandingIndex:
    """Scan a feed's folder.

    Args:
        landing: The landing zone.
        cache: A folder for what was found in each file, keyed by its content; safe to delete.
        feed: The events, unless another is named.
        rules: The default ones, unless others are given.
        placing: The source's days up to today, unless it is given.
    """
    feed, rules = feed or source.events, rules or CleaningRules()
    placing = placing or Placing.of(source, rules)
    try:
        root = feed_folder(landing, feed.folder)
    except InputError as error:
        return LandingIndex(landing / feed.folder, (), ((None, str(error)),))
    listing = list_folder(root)
    files: list[LandedFile] = []
    problems, passed_over = listing.problems, listing.passed_over
    for path in listing.files:
        own_day = folder_day(path, root)
        try:
            files.append(_scan(path, own_day, source, feed, rules, placing, cache))
        except InputError as error:
            problems.append((own_day, str(error)))
    files = list(_with_all_columns(files, feed, problems))
    marked = _marked(listing, root, problems, passed_over)
    passed_over += _contradicting(files, marked.empty, root)
    if feed != source.events:
        # A day without orders is no rare thing, and a table with its columns and no row says so; one that was landed
        # over orders is noticed by the outcomes that it takes away.
        marked.empty |= {file.own_day for file in files if file.own_day and file.columns and not _has_rows(file)}
    nothing_said = _without_rows(files, marked.empty, {day for day, _ in problems})
    problems += [(day, message) for day, message in nothing_said if day is not None]
    passed_over += [message for day, message in nothing_said if day is None]
    files, again = _each_content_once(files)
    covered = frozenset(day for day in marked.empty if source.covers(day))
    return LandingIndex(
        root, tuple(files), tuple(problems), covered, tuple(again), tuple(passed_over), dict(marked.fewer)
    )


@dataclass
class _Marked:
    """What markers say of days."""

    empty: set[date] = field(default_factory=set)
    fewer: dict[date, Mapping[str, int]] = field(default_factory=dict)


def _marked(listing: Listing, root: Path, problems: list[tuple[date | None, str]], passed_over: list[str]) -> _Marked:
    marked = _Marked()
    for path in listing.markers:
        if path.name not in (EMPTY_DAY, FEWER):
            continue
        day = folder_day(path, root)
        if day is None:
            passed_over.append(f"{path} stands in no `day=YYYY-MM-DD` folder, so it says nothing of any day: move it.")
        elif path.name == EMPTY_DAY:
            marked.empty.add(day)
        else:
            try:
                marked.fewer[day] = numbers_of(path)
            except InputError as error:
                problems.append((day, str(error)))
    return marked


def _without_rows(
    files: Iterable[LandedFile], declared: Container[date], known: Container[date | None]
) -> list[tuple[date | None, str]]:
    """Files without rows declare nothing: an export that failed looks the same as a day on which nothing happened."""
    folders: dict[date | None, list[LandedFile]] = defaultdict(list)
    for file in files:
        folders[file.own_day].append(file)
    messages: list[tuple[date | None, str]] = []
    for day, inside in folders.items():
        empty = [file.path for file in inside if not _has_rows(file)]
        if day is None:
            messages += [
                (None, f"{path} has no row and is passed over. Land it whole, or remove it.") for path in empty
            ]
        elif len(empty) == len(inside) and day not in declared and day not in known:
            names = ", ".join(str(path) for path in empty[:3]) + (", ..." if len(empty) > 3 else "")
            messages.append(
                (
                    day,
                    f"{names}: no file of {day} has a row. Land them whole; or, if nothing happened on that day, say "
                    f"so by an empty file `{EMPTY_DAY}` beside them.",
                )
            )
    return messages


def _has_rows(file: LandedFile) -> bool:
    return bool(file.rows_of_day or file.outside)


def _contradicting(files: Iterable[LandedFile], declared: Iterable[date], root: Path) -> list[str]:
    landed = {file.own_day for file in files if file.rows_of_day}
    return [
        f"{root / f'day={day}' / EMPTY_DAY} says that {day} is empty, and files beside it have rows. The rows count: "
        "remove the marker, or the files."
        for day in sorted(set(declared) & landed)
    ]


def _with_all_columns(
    files: Sequence[LandedFile], feed: Feed, problems: list[tuple[date | None, str]]
) -> Iterator[LandedFile]:
    """JSON Lines leave out what is null, so a quiet hour's file lacks a column; one that no file has is misspelled."""
    somewhere = {name for file in files for name in file.columns}
    for file in files:
        if file.columns:
            try:
                lacks_columns(file.columns, feed, file.path, elsewhere=somewhere)
            except InputError as error:
                problems.append((file.own_day, str(error)))
                continue
        yield file


def _each_content_once(files: Iterable[LandedFile]) -> tuple[list[LandedFile], list[Path]]:
    """A file that was sent again under another name holds the same events: one is read, and no other.

    It is the one with the most rows in place (a copy in an earlier day's folder holds what is ahead of that day), then
    the first by name.
    """
    files = list(files)
    chosen: dict[str, LandedFile] = {}
    for file in sorted(files, key=lambda file: -file.in_place):
        chosen.setdefault(file.sha256, file)
    again = [file.path for file in files if chosen[file.sha256] is not file and file.rows_of_day]
    return [file for file in files if chosen[file.sha256] is file], again


def _scan(
    path: Path, own_day: date | None, source: Source, feed: Feed, rules: CleaningRules, placing: Placing, cache: Path
) -> LandedFile:
    """What is in a file, from the cache or by reading it."""
    content = hash_of(path)
    stamp = stamp_of(path)
    means = [
        dict(feed.columns),
        feed.codes.get("time"),
        feed.time_format,
        feed.missing,
        source.time_zone,
        feed.csv.model_dump(),
    ]
    days = [own_day, source.first_day, source.last_day, placing.late_days, placing.ahead_minutes]
    kept = cache / f"{sha256(canonical([SCAN, BIN_MINUTES, path.suffixes, content, means, days]))}.json"
    if not kept.exists():
        counted = look_into(path, own_day, source, feed, rules, placing, deaths=cache)
        # Where another process has scanned the same content meanwhile, its entry is the same.
        with suppress(FileExistsError):
            create_exclusively(kept, canonical(counted))
    scan = _kept(kept)
    bins = {date.fromisoformat(day): {int(k): int(n) for k, n in b.items()} for day, b in scan["bins"].items()}
    # What is of a day that has not come yet has no day: the cache does not know what day it is.
    come = {day: counts for day, counts in bins.items() if placing.covers(day)}
    early = sum(sum(counts.values()) for day, counts in bins.items() if day not in come)
    homeless, home = int(scan["homeless"]) + early, placing.home(own_day, list(come))
    rows = Counter({day: sum(counts.values()) for day, counts in come.items()})
    if home is not None and homeless:
        rows[home] += homeless
    if home is None and scan["timeless"] and not scan["timed"]:
        raise InputError(
            f"{path}: no row has a time, and the file stands in no `day=YYYY-MM-DD` folder of the source's "
            "days; its day cannot be known. Land it in the folder of its day, or remove it."
        )
    outside = 0 if home is not None else homeless
    return LandedFile(path, content, own_day, home, dict(rows), outside, come, scan["columns"], stamp)


@lru_cache(maxsize=100_000)
def _kept(entry: Path) -> dict[str, Any]:
    # Named by what it is about, so it never changes.
    return dict(json.loads(entry.read_text()))
