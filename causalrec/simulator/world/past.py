"""What the logs of the last days say, in exact counts: the only thing the logging policy reads."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats, Ints
from causalrec.simulator.world.world import World

Counts = tuple[Ints, Ints, Ints, Ints]


@dataclass
class Past:
    """Clicks and exposures of each user in each category and of each item, over `history_days` days."""

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

    def add(self, user: Ints, item: Ints, click: npt.NDArray[np.integer]) -> None:
        """Count a day, and forget the day that falls out of the window."""
        users, categories = self._sum[0].shape
        pair, clicked = user * categories + self.world.catalogue.category[item], click > 0
        items = len(self._sum[2])

        def pairs(of: Ints) -> Ints:
            return np.bincount(of, minlength=users * categories).reshape(users, categories)

        today: Counts = (
            pairs(pair[clicked]),
            pairs(pair),
            np.bincount(item[clicked], minlength=items),
            np.bincount(item, minlength=items),
        )
        self._days.append(today)
        gone = self._days.popleft() if len(self._days) > self.world.config.history_days else None
        for k, total in enumerate(self._sum):
            total += today[k] if gone is None else today[k] - gone[k]
