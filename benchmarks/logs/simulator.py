"""How many events a second the simulator draws: slates with exact propensities and both potential outcomes.

The peer draws the same slates the straightforward way: one exponential for each request and item (Gumbel top-k), on
the written-out policy. It stands here only.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, measured, say
from causalrec.arrays import Floats, Ints
from causalrec.simulator.landing import simulate
from causalrec.simulator.traffic import traffic
from causalrec.simulator.traffic.logging_policy import item_distribution
from causalrec.simulator.traffic.traffic import simulate_day
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig

TO_REACH = 500_000  # events a second, on 2 cores
ROWS = 2_000_000
DAYS = 4
REPEATS = 3


def run(scale: float, data: Path | None) -> list[Figure]:
    """Events a second of drawing frames, of drawing and writing them, at 5,000 items, and beside the peer.

    Args:
        scale: A share of 2,000,000 events.
        data: Not read: the simulator makes its own.
    """
    shop = WorldConfig(
        slate=10, organic=10, users=20_000, items=500, days=DAYS, events_per_day=int(ROWS * scale) // DAYS
    )
    large = replace(shop, items=5000)
    how = f"slates of 10 and 10 organic events a request, {shop.users:,} users, {DAYS * shop.events_per_day:,} events"
    figures = []
    for words, function, config, bound in (
        ("events a second, frames, 500 items", _frames, shop, TO_REACH),
        ("events a second, frames and Parquet, 500 items", _landed, shop, TO_REACH),
        ("events a second, frames, 5,000 items", _frames, large, None),
        ("events a second, frames and Parquet, 5,000 items", _landed, large, None),
    ):
        best = _best(function, config)
        say(f"{words}: {best:,.0f}")
        figures.append(Figure(words, best, bound, "at least", f"{how}; best of {REPEATS}"))
    for config, rows in ((shop, 400_000), (large, 100_000)):
        day = replace(config, users=2000, days=1, events_per_day=int(rows * scale))
        ours, peer = _best(_frames, day), _best(_frames_of_the_peer, day)
        say(f"beside Gumbel top-k, {day.items:,} items: {ours:,.0f} and {peer:,.0f}")
        parts = f"{ours:,.0f} / {peer:,.0f} events a second, a day of {day.events_per_day:,} events"
        figures.append(
            Figure(f"speed / Gumbel top-k over all {day.items:,} items", ours / peer, None, "at least", parts)
        )
    return figures


def _best(function: Callable[[WorldConfig], float], config: WorldConfig) -> float:
    events = config.days * (config.events_per_day // (config.slate + config.organic)) * (config.slate + config.organic)
    return max(events / float(measured(function, config).result) for _ in range(REPEATS))


def _frames(config: WorldConfig) -> float:
    """Seconds to draw all days as frames; the catalogue and the tastes, drawn once a world, are not counted."""
    world = World(config)
    past = Past(world)
    simulate_day(World(WorldConfig(days=1)), Past(World(WorldConfig(days=1))), 0)  # imports and first touches
    _ = world.taste, world.activity
    started = time.perf_counter()
    for number in range(config.days):
        simulate_day(world, past, number)
    return time.perf_counter() - started


def _landed(config: WorldConfig) -> float:
    """Seconds to land all days and their truth, catalogue and all."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        simulate(config, Path(folder) / "landing", Path(folder) / "truth")
        return time.perf_counter() - started


def _frames_of_the_peer(config: WorldConfig) -> float:
    """As `_frames`, with each block's slates drawn over the whole matrix."""

    def slates(
        policy: object, rates: Floats, size: int, c: WorldConfig, rng: np.random.Generator
    ) -> tuple[Ints, Floats]:
        p = item_distribution(rates, shop.category, current.item_rate, shop.price, c)
        items = _top(rng.standard_exponential(p.shape) / p, size)
        chosen = np.take_along_axis(p, items, axis=1)
        return items, chosen / (1.0 - (np.cumsum(chosen, axis=1) - chosen))

    def organic(browse: Floats, slates: Ints, size: int, rng: np.random.Generator) -> Ints:
        keys = rng.standard_exponential((len(slates), len(browse))) / browse
        np.put_along_axis(keys, slates, np.inf, axis=1)
        return np.argpartition(keys, size - 1, axis=1)[:, :size]

    world = World(config)
    shop, current = world.catalogue, Past(world)
    traffic.draw_slates, traffic.draw_organic = slates, organic
    simulate_day(world, Past(world), 0)
    started = time.perf_counter()
    for number in range(config.days):
        simulate_day(world, current, number)
    return time.perf_counter() - started


def _top(keys: Floats, size: int) -> Ints:
    """The `size` smallest of each row, ascending."""
    top = np.argpartition(keys, size - 1, axis=1)[:, :size]
    order = np.argsort(np.take_along_axis(keys, top, axis=1), axis=1)
    return np.take_along_axis(top, order, axis=1)
