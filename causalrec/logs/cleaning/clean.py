"""From landed rows to a day's clean events: our names, our types, one order; each landed row ends in one place.

Rows are read piece by piece and cut by time into slices, in memory or on disk; each slice is then freed of what was
sent again, given its outcomes, sorted and appended to the table.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from causalrec.engine.one_file import read_parquet
from causalrec.engine.prefetch import ahead
from causalrec.engine.slices import Slices, write_table
from causalrec.logs.cleaning.attribution import (
    StreamRows,
    attribute,
    exposures_asked,
    keys_asked,
    lines_lost,
    outcomes_of_events,
    read_stream,
    set_aside_outcomes,
    with_outcomes,
)
from causalrec.logs.cleaning.bots import BotWatch, bots_rows
from causalrec.logs.cleaning.duplicates import (
    IdKeys,
    Keys,
    Repeats,
    also_before,
    first_times,
    id_keys,
    in_two_slices,
    repeats_by_slice,
    with_content_ids,
)
from causalrec.logs.cleaning.forgotten import NOBODY, Forgotten, without_forgotten
from causalrec.logs.cleaning.row_rules import REPEATED_ID, WRONG, told_apart
from causalrec.logs.cleaning.set_aside import SetAside
from causalrec.logs.landing.first_look import BIN_MINUTES
from causalrec.logs.landing.index import LandedFile
from causalrec.logs.landing.zone import LandedDay
from causalrec.logs.reading.casting import Taken, extra_types, take_columns
from causalrec.logs.reading.files import open_landed
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.columns import WHERE_MAPPED
from causalrec.settings.logs.feeds import Stream
from causalrec.settings.logs.sources import Source

TYPES: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "user_id": pl.String(),
    "item_id": pl.String(),
    "request_id": pl.String(),
    "position": pl.Int64(),
    "policy": pl.String(),
    "action_propensity": pl.Float64(),
    "recommended": pl.Int8(),
    "click": pl.Int8(),
    "purchase": pl.Int8(),
    "rating": pl.Float64(),
    "revenue": pl.Float64(),
    "price": pl.Float64(),
    "click_time": pl.Datetime("us", "UTC"),
    "purchase_time": pl.Datetime("us", "UTC"),
    "rating_time": pl.Datetime("us", "UTC"),
    "campaign_id": pl.String(),
    "experiment_id": pl.String(),
    "variant": pl.String(),
}


def event_types(source: Source) -> dict[str, pl.DataType]:
    """The columns of a source's clean events, in their order."""
    mapped = {name: pl.Float64() for name in WHERE_MAPPED if source.events.has(name)}
    return {**TYPES, **mapped, **extra_types(source, source.context)}


@dataclass(frozen=True)
class Cleaned:
    """A day's rows.

    Attributes:
        path: The clean events, one Parquet file, sorted by time, then event id.
        set_aside_path: Rows that cannot be used, with `kind`, `reason`, `file` and `row` (from 1, without a header).
        landed_rows: The rows that the landing index counted for the day. Counted apart from the cleaning, so
            that "published, set aside and forgotten are together the landed rows" can fail.
        rows: Published events.
        aside: Kind -> how many rows were set aside.
        first_wrong: The first row that speaks against the files or the mapping, in words.
        forgotten_rows: Rows of users who asked to be forgotten; they are kept nowhere.
        outcome_rows: Stream -> how many of the day's outcomes belong to an event.
        lines_lost: `attribution.lines_lost`.
    """

    path: Path
    set_aside_path: Path
    landed_rows: int
    rows: int
    aside: Mapping[str, int]
    first_wrong: str = ""
    forgotten_rows: int = 0
    outcome_rows: Mapping[str, int] = field(default_factory=dict)
    lines_lost: str | None = None

    @property
    def events(self) -> pl.DataFrame:
        return read_parquet(self.path)

    @property
    def set_aside(self) -> pl.DataFrame:
        return read_parquet(self.set_aside_path)

    @property
    def rows_elsewhere(self) -> int:
        """Landed rows that are no published event: set aside, forgotten, or an outcome of some event."""
        return sum(self.aside.values()) + self.forgotten_rows + sum(self.outcome_rows.values())


