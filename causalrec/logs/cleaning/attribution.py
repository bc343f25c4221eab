"""Outcomes that come apart from the events: each belongs to the last event before it, or to none.

An outcome belongs to the last event with the same keys that is at most the attribution window older; where a purchase
needs a click, to the last clicked one. What is kept of several outcomes of one event: that there was one, the sum of
the revenue, the last rating, and the time of the first (of the last rating).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from causalrec.cells.times import UTC_TIME
from causalrec.logs.cleaning.duplicates import content_texts
from causalrec.logs.cleaning.forgotten import Forgotten, without_forgotten
from causalrec.logs.cleaning.row_rules import IMPOSSIBLE, REPEATED_ID, SENT_AGAIN, TIME, UNATTRIBUTED, UNREADABLE
from causalrec.logs.landing.day_assignment import Placing
from causalrec.logs.landing.index import LandedFile
from causalrec.logs.reading.casting import take_columns
from causalrec.logs.reading.files import open_landed
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Stream
from causalrec.settings.logs.sources import Source

TWICE_IN_A_FILE = "the same outcome again, in one file"
TYPES: dict[str, pl.DataType] = {
    "id": pl.String(),
    "time": UTC_TIME,
    "user_id": pl.String(),
    "request_id": pl.String(),
    "item_id": pl.String(),
    "click": pl.Int8(),
    "purchase": pl.Int8(),
    "rating": pl.Float64(),
    "revenue": pl.Float64(),
}


@dataclass(frozen=True)
class StreamRows:
    """A stream's rows around a day.

    Attributes:
        rows: TYPES, `file`, `row`, `day`, and `kind` and `reason`, null where a row can be used.
    """

    stream: Stream
    rows: pl.DataFrame

    def without(self, forgotten: Forgotten) -> StreamRows:
        """The rows of all users but those who asked to be forgotten: no quarantine may hold them either."""
        return StreamRows(self.stream, without_forgotten(self.rows, forgotten))

    def of(self, day: date) -> int:
        """How many rows are of a day."""
        return int((self.rows["day"] == day).sum())

    @property
    def usable(self) -> pl.DataFrame:
        return self.rows.filter(pl.col("kind").is_null())


def read_stream(
    stream: Stream, files: Sequence[LandedFile], source: Source, rules: CleaningRules, placing: Placing
) -> StreamRows:
    """All rows of a stream's files; those that came again, and those that another contradicts, marked.

    Raises:
        InputError: A file cannot be read whole, or changed while it was read.
    """
    parts = []
    for file in files:
        first = 1
        with open_landed(file.path, rules, stream.feed.csv) as landed:
            for raw in landed.pieces(stream.feed.columns.values()):
                taken = take_columns(raw, stream.feed, TYPES, source.time_zone)
                away = placing.reasons(taken.rows["time"], file.own_day)
                rows = taken.rows.with_columns(
                    pl.lit(str(file.path)).alias("file"),
                    pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("row"),
                    placing.days(taken.rows["time"], away, file.home).alias("day"),
                    pl.lit(file.own_day, pl.Date).alias("sent"),
                )
                parts.append(_with_reasons(rows, taken.reason, away, stream, rules))
                first += raw.height
        file.require_unchanged()
    empty = {**TYPES, "file": pl.String(), "row": pl.Int64(), "day": pl.Date(), "sent": pl.Date(), "kind": pl.String()}
    all_rows = pl.concat(parts) if parts else pl.DataFrame(schema={**empty, "reason": pl.String()})
    return StreamRows(stream, _once(all_rows, "id" in stream.feed.columns))


def _with_reasons(
    rows: pl.DataFrame, unreadable: pl.Series, away: pl.Series, stream: Stream, rules: CleaningRules
) -> pl.DataFrame:
    kind: pl.Expr = pl.lit(None, pl.String)
    reason: pl.Expr = pl.lit(None, pl.String)
    checks: list[tuple[pl.Series | pl.Expr, str, pl.Series | pl.Expr]] = [
        (unreadable.is_not_null(), UNREADABLE, unreadable),
        (away.is_not_null(), TIME, away),
        # A guest's order is none of the logs' faults.
        *((pl.col(key).is_null(), UNATTRIBUTED, pl.lit(f"no {key.removesuffix('_id')}")) for key in stream.join),
    ]
    for name in stream.gives:
        if name in stream.feed.columns and name in rules.bounds:
            least, most = rules.bounds[name]
            message = pl.format(f"`{name}` is {{}}, which is not from {least:g} to {most:g}", name)
            checks.append((~pl.col(name).is_between(least, most).fill_null(True), IMPOSSIBLE, message))
    for condition, why, words in reversed(checks):
        kind = pl.when(condition).then(pl.lit(why)).otherwise(kind)
        reason = pl.when(condition).then(words).otherwise(reason)
    return rows.with_columns(kind.alias("kind"), reason.alias("reason"))


def _once(rows: pl.DataFrame, has_id: bool) -> pl.DataFrame:
    """Of the rows of one outcome one: of those that were sent for the latest day, the first by content.

    What identifies an outcome is its id, its item and its time together: the lines of an order share its number. A row
    without an id is identified by all that it says.
    """
    content = content_texts(rows.select(list(TYPES)))
    own = content_texts(rows.select("id", "item_id", "time")) if has_id else content
    rows = rows.with_columns(
        content.alias("content"), pl.when(pl.col("id").is_null()).then(content).otherwise(own).alias("key")
    )
    good = rows.filter(pl.col("kind").is_null()).sort(
        "key", "sent", "content", "file", "row", descending=[False, True, False, False, False], nulls_last=True
    )
    again = pl.int_range(pl.len()).over("key") > 0
    same = pl.col("content") == pl.col("content").first().over("key")
    corrected = (pl.col("sent") < pl.col("sent").first().over("key")).fill_null(False)
    in_one_file = pl.int_range(pl.len()).over("key", "content", "file") > 0
    kind = pl.when(same | corrected).then(pl.lit(SENT_AGAIN)).otherwise(pl.lit(REPEATED_ID))
    reason = (
        pl.when(same & in_one_file)
        .then(pl.lit(TWICE_IN_A_FILE))
        .when(same)
        .then(pl.lit("the same outcome again"))
        .when(corrected)
        .then(pl.lit("a file of a later day says otherwise of this outcome, and counts"))
        .otherwise(pl.lit("another row of its id, item and time says otherwise"))
    )
    good = good.with_columns(
        pl.when(again).then(kind).otherwise("kind").alias("kind"),
        pl.when(again).then(reason).otherwise("reason").alias("reason"),
    )
    return pl.concat([rows.filter(pl.col("kind").is_not_null()), good]).drop("content", "key", "sent")


def lines_lost(streams: Iterable[StreamRows], day: date, most: float) -> str | None:
    """In words, the streams of which more than a share of the day's rows equal another row of their file.

    An export that sends an outcome again does so in another file. Equal rows of one file are more often outcomes of
    their own, which nothing tells apart.
    """
    sentences = []
    for stream_rows in streams:
        rows = stream_rows.of(day)
        twice = stream_rows.rows.filter((pl.col("day") == day) & (pl.col("reason") == TWICE_IN_A_FILE)).height
        if twice > most * rows:
            sentences.append(
                f"{twice:,} of {rows:,} rows of `{stream_rows.stream.name}` are the same in everything as another row "
                "of their file, and count once; if they are outcomes of their own (the same product twice in an "
                "order), map the number of the line as `id`"
            )
    return "; ".join(sentences) or None


def keys_asked(streams: Iterable[StreamRows]) -> list[pl.DataFrame]:
    """The keys of each stream's outcomes: only their events are looked for."""
    return [stream_rows.usable.select(stream_rows.stream.join).unique() for stream_rows in streams]


