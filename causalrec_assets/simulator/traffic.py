"""A day of the world: requests, slates, browsing, and the outcomes in both arms."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.simulator.logging_policy import (
    browse_distribution,
    draw_organic,
    draw_slates,
    item_distribution,
)
from causalrec_assets.simulator.world import World

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 9, 12, 14, 14, 12, 7, 3], dtype=float)


Counts = tuple[Ints, Ints, Ints, Ints]


@dataclass
class Past:
    """What the logs of the last days say, in exact counts: the only thing the logging policy reads."""

    world: World
    _days: deque[Counts] = field(default_factory=deque)

    def __post_init__(self) -> None:
        pairs = (self.world.config.users, len(self.world.catalogue.categories))
        items = self.world.config.items
        self._sum: Counts = (
            np.zeros(pairs, np.int64),
            np.zeros(pairs, np.int64),
            np.zeros(items, np.int64),
            np.zeros(items, np.int64),
        )

    @property
    def user_category_rate(self) -> Floats:
        """Past click rate of each user in each category, (users, categories)."""
        return self._rate(self._sum[0], self._sum[1])

    @property
    def item_rate(self) -> Floats:
        """Past click rate of each item, (items,)."""
        return self._rate(self._sum[2], self._sum[3])

    def _rate(self, clicks: Ints, exposures: Ints) -> Floats:
        c = self.world.config
        return np.asarray((clicks + c.prior_rate * c.prior_exposures) / (exposures + c.prior_exposures))

    def add(self, user: Ints, item: Ints, click: Ints) -> None:
        """Count a day, and forget the day that falls out of the window."""
        c1, s1, c2, s2 = self._sum
        today: Counts = (np.zeros_like(c1), np.zeros_like(s1), np.zeros_like(c2), np.zeros_like(s2))
        category = self.world.catalogue.category[item]
        np.add.at(today[0], (user, category), click)
        np.add.at(today[1], (user, category), 1)
        np.add.at(today[2], item, click)
        np.add.at(today[3], item, 1)
        self._days.append(today)
        gone = self._days.popleft() if len(self._days) > self.world.config.history_days else None
        for k, total in enumerate(self._sum):
            total += today[k] if gone is None else today[k] - gone[k]


@dataclass(frozen=True)
class SimulatedDay:
    """What was logged, and what only the simulator knows, row by row."""

    events: pl.DataFrame
    truth: pl.DataFrame


def simulate_day(world: World, past: Past, number: int) -> SimulatedDay:
    """Draw day `number` (from 0) and add it to the past."""
    c, shop = world.config, world.catalogue
    rng = np.random.default_rng([c.seed, 100 + number])
    requests = c.events_per_day // (c.slate + c.organic)
    shown = c.slate + c.organic

    # Requests come in the order of their time.
    hour = rng.choice(24, size=requests, p=HOURS / HOURS.sum())
    second = np.sort(hour * 3600 + rng.integers(0, 3600, size=requests))
    user = rng.choice(c.users, size=requests, p=world.activity)
    mobile = (rng.random(requests) < 0.6).astype(np.int64)

    user_rate = past.user_category_rate
    p = item_distribution(user_rate[user], shop.category, past.item_rate, shop.price, c)
    slate, propensity = draw_slates(p, c.slate, rng)
    organic = draw_organic(browse_distribution(past.item_rate, shop.price, c), slate, c.organic, rng)

    item = np.concatenate([slate, organic], axis=1).ravel()
    recommended = np.tile(np.repeat([1, 0], [c.slate, c.organic]), requests).astype(np.int64)
    # Had an organic item been recommended, it would have stood in some slot; which one is uniform for an item
    # of small probability (over propensity deciles the mean slot of recommended rows varies by 0.06).
    elsewhere = rng.integers(1, c.slate + 1, size=(requests, c.organic))
    slots = np.broadcast_to(np.arange(1, c.slate + 1), (requests, c.slate))
    position = np.concatenate([slots, elsewhere], axis=1).ravel()
    row_user, row_mobile, row_hour = (np.repeat(x, shown) for x in (user, mobile, second // 3600))
    category_rate = user_rate[row_user, shop.category[item]]

    # One pair of uniforms a row, used in both arms: the potential outcomes of a unit belong together.
    u_click, u_buy = rng.random(len(item)), rng.random(len(item))
    truth: dict[str, npt.NDArray[np.generic]] = {}
    for arm in (1, 0):
        p_click, p_buy = world.probabilities(row_user, item, arm, row_hour, row_mobile, position, category_rate)
        clicked = u_click < p_click
        truth[f"p_click_{arm}"], truth[f"p_purchase_{arm}"] = p_click, p_buy
        truth[f"click_{arm}"] = clicked.astype(np.int8)
        truth[f"purchase_{arm}"] = (clicked & (u_buy < p_buy / p_click)).astype(np.int8)
    click = np.where(recommended == 1, truth["click_1"], truth["click_0"]).astype(np.int8)
    purchase = np.where(recommended == 1, truth["purchase_1"], truth["purchase_0"]).astype(np.int8)
    past.add(row_user, item, click.astype(np.int64))

    events = _events(
        world, number, second, row_user, row_mobile, item, recommended, position, propensity, click, purchase
    )
    return SimulatedDay(events, pl.DataFrame({"event_id": events["event_id"], **truth}))


def _events(
    world: World,
    number: int,
    second: Ints,
    user: Ints,
    mobile: Ints,
    item: Ints,
    recommended: Ints,
    position: Ints,
    propensity: Floats,
    click: npt.NDArray[np.int8],
    purchase: npt.NDArray[np.int8],
) -> pl.DataFrame:
    c, shop = world.config, world.catalogue
    day: date = c.first_day + timedelta(days=number)
    shown, requests = c.slate + c.organic, len(second)
    ids = pl.Series(shop.item_id)
    price = shop.price[item]
    logged = np.concatenate([propensity, np.full((requests, c.organic), np.nan)], axis=1).ravel()
    frame = pl.DataFrame(
        {
            "row": np.arange(len(item)),
            "request": np.repeat(np.arange(requests), shown),
            "second": np.repeat(second, shown),
            "item_id": ids.gather(item),
            "user": user,
            "mobile": mobile,
            "recommended": recommended.astype(np.int8),
            "position": position,
            "action_propensity": logged,
            "click": click,
            "purchase": purchase,
            "price": price,
            "revenue": price * purchase,
        }
    )
    is_recommended = pl.col("recommended") == 1
    prefix = f"{day:%Y%m%d}-"
    return frame.select(
        (prefix + pl.col("row").cast(pl.String).str.zfill(7)).alias("event_id"),
        (pl.lit(day).cast(pl.Datetime("us", "UTC")) + pl.duration(seconds="second")).alias("timestamp"),
        ("user-" + pl.col("user").cast(pl.String).str.zfill(5)).alias("user_id"),
        "item_id",
        (prefix + pl.col("request").cast(pl.String).str.zfill(6)).alias("request_id"),
        pl.when(is_recommended).then("position").alias("position"),
        pl.when(is_recommended).then(pl.lit("shop-v1")).alias("policy"),
        pl.when(is_recommended).then("action_propensity").alias("action_propensity"),
        "recommended",
        "click",
        "purchase",
        "revenue",
        "price",
        pl.when(pl.col("mobile") == 1).then(pl.lit("mobile")).otherwise(pl.lit("desktop")).alias("device"),
    )
