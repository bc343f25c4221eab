"""Writing a world's logs into a landing zone, and its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl

from causalrec.simulator.traffic.delivery import OUTCOMES_OF_ORDERS, Orders, deliveries
from causalrec.simulator.traffic.traffic import Past, SimulatedDay, simulate_day
from causalrec.simulator.world.campaigns import campaigns_frame
from causalrec.simulator.world.causes import edges, latent, tiers
from causalrec.simulator.world.world import World, WorldConfig, user_id


def simulate(config: WorldConfig, landing: Path, truth: Path, progress: Callable[[str], None] = lambda _: None) -> None:
    """Write `config.days` days of logs, the items, the users, and the truth.

    A file appears under its name only when it is whole. Days are drawn one after another from the same past,
    so that more days leave the earlier ones as they are. A day is written while the next one is drawn.

    Args:
        landing: Gets `events/day=D/events.parquet`, `items/items.parquet`, `users/users.parquet`. With the dials:
            rows of day D that come late or again in `events/day=LATER/of-D.parquet`; items and users that come
            during the run in `items/day=D/items.parquet`, `users/day=D/users.parquet`; purchases in
            `orders/day=D/orders.parquet`, and none in the events; `campaigns/campaigns.parquet`.
        truth: Gets `day=D.parquet` (both potential outcomes of every event), `graph.json`, `world.json`.
        progress: Called with a line a day.
    """
    world = World(config)
    _write_newcomers(world, landing)
    if config.campaign_share:
        _write(campaigns_frame(config, world.catalogue.item_id), landing / "campaigns" / "campaigns.parquet")
    graph = {"tiers": tiers(config), "latent": latent(config), "edges": edges(config)}
    _write_json(graph, truth / "graph.json")
    _write_json(config.to_json(), truth / "world.json")
    past, orders = Past(world), Orders()
    with ThreadPoolExecutor(1) as writer:
        written: Future[None] | None = None
        for number in range(config.days):
            simulated = simulate_day(world, past, number)
            if written is not None:
                written.result()  # its failure is ours, and no more than two days are in memory
            written = writer.submit(_write_day, config, number, simulated, orders, landing, truth)
            progress(f"{simulated.drawn.day}: {simulated.events.height:,} events")
        if written is not None:
            written.result()


def _write_day(
    config: WorldConfig, number: int, simulated: SimulatedDay, orders: Orders, landing: Path, truth: Path
) -> None:
    day, events = simulated.drawn.day, simulated.events
    _write(simulated.truth, truth / f"day={day}.parquet")
    if config.delay_days:
        today = orders.take(events, simulated.truth["ordered_at"], day)
        _write(today, landing / "orders" / f"day={day}" / "orders.parquet")
        events = events.drop(OUTCOMES_OF_ORDERS)
    for arrives, rows in deliveries(events, number, config):
        name = "events" if arrives == number else f"of-{day}"
        folder = f"day={config.first_day + timedelta(days=arrives)}"
        _write(rows, landing / "events" / folder / f"{name}.parquet")


def items_frame(world: World) -> pl.DataFrame:
    """The catalogue, with what is published during the run."""
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
    """The users, with those who come during the run."""
    ages, regions = world.attributes
    ids = [user_id(k) for k in range(world.config.users)]
    return pl.DataFrame({"user_id": ids, "age_group": ages, "region": regions})


def _write_newcomers(world: World, landing: Path) -> None:
    """Items and users, each from the day on which it is there."""
    config = world.config
    for name, frame, arrival in (
        ("items", items_frame(world), pl.Series(-world.catalogue.age_days)),
        ("users", users_frame(world), pl.Series(world.arrival)),
    ):
        _write(frame.filter(arrival <= 0), landing / name / f"{name}.parquet")
        for number in range(1, config.days):
            if (arrival == number).any():
                folder = f"day={config.first_day + timedelta(days=number)}"
                _write(frame.filter(arrival == number), landing / name / folder / f"{name}.parquet")


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
