"""The landing zone at one moment: what each day's log assets would be made from, and what is still arriving."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from causalrec.answers import InputError
from causalrec.hashing import canonical, sha256
from causalrec.home import Home
from causalrec.logs.landing.day_assignment import Placing
from causalrec.logs.landing.fewer import numbers_of
from causalrec.logs.landing.files import (
    dated,
    feed_folder,
    hash_of,
    landing_root,
    problems_until,
)
from causalrec.logs.landing.index import FEWER, LandedFile, LandingIndex, index_landing
from causalrec.logs.reading.listing import Listing, folder_day, is_remote, list_folder
from causalrec.settings.file import read_setting
from causalrec.settings.logs.cleaning import FILE as CLEANING
from causalrec.settings.logs.cleaning import CleaningRules, parse_cleaning
from causalrec.settings.logs.feeds import Feed
from causalrec.settings.logs.sources import Source, parse_source


@dataclass(frozen=True)
class LandedDay:
    """The files that a day's clean events are made from.

    Attributes:
        files: With rows of the day.
        before: With rows of the days of the duplicate look-back.
        near: With rows of the days whose events an outcome of these days may belong to.
        outcomes: Stream -> its files with rows of the day, or of the days in which its events' outcomes come.
        immature: Outcomes that are not final yet.
    """

    day: date
    placing: Placing
    files: tuple[LandedFile, ...]
    before: tuple[LandedFile, ...] = ()
    near: tuple[LandedFile, ...] = ()
    outcomes: Mapping[str, tuple[LandedFile, ...]] = field(default_factory=dict)
    immature: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LandingZone:
    """All landed files of a home."""

    home: Home
    source: Source
    rules: CleaningRules
    root: Path

    @classmethod
    def of(cls, home: Home) -> LandingZone:
        source = parse_source(read_setting(home, "sources.yaml"))
        own = [name for name, kind in source.kinds.items() if kind == "number"]
        return cls(home, source, parse_cleaning(read_setting(home, CLEANING), own), landing_root(home, source))

    @cached_property
    def placing(self) -> Placing:
        return Placing.of(self.source, self.rules)

    @cached_property
    def events(self) -> LandingIndex:
        return self._index(self.source.events)

    @cached_property
    def streams(self) -> dict[str, LandingIndex]:
        """The landing index of each stream of outcomes."""
        return {stream.name: self._index(stream.feed) for stream in self.source.streams}

    @property
    def indexes(self) -> list[LandingIndex]:
        """Of the events, then of the streams."""
        return [self.events, *self.streams.values()]

    def _index(self, feed: Feed) -> LandingIndex:
        cache = self.home.work / "landing_index"
        return index_landing(self.root, self.source, cache, feed, self.rules, self.placing)

    # -- a day's events ----------------------------------------------------------------------------------------------

    def landed_day(self, day: date) -> LandedDay:
        """What a day's clean events are made from.

        Raises:
            InputError: A file that concerns the day cannot be used, or nothing was landed for it.
        """
        files = self.events.files_of(day)
        self._refuse_problems(day)
        reach = timedelta(days=self.source.attribution_days)
        near = self._between(self.events, day - reach, day + reach) if self.streams else []
        outcomes = {
            stream.name: tuple(self._between(self.streams[stream.name], day, day + timedelta(days=stream.window_days)))
            for stream in self.source.streams
        }
        before = self._between(self.events, day - timedelta(days=self._look_back), day - timedelta(days=1))
        return LandedDay(
            day, self.placing, tuple(files), tuple(before), tuple(near), outcomes, frozenset(self.immature(day))
        )

    def _refuse_problems(self, day: date) -> None:
        """Raises InputError: a file of a day around cannot be used, so that nobody knows what was sent again, or whose
        an outcome is."""
        reach = self.source.attribution_days
        around = range(-max(self._look_back, reach), reach + 1)
        for near in (day + timedelta(days=k) for k in around):
            indexes = [self.events] if near != day else []
            indexes += list(self.streams.values()) if near >= day else []
            if messages := [message for index in indexes for where, message in index.problems if where == near]:
                raise InputError(f"{day} is cleaned beside the rows of {near}. {' '.join(messages)}")
        if messages := [
            message for index in self.streams.values() for where, message in index.problems if where is None
        ]:
            raise InputError(f"Outcomes of {day} may be missing. {' '.join(messages)}")

    def touched(self, day: date) -> list[date]:
        """The days whose clean events can change when a file with rows of a day comes."""
        reach = self.source.attribution_days
        return [day + timedelta(days=k) for k in range(-reach, max(self._look_back, reach) + 1)]

    @property
    def _look_back(self) -> int:
        """Without an id, an event that was sent again has the same content, so the same day."""
        return self.rules.duplicates.look_back_days if "event_id" in self.source.columns else 0

    @staticmethod
    def _between(index: LandingIndex, first: date, last: date) -> list[LandedFile]:
        wanted = {first + timedelta(days=k) for k in range((last - first).days + 1)}
        return [file for file in index.files if wanted & file.rows_of_day.keys()]

    def immature(self, day: date) -> list[str]:
        """The outcomes of a day that are not final: days are still to come in which they happen or are landed."""
        newest, outcomes = self.newest_day, []
        for outcome, days in self.source.maturity_days.items():
            last = day + timedelta(days=days)
            if days and (newest is None or newest < last):
                outcomes.append(outcome)
        for stream in self.source.streams:
            landed = set(self.streams[stream.name].days)
            needed = (day + timedelta(days=k) for k in range(stream.window_days + 1))
            if self.source.sparse:
                # A day without a file and a file to come look alike: what is later than all files is to come.
                last = max((*landed, *self.events.days), default=date.min)
                needed = (each for each in needed if each > last)
            if any(each not in landed for each in needed if self.source.covers(each)):
                outcomes += [outcome for outcome in stream.gives if outcome not in outcomes]
        return outcomes

    # -- what has changed, what is new -------------------------------------------------------------------------------

    def fingerprint(self, what: str, day: date) -> str:
        """The hash of the landed files that `events`, `items` or `users` of a day would be made from now."""
        if what != "events":
            snapshot = self.items if what == "items" else self.users
            return "none" if snapshot is None else snapshot.fingerprint(day)
        own = self.events.fingerprint(day)
        back = self.events.hashes(day - timedelta(days=self._look_back), day - timedelta(days=1))
        if not back and not self.streams and not self.immature(day):
            return own
        reach = timedelta(days=self.source.attribution_days)
        near = self.events.hashes(day - reach, day + reach) if self.streams else []
        outcomes = [index.hashes(day, day + reach) for index in self.streams.values()]
        problems = [index.problems_of(day) for index in self.streams.values()]
        return sha256(canonical([own, back, near, outcomes, problems, sorted(self.immature(day))]))

    @cached_property
    def items(self) -> SnapshotFiles | None:
        return self._snapshot(self.source.items)

    @cached_property
    def users(self) -> SnapshotFiles | None:
        return self._snapshot(self.source.users)

    def _snapshot(self, feed: Feed | None) -> SnapshotFiles | None:
        return SnapshotFiles.of(self.root, feed.folder) if feed else None

    @property
    def everywhere(self) -> list[str]:
        """What keeps every day from being cleaned: files that may hold rows of any day, and cannot be used."""
        return [message for index in self.indexes for day, message in index.problems if day is None]

    @property
    def passed_over(self) -> list[str]:
        """What lies in the feeds' folders and is nobody's rows, in words."""
        messages = [message for index in self.indexes for message in index.passed_over]
        return messages + [message for files in (self.items, self.users) if files for message in files.passed_over]

    @cached_property
    def newest_day(self) -> date | None:
        """The last day for which anything was landed and that is over: today's files may still come."""
        today = datetime.now(UTC).date()
        return next((day for day in reversed(self.events.days) if day < today), None)

    @property
    def span(self) -> list[date]:
        """Every day from the first to the last that was landed and is over, be its files usable or not: a day for which
        nothing was landed is not passed over (unless the source is sparse), and what is wrong with the last is said."""
        today = datetime.now(UTC).date()
        days = [day for day in self._days if day < today]
        if self.source.sparse:
            return days
        return [days[0] + timedelta(days=k) for k in range((days[-1] - days[0]).days + 1)] if days else []

    @cached_property
    def _days(self) -> list[date]:
        """The days for which anything was landed, usable or not, ascending."""
        wrong = {day for day, _ in self.events.problems if day is not None and self.source.covers(day)}
        return sorted({*self.events.days, *wrong})

    def needs_partition(self, day: date, published: Collection[date] = ()) -> bool:
        """Whether a day has log tables: each day of the source has, but those of a sparse one for which nothing came.

        Args:
            published: Days of `clean_events` in the lake: a day whose files were removed again is not forgotten.
        """
        return not self.source.sparse or day in self._days or day in published

    def day_before(self, day: date, published: Collection[date] = ()) -> date | None:
        """The day whose `history` a day's carries on: the one before; of a sparse source the last one that has tables.

        Args:
            published: As for `needs_partition`.

        Returns:
            None: the day is the source's first, and carries nothing on.
        """
        if not self.source.sparse:
            return day - timedelta(days=1) if day > self.source.first_day else None
        known = {*self._days, *published}
        return max((earlier for earlier in known if self.source.first_day <= earlier < day), default=None)

    def arriving(self, settle_seconds: float) -> list[tuple[Path, date | None]]:
        """Files that were written to during the last seconds, and may not be whole yet.

        A file in an object store is there whole or not at all.

        Returns:
            Each with the day of its `day=D` folder; None where its days cannot be told yet.
        """
        if is_remote(self.root):
            return []
        now, unsettled = time.time(), []
        for folder in sorted(set(self.source.folders.values())):
            try:
                root = feed_folder(self.root, folder)
            except InputError:
                continue  # The index says it.
            for path in list_folder(root).files:
                try:
                    # The inode's own time of change: a copy may be given the original's time at its end, or one to
                    # come, and this one cannot be given. One that is far ahead is of a clock that was put back.
                    age = now - path.lstat().st_ctime
                except FileNotFoundError:
                    continue
                if abs(age) < settle_seconds:
                    unsettled.append((path, folder_day(path, root)))
        return unsettled


