"""Writing a world's logs into a landing zone, and its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl

from causalrec_assets.simulator.causes import LATENT, TIERS, edges
from causalrec_assets.simulator.traffic import Past, simulate_day
from causalrec_assets.simulator.world import World, WorldConfig


def simulate(config: WorldConfig, landing: Path, truth: Path, progress: Callable[[str], None] = lambda _: None) -> None:
    """Write `config.days` days of logs, the items, the users, and the truth.

    A file appears under its name only when it is whole. Days are drawn one after another from the same past,
    so that more days leave the earlier ones as they are.

    Args:
        landing: Gets `events/day=D/events.parquet`, `items/items.parquet`, `users/users.parquet`.
        truth: Gets `day=D.parquet` (both potential outcomes of every event), `graph.json`, `world.json`.
        progress: Called with a line a day.
    """
    world = World(config)
    _write(items_frame(world), landing / "items" / "items.parquet")
    _write(users_frame(world), landing / "users" / "users.parquet")
    _write_json({"tiers": TIERS, "latent": LATENT, "edges": edges()}, truth / "graph.json")
    _write_json(config.to_json(), truth / "world.json")
    past = Past(world)
    for number in range(config.days):
        day = config.first_day + timedelta(days=number)
        simulated = simulate_day(world, past, number)
        _write(simulated.truth, truth / f"day={day}.parquet")
        _write(simulated.events, landing / "events" / f"day={day}" / "events.parquet")
        progress(f"{day}: {simulated.events.height:,} events")


def items_frame(world: World) -> pl.DataFrame:
    """The catalogue as it is landed."""
    shop, first = world.catalogue, world.config.first_day
    return pl.DataFrame(
        {
            "item_id": shop.item_id,
            "title": shop.title,
            "description": shop.description,
            "category": [shop.categories[k] for k in shop.category],
            "price": shop.price,
            "published_at": [first - timedelta(days=int(age)) for age in shop.age_days],
        }
    )


def users_frame(world: World) -> pl.DataFrame:
    """The users as they are landed."""
    ages, regions = world.attributes
    ids = [f"user-{k:05d}" for k in range(world.config.users)]
    return pl.DataFrame({"user_id": ids, "age_group": ages, "region": regions})


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    frame.write_parquet(draft)
    draft.replace(path)


def _write_json(content: Mapping[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(path)
