"""How a day's rows arrive: once and at once, or late, or twice; and purchases in a stream of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from causalrec.simulator.world.dials import WorldConfig

OUTCOMES_OF_ORDERS = ("purchase", "revenue")


def deliveries(events: pl.DataFrame, number: int, config: WorldConfig) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of day `number` by the day on which they arrive, the same day first.

    A duplicate arrives on a day after the row itself, so that no file holds an id twice. What would arrive after the
    last day arrives then all the same: deduplicated by id, the deliveries are the day's events.

    Yields:
        The day of arrival, from 0, and the rows in the order of the events.
    """
    if not config.late_share and not config.duplicate_share:
        yield number, events
        return
    rng, n = np.random.default_rng([config.seed, 17, number + 1]), events.height

    def days() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return rng.integers(1, config.late_days + 1, size=n)

    late, again = rng.random(n) < config.late_share, rng.random(n) < config.duplicate_share
    first = np.where(late, days(), 0)
    second = np.where(again, first + days(), -1)
    for lag in range(2 * config.late_days + 1):
        arrives = (first == lag) | (second == lag)
        if lag == 0 or arrives.any():
            yield number + lag, events.filter(pl.Series(arrives))


@dataclass
class Orders:
    """The stream of purchases: each is landed on the day it happens, which may be after that of its click."""

    _waiting: list[pl.DataFrame] = field(default_factory=list)

    def take(self, events: pl.DataFrame, ordered_at: pl.Series, day: date) -> pl.DataFrame:
        """Add a day's purchases, and give the orders that happen on that day, in the order of their time."""
        new = events.with_columns(ordered_at).filter(pl.col("purchase") == 1)
        self._waiting.append(
            new.select(
                ("order-" + pl.col("event_id")).alias("order_id"),
                "ordered_at",
                "user_id",
                "item_id",
                "request_id",
                "revenue",
            )
        )
        waiting = pl.concat(self._waiting)
        over = pl.col("ordered_at") < pl.lit(day + timedelta(days=1)).cast(pl.Datetime("us", "UTC"))
        self._waiting = [waiting.filter(~over)]
        return waiting.filter(over).sort("ordered_at", "order_id")