def clean_day(
    landed: LandedDay,
    source: Source,
    rules: CleaningRules,
    target: Path,
    set_aside: Path,
    forgotten: Forgotten = NOBODY,
) -> Cleaned:
    """Read the rows of a day, and write its clean events and what was set aside.

    The events do not depend on the order of the files, or on how often a row was sent.

    Args:
        target, set_aside: The Parquet files to write; target's folder holds the rows meanwhile.

    Raises:
        InputError: A file cannot be read whole, or changed meanwhile.
    """
    with _nothing_left(target, set_aside), tempfile.TemporaryDirectory(prefix="cleaning-", dir=target.parent) as folder:
        day = _Day(landed, source, rules, forgotten, Path(folder))
        day.read()
        rows = write_table(ahead(day.clean()), event_types(source), target)
        aside = day.aside.write(set_aside)
        return Cleaned(
            target,
            set_aside,
            day.landed_rows,
            rows,
            aside,
            day.aside.first,
            day.forgotten_rows,
            day.outcome_rows,
            day.lines_lost,
        )


@contextmanager
def _nothing_left(*paths: Path) -> Iterator[None]:
    """Half a file is no file."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def too_many_wrong(cleaned: Cleaned, rules: CleaningRules) -> str | None:
    """Why a day's rows speak against the files or the mapping, in words; None where few are wrong."""
    wrong = sum(cleaned.aside.get(kind, 0) for kind in WRONG)
    if wrong < rules.wrong.rows or wrong <= rules.wrong.share * cleaned.landed_rows:
        return None
    kinds = ", ".join(f"{cleaned.aside[kind]} {kind}" for kind in WRONG if cleaned.aside.get(kind))
    hint = ""
    if cleaned.aside.get(REPEATED_ID, 0) > wrong / 2:
        hint = (
            " If ids begin anew each day they are no ids of events: do not map `event_id`. Rows of a stream with one "
            "`id`, item and time are one outcome: where they are several, map the number of the line."
        )
    return (
        f"{wrong} of the day's {cleaned.landed_rows} rows are wrong ({kinds}), more than cleaning.yaml allows; the "
        f"first is {cleaned.first_wrong} Correct the files, or the mapping in sources.yaml.{hint}"
    )


