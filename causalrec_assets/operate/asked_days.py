"""Whether the days that somebody asks for have partitions, before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.settings.file import read_setting
from causalrec.settings.logs.sources import parse_source


def require_partitions(home: Home, days: Sequence[date]) -> None:
    """Raises InputError: the clock is before the source begins, or a day is none of the source's that are over."""
    source, today = parse_source(read_setting(home, "sources.yaml")), datetime.now(UTC).date()
    if sentence := clock_is_early(source.first_day, today):
        raise InputError(sentence)
    last = today - timedelta(days=1)
    if source.last_day is not None:
        last = min(last, source.last_day)
    if outside := sorted({day for day in days if not source.first_day <= day <= last}):
        more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        raise InputError(
            f"{outside[0]}{more} of the days asked for cannot be built: the source begins on {source.first_day} "
            f"(`first_day` of sources.yaml), and the last of its days that is over is {last} (in UTC)"
        )


def clock_is_early(first_day: date, today: date) -> str | None:
    """What to say of a clock, in UTC, that is before the end of a source's first day; None: it is not."""
    if today > first_day:
        return None
    return (
        f"this machine's clock says {today}, and no day of the source is over: it begins on {first_day} (`first_day` "
        "of sources.yaml). Set the clock right, or wait for the first day to end."
    )
