"""The world: who the users are, what the items are like, how probable outcomes are in either arm."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.world.campaigns import Campaign, campaign_on
from causalrec.simulator.world.catalogue import Catalogue, draw_catalogue
from causalrec.simulator.world.dials import WorldConfig

__all__ = ["Conditions", "World", "WorldConfig", "sigmoid"]


EXPERIMENT = "experiment-1"


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


@dataclass(frozen=True)
class Context:
    """Where users meet items, elementwise: arrays that broadcast with each other and with the items.

    Attributes:
        user: Indices.
        hour: 0-23.
        mobile: 1 on a mobile device.
        position: The slot, from 1; it matters for what is recommended only.
    """

    user: Ints
    hour: Ints
    mobile: Ints
    position: Ints


@dataclass(frozen=True)
class Conditions:
    """What the world is like on one day.

    Attributes:
        taste: Of each user for each category, (users, categories).
        price: What each item costs today, (items,).
        age_days: Of each item, (items,); below 0: not published yet.
        activity: How likely each request is each user's, (users,), sums to 1.
        campaign: Of the day, if any.
        click, buy: What an item adds to the logits of a click and of buying what was clicked, (items,).
        click_at_list_price: `click` without the campaign.
    """

    taste: Floats
    price: Floats
    age_days: Ints
    activity: Floats
    campaign: Campaign | None
    click: Floats
    buy: Floats
    click_at_list_price: Floats


@dataclass(frozen=True)
class Both:
    """Logits of a click, and of buying what was clicked, in arm 1 and arm 0."""

    click: tuple[Floats, Floats]
    buy: tuple[Floats, Floats]


@dataclass(frozen=True)
class World:
    """The latent variables of a configuration, drawn once, and the outcome equations."""

    config: WorldConfig

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items. Those that come during the run differ from the others in their age only."""
        c = self.config
        shop = draw_catalogue(c.items, np.random.default_rng([c.seed, 1]))
        shop.age_days[self._newcomers(c.items, c.old_items, 11)] = -self._arrivals(c.items - c.old_items, 12)
        return shop

    @cached_property
    def taste(self) -> Floats:
        """Latent taste of each user for each category on the first day, (users, categories), independent."""
        return self._taste(2)

    @cached_property
    def arrival(self) -> Ints:
        """The day on which each user can first be seen, (users,), from 0."""
        c, days = self.config, np.zeros(self.config.users, dtype=np.int64)
        days[self._newcomers(c.users, c.old_users, 13)] = self._arrivals(c.users - c.old_users, 14)
        return days

    @cached_property
    def responsiveness(self) -> Floats:
        """What each user's lift in each category differs by from others', in logits, (users, categories)."""
        rng = np.random.default_rng([self.config.seed, 15])
        shape = (self.config.users, len(self.catalogue.categories))
        return rng.normal(0.0, self.config.lift_spread, size=shape)

    @cached_property
    def variant(self) -> Mask:
        """Whether each user is in the variant "treatment", (users,).

        By hash, so that anybody can tell it from the id: the first 8 bytes of sha256("experiment-1:user-00042") as a
        big-endian share of 2^64 are below `experiment_share`.
        """
        limit = int(self.config.experiment_share * 2**64)
        names = (f"{EXPERIMENT}:{user_id(k)}".encode() for k in range(self.config.users))
        return np.array([int.from_bytes(hashlib.sha256(n).digest()[:8], "big") < limit for n in names])

    @cached_property
    def activity(self) -> Floats:
        """How often each user comes, (users,), sums to 1."""
        weights = np.random.default_rng([self.config.seed, 3]).lognormal(0.0, 0.8, size=self.config.users)
        return np.asarray(weights / weights.sum())

    @cached_property
    def attributes(self) -> tuple[list[str], list[str]]:
        """Age group and region of each user; neither causes anything in this world."""
        rng, users = np.random.default_rng([self.config.seed, 4]), self.config.users
        ages = rng.choice(["18-29", "30-44", "45-59", "60+"], size=users, p=[0.3, 0.35, 0.2, 0.15])
        regions = rng.choice(["north", "south", "east", "west"], size=self.config.users)
        return [str(a) for a in ages], [str(r) for r in regions]

    def on(self, day: int) -> Conditions:
        """The world on a day, from 0."""
        c, shop = self.config, self.catalogue
        quality = _turned(shop.quality, lambda: self._other_quality, c.quality_drift * day)
        campaign = campaign_on(day, c)
        price: Floats = shop.price
        boost: Floats = np.zeros(c.items)
        if campaign is not None:
            price = np.where(campaign.items, np.round(price * (1 - c.campaign_discount), 2), price)
            boost = np.where(campaign.items, c.campaign_boost, 0.0)
        activity = np.where(self.arrival <= day, self.activity, 0.0)
        log_price, log_list_price = np.log(price) - 3.0, np.log(shop.price) - 3.0
        return Conditions(
            _turned(self.taste, lambda: self._taste(5), c.taste_drift * day),
            price,
            shop.age_days + day,
            activity / activity.sum(),
            campaign,
            c.base_click + c.item_quality * quality - c.price_effect * log_price + boost,
            c.base_purchase - 1.1 * c.price_effect * log_price,
            c.base_click + c.item_quality * quality - c.price_effect * log_list_price,
        )

    def logits(
        self,
        today: Conditions,
        context: Context,
        item: Ints,
        log_rate: Floats,
        hidden: npt.NDArray[np.integer] | None = None,
    ) -> Both:
        """The outcome equations of both arms, elementwise.

        Args:
            context, item: Broadcastable: who meets an item where, and the item's index.
            log_rate: Log of the user's past click rate in the item's category over the prior's rate.
            hidden: Whether the hidden cause is there; None: there is no such cause.
        """
        c, user, hour, mobile = self.config, context.user, context.hour, context.mobile
        taste = today.taste[user, self.catalogue.category[item]]
        click = taste + today.click[item] + (0.25 * ((hour >= 18) & (hour <= 22)) - 0.15 * mobile)
        if hidden is not None and c.hidden_on_click:
            click = click + c.hidden_on_click * hidden
        if c.experiment_share and c.experiment_lift:
            click = click + c.experiment_lift * self.variant[user]
        lift = c.lift + c.lift_by_history * log_rate - c.position_decay * (context.position - 1)
        if c.lift_by_price:
            lift = lift + c.lift_by_price * (np.log(today.price) - 3.0)[item]
        if c.lift_by_mobile:
            lift = lift + c.lift_by_mobile * mobile
        if c.lift_spread:
            lift = lift + self.responsiveness[user, self.catalogue.category[item]]
        buy = 0.3 * taste + today.buy[item]
        return Both((click + lift, click), (buy + 0.25, buy))

    def probabilities(
        self,
        context: Context,
        item: Ints,
        arm: int,
        category_rate: Floats,
        day: int = 0,
        hidden: npt.NDArray[np.integer] | None = None,
    ) -> tuple[Floats, Floats]:
        """P(click) and P(purchase) under do(recommended = arm), elementwise.

        Args:
            context, item, hidden: As in `logits`.
            category_rate: The user's past click rate in the item's category.
            day: From 0.

        Returns:
            Two arrays of the broadcast shape. A purchase needs a click:
            P(purchase) = P(click) P(buy | click).
        """
        log_rate = np.log(category_rate / self.config.prior_rate)
        both = self.logits(self.on(day), context, item, log_rate, hidden)
        p_click = sigmoid(both.click[1 - arm])
        return p_click, p_click * sigmoid(both.buy[1 - arm])

    def rating(self, user: Ints, item: Ints, today: Conditions | None = None) -> Ints:
        """The stars, 1 to 5, that a user would give an item on a day (the first): of any pair, rated or not."""
        taste = (self.taste if today is None else today.taste)[user, self.catalogue.category[item]]
        spread = _pair_noise(self.config.seed, user, item)
        stars = 3.0 + 0.7 * taste + 0.7 * self.catalogue.quality[item] + 0.7 * spread
        return np.clip(np.rint(stars), 1, 5).astype(np.int64)

    @cached_property
    def _other_quality(self) -> Floats:
        quality = self.catalogue.quality
        return np.random.default_rng([self.config.seed, 6]).permutation(quality)

    def _taste(self, stream: int) -> Floats:
        rng = np.random.default_rng([self.config.seed, stream])
        shape = (self.config.users, len(self.catalogue.categories))
        return rng.normal(0.0, self.config.taste_strength, size=shape)

    def _newcomers(self, all_of_them: int, old: int, stream: int) -> Ints:
        return np.random.default_rng([self.config.seed, stream]).permutation(all_of_them)[old:]

    def _arrivals(self, count: int, stream: int) -> Ints:
        return np.random.default_rng([self.config.seed, stream]).integers(
            1, self.config.cold_start_days + 1, size=count
        )


def user_id(user: int) -> str:
    """The id that a user is logged by."""
    return f"user-{user:05d}"


def _turned(first: Floats, other: Callable[[], Floats], angle: float) -> Floats:
    """`first` turned towards an independent draw: the spread stays, the correlation with `first` is cos(angle)."""
    return first if angle == 0 else np.cos(angle) * first + np.sin(angle) * other()


def _pair_noise(seed: int, user: Ints, item: Ints) -> Floats:
    """A standard normal draw that belongs to a pair for good, by two mixed hashes (splitmix64) and Box-Muller."""
    pair = (user.astype(np.uint64) << np.uint64(32)) + item.astype(np.uint64)
    key = _mixed(pair + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))
    u, v = ((_mixed(key + np.uint64(k)) >> np.uint64(11)).astype(np.float64) * 2.0**-53 for k in (1, 2))
    return np.sqrt(-2.0 * np.log1p(-u)) * np.cos(2.0 * np.pi * v)


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
