"""The world: who the users are, what the items are like, how probable outcomes are in either arm."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from causalrec_assets.simulator.catalogue import Catalogue, draw_catalogue

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WorldConfig:
    """The dials of a world.

    Attributes:
        seed: The same seed gives the same bytes.
        slate, organic: Items recommended and items met while browsing, per request.
        exploration: Share of the logging policy's probability that is uniform over all items.
        taste_strength: Standard deviation of a user's latent taste for a category, in logits of the click.
        policy_on_taste, policy_on_popularity, policy_on_price: How strongly the logging policy follows the
            user's past click rate in the item's category and the item's past click rate, and shuns a high
            price. All are logged.
        browse_on_popularity, browse_on_price: How strongly browsing follows the item's past click rate and a
            high price. These two and the three above are the confounding: all 0 makes an experiment.
        lift, lift_by_history: Effect of being recommended on the click, in logits: its level, and its slope
            in the log of the user's past click rate in the category.
        position_decay: What each further slot takes off the click of a recommended item, in logits.
        prior_rate, prior_exposures: Past click rates are (clicks + rate x exposures) / (seen + exposures).
        item_quality: Multiplies the latent quality of items.
        price_effect: What a unit of log price takes off the click, in logits.
        history_days: The logging policy and the covariates look back this far.
    """

    seed: int = 7
    first_day: date = date(2026, 3, 2)
    days: int = 14
    users: int = 2000
    items: int = 500
    events_per_day: int = 20_000
    slate: int = 5
    organic: int = 5
    exploration: float = 0.35
    taste_strength: float = 1.0
    policy_on_taste: float = 1.0
    policy_on_popularity: float = 0.6
    policy_on_price: float = 0.3
    browse_on_popularity: float = 0.2
    browse_on_price: float = 0.3
    lift: float = 0.35
    lift_by_history: float = 0.1
    item_quality: float = 1.0
    price_effect: float = 0.35
    position_decay: float = 0.08
    base_click: float = -2.9
    base_purchase: float = -1.2
    history_days: int = 28
    prior_rate: float = 0.1
    prior_exposures: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.exploration <= 1:
            raise ValueError(f"exploration must be in (0, 1], got {self.exploration}: without it there is no overlap")
        for dial in ("days", "users", "items", "slate", "organic", "history_days"):
            if getattr(self, dial) < 1:
                raise ValueError(f"{dial} must be at least 1, got {getattr(self, dial)}")
        if self.events_per_day < self.slate + self.organic:
            raise ValueError(
                f"events_per_day is {self.events_per_day}, but one request alone is {self.slate + self.organic} events"
            )
        if not 0 < self.prior_rate < 1 or self.prior_exposures <= 0:
            raise ValueError(
                f"prior_rate must be in (0, 1) and prior_exposures above 0, got {self.prior_rate} and "
                f"{self.prior_exposures}: past click rates would be 0"
            )
        if self.slate + self.organic > self.items:
            raise ValueError(f"a request shows {self.slate + self.organic} items, the shop has {self.items}")

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "first_day": self.first_day.isoformat()}

    @classmethod
    def from_json(cls, raw: dict[str, object]) -> WorldConfig:
        return cls(**{**raw, "first_day": date.fromisoformat(str(raw["first_day"]))})  # type: ignore[arg-type]


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


@dataclass(frozen=True)
class World:
    """The latent variables of a configuration, drawn once, and the outcome equations."""

    config: WorldConfig

    @cached_property
    def catalogue(self) -> Catalogue:
        return draw_catalogue(self.config.items, np.random.default_rng([self.config.seed, 1]))

    @cached_property
    def taste(self) -> Floats:
        """Latent taste of each user for each category, (users, categories), independent across categories."""
        rng = np.random.default_rng([self.config.seed, 2])
        shape = (self.config.users, len(self.catalogue.categories))
        return rng.normal(0.0, self.config.taste_strength, size=shape)

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

    def probabilities(
        self,
        user: Ints,
        item: Ints,
        arm: int,
        hour: Ints,
        mobile: Ints,
        position: Ints,
        category_rate: Floats,
    ) -> tuple[Floats, Floats]:
        """P(click) and P(purchase) under do(recommended = arm), elementwise.

        Args:
            user, item, hour, mobile, position: Broadcastable integers: indices, hour 0-23, 1 on a mobile
                device, slot from 1 (read in arm 1 only).
            category_rate: The user's past click rate in the item's category.

        Returns:
            Two arrays of the broadcast shape. A purchase needs a click:
            P(purchase) = P(click) P(buy | click).
        """
        c, shop = self.config, self.catalogue
        taste = self.taste[user, shop.category[item]]
        log_price = np.log(shop.price[item]) - 3.0
        click = (
            c.base_click
            + taste
            + c.item_quality * shop.quality[item]
            - c.price_effect * log_price
            + 0.25 * ((hour >= 18) & (hour <= 22))
            - 0.15 * mobile
        )
        buy = c.base_purchase + 0.3 * taste - 1.1 * c.price_effect * log_price
        if arm == 1:
            click = click + c.lift + c.lift_by_history * np.log(category_rate / c.prior_rate)
            click = click - c.position_decay * (position - 1)
            buy = buy + 0.25
        p_click = sigmoid(click)
        return p_click, p_click * sigmoid(buy)
