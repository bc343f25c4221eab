"""A home's landed files against its `sources.yaml`: what each mapped column gives, and what nothing reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.logs.cleaning.attribution import TYPES as STREAM_TYPES
from causalrec.logs.cleaning.clean import event_types
from causalrec.logs.describe.previews import FILES, ROWS
from causalrec.logs.landing.files import landed_files
from causalrec.logs.landing.first_look import first_rows_of
from causalrec.logs.landing.snapshots import ITEM_TYPES, user_types
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.reading.casting import extra_types, take_columns
from causalrec.settings.logs.feeds import Feed


@dataclass
class Mapped:
    """A mapped column in the sample.

    Attributes:
        missing: Rows without a value.
        wrong: Rows whose value cannot be taken, with the first reason in words.
    """

    ours: str
    theirs: str
    missing: int = 0
    wrong: int = 0
    reason: str = ""


@dataclass
class FeedSeen:
    """A feed's files beside its mapping."""

    name: str
    folder: str
    files: int
    opened: int = 0
    rows: int = 0
    mapped: list[Mapped] = field(default_factory=list)
    unmapped: dict[str, None] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def feeds_seen(zone: LandingZone, rows: int = ROWS) -> Iterator[FeedSeen]:
    """Each feed of the source, from the first rows of its first and last files."""
    source = zone.source
    yield _seen(zone, "events", source.events, event_types(source), rows)
    for stream in source.streams:
        yield _seen(zone, stream.name, stream.feed, STREAM_TYPES, rows)
    if source.items:
        yield _seen(zone, "items", source.items, {**ITEM_TYPES, **extra_types(source, source.item_extra)}, rows)
    if source.users:
        yield _seen(zone, "users", source.users, user_types(source), rows)


def _seen(zone: LandingZone, name: str, feed: Feed, types: Mapping[str, pl.DataType], rows: int) -> FeedSeen:
    files = landed_files(zone.root / feed.folder)
    seen = FeedSeen(name, feed.folder, len(files))
    mapped = {ours: Mapped(ours, column) for ours, column in feed.columns.items()}
    seen.mapped = list(mapped.values())
    chosen = files if len(files) <= FILES else [*files[: FILES // 2], *files[-FILES // 2 :]]
    for path in chosen:
        try:
            _take(zone, path, feed, types, mapped, seen, max(rows // len(chosen), 1000))
        except InputError as error:
            seen.refused.append(str(error))
        else:
            seen.opened += 1
    return seen


def _take(
    zone: LandingZone,
    path: Path,
    feed: Feed,
    types: Mapping[str, pl.DataType],
    mapped: Mapping[str, Mapped],
    seen: FeedSeen,
    most: int,
) -> None:
    for part in first_rows_of(path, zone.rules, most, feed.csv)[0]:
        seen.rows += part.height
        seen.unmapped |= dict.fromkeys(c for c in part.columns if c not in feed.columns.values())
        for ours, column in mapped.items():
            # One at a time: a row is set aside for its first wrong value, and each column has its own count here.
            taken = take_columns(part, feed, {ours: types[ours]}, zone.source.time_zone)
            column.wrong += taken.unreadable
            column.missing += taken.rows[ours].null_count() - taken.unreadable
            column.reason = column.reason or next(iter(taken.reason.drop_nulls().head(1).to_list()), "")


def unusable(zone: LandingZone) -> Sequence[str]:
    """What the landing index says of files that block a day, and of rows that belong to none."""
    index = zone.events
    messages = [f"{day or 'every day'}: {message}" for day, message in index.problems]
    for stream in zone.streams.values():
        messages += [f"{day or 'every day'}: {message}" for day, message in stream.problems]
    messages += zone.passed_over
    if outside := sum(file.outside for file in index.files):
        last = zone.source.last_day or "today"
        messages.append(
            f"{outside:,} rows are outside of the source's days, {zone.source.first_day} to {last}, and unused"
        )
    return messages