@dataclass(frozen=True)
class SnapshotFiles:
    """The landed files of the catalogue, or of the users.

    Attributes:
        fewer: `rows` -> how many a person says are right although they are fewer than before.
    """

    root: Path
    listing: Listing
    fewer: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, landing: Path, folder: str) -> SnapshotFiles:
        try:
            root = feed_folder(landing, folder)
            listing = list_folder(root)
            return cls(root, listing, next((numbers_of(path) for path in listing.markers if path.name == FEWER), {}))
        except InputError as error:
            return cls(landing / folder, Listing(unlisted=[(None, str(error))]))

    @property
    def passed_over(self) -> list[str]:
        return self.listing.passed_over

    @property
    def everywhere(self) -> list[str]:
        """What keeps the rows of every day from being known."""
        return [message for day, message in self.listing.problems if day is None]

    def until(self, day: date) -> list[Path]:
        """The files as of a day, the later ones last.

        Raises:
            InputError: Something below the folder may hold rows and is not known.
        """
        if problems := problems_until(self.listing, day):
            raise InputError(" ".join(problems))
        return self._files(day)

    def fingerprint(self, day: date) -> str:
        """Changes when the files change that count on a day, or what is wrong with them."""
        problems, hashes = problems_until(self.listing, day), []
        for path in self._files(day):
            try:
                hashes.append(hash_of(path))
            except InputError as error:
                problems.append(str(error))
        if not problems and not self.fewer:
            return sha256(canonical(hashes))
        return sha256(canonical([hashes, problems, self.fewer]))

    def _files(self, day: date) -> list[Path]:
        return [path for when, path in dated(self.listing, self.root) if when <= day]
