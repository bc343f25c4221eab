"""The true value of any policy in the question of the slot: which item, given the context and those above.

The value is exact given the slots: it is a sum of the world's probabilities, with no draw in it. Only tests
and benchmarks read this; no asset sees the truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.simulator.logging_policy import item_distribution
from causalrec_assets.simulator.traffic import Past
from causalrec_assets.simulator.world import World, WorldConfig

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BLOCK = 4096  # slots at a time: 4,096 x 500 probabilities are 16 MB


@dataclass(frozen=True)
class Slots:
    """The slots that the logging policy filled on one day, in the order of the landed rows.

    Attributes:
        unit_id: The event in each slot, (slots,).
        user, hour, mobile, position, shown: Of each slot, (slots,); `shown` is the item that was logged.
        candidates: Whether the item may stand in the slot, (slots, items): those above it may not.
        user_category_rate: Past click rate of the slot's user in each category at the end of the day before,
            (slots, categories).
        item_rate: Past click rate of each item at the end of the day before, (items,).
    """

    unit_id: list[str]
    user: Ints
    hour: Ints
    mobile: Ints
    position: Ints
    shown: Ints
    candidates: Bools
    user_category_rate: Floats
    item_rate: Floats


@dataclass(frozen=True)
class PolicyValue:
    """Means over slots: P(click), P(purchase), and revenue (price times P(purchase), in currency units)."""

    click: float
    purchase: float
    revenue: float


def load_world(truth: Path) -> World:
    """The world that wrote a truth folder."""
    return World(WorldConfig.from_json(json.loads((truth / "world.json").read_text())))


def past_before(world: World, landing: Path, day: date) -> Past:
    """What the landed logs say at the end of the day before `day`: what the logging policy acted on."""
    past, first = Past(world), world.config.first_day
    for number in range(max(0, (day - first).days - world.config.history_days), (day - first).days):
        events = _landed(landing, first + timedelta(days=number))
        click = events["click"].to_numpy().astype(np.int64)
        past.add(_index(events["user_id"]), _index(events["item_id"]), click)
    return past


def logged_slots(world: World, landing: Path, day: date) -> Slots:
    """The slots of a landed day; nothing but landed columns is read."""
    past = past_before(world, landing, day)
    rows = _landed(landing, day).filter(pl.col("recommended") == 1)
    user, shown = _index(rows["user_id"]), _index(rows["item_id"])
    position = rows["position"].to_numpy().astype(np.int64)
    request = rows["request_id"].rank("dense").to_numpy().astype(np.int64) - 1
    by_slot = np.full((request.max(initial=-1) + 1, world.config.slate), -1, dtype=np.int64)
    by_slot[request, position - 1] = shown
    candidates = np.ones((len(user), world.config.items), dtype=np.bool_)
    for slot in range(1, world.config.slate):
        below = np.flatnonzero(position > slot)
        candidates[below, by_slot[request[below], slot - 1]] = False
    return Slots(
        rows["event_id"].to_list(),
        user,
        rows["timestamp"].dt.hour().to_numpy().astype(np.int64),
        (rows["device"] == "mobile").to_numpy().astype(np.int64),
        position,
        shown,
        candidates,
        past.user_category_rate[user],
        past.item_rate,
    )


def logging_probabilities(world: World, slots: Slots) -> Floats:
    """The logging policy's action propensity of every candidate, (slots, items), rows sum to 1."""
    shop = world.catalogue
    p = item_distribution(slots.user_category_rate, shop.category, slots.item_rate, shop.price, world.config)
    p = np.where(slots.candidates, p, 0.0)
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def uniform_probabilities(slots: Slots) -> Floats:
    """Every candidate alike, (slots, items)."""
    return np.asarray(slots.candidates / slots.candidates.sum(axis=1, keepdims=True))


def best_probabilities(world: World, slots: Slots) -> Floats:
    """All on the candidate of the largest P(click | do(recommend)), (slots, items).

    It reads the latent taste and quality: what no policy can reach, only approach.
    """
    best = np.concatenate(
        [
            np.where(slots.candidates[block], p_click, -1.0).argmax(axis=1)
            for block, p_click, _ in _probabilities(world, slots)
        ]
    )
    chosen = np.zeros(slots.candidates.shape)
    chosen[np.arange(len(best)), best] = 1.0
    return chosen


def true_policy_value(world: World, slots: Slots, probabilities: Floats) -> PolicyValue:
    """The exact value of a policy: mean over slots of sum_a pi(a | slot) E[Y | do(recommend a), slot].

    Args:
        slots: The slots that are judged; the items above are those that were logged.
        probabilities: The policy's action probabilities, (slots, items) in the order of the catalogue; rows
            sum to 1, 0 for what is not a candidate.

    Raises:
        ValueError: The shape is another, a row does not sum to 1, or an item above has a probability.
    """
    if probabilities.shape != slots.candidates.shape:
        raise ValueError(
            f"action probabilities must be (slots, items) = {slots.candidates.shape}, got {probabilities.shape}"
        )
    if len(probabilities) == 0:
        raise ValueError("there is no slot to judge a policy in")
    wrong = np.flatnonzero(~np.isclose(probabilities.sum(axis=1), 1.0) | (probabilities < 0).any(axis=1))
    if len(wrong):
        raise ValueError(f"the action probabilities of slot {wrong[0]} are negative or do not sum to 1")
    taken = np.flatnonzero((np.where(slots.candidates, 0.0, probabilities) > 0).any(axis=1))
    if len(taken):
        raise ValueError(f"slot {taken[0]} gives a probability to an item that already stands above it")
    click = purchase = revenue = 0.0
    for block, p_click, p_buy in _probabilities(world, slots):
        pi = probabilities[block]
        click += float((pi * p_click).sum())
        purchase += float((pi * p_buy).sum())
        revenue += float((pi * p_buy * world.catalogue.price[None, :]).sum())
    n = len(probabilities)
    return PolicyValue(click / n, purchase / n, revenue / n)


def _probabilities(world: World, slots: Slots) -> Iterator[tuple[slice, Floats, Floats]]:
    """P(click) and P(purchase) of every item in a block of slots, under do(recommended)."""
    items = np.arange(world.config.items)[None, :]
    for start in range(0, len(slots.user), BLOCK):
        block = slice(start, start + BLOCK)
        rate = slots.user_category_rate[block][:, world.catalogue.category]
        yield (
            block,
            *world.probabilities(
                slots.user[block, None],
                items,
                1,
                slots.hour[block, None],
                slots.mobile[block, None],
                slots.position[block, None],
                rate,
            ),
        )


def _landed(landing: Path, day: date) -> pl.DataFrame:
    return pl.read_parquet(landing / "events" / f"day={day}" / "events.parquet")


def _index(ids: pl.Series) -> Ints:
    return ids.str.extract(r"-(\d+)$").cast(pl.Int64).to_numpy()
