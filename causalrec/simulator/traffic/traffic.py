"""A day of the world: requests, slates, browsing, and the outcomes in both arms.

A day is drawn in blocks of requests, each from a random generator of its own, so that threads share the work and
their number changes nothing. What a dial adds is drawn from a generator of that dial: turning it leaves every other
draw as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints
from causalrec.simulator.traffic.displacement import draw_displaced
from causalrec.simulator.traffic.going_anyway import draw_came_for
from causalrec.simulator.traffic.sampling import (
    DayPolicy,
    day_policy,
    draw_organic,
    draw_slates,
    first_slot_probability,
)
from causalrec.simulator.world.day import Column, Drawn, Requests
from causalrec.simulator.world.dials import WorldConfig
from causalrec.simulator.world.frames import events_frame, truth_frame
from causalrec.simulator.world.hidden import draw_hidden
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import Conditions, Context, World, sigmoid

__all__ = ["Past", "SimulatedDay", "simulate_day"]


HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 9, 12, 14, 14, 12, 7, 3], dtype=float)

BLOCK_ROWS = 32_768
"""Events a block, about: 20 arrays of 8 bytes stay in a core's cache. Another number gives other draws."""

HIDDEN, RATING, DELAY, HOLDOUT, GO_ANYWAY, DISPLACED = 1, 2, 3, 4, 5, 6  # generators of dials


@dataclass(frozen=True)
class SimulatedDay:
    """What was logged, and what only the simulator knows, row by row.

    Attributes:
        events: As if every row arrived once, on its day, and with its purchase.
        truth: Both potential outcomes of every event.
        drawn: The same as indices and arrays.
    """

    events: pl.DataFrame
    truth: pl.DataFrame
    drawn: Drawn


def simulate_day(world: World, past: Past, number: int) -> SimulatedDay:
    """Draw day `number` (from 0) and add it to the past."""
    drawn = draw_day(world, past, number)
    add_day(past, drawn)
    events = events_frame(world, drawn)
    return SimulatedDay(events, truth_frame(world, drawn, events["event_id"]), drawn)


def add_day(past: Past, drawn: Drawn) -> None:
    """Add what took place on a day to the past."""
    past.add(drawn.user[drawn.present], drawn.item[drawn.present], drawn.click[drawn.present])


def draw_day(world: World, past: Past, number: int) -> Drawn:
    """Draw day `number`, as arrays."""
    c, shop, today = world.config, world.catalogue, world.on(number)
    shown = c.slate + c.organic
    requests = _requests(world, today, number)
    user_rate, item_rate = past.user_category_rate, past.item_rate
    policy = day_policy(shop.category, len(shop.categories), item_rate, today.price, today.age_days, c)
    drawn = Drawn.empty(c, number, today, requests)
    size = max(1, BLOCK_ROWS // shown)
    starts = range(0, len(requests.user), size)

    def fill(block: int) -> None:
        part = slice(starts[block], min(starts[block] + size, len(requests.user)))
        key = [c.seed, 100 + number, block + 1]
        _fill(world, drawn, part, policy, (user_rate[requests.user[part]], item_rate), key)

    _all_of(fill, len(starts))
    return drawn


def _requests(world: World, today: Conditions, number: int) -> Requests:
    """Who asks when, in the order of time."""
    c = world.config
    rng = np.random.default_rng([c.seed, 100 + number])
    count = c.events_per_day // (c.slate + c.organic)
    hour = rng.choice(24, size=count, p=HOURS / HOURS.sum())
    second = np.sort(hour * 3600 + rng.integers(0, 3600, size=count))
    user = rng.choice(c.users, size=count, p=today.activity)
    mobile = (rng.random(count) < 0.6).astype(np.int64)
    return Requests(second, user, mobile)


def _all_of(work: Callable[[int], None], count: int) -> None:
    threads = min(count, os.cpu_count() or 1)
    if threads == 1:
        for k in range(count):
            work(k)
        return
    # NumPy lets go of the interpreter's lock in its loops, so that threads are enough.
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(count)))


