"""What a day of history and units costs: after twenty days as after two, and by the rows of the day.

Clean events of 1,000,000 rows a day (times `scale`) of 200,000 users (times `scale`) who each like a few of twenty
categories, and 5,000 items. A day is made as the assets make it: the states and the events are read from Parquet,
`history` and `units` are written to it. The gate is measured elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figures import Figure, Measured, measured, say
from causalrec.logs.cleaning.clean import TYPES
from causalrec.logs.units.covariates import as_of
from causalrec.logs.units.day_counts import day_before, days_read
from causalrec.logs.units.history import state_parts, states_read, write_history
from causalrec.logs.units.units import write_units
from causalrec.settings.logs.sources import Source, parse_source

FIRST = date(2026, 3, 2)
EARLY, LATE = 2, 20
ROWS, USERS, ITEMS, CATEGORIES, LIKED = 1_000_000, 200_000, 5_000, 20, 3
REPEATS = 5
LIKES = 0.9
"""The share of a user's exposures that are of a category that they like."""


def shop() -> Source:
    columns = ["event_id", "time", "item_id", "user_id", "recommended", "click", "purchase", "price", "purchase_time"]
    return parse_source(
        {
            "first_day": FIRST,
            "events": {"columns": {c: c for c in columns}},
            "organic_rows": "every_impression",
            "items": {"columns": {c: c for c in ("item_id", "category", "price", "published_at")}},
            "users": {"columns": {"user_id": "user_id"}},
            "outcomes": {"click": {}, "purchase": {"maturity_days": 1}},
            "history_days": 28,
        }
    )


def items() -> pl.DataFrame:
    k = np.arange(ITEMS)
    return pl.DataFrame(
        {
            "item_id": [f"item-{n:05d}" for n in k],
            "category": [f"category-{n % CATEGORIES:02d}" for n in k],
            "price": 5.0 + k % 97,
            "published_at": [FIRST - timedelta(days=int(n) % 300) for n in k],
        }
    )


def write_events(path: Path, day: date, rows: int, users: int) -> None:
    """A day's clean events, sorted by time as the log stage writes them; no two days are alike."""
    rng = np.random.default_rng([rows, day.toordinal()])
    # A few users do much, most do little.
    user = np.minimum((users * rng.power(0.6, rows)).astype(np.int64), users - 1)
    liked = (user * 7 + rng.integers(0, LIKED, rows) * 5) % CATEGORIES
    category = np.where(rng.random(rows) < LIKES, liked, rng.integers(0, CATEGORIES, rows))
    item = category + CATEGORIES * (ITEMS // CATEGORIES * rng.power(0.5, rows)).astype(np.int64)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    second = np.sort(rng.integers(0, 86_400_000_000, rows))
    click = rng.random(rows) < 0.1
    bought = click & (rng.random(rows) < 0.2)
    later = rng.integers(0, 30 * 3_600_000_000, rows)
    text = pl.col("user").cast(pl.String).str.zfill(8), pl.col("item").cast(pl.String).str.zfill(5)
    frame = pl.DataFrame({"user": user, "item": item, "second": second, "later": later}).select(
        pl.format("{}-{}", pl.lit(str(day)), pl.int_range(pl.len()).cast(pl.String).str.zfill(8)).alias("event_id"),
        (pl.lit(midnight) + pl.duration(microseconds="second")).cast(TYPES["time"]).alias("time"),
        pl.format("user-{}", text[0]).alias("user_id"),
        pl.format("item-{}", text[1]).alias("item_id"),
        (pl.lit(midnight) + pl.duration(microseconds=pl.col("second") + pl.col("later"))).alias("purchase_time"),
    )
    frame = frame.with_columns(
        pl.Series("recommended", rng.integers(0, 2, rows), dtype=pl.Int8),
        pl.Series("click", click.astype(np.int8)),
        pl.Series("purchase", bought.astype(np.int8)),
        pl.Series("price", np.round(5.0 + item % 97, 2)),
    ).with_columns(pl.when(pl.col("purchase") == 1).then("purchase_time").cast(TYPES["time"]).alias("purchase_time"))
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in TYPES.items() if name not in frame.columns]
    frame.with_columns(missing).select(list(TYPES)).write_parquet(path, compression="zstd", row_group_size=250_000)


