"""The requests of a day in which policies are judged, and what the world expects of every item in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.traffic.going_anyway import came_for_distribution
from causalrec.simulator.traffic.inclusion import inclusion, inclusion_without
from causalrec.simulator.traffic.logging_policy import browse_distribution, item_distribution
from causalrec.simulator.world.day import Drawn
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import Conditions, Context, World, sigmoid

WORTHS = ("click", "purchase", "revenue")


@dataclass(frozen=True)
class Slates:
    """The logged slates of a day, whole ones only: requests of the holdout are none.

    Attributes:
        request: Their places among the day's requests, (requests,).
        user, hour, mobile: Of each, (requests,).
        slate: The items that were logged, (requests, slots).
        user_category_rate: Past click rate of each request's user in each category, (requests, categories).
        item_rate: Past click rate of each item, (items,).
    """

    world: World
    today: Conditions
    request: Ints
    user: Ints
    hour: Ints
    mobile: Ints
    slate: Ints
    user_category_rate: Floats
    item_rate: Floats

    @classmethod
    def of(cls, world: World, drawn: Drawn, past: Past, keep: Mask | None = None) -> Slates:
        """The slates of a drawn day.

        Args:
            past: What the logs said before that day: the day is not added yet.
            keep: Which of the day's requests, (requests,); None: all.

        Raises:
            ValueError: The world has a hidden cause: its outcomes depend on what only the drawn rows know.
        """
        if world.config.hidden:
            raise ValueError("with a hidden cause an item's outcome is not known from who is asked and when")
        at = np.flatnonzero(~drawn.without_slate if keep is None else ~drawn.without_slate & keep)
        asked, size = drawn.requests, world.config.slate
        return cls(
            world,
            drawn.today,
            at,
            asked.user[at],
            asked.second[at] // 3600,
            asked.mobile[at],
            drawn.item.reshape(-1, drawn.shown)[at, :size],
            past.user_category_rate[asked.user[at]],
            past.item_rate,
        )

    def every(self, step: int) -> Slates:
        """Each so-manieth request alone."""
        of_requests = ("request", "user", "hour", "mobile", "slate", "user_category_rate")
        return replace(self, **{name: getattr(self, name)[::step] for name in of_requests})

    @cached_property
    def first_slot(self) -> Floats:
        """The logging policy's probability of each item in the first slot, (requests, items)."""
        category, c = self.world.catalogue.category, self.world.config
        return item_distribution(
            self.user_category_rate, category, self.item_rate, self.today.price, c, self.today.age_days
        )

    @cached_property
    def browse(self) -> Floats:
        """How likely each item is met first while browsing, (items,)."""
        return browse_distribution(self.item_rate, self.today.price, self.world.config, self.today.age_days)

    @cached_property
    def comes_for(self) -> Floats:
        """P(item is among what people came for), (requests, items)."""
        c = self.world.config
        if not c.go_anyway:
            return np.zeros((len(self.user), c.items))
        category = self.world.catalogue.category
        g = came_for_distribution(self.user_category_rate, category, self.item_rate, self.today.age_days, c)
        return c.go_anyway * inclusion(g, c.organic)

    def browsed(self, taken: Ints) -> Floats:
        """P(item is met while browsing) where some items stand in the slate, (requests, items).

        Args:
            taken: (requests, some).
        """
        c = self.world.config
        return (1.0 - c.go_anyway) * inclusion_without(self.browse, taken, c.organic)

    @cached_property
    def browsed_as_logged(self) -> Floats:
        """`browsed` given the logged slates."""
        return self.browsed(self.slate)

    @cached_property
    def _logits(self) -> tuple[Floats, Floats, Floats, Floats]:
        c, category = self.world.config, self.world.catalogue.category
        context = Context(*(x[:, None] for x in (self.user, self.hour, self.mobile, np.ones_like(self.user))))
        log_rate = np.log(self.user_category_rate[:, category] / c.prior_rate)
        both = self.world.logits(self.today, context, np.arange(c.items)[None], log_rate)
        (click, click_organic), (buy, buy_organic) = both.click, both.buy
        return click, click_organic, sigmoid(buy), sigmoid(buy_organic)

    @cached_property
    def organic_click(self) -> Floats:
        """P(click) of each item that is met without a recommendation, (requests, items)."""
        return sigmoid(self._logits[1])

    def shown_click(self, slot: int) -> Floats:
        """P(click) of each item if it stands in a slot, from 0, and nothing removes it, (requests, items)."""
        return sigmoid(self._logits[0] - self.world.config.position_decay * slot)

    def slate_click(self, slate: Ints, first: int = 0) -> Floats:
        """P(click) of what stands in some slots, if nothing removes it, in the shape of `slate`.

        Args:
            slate: Items, (requests, slots), the first of them in slot `first`, from 0.
        """
        logit = np.take_along_axis(self._logits[0], slate, axis=1)
        return sigmoid(logit - self.world.config.position_decay * (first + np.arange(slate.shape[1])))

    def worth(self, outcome: str) -> tuple[Floats, Floats]:
        """What a click on each item brings, recommended and not, (requests, items) each.

        Args:
            outcome: "click" (1), "purchase" (its probability given a click) or "revenue" (in currency units).
        """
        if outcome not in WORTHS:
            raise ValueError(f"outcome must be one of {', '.join(WORTHS)}, got {outcome}")
        if outcome == "click":
            return np.ones_like(self.organic_click), np.ones_like(self.organic_click)
        bought, bought_organic = self._logits[2:]
        price = self.today.price if outcome == "revenue" else np.ones_like(self.today.price)
        return bought * price, bought_organic * price
