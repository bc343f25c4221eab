"""A shop of two days in small literal frames, and its mapping."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from causalrec.home import Home
from causalrec.logs.cleaning.clean import TYPES, Cleaned, clean_day
from causalrec.logs.landing.index import LandingIndex, index_landing
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import Source, parse_source

FIRST = date(2026, 3, 2)
SECOND = date(2026, 3, 3)

SETTINGS: dict[str, object] = {
    "name": "shop",
    "first_day": FIRST,
    "time_zone": "UTC",
    "events": {
        "folder": "events",
        "columns": {
            "event_id": "event_id",
            "time": "timestamp",
            "item_id": "item_id",
            "user_id": "user_id",
            "request_id": "request_id",
            "position": "position",
            "policy": "policy",
            "action_propensity": "action_propensity",
            "recommended": "recommended",
            "click": "click",
            "purchase": "purchase",
            "device": "device",
        },
    },
    "organic_rows": "every_impression",
    "purchase_needs_click": True,
    "context": {"device": "text"},
    "items": {
        "folder": "items",
        "columns": {
            "item_id": "item_id",
            "category": "category",
            "price": "price",
            "published_at": "published_at",
        },
    },
    "outcomes": {"click": {"maturity_days": 0}, "purchase": {"maturity_days": 2}},
    "history_days": 3,
    "rate_prior": {"rate": 0.1, "exposures": 10},
}

ITEMS = pl.DataFrame(
    {
        "item_id": ["hat", "shoe", "sock"],
        "category": ["head", "feet", "feet"],
        "price": [20.0, 50.0, 5.0],
        "published_at": [date(2026, 2, 20), date(2026, 3, 1), date(2026, 3, 2)],
    }
)


def settings(**changes: object) -> dict[str, object]:
    """The mapping with top-level keys changed; None removes one."""
    return {key: value for key, value in (SETTINGS | changes).items() if value is not None}


def source(**changes: object) -> Source:
    return parse_source(settings(**changes))


def without_user() -> Source:
    events = {"folder": "events", "columns": {k: v for k, v in _columns().items() if k != "user_id"}}
    return source(events=events)


def _columns() -> dict[str, str]:
    return dict(SETTINGS["events"]["columns"])  # type: ignore[index,call-overload]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def event(
    event_id: str, time: datetime | None, item: str | None, user: str = "ann", **values: object
) -> dict[str, object]:
    """A landed row: organic and without any outcome, unless said."""
    row = {
        "event_id": event_id,
        "timestamp": time,
        "item_id": item,
        "user_id": user,
        "request_id": None,
        "position": None,
        "policy": None,
        "action_propensity": None,
        "recommended": 0,
        "click": 0,
        "purchase": 0,
        "device": "phone",
    }
    return row | values


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    types = {
        "event_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "item_id": pl.String,
        "user_id": pl.String,
        "request_id": pl.String,
        "position": pl.Int64,
        "policy": pl.String,
        "action_propensity": pl.Float64,
        "recommended": pl.Int8,
        "click": pl.Int8,
        "purchase": pl.Int8,
        "device": pl.String,
    }
    return pl.DataFrame(list(rows), schema=types)


def land(root: Path, name: str, rows: pl.DataFrame) -> Path:
    """Write a landed file below `landing/events`, in the format of its name."""
    path = root / "landing" / "events" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {".parquet": rows.write_parquet, ".csv": rows.write_csv, ".jsonl": rows.write_ndjson}
    writers[path.suffix](path)
    return path


def index(root: Path, of: Source | None = None) -> LandingIndex:
    return index_landing(root / "landing", of or source(), root / "cache")


def cleaned(root: Path, day: date = FIRST, of: Source | None = None, rules: CleaningRules | None = None) -> Cleaned:
    """A day's clean events from what was landed below `root`, at a time when all of it is mature."""
    of, rules = of or source(), rules or CleaningRules()
    zone = LandingZone(Home(root), of, rules, root / "landing")
    landed = replace(zone.landed_day(day), immature=frozenset())
    folder = root / "cleaned"
    folder.mkdir(exist_ok=True)
    return clean_day(landed, of, rules, folder / f"{day}.parquet", folder / f"{day}-aside.parquet")


def clean(rows: pl.DataFrame) -> pl.DataFrame:
    """Literal rows as clean events, without a file in between."""
    nothing = {name: dtype for name, dtype in TYPES.items() if name not in rows.columns and name != "time"}
    return rows.rename({"timestamp": "time"}).with_columns(pl.lit(None, t).alias(n) for n, t in nothing.items())
