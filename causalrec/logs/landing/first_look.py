"""The first look at a landed file: it is read whole, every mapped column of it, where its death harms nothing.

What survives is read in process afterwards. A file that ends the process that reads it is a file that cannot be used,
like any other, and is not tried again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from causalrec.cells.times import UTC_TIME
from causalrec.durable import create_exclusively
from causalrec.hashing import canonical, sha256
from causalrec.logs.landing.day_assignment import Placing
from causalrec.logs.landing.files import hash_of
from causalrec.logs.reading.bounds import MB
from causalrec.logs.reading.casting import lacks_columns, take_columns, unreadable
from causalrec.logs.reading.files import cannot_be_read, fetched, open_landed
from causalrec.logs.reading.isolated import Bounds, Died, isolated
from causalrec.logs.reading.json_lines import NO_COLUMN
from causalrec.logs.reading.json_tokens import type_name
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.csv import CsvSettings
from causalrec.settings.logs.feeds import Feed
from causalrec.settings.logs.sources import Source

BIN_MINUTES = 5
"""Times are counted in bins of so many minutes, from which a day is cut into slices that fit in memory."""
T = TypeVar("T")


def look_into(
    path: Path,
    own_day: date | None,
    source: Source,
    feed: Feed,
    rules: CleaningRules,
    placing: Placing,
    deaths: Path | None = None,
) -> dict[str, Any]:
    """Count a file's rows by day and time; every mapped column of them is decoded.

    Args:
        deaths: A folder in which it is kept that a content ends the process that reads it; safe to delete.

    Raises:
        InputError: It cannot be read whole, lacks a mapped column, too many of its times cannot be read, or it costs
            more than the rules allow.
    """
    return away(path, rules, deaths, _look, own_day, source, feed, rules, placing)


def require_readable(path: Path, feed: Feed, rules: CleaningRules, deaths: Path | None = None) -> None:
    """Read a file whole, where its death harms nothing; a content is read once a process.

    Raises:
        InputError: As `look_into` does.
    """
    key = (
        hash_of(path),
        *path.suffixes,
        canonical(dict(feed.columns)),
        feed.csv,
        rules.reading.cell_mb,
        rules.reading.memory_gb,
    )
    if key not in _read:
        away(path, rules, deaths, _decode, feed, rules)
        _read.add(key)


def first_rows_of(
    path: Path, rules: CleaningRules, rows: int, csv: CsvSettings | None = None
) -> tuple[list[pl.DataFrame], bool]:
    """The first rows of a file with all its columns, and whether there are more.

    Raises:
        InputError: As `look_into` does, so far as it is read.
    """
    return away(path, rules, None, _first_rows, rows, rules, csv)


_read: set[tuple[object, ...]] = set()
_slow: dict[str, str] = {}


def away(path: Path, rules: CleaningRules, deaths: Path | None, function: Callable[..., T], *arguments: Any) -> T:
    """What a function returns that reads a file, called in a process of its own as `function(file, name, *arguments)`.

    Args:
        path: A file on this machine, or behind a URL, from which it is fetched first.

    Raises:
        InputError: What the function raises, or that the file has ended the process.
    """
    key = sha256(canonical([hash_of(path), path.suffixes, function.__name__, *_bound_by(rules)]))
    death = deaths / f"{key}.died" if deaths else None
    if death is not None and death.exists():
        raise cannot_be_read(path, json.loads(death.read_text()))
    if key in _slow:
        raise cannot_be_read(path, _slow[key])
    with fetched(path) as local:
        seconds = rules.reading.minutes * 60 + local.stat().st_size / MB
        bounds = Bounds(int(rules.reading.memory_gb * 1024**3), seconds)
        try:
            return isolated(function, local.absolute(), str(path), *arguments, bounds=bounds)
        except Died as end:
            reason = str(end)
            if "panicked" not in reason:
                allowed = f"{rules.reading.memory_gb:g} GB and {seconds:,.0f} seconds"
                reason += f"; it may take {allowed} (`reading` in cleaning.yaml)"
            if end.certain and death is not None:
                with suppress(FileExistsError):
                    create_exclusively(death, canonical(reason))
            elif not end.certain:
                _slow[key] = reason
            raise cannot_be_read(path, reason) from end


def _bound_by(rules: CleaningRules) -> list[object]:
    # A newer reader may bear what this one does not.
    return [rules.reading.memory_gb, rules.reading.minutes, rules.reading.line_mb, rules.reading.cell_mb, *_readers()]


@cache
def _readers() -> tuple[str, ...]:
    return version("polars"), version("pyarrow")


# -- in the other process --------------------------------------------------------------------------------------------


def _look(
    path: Path, name: str, own_day: date | None, source: Source, feed: Feed, rules: CleaningRules, placing: Placing
) -> dict[str, Any]:
    # Every day of the source counts here, also those to come: the finding is kept.
    whole = replace(placing, first=source.first_day, last=source.last_day or date.max)
    bins: dict[str, Counter[int]] = defaultdict(Counter)
    rows, timeless, homeless, bad, first_bad = 0, 0, 0, 0, None
    with open_landed(path, rules, feed.csv, name) as landed:
        columns = landed.header()
        lines = columns is None
        columns = columns or {}
        if columns:
            lacks_columns(columns, feed, name)
        for raw in landed.bounded_pieces(list(feed.columns.values()), rules):
            if lines:
                columns |= {column: type_name(dtype) for column, dtype in raw.schema.items() if column != NO_COLUMN}
            taken = take_columns(raw, feed, {"time": UTC_TIME}, source.time_zone)
            times, reasons = taken.rows["time"], whole.reasons(taken.rows["time"], own_day)
            if taken.unreadable and first_bad is None:
                first_bad = unreadable(name, taken.reason, rows + 1)
            placed = times.filter(reasons.is_null())
            _count(placed, bins)
            bad += taken.unreadable
            rows, timeless = rows + len(times), timeless + times.null_count()
            homeless += len(times) - len(placed)
        # Every mapped column is looked for here, so that a file that lacks one is refused whole.
        if lines and rows:
            needed = {"time", "item_id"}
            lacks_columns(columns, feed, name, [c for ours, c in feed.columns.items() if ours not in needed])
    if first_bad is not None and bad >= rules.wrong.rows and bad > rules.wrong.share * rows:
        raise first_bad
    by_day = {day: dict(counts) for day, counts in bins.items()}
    return {"bins": by_day, "timeless": timeless, "timed": rows - timeless, "homeless": homeless, "columns": columns}


def _count(times: pl.Series, bins: dict[str, Counter[int]]) -> None:
    of_all_days = (times.to_physical() // (BIN_MINUTES * 60_000_000)).rename("bin")
    for bin_, count in of_all_days.value_counts().iter_rows():
        days, number = divmod(bin_, 24 * 60 // BIN_MINUTES)
        bins[(date(1970, 1, 1) + timedelta(days=days)).isoformat()][number] += count


def _decode(path: Path, name: str, feed: Feed, rules: CleaningRules) -> None:
    with open_landed(path, rules, feed.csv, name) as landed:
        for _ in landed.bounded_pieces(list(feed.columns.values()), rules):
            pass


def _first_rows(
    path: Path, name: str, rows: int, rules: CleaningRules, csv: CsvSettings | None
) -> tuple[list[pl.DataFrame], bool]:
    pieces, left, more = [], rows, False
    with open_landed(path, rules, csv, name) as landed:
        for piece in landed.bounded_pieces(None, rules):
            pieces.append(piece.head(left))
            more = piece.height > left
            left -= piece.height
            if left <= 0:
                break
    return pieces, more
