"""A small bandit world in which a challenger is exactly equal to the champion, or better by a stated share.

Types of context times items in groups of five that are equal in click rate and price. A policy is the mass of each
group (which decides its value) and the split within groups (which does not). An equal challenger has the champion's
masses and a split drawn anew: the same value and revenue in every context, and other weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from causalrec.arrays import Floats

TYPES, GROUPS, SIZE = 12, 8, 5
BUYS, MARGIN = 0.25, 0.3


@dataclass(frozen=True)
class World:
    """Its dials.

    Attributes:
        base: The champion's rate of clicks.
        rounds: A day.
        third: Whether a third policy makes the logs; else the champion does.
        spread: Of the splits within groups, in log: how heavy the weights are.
        kept: The correlation of a challenger's split with that of the day before.
    """

    label: str
    base: float
    rounds: int
    third: bool = False
    spread: float = 0.8
    kept: float = 0.0


WORLDS = {
    "A": World("15 % clicks, 20,000 rounds a day, the champion logs", 0.15, 20_000),
    "B": World("1 %, 20,000, the champion logs", 0.01, 20_000),
    "C": World("1 %, 20,000, a third policy logs, heavy weights", 0.01, 20_000, third=True, spread=1.6),
    "D": World("5 %, 20,000, a third policy logs, heavy weights", 0.05, 20_000, third=True, spread=1.6),
    "E": World("15 %, 20,000, the champion logs, challengers alike", 0.15, 20_000, kept=27 / 28),
    "F": World("15 %, 1,000, the champion logs", 0.15, 1_000),
}


@dataclass
class Shop:
    """One drawn world: rates, prices, a model that is wrong, the champion, who logs.

    Attributes:
        rates: (types, groups) true click rates.
        price: (groups,).
        clicks_model, money_model: (types, groups), what the model expects.
        mass: (types, groups) of the champion.
        champion, logging: (cells,) action probabilities given the type, cells = types x items.
    """

    world: World
    seed: int
    rates: Floats = field(init=False)
    price: Floats = field(init=False)
    clicks_model: Floats = field(init=False)
    money_model: Floats = field(init=False)
    mass: Floats = field(init=False)
    champion: Floats = field(init=False)
    logging: Floats = field(init=False)

    def __post_init__(self) -> None:
        draw = np.random.default_rng([self.seed, 0])
        self.types = draw.dirichlet(np.full(TYPES, 5.0))
        logit = draw.normal(0, 1.0, (TYPES, GROUPS))
        mass = np.exp(0.6 * logit + draw.normal(0, 0.5, logit.shape))
        self.mass = 0.8 * mass / mass.sum(1, keepdims=True) + 0.2 / GROUPS
        low, high = -12.0, 6.0
        for _ in range(60):
            middle = (low + high) / 2
            self.rates = 1 / (1 + np.exp(-(middle + logit)))
            low, high = (middle, high) if self.value(self.mass) < self.world.base else (low, middle)
        self.price = np.round(np.exp(draw.normal(3.0, 0.6, GROUPS)), 2)
        self.clicks_model = np.clip(self.rates * np.exp(draw.normal(0, 0.2, logit.shape)), 1e-5, 0.999)
        self.money_model = self.clicks_model * BUYS * MARGIN * self.price * np.exp(draw.normal(0, 0.2, logit.shape))
        self.draw = np.random.default_rng([self.seed, 1])
        self.latent = self.noise()
        self.champion = self.policy(self.mass, self.noise())
        half = 0.5 * self.mass + 0.5 / GROUPS
        self.logging = self.policy(half, self.noise()) if self.world.third else self.champion

    def noise(self) -> Floats:
        return self.draw.normal(size=(TYPES, GROUPS, SIZE))

    def value(self, mass: Floats, rates: Floats | None = None) -> float:
        """Clicks a round of a policy with these masses."""
        return float((self.types[:, None] * mass * (self.rates if rates is None else rates)).sum())

    def policy(self, mass: Floats, noise: Floats) -> Floats:
        """(cells,): groups by mass, items within them by noise, each with a chance."""
        weight = np.exp(self.world.spread * noise)
        split = 0.9 * weight / weight.sum(2, keepdims=True) + 0.1 / SIZE
        return np.asarray((mass[:, :, None] * split).ravel())

    def challenger(self, gain: float, days: int = 28) -> Floats:
        """A policy whose value is (1 + gain) times the champion's, so many days after the one before it."""
        kept = self.world.kept**days
        self.latent = kept * self.latent + np.sqrt(1 - kept**2) * self.noise()
        return self.policy(self.better(gain), self.latent)

    def better(self, gain: float) -> Floats:
        """Masses with (1 + gain) times the champion's value: tilted towards what is clicked."""
        if gain == 0:
            return self.mass
        low, high = -60.0, 60.0
        for _ in range(60):
            tilt = (low + high) / 2
            mass = self.mass * np.exp(tilt * (self.rates - self.rates.mean(1, keepdims=True)))
            mass /= mass.sum(1, keepdims=True)
            low, high = (tilt, high) if self.value(mass) < (1 + gain) * self.value(self.mass) else (low, tilt)
        return np.asarray(mass)

    def rates_with(self, mass: Floats, gain: float) -> Floats:
        """Click rates under which a policy with these masses gains such a share of the champion's value."""
        toward = mass / self.mass - 1
        toward = toward / np.abs(toward).max()
        low, high = -40.0, 40.0
        for _ in range(60):
            tilt = (low + high) / 2
            rates = 1 / (1 + np.exp(-(np.log(self.rates / (1 - self.rates)) + tilt * toward)))
            share = self.value(mass, rates) / self.value(self.mass, rates) - 1
            low, high = (tilt, high) if share < gain else (low, tilt)
        return np.asarray(rates)
