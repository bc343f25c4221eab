"""The landing zone at one moment: what each day's log assets would be made from, and what is still arriving."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from causalrec_assets.gate.inputs import read_setting
from causalrec_assets.home import Home
from causalrec_assets.logs.landing import (
    LandingIndex,
    dated_files,
    fingerprint_of,
    folder_day,
    landed_files,
    landing_index,
)
from causalrec_assets.logs.sources import Source, parse_source


@dataclass(frozen=True)
class LandingZone:
    """All landed files of a home."""

    home: Home
    source: Source

    @classmethod
    def of(cls, home: Home) -> LandingZone:
        return cls(home, parse_source(read_setting(home, "sources.yaml")))

    @cached_property
    def events(self) -> LandingIndex:
        return landing_index(self.home, self.source)

    def fingerprint(self, what: str, day: date) -> str:
        """The hash of the landed files that `events`, `items` or `users` of a day would be made from now."""
        if what == "events":
            return self.events.fingerprint(day)
        files = self._items if what == "items" else self._users
        return "none" if files is None else fingerprint_of(path for when, path in files if when <= day)

    @cached_property
    def _items(self) -> list[tuple[date, Path]] | None:
        return self._dated(self.source.items_folder)

    @cached_property
    def _users(self) -> list[tuple[date, Path]] | None:
        return self._dated(self.source.users_folder)

    def _dated(self, folder: str | None) -> list[tuple[date, Path]] | None:
        return dated_files(self.home.landing / folder) if folder else None

    @property
    def newest_day(self) -> date | None:
        """The last day for which anything was landed and that is over: today's files may still come."""
        today = datetime.now(UTC).date()
        return next((day for day in reversed(self.events.days) if day < today), None)

    @property
    def span(self) -> list[date]:
        """Every day from the first to the last that was landed and is over, be its files usable or not: a day for which
        nothing was landed is not passed over, and what is wrong with the last day is said."""
        today = datetime.now(UTC).date()
        wrong = {day for day, _ in self.events.problems if day is not None and self.source.covers(day)}
        days = sorted(day for day in {*self.events.days, *wrong} if day < today)
        return [days[0] + timedelta(days=k) for k in range((days[-1] - days[0]).days + 1)] if days else []

    def arriving(self, settle_seconds: float) -> list[tuple[Path, date | None]]:
        """Files that were written to during the last seconds, and may not be whole yet.

        Returns:
            Each with the day of its `day=D` folder; None where its days cannot be told yet.
        """
        now, found = time.time(), []
        folders = {self.source.events_folder, self.source.items_folder, self.source.users_folder} - {None}
        for folder in sorted(str(name) for name in folders):
            root = self.home.landing / folder
            for path in landed_files(root):
                # A copy may be given the original's time of change at its end; the inode's own time cannot be given.
                stat = path.stat()
                if now - max(stat.st_mtime, stat.st_ctime) < settle_seconds:
                    found.append((path, folder_day(path, root)))
        return found
