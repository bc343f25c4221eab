"""Times and dates as files write them.

An offset in the text always says what the time is; the source's time zone is of those alone that carry none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")
EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}
LAST_MICROSECOND = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z: no calendar here goes further."""
HOURS = ("H", "k", "I", "l", "T", "R", "X", "c", "r", "+", "s")
"""Parts of a format that say the hour."""
TOKEN = re.compile(r"%(?:[-_0]?[A-Za-z]|[.]?\d?f|:{1,3}z|#z|[+%])")
OFFSETS = ("%z", "%:z", "%::z", "%:::z", "%#z")
TAIL = re.compile(r"^(.*?)\s*(%z|%:{1,3}z|%#z|%Z|[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$", re.DOTALL)
"""A format that ends with an offset, with a zone's name, or with one that it spells out."""
OFFSET = r"\s*(?i:(Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?(?: (?:UTC|GMT|Z))?))(?:\[[^\]]*\])?\s*$"
"""At a text's end: Z, UTC, +00, +0530, +05:30, GMT+0100, Go's `+0000 UTC`, Java's `+01:00[Europe/Berlin]`."""
ISO = r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d+))?$"
SECONDS = "%Y-%m-%dT%H:%M:%S%.f"


def says_the_hour(time_format: str) -> bool:
    """Whether a format of the user's own knows more than a day."""
    return any(token[-1] in HOURS for token in TOKEN.findall(time_format))


def wrong_format(time_format: str) -> str | None:
    """What is wrong with a format of the user's own, in words; None: nothing."""
    try:
        pl.Series(["x"]).str.to_datetime(time_format, strict=False)
    except pl.exceptions.PolarsError as error:
        return str(error).splitlines()[0]
    return None


def as_times(values: pl.Series, time_zone: str, time_format: str) -> pl.Series:
    """Times in UTC; null where that is not possible.

    Args:
        time_zone: Of times that carry none. The hour that a clock shows twice in autumn is taken for the first of the
            two; the hour that it skips in spring does not exist, so such a time is null.
        time_format: How texts and numbers are written; see `Feed`.
    """
    if isinstance(values.dtype, pl.Datetime):
        times = values.dt.cast_time_unit("us")
        return _in_zone(times, time_zone) if values.dtype.time_zone is None else times.dt.convert_time_zone("UTC")
    if time_format in EPOCHS:
        return _since_epoch(values, EPOCHS[time_format])
    if values.dtype != pl.String:
        return pl.Series(values.name, [None], UTC_TIME).new_from_index(0, len(values))
    ways = _by_format(time_format, time_zone) if "%" in time_format else _iso(time_zone)
    parsed = pl.Series(values.name, [None], UTC_TIME).new_from_index(0, len(values))
    for way in ways:
        # Most files write all times in one way: each further way is tried on what the ones before could not read.
        left = (parsed.is_null() & values.is_not_null()).arg_true()
        if not len(left):
            break
        times = way(values.gather(left))
        parsed = times.alias(values.name) if len(left) == len(values) else parsed.scatter(left, times)
    return parsed


def as_dates(values: pl.Series, time_format: str) -> pl.Series:
    """Days; null where that is not possible. A text may go on with a time of the day, which is passed over."""
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date)
    if time_format in EPOCHS and (values.dtype.is_numeric() or values.dtype == pl.String):
        since = _since_epoch(values, EPOCHS[time_format]).cast(pl.Date)
        return since.fill_null(_iso_date(values)) if values.dtype == pl.String else since
    if values.dtype != pl.String:
        return pl.Series(values.name, [None], pl.Date).new_from_index(0, len(values))
    if "%" in time_format:
        return values.str.to_date(time_format, strict=False).fill_null(_iso_date(values))
    return _iso_date(values)


def _iso_date(values: pl.Series) -> pl.Series:
    return values.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[ T].*)?$").str.to_date("%Y-%m-%d", strict=False)


# -- texts -------------------------------------------------------------------------------------------------------------


class _Way:
    """One way to read texts as times."""

    def __init__(self, form: str, zone: str | None = None, split: bool = False, iso: bool = False) -> None:
        """Args:
        zone: Of the times; None: the format itself reads the offset.
        split: The offset is cut off the text's end first, and says the zone.
        iso: ISO 8601 with parts left out is completed first.
        """
        self.form, self.zone, self.split, self.iso = form, zone, split, iso

    def __call__(self, text: pl.Series) -> pl.Series:
        offset = None
        if self.split:
            offset, text = text.str.extract(OFFSET), text.str.replace(OFFSET, "")
        if self.iso:
            # A bare "10:15" is what a format of the user's own is for.
            text = _completed(text, minutes=self.split)
        if self.zone is None:
            return text.str.to_datetime(self.form, time_unit="us", time_zone="UTC", strict=False)
        naive = text.str.to_datetime(self.form, time_unit="us", strict=False)
        times = _in_zone(naive, self.zone)
        return times if offset is None else times - _ahead_of_utc(offset)


