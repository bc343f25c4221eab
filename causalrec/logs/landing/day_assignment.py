"""Which day a landed row belongs to, so that every row is counted on exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import Source

NO_TIME = "no time"
OUTSIDE = "its time is outside of the source's days"
AHEAD = "its time is after the day that it was sent for"
LATE = "it was sent too long after its day"


@dataclass(frozen=True)
class Placing:
    """The days of a source, as far as they have come.

    Attributes:
        first, last: The source's days up to today: a row of tomorrow is no event yet.
        late_days, ahead_minutes: As in `CleaningRules`.
        time_zone: Of the source: a folder's day may be a day there, and not in UTC.
    """

    first: date
    last: date
    late_days: int
    ahead_minutes: int
    time_zone: str

    @classmethod
    def of(cls, source: Source, rules: CleaningRules, today: date | None = None) -> Placing:
        today = today or datetime.now(UTC).date()
        last = today if source.last_day is None else min(source.last_day, today)
        return cls(source.first_day, last, rules.late.days, rules.ahead.minutes, source.time_zone)

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last

    def reasons(self, times: pl.Series, own_day: date | None) -> pl.Series:
        """Why a row is not of the day of its time, in words; null where it is.

        Args:
            times: The rows' times, UTC.
            own_day: The day of the file's `day=D` folder.
        """
        if self._all_in_place(times, own_day):
            return pl.Series("reason", [None], pl.String).new_from_index(0, len(times))
        days, checks = times.dt.date(), [(times.is_null(), NO_TIME)]
        checks.append((~days.is_between(self.first, self.last), OUTSIDE))
        if own_day is not None:
            if own_day < date.max - timedelta(days=2):
                checks.append((times >= self._end(own_day) + timedelta(minutes=self.ahead_minutes), AHEAD))
            if (own_day - date.min).days > self.late_days:
                checks.append((days < own_day - timedelta(days=self.late_days), LATE))
        why = pl.lit(None, pl.String)
        for broken, reason in reversed(checks):
            why = pl.when(broken).then(pl.lit(reason)).otherwise(why)
        return pl.select(why.alias("reason")).to_series()

    def _all_in_place(self, times: pl.Series, own_day: date | None) -> bool:
        """Whether the first and the last time are in place, and so all between: the usual case, and cheap to see."""
        if times.null_count() or not len(times):
            return not len(times)
        first, last = times.min(), times.max()
        assert isinstance(first, datetime) and isinstance(last, datetime)
        usual = first.date() >= self.first and last.date() <= self.last
        return usual and (own_day is None or first.date() == last.date() == own_day)

    def _end(self, day: date) -> datetime:
        """The end of a day, in UTC or in the source's time zone, whichever is later."""
        after = day + timedelta(days=1)
        ends = (datetime(after.year, after.month, after.day, tzinfo=zone) for zone in (UTC, ZoneInfo(self.time_zone)))
        return max(ends).astimezone(UTC)

    def days(self, times: pl.Series, reasons: pl.Series, home: date | None) -> pl.Series:
        """The day of each row: that of its time, else the file's home; null where there is none.

        Args:
            home: As `home` finds it.
        """
        days = times.dt.date()
        if reasons.null_count() < len(reasons):
            days = days.set(reasons.is_not_null(), None)
        return days if home is None else days.fill_null(pl.Series([home]))

    def home(self, own_day: date | None, days: list[date]) -> date | None:
        """Where a file's rows belong that have no day of their own: its folder's day, else its first."""
        if own_day is not None and self.covers(own_day):
            return own_day
        return min((day for day in days if self.covers(day)), default=None)
