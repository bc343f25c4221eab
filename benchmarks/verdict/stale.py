"""How stale a champion gets: in drifting cells, without refreshes and with them, and in the simulator under its dials.

python -m benchmarks.verdict stale --histories 200

CPU budget at full size: 4 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks.verdict.counts import draw_days, evidence
from benchmarks.verdict.estimand_worlds import EXPLORATION, SHOP, TEMPERATURE, Logistic
from benchmarks.verdict.histories import FIRST, rules
from benchmarks.verdict.refresh import ALIKE, WEEKS, Case, as_good
from benchmarks.verdict.worlds import GROUPS, WORLDS, Shop
from causalrec.arrays import Floats, Ints
from causalrec.evaluation.trials.log import TrialsInMemory
from causalrec.evaluation.trials.refresh import decide_refresh, spent_on
from causalrec.policy.plackett_luce import first_slot
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule
from causalrec.simulator.traffic.traffic import add_day, draw_day
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import Context, World, WorldConfig, sigmoid

ANGLES, AGES = (0.005, 0.01), (30, 60, 90)
"""Drift in radians a day, as the simulator's dials have it; ages of bundles in days."""
UNIFORM, BY_LOGIT = 0.2, 0.6
"""Of the champion's masses (`worlds.Shop`): what is shown whatever it brings, and how the rest follows the log odds."""
LEARNED = 28
"""Days that a bundle learns from; a week of judgement lies between them and its day."""


class Drift:
    """A world whose click rates drift as the simulator's qualities do: log odds turn towards an independent draw.

    A bundle of a day has learned the mean log odds of the 28 days that end a week before it.
    """

    def __init__(self, shop: Shop, angle: float) -> None:
        """Begin on day 0.

        Args:
            angle: Radians a day: the log odds of two days k apart correlate with cos(k x angle).
        """
        logit = np.log(shop.rates / (1 - shop.rates))
        self.shop, self.angle, self.middle = shop, angle, float(logit.mean())
        self.first = logit - self.middle
        self.other = shop.draw.normal(0, self.first.std(), logit.shape)

    def rates(self, day: int) -> Floats:
        """(types, groups) click rates of a day."""
        return np.asarray(1 / (1 + np.exp(-(self.middle + self._turned(day)))))

    def mass(self, day: int) -> Floats:
        """(types, groups) masses of the bundle of a day."""
        learned = np.mean([self._turned(day - age) for age in range(DAYS_A_LOOK, DAYS_A_LOOK + LEARNED)], axis=0)
        tilted = (self.shop.mass - UNIFORM / GROUPS) * np.exp(BY_LOGIT * (learned - self.first))
        return np.asarray((1 - UNIFORM) * tilted / tilted.sum(1, keepdims=True) + UNIFORM / GROUPS)

    def gain(self, age: int, day: int = 90) -> float:
        """By what share the bundle of a day is better than one so many days older."""
        rates = self.rates(day)
        return self.shop.value(self.mass(day), rates) / self.shop.value(self.mass(day - age), rates) - 1

    def _turned(self, day: int) -> Floats:
        return np.asarray(np.cos(self.angle * day) * self.first + np.sin(self.angle * day) * self.other)


@dataclass(frozen=True)
class Stale:
    """What a history under drift has lost.

    Attributes:
        behind: In each week, the share by which what serves is behind the bundle of the day.
        lowest: The least that what serves brings, as a share more than the first champion on the same day.
        refreshes: How many there were.
    """

    behind: tuple[float, ...]
    lowest: float
    refreshes: int