class _Named:
    """A format with `%Z`: the names that the source's own zone has, in winter and in summer."""

    def __init__(self, form: str, zone: str) -> None:
        self.form, self.zone = form, zone

    def __call__(self, text: pl.Series) -> pl.Series:
        parsed = pl.Series([None], dtype=UTC_TIME).new_from_index(0, len(text))
        for name in _names_of(self.zone):
            naive = text.str.to_datetime(self.form.replace("%Z", name), time_unit="us", strict=False)
            for choice in ("earliest", "latest"):
                zoned = naive.dt.replace_time_zone(self.zone, ambiguous=choice, non_existent="null")
                fits = (zoned.dt.strftime("%Z") == name).fill_null(False)
                parsed = parsed.fill_null(zoned.dt.convert_time_zone("UTC").set(~fits, None))
        return parsed


def _names_of(zone: str) -> list[str]:
    of_months = (datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).tzname() for month in range(1, 13))
    return sorted({name for name in of_months if name and name.isalpha()})


def _iso(time_zone: str) -> Iterator[_Way | _Named]:
    spaced = SECONDS.replace("T%H", " %H")
    yield _Way(SECONDS + "%#z")
    yield _Way(spaced, time_zone)
    yield _Way(SECONDS, time_zone)
    yield _Way(spaced + "%#z")
    yield _Way(SECONDS, "UTC", split=True, iso=True)
    yield _Way(SECONDS, time_zone, iso=True)


def _completed(text: pl.Series, minutes: bool) -> pl.Series:
    parts = text.str.extract_groups(ISO).struct.unnest()
    day, minute, second, fraction = (parts[name] for name in parts.columns)
    second = second.fill_null(":00") if minutes else second
    return day + "T" + minute + second + "." + fraction.fill_null("0")


def _by_format(form: str, zone: str) -> Iterator[_Way | _Named]:
    tokens = TOKEN.findall(form)
    if "%s" in tokens:
        yield _Way(form, "UTC")
        return
    if "%+" in tokens:
        yield _Way(form)
        return
    if tail := TAIL.match(form):
        base, end = tail.groups()
        if "%" in end and end != "%Z":
            yield _Way(base + "%#z")
        yield _Way(base, "UTC", split=True)
    elif set(tokens) & set(OFFSETS):
        yield _Way(form)
        for name in ("UTC", "GMT", "Z"):
            yield _Way(re.sub("%(?::{0,3}|#)z", name, form), "UTC")
        return
    elif "%Z" in tokens:
        for name in ("UTC", "GMT", "Z"):
            yield _Way(form.replace("%Z", name), "UTC")
        yield _Way(form.replace("%Z", "%z"))
    elif re.search(r"(?<![A-Za-z%:#])(UTC|GMT)(?![A-Za-z])", form):
        yield _Way(form, "UTC")
    else:
        yield _Way(form, zone)
        yield _Way(form, "UTC", split=True)
    if "%Z" in tokens:
        yield _Named(form, zone)


def _ahead_of_utc(offset: pl.Series) -> pl.Series:
    """How far a clock with an offset is ahead; null where no clock is."""
    parts = offset.str.extract_groups(r"([+-])(\d{2}):?(\d{2})?").struct.unnest()
    sign, hours, minutes = (parts[name] for name in parts.columns)
    ahead = hours.cast(pl.Int64) * 60 + minutes.fill_null("0").cast(pl.Int64)
    ahead = ahead.set((ahead > 18 * 60).fill_null(False), None)
    ahead = pl.select(pl.when(sign == "-").then(-ahead).otherwise(ahead)).to_series()
    # Z, UTC and GMT have no number; a text without an offset has none of these either.
    named = offset.is_not_null() & sign.is_null()
    return pl.select(pl.when(named).then(0).otherwise(ahead)).to_series() * timedelta(minutes=1)


# -- numbers, and the zone ---------------------------------------------------------------------------------------------


def _since_epoch(values: pl.Series, microseconds: int) -> pl.Series:
    if values.dtype.is_integer():
        number, most = values.cast(pl.Int64, strict=False), LAST_MICROSECOND // microseconds
        since = number.set(~number.is_between(-most, most).fill_null(True), None) * microseconds
    elif values.dtype.is_float() or values.dtype.is_decimal() or values.dtype == pl.String:
        number = values.cast(pl.Float64, strict=False)
        # Parts of a microsecond are below what any log means.
        since = (number.set(~number.is_finite().fill_null(False), None) * microseconds).round()
        since = since.set(~since.is_between(-LAST_MICROSECOND, LAST_MICROSECOND).fill_null(True), None).cast(pl.Int64)
    else:
        return pl.Series(values.name, [None], UTC_TIME).new_from_index(0, len(values))
    return since.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _in_zone(times: pl.Series, time_zone: str) -> pl.Series:
    zoned = times.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")
