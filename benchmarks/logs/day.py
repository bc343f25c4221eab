"""A day from landed files to published: cleaning and gate beside a bare scan-and-sink, and beside the rules in pandas.

Four machines' logs of one day, each in the order of its own times, as Parquet; one row in a thousand was sent again by
another machine, one in two thousand is wrong. With `--data`, Parquet files of your own with the columns of the default
`data/sources.yaml`, of one day.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figures import Figure, Measured, measured, say
from causalrec.home import Home
from causalrec.logs.cleaning.clean import Cleaned, clean_day
from causalrec.logs.cleaning.facts import facts_of
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.file import read_yaml
from causalrec_assets.commands.home import create_home
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.publishing import write_audit_publish
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.store import open_store

ROWS, PANDAS_ROWS, MACHINES, PIECE = 20_000_000, 4_000_000, 4, 500_000
DAY = date(2026, 3, 2)
REPEAT = 3


def run(scale: float, data: Path | None) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="benchmark-day-"))
    try:
        return [*_whole_day(folder / "day", int(ROWS * scale), data), *_beside_pandas(folder / "less", scale, data)]
    finally:
        shutil.rmtree(folder)


def _whole_day(folder: Path, rows: int, data: Path | None) -> list[Figure]:
    home = landed_home(folder, rows, data)
    times: dict[str, list[Measured]] = {"bare": [], "clean": [], "gate": []}
    for number in range(REPEAT):
        for name, function in (("bare", bare), ("clean", clean), ("gate", gate)):
            times[name].append(measured(function, home.root))
            say(f"{name} {number + 1}: {times[name][-1].seconds:.1f} s, {times[name][-1].peak_gb:.2f} GB")
    best = {name: min(each.seconds for each in runs) for name, runs in times.items()}
    published = times["gate"][0].result
    both = measured(clean_and_gate, home.root)
    say(f"both in one process: {both.seconds:.1f} s, {both.peak_gb:.2f} GB")
    how = f"{rows:,} rows, {published:,} published; fastest of {REPEAT} runs each"
    return [
        Figure("a day, landed to published: peak GB", both.peak_gb, 4.0, how=f"{how}; one process"),
        Figure(
            "cleaning / bare scan-and-sink",
            best["clean"] / best["bare"],
            3.5,
            how=f"{best['clean']:.1f} s / {best['bare']:.1f} s; index and hashes of the files counted",
        ),
        Figure(
            "gate / bare scan-and-sink",
            best["gate"] / best["bare"],
            1.5,
            how=f"{best['gate']:.1f} s / {best['bare']:.1f} s; contract, hash and publishing, imports not counted",
        ),
    ]


def _beside_pandas(folder: Path, scale: float, data: Path | None) -> list[Figure]:
    rows = int(PANDAS_ROWS * scale)
    home = landed_home(folder, rows, data)
    ours, theirs = [], []
    for _ in range(REPEAT):
        ours.append(measured(clean, home.root))
        theirs.append(measured(in_pandas, home.root))
        say(f"ours {ours[-1].seconds:.1f} s, pandas {theirs[-1].seconds:.1f} s")
    assert ours[0].result == theirs[0].result, f"ours publishes {ours[0].result} rows, pandas {theirs[0].result}"
    fast, slow = min(m.seconds for m in ours), min(m.seconds for m in theirs)
    peaks = f"{ours[0].peak_gb:.1f} GB against {theirs[0].peak_gb:.1f} GB"
    how = f"{rows:,} rows, both publish {ours[0].result:,}: {slow:.1f} s / {fast:.1f} s; {peaks}"
    return [Figure("the same rules in pandas / cleaning", slow / fast, 3.5, "at least", how)]


# -- the contenders --------------------------------------------------------------------------------------------------


def bare(root: Path) -> None:
    """What no cleaning can be faster than: read all columns, write them."""
    files = sorted((Home(root).landing / "events").rglob("*.parquet"))
    pl.scan_parquet(files).sink_parquet(root / "bare.parquet", compression="zstd")


def clean(root: Path) -> int:
    return _clean(root).rows


def gate(root: Path) -> int:
    """The contract on what was cleaned last, and publishing it."""
    import great_expectations  # noqa: F401  (its import takes seconds, once a process)

    home = Home(root)
    staged = root / "staged.parquet"
    shutil.copyfile(root / "clean.parquet", staged)
    return _publish(home, staged)


def clean_and_gate(root: Path) -> int:
    cleaned = _clean(root)
    return _publish(Home(root), cleaned.path)


def _clean(root: Path) -> Cleaned:
    shutil.rmtree(root / "work", ignore_errors=True)
    zone = LandingZone.of(Home(root))
    landed = zone.landed_day(DAY)
    return clean_day(landed, zone.source, zone.rules, root / "clean.parquet", root / "aside.parquet")


def _publish(home: Home, staged: Path) -> int:
    zone = LandingZone.of(home)
    inputs = Inputs(home, open_store(home), asset="clean_events", code="code", day=DAY, run_id="benchmark")
    rows, aside = pl.scan_parquet(staged).select(pl.len()).collect().item(), 0
    facts = facts_of(staged, zone.source)
    draft = Draft(
        inputs,
        staged=staged,
        params={
            "published_rows": rows,
            "landed_rows": rows + aside,
            "forgotten_rows": 0,
            "outcome_rows": 0,
            "purchase_needs_click": True,
            "logs_propensities": True,
            "marks_recommended": True,
            "few_wrong": True,
            "no_lines_lost": True,
            "any_outcome": facts.any_outcome,
            "weighable": facts.weighable,
        },
    )
    outcome = write_audit_publish(draft)
    assert outcome.pointer is not None, [finding.sentence() for finding in outcome.audit.broken]
    return outcome.pointer.rows


def in_pandas(root: Path) -> int:
    """The same rules as one would write them in pandas."""
    import pandas as pd

    rules = read_yaml(Home(root).setting("cleaning.yaml"))
    files = sorted((Home(root).landing / "events").rglob("*.parquet"))
    parts = []
    for path in files:
        part = pd.read_parquet(path)
        part["file"], part["row"] = str(path), np.arange(1, len(part) + 1)
        parts.append(part)
    rows = pd.concat(parts, ignore_index=True).rename(columns={"timestamp": "time"})
    for column in ("event_id", "user_id", "item_id", "request_id", "policy", "device"):
        rows[column] = rows[column].replace("", None)
    rows["reason"] = None
    first = pd.Timestamp(DAY, tz="UTC")

    def broken(condition, reason):  # type: ignore[no-untyped-def]
        rows.loc[condition & rows["reason"].isna(), "reason"] = reason

    broken(rows["time"].isna(), "no time")
    broken(~rows["time"].between(first, first + pd.Timedelta(days=1), inclusive="left"), "outside")
    broken(rows["item_id"].isna(), "no item")
    broken(rows["event_id"].isna(), "no event id")
    for column in ("recommended", "click", "purchase"):
        broken(~rows[column].isin([0, 1]), f"{column} is neither 0 nor 1")
    for column, (least, most) in rules["bounds"].items():
        if column in rows:
            broken(rows[column].notna() & ~rows[column].between(least, most), f"impossible {column}")
    broken(rows["action_propensity"] <= 0, "chosen with an action propensity of 0")
    broken((rows["recommended"] == 0) & rows["action_propensity"].notna(), "nobody chose an organic row")
    broken(rows["purchase"].fillna(0) > rows["click"].fillna(0), "a purchase without a click")
    broken((rows["revenue"] > 0) & (rows["purchase"] == 0), "revenue without a purchase")
    good = rows[rows["reason"].isna()].sort_values(["time", "event_id"])
    again = good.duplicated("event_id")
    rows.loc[good.index[again], "reason"] = "sent again"
    good = good[~again]
    hours = good.groupby(["user_id", good["time"].dt.hour])["event_id"].size()
    bots = hours[hours > rules["bots"]["events_an_hour"]].index.get_level_values(0).unique()
    rows.loc[good.index[good["user_id"].isin(bots)], "reason"] = "a bot"
    good = good[~good["user_id"].isin(bots)]
    good.drop(columns=["file", "row", "reason"]).to_parquet(root / "pandas.parquet", compression="zstd", index=False)
    rows[rows["reason"].notna()].to_parquet(root / "pandas-aside.parquet", compression="zstd", index=False)
    return len(good)


# -- the rows --------------------------------------------------------------------------------------------------------


def landed_home(root: Path, rows: int, data: Path | None) -> Home:
    """A home with a day's files landed: of one's own, or generated."""
    home = create_home(root, "simulated")
    folder = home.landing / "events" / f"day={DAY}"
    folder.mkdir(parents=True)
    if data is not None:
        for path in sorted(data.rglob("*.parquet")):
            shutil.copyfile(path, folder / path.name)
        return home
    say(f"generating {rows:,} rows")
    for machine in range(MACHINES):
        measured(write_machine, folder / f"machine-{machine}.parquet", rows // MACHINES, machine)
    return home


def write_machine(path: Path, rows: int, machine: int) -> None:
    """One machine's log of the day, in order of time."""
    import pyarrow.parquet as pq

    writer = None
    for first in range(0, rows, PIECE):
        count = min(PIECE, rows - first)
        piece = _rows(machine, first, count, rows)
        # One in a thousand of the next machine's rows is sent again by this one.
        again = _rows((machine + 1) % MACHINES, first, count, rows).gather_every(1000)
        table = pl.concat([piece, again]).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _rows(machine: int, first: int, count: int, rows: int) -> pl.DataFrame:
    """Rows `first` and after of a machine, always the same."""
    rng, day = np.random.default_rng([7, machine, first]), 86_400_000_000
    start = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1e6)
    span = (int(first / rows * day), int((first + count) / rows * day))
    click = rng.random(count) < 0.05
    purchase = click & (rng.random(count) < 0.2)
    number = np.arange(first, first + count)
    # Ten rows a request: five recommended, five organic, no item twice.
    item = np.repeat(rng.zipf(1.2, count // 10 + 1) % 50_000, 10)[:count] + number % 10 * 50_000
    frame = pl.DataFrame(
        {
            "number": number,
            "time": np.sort(rng.integers(*span, size=count)) + start,
            "user": (rng.random(count) ** 3 * 2_000_000).astype(np.int64),
            "item": item,
            "recommended": (number % 10 < 5).astype(np.int8),
            "propensity": rng.random(count) * 0.9 + 0.05,
            "click": click.astype(np.int8),
            "purchase": purchase.astype(np.int8),
            "price": np.round(rng.random(count) * 100, 2),
            "mobile": rng.random(count) < 0.6,
        }
    )
    shown = pl.col("recommended") == 1
    return frame.select(
        pl.format(f"m{machine}-{{}}", pl.col("number").cast(pl.String).str.zfill(9)).alias("event_id"),
        pl.col("time").cast(pl.Datetime("us", "UTC")).alias("timestamp"),
        ("user-" + pl.col("user").cast(pl.String).str.zfill(7)).alias("user_id"),
        pl.when(pl.col("number") % 2000 != 1998).then("item-" + pl.col("item").cast(pl.String)).alias("item_id"),
        pl.format(f"r{machine}-{{}}", pl.col("number") // 10).alias("request_id"),
        pl.when(shown).then(pl.col("number") % 5 + 1).cast(pl.Int64).alias("position"),
        pl.when(shown).then(pl.lit("shop-v1")).alias("policy"),
        pl.when(shown).then("propensity").alias("action_propensity"),
        "recommended",
        "click",
        "purchase",
        (pl.col("price") * pl.col("purchase")).alias("revenue"),
        "price",
        pl.when("mobile").then(pl.lit("mobile")).otherwise(pl.lit("desktop")).alias("device"),
    )