def under_drift(name: str, angle: float, seed: int, rule: ReleaseRule) -> Stale:
    """A history of a drifting world with refreshes of much alike bundles; `rule.refresh` says whether there are any."""
    (shop, _), log = Case(name, as_good(0.0)).shop(seed), TrialsInMemory()
    drift, noise = Drift(shop, angle), shop.noise()
    first = serving = drift.mass(0)
    shop.champion, serves, behind, lowest = shop.policy(serving, noise), "first", list[float](), 0.0
    for week in range(1, WEEKS + 1):
        shop.logging = shop.logging if shop.world.third else shop.champion
        day = DAYS_A_LOOK * week
        rates = drift.rates(day - DAYS_A_LOOK // 2)
        of_day, now = shop.value(drift.mass(day - DAYS_A_LOOK // 2), rates), shop.value(serving, rates)
        behind.append(1 - now / of_day)
        lowest = min(lowest, now / shop.value(first, rates) - 1)
        if not rule.refresh:
            continue
        mass = drift.mass(day)
        fresh = shop.policy(mass, ALIKE * noise + np.sqrt(1 - ALIKE**2) * shop.noise())
        seen = evidence(shop, fresh, shop.champion, draw_days(shop, 1, rates[None]), slice(0, 1), rule)
        days = [FIRST + timedelta(days=day - DAYS_A_LOOK + k) for k in range(DAYS_A_LOOK)]
        log.refresh(decide_refresh(f"{week}", week, days, seen, rule, spent_on(log.refreshes, serves, rule)))
        if log.refreshes[-1].done:
            shop.champion, serving, serves = fresh, mass, f"{week}"
    return Stale(tuple(behind), lowest, sum(one.done for one in log.refreshes))


def stale(histories: int, worlds: str, rule: ReleaseRule) -> dict[str, Any]:
    """How far a champion falls behind under drift, without refreshes and with them."""
    print(f"\n## How far what serves is behind the bundle of the day, under drift; {histories} histories a cell")
    print("Fresh bundles are much like the champion. Off and on: weeks 4, 8 and 12, and the mean of all\n")
    print(
        "| world | radians a day | better than one 30, 60, 90 days older | refreshes off | on | how many | lost 2 % |"
    )
    print("|---|---|---|---|---|---|---|")
    out: dict[str, Any] = {}
    for name in worlds:
        for angle in ANGLES:
            ages = [np.mean([Drift(Shop(WORLDS[name], k), angle).gain(age) for k in range(20)]) for age in AGES]
            row: dict[str, Any] = {"gains": [float(age) for age in ages]}
            words = []
            for on in (False, True):
                ends = [
                    under_drift(name, angle, seed, rule.model_copy(update={"refresh": on})) for seed in range(histories)
                ]
                mean = np.mean([end.behind for end in ends], axis=0)
                lag = [*mean[3::4].tolist(), float(mean.mean())]
                words.append(", ".join(f"{each:.2%}" for each in lag))
                row["on" if on else "off"] = lag
                often, lost = np.mean([e.refreshes for e in ends]), np.mean([e.lowest <= -0.02 for e in ends])
            gains = ", ".join(f"{age:.1%}" for age in ages)
            print(f"| {name} | {angle} | {gains} | {' | '.join(words)} | {often:.1f} | {lost:.1%} |", flush=True)
            out[f"{name} {angle}"] = row | {"refreshes": float(often), "lost": float(lost)}
    return out


EVERY = 5
"""Each fifth request of a simulated day is judged."""


@dataclass(frozen=True)
class ShopDay:
    """A simulated day: what the logs say before it, and what was drawn.

    Attributes:
        user_rate, item_rate: Past click rates, (users, categories) and (items,).
        rows: Request, item and arm of each logged row.
        y: Its click.
        context: Who asks, when and on what, of each request.
    """

    number: int
    user_rate: Floats
    item_rate: Floats
    price: Floats
    rows: tuple[Ints, Ints, Ints]
    y: Floats
    context: tuple[Ints, Ints, Ints]


def simulated(config: WorldConfig) -> list[ShopDay]:
    """All days of a shop."""
    world = World(config)
    past, days = Past(world), []
    for number in range(config.days):
        drawn = draw_day(world, past, number)
        asked, there = drawn.requests, drawn.present
        of_request = np.repeat(np.arange(len(asked.user)), drawn.shown)
        days.append(
            ShopDay(
                number,
                past.user_category_rate,
                past.item_rate,
                drawn.today.price,
                (of_request[there], drawn.item[there], drawn.recommended[there].astype(np.int64)),
                drawn.click[there].astype(float),
                (asked.user, asked.second // 3600, asked.mobile),
            )
        )
        add_day(past, drawn)
    return days


@dataclass(frozen=True)
class Model:
    """P(click) by a logistic regression of the user's past rate in the category, the item's, price, device, hour, arm.

    Attributes:
        item_rate: What it has learned of each item by name, (items,); None: it reads the past rates of the day.
    """

    world: World
    logistic: Logistic
    item_rate: Floats | None

    @classmethod
    def fit(cls, world: World, days: Sequence[ShopDay], by_name: bool) -> Model:
        """Learn from some days."""
        of_items, c = None, world.config
        if by_name:
            item, y = np.concatenate([day.rows[1] for day in days]), np.concatenate([day.y for day in days])
            clicks, met = np.bincount(item, y, c.items), np.bincount(item, minlength=c.items)
            of_items = (clicks + c.prior_rate * c.prior_exposures) / (met + c.prior_exposures)
        x = np.concatenate([features(world, day, *day.rows, of_items) for day in days])
        return cls(world, Logistic.fit(x, np.concatenate([day.y for day in days])), of_items)

    def true_value(self, day: ShopDay) -> float:
        """True clicks in the first slot of the policy that ranks by it, per request of a day."""
        c, world = self.world.config, self.world
        asked = np.arange(0, len(day.context[0]), EVERY)
        request, item = np.repeat(asked, c.items), np.tile(np.arange(c.items), len(asked))
        x = features(world, day, request, item, np.ones_like(item), self.item_rate)
        expected = sigmoid(x @ self.logistic.weight).reshape(len(asked), c.items)
        pi = first_slot(np.log(expected), np.ones(expected.shape, dtype=np.bool_), TEMPERATURE, EXPLORATION)
        user, hour, mobile = (each[asked, None] for each in day.context)
        log_rate = np.log(day.user_rate[user[:, 0]][:, world.catalogue.category] / c.prior_rate)
        context = Context(user, hour, mobile, np.ones_like(user))
        true = sigmoid(world.logits(world.on(day.number), context, np.arange(c.items)[None, :], log_rate).click[0])
        return float((pi * true).sum(1).mean())


def features(world: World, day: ShopDay, request: Ints, item: Ints, shown: Ints, item_rate: Floats | None) -> Floats:
    """What a model reads of pairs, (pairs, features).

    Args:
        request, item, shown: Of each pair, (pairs,).
        item_rate: In place of what the logs say of items before the day.
    """
    c, (user, hour, mobile) = world.config, (each[request] for each in day.context)
    of_user = np.log(day.user_rate[user, world.catalogue.category[item]] / c.prior_rate)
    of_item = np.log((day.item_rate if item_rate is None else item_rate)[item] / c.prior_rate)
    columns = [
        np.ones(len(item)), of_user, of_user**2, of_item, of_item**2, np.log(day.price[item]) - 3.0,
        (hour >= 18) & (hour <= 22), mobile, shown, shown * of_user, shown * of_item,
    ]  # fmt: skip
    return np.stack(columns, axis=-1).astype(float)


def in_simulator(shops: int) -> dict[str, Any]:
    """By how much the policy of a model of the day is better than that of an older one, on the same days."""
    print(f"\n## The simulator: a model of the day is better than one 30, 60, 90 days older by; {shops} shops")
    print("\n| drift of tastes and qualities, radians a day | it reads past rates | it knows items by name |")
    print("|---|---|---|")
    out: dict[str, Any] = {}
    # The oldest bundle learns from days whose past rates are of as many days as later.
    last = SHOP.history_days + AGES[-1] + LEARNED + 2 * DAYS_A_LOOK
    for angle in (0.0, *ANGLES):
        gains: dict[bool, list[list[float]]] = {False: [], True: []}
        for seed in range(shops):
            config = replace(SHOP, seed=seed, days=last, taste_drift=angle, quality_drift=angle)
            world, days = World(config), simulated(config)
            for by_name, of_shops in gains.items():
                values = []
                for age in (0, *AGES):
                    trained = last - 2 * DAYS_A_LOOK - age
                    model = Model.fit(world, days[trained - LEARNED : trained], by_name)
                    values.append(np.mean([model.true_value(day) for day in days[-DAYS_A_LOOK:]]))
                of_shops.append([float(values[0] / value - 1) for value in values[1:]])
        row = {name: np.array(gains[by]) for name, by in (("rates", False), ("names", True))}
        words = [
            ", ".join(f"{m:+.2%}" for m in each.mean(0)) + f" (se {each.std(0, ddof=1).max() / shops**0.5:.2%})"
            for each in row.values()
        ]
        print(f"| {angle} | {' | '.join(words)} |", flush=True)
        out[str(angle)] = {name: each.mean(0).tolist() for name, each in row.items()}
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict stale", description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--worlds", default="ABCDEF")
    parser.add_argument("--shops", type=int, default=5)
    given = parser.parse_args(arguments)
    started, (rule, _) = time.process_time(), rules()
    out: dict[str, Any] = {}
    if given.histories:
        out["cells"] = stale(given.histories, given.worlds, rule)
    if given.shops:
        out["simulator"] = in_simulator(given.shops)
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "stale", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


if __name__ == "__main__":
    main()