def exposures_asked(events: pl.DataFrame, keys_of_streams: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The events, as keys, times and clicks, to which some outcome of each stream may belong."""
    if "click" not in events.columns:
        events = events.with_columns(pl.lit(None, pl.Int8).alias("click"))
    return [
        events.select(*keys.columns, "time", "click").join(keys, on=keys.columns, how="semi")
        for keys in keys_of_streams
    ]


def attribute(stream_rows: StreamRows, exposures: pl.DataFrame, needs_click: bool) -> pl.DataFrame:
    """The event of each usable outcome.

    Args:
        exposures: The join's keys, `time`, `click`; of all days on which the outcomes' events may lie.
        needs_click: Only a clicked event can have the outcome.

    Returns:
        The usable rows with `event_time`, null where no event was found.
    """
    keys = list(stream_rows.stream.join)
    if needs_click:
        exposures = exposures.filter(pl.col("click") == 1)
    events = exposures.select(*keys, "time", pl.col("time").alias("event_time")).unique().sort("time")
    return stream_rows.usable.sort("time").join_asof(
        events,
        on="time",
        by=keys,
        strategy="backward",
        tolerance=timedelta(hours=stream_rows.stream.window_hours),
        # Both sides were sorted the line before.
        check_sortedness=False,
    )


def outcomes_of_events(stream_rows: StreamRows, attributed: pl.DataFrame, day: date) -> pl.DataFrame:
    """What came of the day's events: the join's keys, `time` of the event, each outcome, and each one's own time."""
    stream = stream_rows.stream
    rows = attributed.filter(pl.col("event_time").dt.date() == day)
    made: list[pl.Expr] = []
    for outcome in stream.gives:
        given = pl.col(outcome)
        if outcome == "rating":
            made.append(given.sort_by("time", outcome).last())
        elif outcome == "revenue":
            # Summed in one order: floating-point sums depend on it.
            made.append(given.sort_by("time", outcome).sum())
        else:
            made.append((given.max() if outcome in stream.feed.columns else pl.lit(1)).cast(pl.Int8).alias(outcome))
        if outcome != "revenue":
            known = pl.col("time").max() if outcome == "rating" else pl.col("time").min()
            made.append(known.alias(f"{outcome}_time"))
    return rows.group_by(*stream.join, "event_time").agg(*made).rename({"event_time": "time"})


def with_outcomes(events: pl.DataFrame, stream: Stream, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Give a slice of sorted events a stream's outcomes; of events with the same keys and time the first has them.

    An event without one has 0, or, where it lacks a key or for a rating, null: nobody can know.
    """
    keys = [*stream.join, "time"]
    times = [f"{outcome}_time" for outcome in stream.gives if outcome != "revenue"]
    events = events.drop(*stream.gives, *times, strict=False)
    first = (pl.int_range(pl.len()).over(keys) == 0).alias("first")
    joined = events.with_columns(first).join(
        outcomes.with_columns(pl.lit(True).alias("first")), on=[*keys, "first"], how="left", maintain_order="left"
    )
    known = pl.all_horizontal(pl.col(key).is_not_null() for key in stream.join)
    zero = [
        pl.when(known).then(pl.col(o).fill_null(0)).otherwise(pl.col(o)).alias(o) for o in stream.gives if o != "rating"
    ]
    return joined.with_columns(zero).drop("first")


def set_aside_outcomes(stream_rows: StreamRows, attributed: pl.DataFrame, day: date) -> pl.DataFrame:
    """The stream's rows of a day that are part of no event, with their reasons."""
    hours, keys = (
        stream_rows.stream.window_hours,
        " and ".join(key.removesuffix("_id") for key in stream_rows.stream.join),
    )
    alone = attributed.filter(pl.col("event_time").is_null() & (pl.col("day") == day)).drop("event_time")
    alone = alone.with_columns(
        pl.lit(UNATTRIBUTED).alias("kind"),
        pl.lit(f"no event of its {keys} in the {hours} hours before").alias("reason"),
    )
    rows = stream_rows.rows.filter(pl.col("kind").is_not_null() & (pl.col("day") == day))
    return (
        pl.concat([rows, alone.select(rows.columns)])
        .drop("day")
        .with_columns(pl.lit(stream_rows.stream.name).alias("feed"))
    )
