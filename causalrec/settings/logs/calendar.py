"""Seasons and holidays: `data/calendar.yaml`, and which of them can differ between the days of a source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict
from causalrec.settings.logs.sources import Source

FILE = "calendar.yaml"


def _days(given: object) -> object:
    given = given or {}
    if not isinstance(given, Mapping):
        raise Conflict("", f"`{{place}}` must map dates to names, e.g. 2026-12-25: Christmas; got {given!r}")
    for day, name in given.items():
        if not isinstance(day, date) or isinstance(day, datetime):
            raise Conflict("", f"`{{place}}`: {day!r} is not a date such as 2026-12-25")
        if not isinstance(name, str) or not name.strip():
            raise Conflict("", f"`{{place}}`: {day} needs a name, e.g. {day}: Christmas; got {name!r}")
    return dict(given)


class Calendar(Settings):
    """The days that a person has marked.

    Attributes:
        holidays: Each with its name: `2026-12-25: Christmas`.
    """

    FILE = FILE

    holidays: Annotated[dict[date, str], BeforeValidator(_days)] = Field(default_factory=dict)


def parse_calendar(settings: Mapping[str, Any]) -> Calendar:
    """Read `data/calendar.yaml`.

    Raises:
        InputError: An unknown key, a key that is not a date, or a name that is not a text.
    """
    return Calendar.parse(settings)


def calendar_covariates(source: Source, calendar: Calendar) -> list[str]:
    """`month` and `holiday`, where they are not the same on all days of the source.

    A source that ends within one month has no season, and one without a marked day has no holiday.
    """
    first, last = source.first_day, source.last_day
    names = ["month"] if last is None or (first.year, first.month) != (last.year, last.month) else []
    marked = [day for day in calendar.holidays if source.covers(day)]
    if marked and (last is None or len(marked) <= (last - first).days):
        names.append("holiday")
    return names
