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
import polars as pl

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.traffic.logging_policy import item_distribution
from causalrec.simulator.world.hidden import hidden_given_arm
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import Context, World, WorldConfig, sigmoid

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
        number: The day, from 0.
        in_slate: Whether the item stands in the slot's slate, in any slot of it, (slots, items).
    """

    unit_id: list[str]
    user: Ints
    hour: Ints
    mobile: Ints
    position: Ints
    shown: Ints
    candidates: Mask
    user_category_rate: Floats
    item_rate: Floats
    number: int
    in_slate: Mask


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
        events = landed_events(landing, first + timedelta(days=number))
        click = events["click"].to_numpy().astype(np.int64)
        past.add(_index(events["user_id"]), _index(events["item_id"]), click)
    return past


def logged_slots(world: World, landing: Path, day: date) -> Slots:
    """The slots of a landed day; nothing but landed columns is read."""
    past, number = past_before(world, landing, day), (day - world.config.first_day).days
    rows = landed_events(landing, day).filter(pl.col("recommended") == 1)
    user, shown = _index(rows["user_id"]), _index(rows["item_id"])
    position = rows["position"].to_numpy().astype(np.int64)
    request = rows["request_id"].rank("dense").to_numpy().astype(np.int64) - 1
    by_slot = np.full((request.max(initial=-1) + 1, world.config.slate), -1, dtype=np.int64)
    by_slot[request, position - 1] = shown
    there = world.on(number).age_days >= 0
    candidates = np.tile(there, (len(user), 1))
    in_slate = np.zeros_like(candidates)
    in_slate[np.arange(len(user))[:, None], by_slot[request]] = True
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
        number,
        in_slate,
    )


def logging_probabilities(world: World, slots: Slots) -> Floats:
    """The logging policy's action propensity of every candidate, (slots, items), rows sum to 1.

    With hidden confounding it is that given what is logged: the mean over the hidden cause.
    """
    today, category = world.on(slots.number), world.catalogue.category
    p = item_distribution(
        slots.user_category_rate, category, slots.item_rate, today.price, world.config, today.age_days
    )
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
            for block, p_click, _ in outcome_probabilities(world, slots)
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
    price = world.on(slots.number).price
    for block, p_click, p_buy in outcome_probabilities(world, slots):
        pi = probabilities[block]
        click += float((pi * p_click).sum())
        purchase += float((pi * p_buy).sum())
        revenue += float((pi * p_buy * price[None, :]).sum())
    n = len(probabilities)
    return PolicyValue(click / n, purchase / n, revenue / n)


def outcome_probabilities(world: World, slots: Slots) -> Iterator[tuple[slice, Floats, Floats]]:
    """P(click) and P(purchase) of every item in a block of slots, under do(recommended).

    A hidden cause is averaged over, given whether the item stands in the slate: nothing else is known of it.

    Returns:
        Blocks of slots in their order, each with two arrays (slots of the block, items).
    """
    c, today, category = world.config, world.on(slots.number), world.catalogue.category
    items = np.arange(c.items)[None, :]
    in_slate, elsewhere = hidden_given_arm(c.hidden_gamma)
    for start in range(0, len(slots.user), BLOCK):
        block = slice(start, start + BLOCK)
        log_rate = np.log(slots.user_category_rate[block][:, category] / c.prior_rate)
        at = (part[block, None] for part in (slots.user, slots.hour, slots.mobile, slots.position))
        context = Context(*at)
        there = np.where(slots.in_slate[block], in_slate, elsewhere)
        p_click = p_buy = np.zeros(log_rate.shape)
        for hidden, share in ((1, there), (0, 1.0 - there)) if c.hidden else ((0, np.ones(log_rate.shape)),):
            both = world.logits(today, context, items, log_rate, np.array(hidden))
            clicked = share * sigmoid(both.click[0])
            p_click, p_buy = p_click + clicked, p_buy + clicked * sigmoid(both.buy[0])
        yield block, p_click, p_buy


def landed_events(landing: Path, day: date) -> pl.DataFrame:
    """The events of a day in the order of their ids, whenever they arrived, each once."""
    events = landing / "events"
    files = [events / f"day={day}" / "events.parquet", *sorted(events.glob(f"day=*/of-{day}.parquet"))]
    rows = pl.concat([pl.read_parquet(file, glob=False, hive_partitioning=False) for file in files])
    return rows if len(files) == 1 else rows.unique("event_id").sort("event_id")


def _index(ids: pl.Series) -> Ints:
    return ids.str.extract(r"-(\d+)$").cast(pl.Int64).to_numpy()
