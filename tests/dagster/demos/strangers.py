"""A stranger's shop: other names, users who differ in what confounds, no word on money; its effects are known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from causalrec.home import Home
from causalrec_assets.commands.home import create_home

FIRST = date(2026, 3, 2)
USERS, ITEMS = 600, 12
LIFT = np.linspace(0.03, 0.23, ITEMS)
"""What showing each item adds to the chance of a tap, whoever meets it."""
EFFECT = float(LIFT.mean())
SOURCES = {
    "name": "strangers",
    "about": "A shop that nobody has asked about money.",
    "first_day": FIRST,
    "time_zone": "UTC",
    "events": {
        "folder": "events",
        "columns": {
            "time": "ts",
            "item_id": "sku",
            "user_id": "customer",
            "policy": "algo",
            "action_propensity": "prob",
            "recommended": "shown",
            "click": "tap",
            "purchase": "bought",
            "price": "cost",
        },
        "codes": {"click": {"Y": 1, "N": 0}},
    },
    "organic_rows": "every_impression",
    "items": {"folder": "items", "columns": {"item_id": "sku", "title": "label", "price": "list_price"}},
    "users": {
        "folder": "users",
        "columns": {"user_id": "customer", "plan": "plan", "born": "born", "city": "city"},
        "kinds": {"born": "number"},
        "sensitive": ["born"],
    },
    "outcomes": {"click": {"maturity_days": 0}, "purchase": {"maturity_days": 0}},
}


def strangers_home(root: Path, days: int, events_a_day: int, seed: int = 5) -> Home:
    """A home with the logs landed, of which only `sources.yaml` was written."""
    home = create_home(root)
    (home.data / "sources.yaml").write_text(yaml.safe_dump(SOURCES, sort_keys=False))
    rng = np.random.default_rng(seed)
    gold, old = rng.random(USERS) < 0.5, rng.random(USERS) < 0.5
    names = np.array([f"c{k}" for k in range(USERS)])
    prices = np.round(rng.uniform(5, 50, ITEMS), 2)
    items = pl.DataFrame(
        {"sku": [f"s{k}" for k in range(ITEMS)], "label": [f"a thing of kind {k}" for k in range(ITEMS)]}
    ).with_columns(list_price=pl.Series(prices))
    people = pl.DataFrame(
        {
            "customer": names,
            "plan": np.where(gold, "gold", "basic"),
            "born": np.where(old, 1955, 1995),
            "city": rng.choice(["here", "there"], USERS),
        }
    )
    for folder, frame in (("items", items), ("users", people.head(USERS - 20))):
        (home.landing / folder).mkdir(parents=True)
        frame.write_csv(home.landing / folder / "all.csv")
    for k in range(days):
        who, what = rng.integers(USERS, size=events_a_day), rng.integers(ITEMS, size=events_a_day)
        shown = rng.random(events_a_day) < 0.2 + 0.35 * gold[who] + 0.25 * old[who]
        chance = 0.05 + 0.2 * gold[who] + 0.15 * old[who] + shown * LIFT[what]
        tap = rng.random(events_a_day) < chance
        bought = tap & (rng.random(events_a_day) < 0.3)
        day = FIRST + timedelta(days=k)
        seconds = np.sort(rng.choice(86_400, size=events_a_day, replace=False))
        frame = pl.DataFrame(
            {
                "ts": [f"{day} {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in seconds.tolist()],
                "sku": [f"s{w}" for w in what.tolist()],
                "customer": names[who],
                "algo": ["by hand" if s else None for s in shown.tolist()],
                "prob": pl.Series([1 / ITEMS if s else None for s in shown.tolist()], dtype=pl.Float64),
                "shown": shown.astype(int),
                "tap": np.where(tap, "Y", "N"),
                "bought": bought.astype(int),
                "cost": prices[what],
            }
        )
        folder = home.landing / "events" / f"day={day}"
        folder.mkdir(parents=True)
        frame.write_csv(folder / "log.csv")
    return home