def make_history(folder: Path, number: int) -> None:
    """The state of a day, from the states and the events that lie in the folder."""
    source, day = shop(), FIRST + timedelta(days=number)
    states = {d: pl.scan_parquet(folder / f"history-{d}.parquet") for d in states_read(source, day)}
    events = {d: pl.scan_parquet(folder / f"events-{d}.parquet") for d in days_read(source, day)}
    write_history(state_parts(states, events, items(), source, day), folder / f"history-{day}.parquet")


def make_day(folder: Path, number: int) -> tuple[int, int]:
    """The units and the state of a day; (units, rows of the state)."""
    source, day = shop(), FIRST + timedelta(days=number)
    before = day_before(source, day)
    assert before is not None
    state = as_of(pl.scan_parquet(folder / f"history-{before}.parquet"), day, source)
    events, listed = pl.scan_parquet(folder / f"events-{day}.parquet"), pl.read_parquet(folder / "users.parquet")
    write_units(events, state, items(), source, folder / "units.parquet", listed)
    del state
    make_history(folder, number)
    paths = (folder / "units.parquet", folder / f"history-{day}.parquet")
    units, rows = (pl.scan_parquet(path).select(pl.len()).collect().item() for path in paths)
    return int(units), int(rows)


def make_past(folder: Path, rows: int, users: int, days: int) -> None:
    """Events of the days 0 to `days`, and the states of all but the last."""
    folder.mkdir(exist_ok=True)
    for number in range(days + 1):
        day = FIRST + timedelta(days=number)
        write_events(folder / f"events-{day}.parquet", day, rows, users)
        if number < days:
            make_history(folder, number)
    ids = pl.int_range(users, eager=True).cast(pl.String).str.zfill(8)
    pl.DataFrame({"user_id": "user-" + ids}).write_parquet(folder / "users.parquet")


def run(scale: float, data: Path | None) -> list[Figure]:
    """The figures of this section; it makes its own events, since a cost is compared over days and rows.

    Args:
        scale: A share of the full number of rows and users.
        data: Not used.
    """
    if data is not None:
        say("history: it makes its own events (a day's cost is compared over days and rows); --data is not used")
    rows, users = int(ROWS * scale), int(USERS * scale)
    with tempfile.TemporaryDirectory() as root:
        late, twice = Path(root) / "late", Path(root) / "twice"
        measured(make_past, late, rows, users, LATE)
        say(f"history: {LATE} days of {rows:,} rows are made")
        measured(make_past, twice, 2 * rows, users, LATE)
        say(f"history: {LATE} days of {2 * rows:,} rows are made")
        of: dict[tuple[Path, int], list[Measured]] = {(late, EARLY): [], (late, LATE): [], (twice, LATE): []}
        # In turn, so that a busy minute of the machine is nobody's.
        for _ in range(REPEATS):
            for (folder, number), found in of.items():
                found.append(measured(make_day, folder, number))
                say(f"history: day {number} of {folder.name}: {found[-1].seconds:.1f} s, {found[-1].peak_gb:.2f} GB")
        seconds = {key: min(m.seconds for m in found) for key, found in of.items()}
        peak = {key: min(m.peak_gb for m in found) for key, found in of.items()}
        state = {key: found[0].result[1] for key, found in of.items()}
    a, b, c = (late, EARLY), (late, LATE), (twice, LATE)
    what = f"{rows:,} events of {users:,} users a day, {os.cpu_count()} cores, best of {REPEATS}"
    return [
        Figure(
            "history and units of a day: after 20 days / after 2, time",
            seconds[b] / seconds[a],
            1.2,
            how=f"{seconds[b]:.1f} s / {seconds[a]:.1f} s; state {state[b]:,} / {state[a]:,} rows; {what}",
        ),
        Figure(
            "history and units of a day: twice the rows / once, time",
            seconds[c] / seconds[b],
            2.2,
            how=f"{seconds[c]:.1f} s / {seconds[b]:.1f} s; after {LATE} days",
        ),
        Figure(
            "history and units of a day: twice the rows / once, peak memory",
            peak[c] / peak[b],
            1.3,
            how=f"{peak[c]:.2f} GB / {peak[b]:.2f} GB; the state's rows are {state[c]:,} / {state[b]:,}",
        ),
        Figure(
            "history and units of a day: rows a second",
            rows / seconds[b],
            how=f"{seconds[b]:.1f} s for {rows:,} rows, after {LATE} days",
        ),
    ]