def _fill(
    world: World, drawn: Drawn, part: slice, policy: DayPolicy, rates: tuple[Floats, Floats], key: list[int]
) -> None:
    """Draw a block of requests into its rows.

    Args:
        rates: Past click rates: of each request's user in each category, and of each item.
    """
    c, rng = world.config, np.random.default_rng(key)
    user, mobile, hour = (x[part] for x in (drawn.requests.user, drawn.requests.mobile, drawn.requests.second // 3600))
    n, shown = len(user), c.slate + c.organic
    rows = slice(part.start * shown, (part.start + n) * shown)

    rate, item_rate = rates
    slate, propensity = draw_slates(policy, rate, c.slate, c, rng)
    organic = draw_organic(policy.browse, slate, c.organic, rng)
    if c.holdout_share:
        _hold_out(drawn, part, organic, policy, c, key)
    if c.go_anyway:
        generator = np.random.default_rng([*key, GO_ANYWAY])
        came = np.flatnonzero(generator.random(n) < c.go_anyway)
        organic[came] = draw_came_for(
            rate[came], world.catalogue.category, item_rate, drawn.today.age_days, c, generator
        )
        _meet(drawn, part, slate, organic, came)
    drawn.first_slot[part] = first_slot_probability(policy, rate, organic, c)
    # Had an organic item been recommended, it would have stood in some slot; which one is uniform for an item
    # of small probability (over propensity deciles the mean slot of recommended rows varies by 0.06).
    elsewhere = rng.integers(1, c.slate + 1, size=(n, c.organic))
    slots = np.broadcast_to(np.arange(1, c.slate + 1), (n, c.slate))
    item = np.concatenate([slate, organic], axis=1)
    drawn.item[rows] = item.ravel()
    drawn.position[rows] = position = np.concatenate([slots, elsewhere], axis=1).ravel()
    drawn.propensity[part] = propensity

    at, recommended = np.repeat(np.arange(n), shown), drawn.recommended[rows]
    log_rate = np.log(rate / c.prior_rate)
    item = drawn.item[rows]
    hidden = draw_hidden(recommended, c.hidden_gamma, np.random.default_rng([*key, HIDDEN])) if c.hidden else None
    if hidden is not None:
        drawn.extra["hidden"][rows] = hidden
    both = world.logits(
        drawn.today,
        Context(user[at], hour[at], mobile[at], position),
        item,
        log_rate[at, world.catalogue.category[item]],
        hidden,
    )

    # One pair of uniforms a row, used in both arms: the potential outcomes of a unit belong together.
    u_click, u_buy = rng.random(n * shown), rng.random(n * shown)
    for k, arm in enumerate((1, 0)):
        p_click, p_buy = sigmoid(both.click[k]), sigmoid(both.buy[k])
        clicked = u_click < p_click
        drawn.truth[f"p_click_{arm}"][rows] = p_click
        drawn.truth[f"p_purchase_{arm}"][rows] = p_click * p_buy
        drawn.truth[f"click_{arm}"][rows] = clicked
        drawn.truth[f"purchase_{arm}"][rows] = clicked & (u_buy < p_buy)
    for outcome in ("click", "purchase"):
        taken = np.where(recommended == 1, drawn.truth[f"{outcome}_1"][rows], drawn.truth[f"{outcome}_0"][rows])
        getattr(drawn, outcome)[rows] = taken & drawn.present[rows]
    if c.displacement:
        click = drawn.click[rows].reshape(n, shown) == 1
        displaced = draw_displaced(click, c, np.random.default_rng([*key, DISPLACED])).ravel()
        drawn.extra["displaced"][rows] = displaced
        drawn.click[rows] &= ~displaced
        drawn.purchase[rows] &= ~displaced
    _extras(world, drawn, rows, user[at], np.where(recommended == 1, *both.click), key)


def _hold_out(drawn: Drawn, part: slice, organic: Ints, policy: DayPolicy, c: WorldConfig, key: list[int]) -> None:
    """Take the slate from a random share of the requests; what they browse is drawn from all items."""
    rng = np.random.default_rng([*key, HOLDOUT])
    without = rng.random(len(organic)) < c.holdout_share
    held = np.flatnonzero(without)
    organic[held] = draw_organic(policy.browse, np.empty((len(held), 0), dtype=np.int64), c.organic, rng)
    drawn.without_slate[part] = without
    _events(drawn.present, part, drawn.shown)[held, : c.slate] = False


def _meet(drawn: Drawn, part: slice, slate: Ints, organic: Ints, came: Ints) -> None:
    """Say of each event whether it is what people came for, and leave out those that the slate shows already."""
    size = slate.shape[1]
    came_for = _events(drawn.extra["came_for"], part, drawn.shown)
    came_for[:] = 0
    came_for[came, size:] = 1
    in_slate = (organic[came][:, :, None] == slate[came][:, None, :]).any(axis=2)
    in_slate &= ~drawn.without_slate[part][came][:, None]
    _events(drawn.present, part, drawn.shown)[came, size:] = ~in_slate


def _events(column: Column, part: slice, shown: int) -> Column:
    """The events of some requests in a column of all, (requests, events a request); a view."""
    return column[part.start * shown : part.stop * shown].reshape(-1, shown)


def _extras(world: World, drawn: Drawn, rows: slice, user: Ints, click: Floats, key: list[int]) -> None:
    """What single dials add.

    Args:
        click: The logits of a click in the arm that was taken.
    """
    c, item = world.config, drawn.item[rows]
    if c.rating_rate:
        u = np.random.default_rng([*key, RATING]).random(len(item))
        rating = world.rating(user, item, drawn.today)
        p_rated = sigmoid(np.log(c.rating_rate / (1 - c.rating_rate)) + c.rating_missingness * (rating - 3.0))
        drawn.extra["true_rating"][rows] = rating
        drawn.extra["p_rated"][rows] = p_rated
        for arm in (1, 0):
            drawn.extra[f"rated_{arm}"][rows] = drawn.truth[f"click_{arm}"][rows] & (u < p_rated)
    if c.experiment_share:
        control = click - c.experiment_lift * world.variant[user]
        drawn.extra["p_click_control"][rows] = sigmoid(control)
        drawn.extra["p_click_treatment"][rows] = sigmoid(control + c.experiment_lift)
    if c.campaign_share:
        listed = click - drawn.today.click[item] + drawn.today.click_at_list_price[item]
        drawn.extra["p_click_without_campaign"][rows] = sigmoid(listed)
    if c.delay_days:
        u = np.random.default_rng([*key, DELAY]).standard_exponential(len(item))
        drawn.extra["delay_seconds"][rows] = np.ceil(u * c.delay_days * 86_400)