class _Day:
    """One day's cleaning: `read`, then `clean`."""

    def __init__(
        self, landed: LandedDay, source: Source, rules: CleaningRules, forgotten: Forgotten, folder: Path
    ) -> None:
        self.landed, self.source, self.rules, self.forgotten = landed, source, rules, forgotten
        self.types = event_types(source)
        # What the files do not have is not carried through the slices.
        self.held = {name: dtype for name, dtype in self.types.items() if source.events.has(name)}
        bins: Counter[int] = Counter()
        for file in landed.files:
            bins.update(file.bins.get(landed.day, {}))
        self.slices = Slices(folder, bins, BIN_MINUTES)
        self.aside = SetAside(folder, [str(file.path) for file in landed.files], self.types)
        self.landed_rows = sum(file.rows_of_day.get(landed.day, 0) for file in landed.files)
        self.forgotten_rows = 0
        self.outcome_rows: dict[str, int] = {}
        self.lines_lost: str | None = None
        self.outcomes: list[tuple[Stream, pl.DataFrame]] = []
        self.repeats = Repeats()
        self.bots = pl.Series("user_id", [], pl.String)

    # -- first: all rows, once -----------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read all files once, and find what only the whole day can tell: repeated ids, bots, each outcome's event."""
        streams = [self._stream(stream) for stream in self.source.streams]
        self.lines_lost = lines_lost(streams, self.landed.day, self.rules.wrong.share)
        keys_of_streams = keys_asked(streams)
        exposures: list[list[pl.DataFrame]] = [[] for _ in streams]
        ids, watch = IdKeys(), BotWatch(self.rules.bots.events_an_hour, self.rules.bots.loads_a_request)
        for number, file in enumerate(self.landed.files):
            for usable, unusable in ahead(self._rows_of(file, number)):
                good, bad = (without_forgotten(rows, self.forgotten) for rows in (usable, unusable))
                self.forgotten_rows += usable.height + unusable.height - good.height - bad.height
                self.aside.add(bad)
                slices = self.slices.numbers(good["time"])
                if "event_id" in self.held:
                    ids.add(good["event_id"], slices)
                watch.add(good)
                for parts, part in zip(exposures, exposures_asked(good, keys_of_streams), strict=True):
                    parts.append(part)
                self.slices.add(good, slices)
        if "event_id" in self.held:
            self._find_repeats(ids.sorted())
        if watch.suspects:
            self.bots = watch.bots(self._sent_again(number) for number in self.slices)
        self._attribute(streams, keys_of_streams, exposures)

    def _stream(self, stream: Stream) -> StreamRows:
        """A stream's rows around the day; those of the day itself are counted here."""
        files = self.landed.outcomes.get(stream.name, ())
        read = read_stream(stream, files, self.source, self.rules, self.landed.placing)
        known = read.without(self.forgotten)
        of_the_day = read.of(self.landed.day)
        self.landed_rows += of_the_day
        self.forgotten_rows += of_the_day - known.of(self.landed.day)
        return known

    def _rows_of(self, file: LandedFile, number: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """A file's rows of the day, with `file` and `row`: those that can be used, and those that cannot."""
        placing = self.landed.placing
        for taken in self._taken(file, self.held, number):
            rows, unreadable = taken.rows, taken.reason
            away = placing.reasons(rows["time"], file.own_day)
            own = placing.days(rows["time"], away, file.home) == self.landed.day
            if not own.all():
                rows, unreadable = rows.filter(own), unreadable.filter(own)
            yield told_apart(rows, unreadable, self.source, self.rules, placing, file.own_day)

    def _usable(self, file: LandedFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Some columns of a file's rows of any day, as far as they could be taken."""
        for taken in self._taken(file, {name: self.held[name] for name in columns if name in self.held}):
            yield taken.rows.filter(taken.reason.is_null())

    def _taken(self, file: LandedFile, held: Mapping[str, pl.DataType], number: int = 0) -> Iterator[Taken]:
        """A file's rows under our names and types, with `file` and `row`."""
        feed, first = self.source.events, 1
        with open_landed(file.path, self.rules, feed.csv) as landed:
            for raw in landed.pieces([feed.columns[name] for name in held if name in feed.columns]):
                taken = take_columns(raw, feed, held, self.source.time_zone)
                rows = taken.rows.with_columns(
                    pl.lit(number, pl.UInt32).alias("file"),
                    pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("row"),
                )
                first += raw.height
                yield Taken(rows, taken.reason)
        file.require_unchanged()

    def _find_repeats(self, keys: Keys) -> None:
        suspects = [in_two_slices(keys)]
        if self.landed.before:
            suspects.append(also_before(keys, (self._keys_before(file) for file in self.landed.before)))
        wanted = pl.Series(np.concatenate(suspects)).unique().implode()
        candidates = []
        if len(wanted[0]):
            slices = (self.slices.read(number) for number in self.slices)
            earlier = (rows for file in self.landed.before for rows in self._earlier_rows(file))
            candidates = [
                rows.select("event_id", "time").filter(pl.Series(id_keys(rows["event_id"])).is_in(wanted))
                for rows in chain(slices, earlier)
            ]
        self.repeats = Repeats(repeats_by_slice(keys), first_times(candidates) if candidates else None)

    def _keys_before(self, file: LandedFile) -> Keys:
        parts = [id_keys(rows["event_id"]) for rows in self._earlier_rows(file)]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def _earlier_rows(self, file: LandedFile) -> Iterator[pl.DataFrame]:
        """The ids and times of a file's rows of the days of the look-back; whether the rest of a row is right is not
        asked: an event that was set aside there does not come back here."""
        earliest = self.landed.day - self._look_back
        for rows in self._usable(file, ["event_id", "time", "item_id"]):
            days = rows["time"].dt.date()
            yield rows.filter(
                days.is_between(earliest, self.landed.day, closed="left") & rows["event_id"].is_not_null()
            ).select("event_id", "time")

    @property
    def _look_back(self) -> timedelta:
        return timedelta(days=self.rules.duplicates.look_back_days)

    def _attribute(
        self,
        streams: Sequence[StreamRows],
        keys_of_streams: Sequence[pl.DataFrame],
        exposures: list[list[pl.DataFrame]],
    ) -> None:
        if not streams:
            return
        for file in self.landed.near:
            for rows in self._usable(file, ["event_id", "time", "item_id", "user_id", "request_id", "click"]):
                elsewhere = rows.filter(rows["time"].dt.date() != self.landed.day)
                for parts, part in zip(exposures, exposures_asked(elsewhere, keys_of_streams), strict=True):
                    parts.append(part)
        for stream, parts in zip(streams, exposures, strict=True):
            needs_click = self.source.purchase_needs_click and "purchase" in stream.stream.gives
            events = pl.concat(parts) if parts else self._no_exposures(stream.stream)
            attributed = attribute(stream, events, needs_click)
            aside = set_aside_outcomes(stream, attributed, self.landed.day)
            self.outcome_rows[stream.stream.name] = stream.of(self.landed.day) - aside.height
            self.aside.put(aside)
            self.outcomes.append((stream.stream, outcomes_of_events(stream, attributed, self.landed.day)))

    def _no_exposures(self, stream: Stream) -> pl.DataFrame:
        return pl.DataFrame(schema={name: TYPES[name] for name in (*stream.join, "time", "click")})

    # -- then: slice by slice ----------------------------------------------------------------------------------------

    def clean(self) -> Iterator[pl.DataFrame]:
        """The clean events, slice by slice."""
        for number in self.slices:
            rows, again = self._sent_again(number)
            self.slices.forget(number)
            bots = bots_rows(rows, self.bots)
            away = pl.concat([again, bots.join(again, on="at", how="anti")])
            self.aside.add(rows[away["at"]].with_columns(away["kind"], away["reason"]))
            events = rows.drop("file", "row").select(pl.all().gather(_order(rows, away["at"])))
            for stream, outcomes in self.outcomes:
                events = with_outcomes(events, stream, outcomes)
            missing = [pl.lit(None, dtype).alias(n) for n, dtype in self.types.items() if n not in events.columns]
            unknown = [pl.lit(None, self.types[outcome]).alias(outcome) for outcome in sorted(self.landed.immature)]
            yield (
                events.with_columns(*missing)
                .with_columns(*unknown)
                .select(pl.col(name).cast(dtype) for name, dtype in self.types.items())
            )

    def _sent_again(self, number: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """A slice's rows, each with its id, and those of them that were sent again, as `AWAY`."""
        rows = self.slices.read(number)
        if "event_id" not in self.held:
            return with_content_ids(rows, self.source)
        return rows, self.repeats.away(rows, number)


def _order(rows: pl.DataFrame, away: pl.Series) -> pl.Series:
    """Where the rows that stay stand, by time, then id."""
    # Sorting whole numbers is cheap, and few events share their microsecond in most logs.
    order = rows["time"].arg_sort()
    if len(away):
        stays = np.ones(rows.height, bool)
        stays[away.to_numpy()] = False
        order = order.filter(pl.Series(stays).gather(order))
    times = rows["time"].to_physical().gather(order).to_numpy()
    same = np.concatenate([[False], times[1:] == times[:-1]])
    tied = np.flatnonzero(same | np.append(same[1:], False))
    if not len(tied):
        return order
    among = rows.select(pl.col("time", "event_id").gather(order[tied]), order[tied].alias("at"))
    return order.scatter(tied, among.sort("time", "event_id")["at"])
