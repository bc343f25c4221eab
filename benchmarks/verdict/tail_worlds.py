"""Rounds of clustered worlds in which two policies are equal, and what the verdict would be shown of their difference.

Items of a group are exchangeable: a user's taste for each is drawn from one distribution. Two policies with the same
masses of groups are then equal over the population of users, and not for any one user, so that rows of a cluster
depend on each other in the difference too. What follows from a draw are sums by cluster; `rounds_of` gives the same
draw to the project's estimators, and tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.verdict.counts import DISPLACED, ORGANIC, cells
from benchmarks.verdict.worlds import BUYS, GROUPS, MARGIN, SIZE, TYPES, Shop, World
from causalrec.arrays import Codes, Floats
from causalrec.estimators.clusters import unequal_degrees, unequal_factor
from causalrec.estimators.pareto import pareto_k
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import effective_sample_size

METRICS = ("own", "total", "revenue")
LOGS = {
    "champion": World("the champion logs", 0.01, 0),
    "third": World("a third policy logs, light weights", 0.01, 0, third=True),
    "heavy": World("a third policy logs, heavy weights", 0.01, 0, third=True, spread=4.0),
    "near": World("a policy near the challenger logs", 0.01, 0, third=True, spread=4.0),
}
USERS, TASTES, ACTIVITY, BASKET = 0.5, 0.5, 1.0, 0.6
"""Standard deviations: of a user's clicking and of their taste for an item, in logits; of their activity and of what is
paid for one item, in log."""
SHOPS, NEAR = 50, 0.7


@cache
def shop_of(logs: str, base: float, seed: int) -> Shop:
    world = LOGS[logs]
    return Shop(World(world.label, base, 0, world.third, world.spread), seed)


@dataclass(frozen=True)
class Policies:
    """Two equal policies in a shop.

    Attributes:
        logging: (cells,), its action probabilities given the context.
        weight, weight_base: (cells,), of the challenger and of the champion.
        model: Metric -> (cells,), what the model expects.
        value, value_base: Metric -> (cells,), what it expects of each policy in the cell's context.
    """

    shop: Shop
    logging: Floats
    weight: Floats
    weight_base: Floats
    model: dict[str, Floats]
    value: dict[str, Floats]
    value_base: dict[str, Floats]

    @classmethod
    def of(cls, shop: Shop, draw: np.random.Generator, near: bool = False) -> Policies:
        shop.draw = draw
        challenger, met = shop.challenger(0.0), ORGANIC * shop.world.base
        clicks = cells(shop.clicks_model)
        model = {"own": clicks, "total": clicks * (1 - DISPLACED * met) + met, "revenue": cells(shop.money_model)}

        def expects(policy: Floats) -> dict[str, Floats]:
            return {
                name: np.repeat((policy * each).reshape(TYPES, -1).sum(1), GROUPS * SIZE)
                for name, each in model.items()
            }

        base, logging = shop.champion, shop.logging
        if near:
            logging = NEAR * challenger + (1 - NEAR) * logging
        return cls(shop, logging, challenger / logging, base / logging, model, expects(challenger), expects(base))


@dataclass(frozen=True)
class Drawn:
    """Logged rounds, (n,) each.

    Attributes:
        cell: Its context and item.
        user: Ascending codes.
        reward: Metric -> what it brought.
    """

    cell: Codes
    user: Codes
    reward: dict[str, Floats]


def draw_rounds(policies: Policies, draw: np.random.Generator, rounds: int, clusters: int, equal: bool) -> Drawn:
    """Draw logged rounds of users of different activity, or of one (`equal`)."""
    shop = policies.shop
    chance = np.repeat(shop.types, GROUPS * SIZE) * policies.logging
    cell = draw.permutation(np.repeat(np.arange(len(chance)), draw.multinomial(rounds, chance / chance.sum())))
    activity = np.ones(clusters) if equal else draw.lognormal(0.0, ACTIVITY, clusters)
    user = np.repeat(np.arange(clusters), draw.multinomial(rounds, activity / activity.sum()))
    # Half of the variance comes off, so that rates stay about what they are without users.
    likes = draw.normal(0.0, USERS, (clusters, 1)) + draw.normal(0.0, TASTES, (clusters, SIZE))
    likes -= (USERS**2 + TASTES**2) / 2
    logit = cells(np.log(shop.rates / (1 - shop.rates)))[cell] + likes[user, cell % SIZE]
    click = draw.random(rounds) < 1 / (1 + np.exp(-logit))
    beside = draw.random(rounds) < ORGANIC * shop.world.base * (1 - DISPLACED * click)
    earned = np.zeros(rounds)
    bought = np.flatnonzero(click)[draw.random(int(click.sum())) < BUYS]
    price = shop.price[cell[bought] // SIZE % GROUPS]
    earned[bought] = MARGIN * price * draw.lognormal(-(BASKET**2) / 2, BASKET, len(bought))
    return Drawn(cell, user, {"own": click.astype(float), "total": click + beside.astype(float), "revenue": earned})


def rounds_of(policies: Policies, drawn: Drawn, metric: str) -> tuple[Rounds, Rounds]:
    """The challenger's rounds and the champion's, as estimators take them."""

    def each(weight: Floats, value: dict[str, Floats]) -> Rounds:
        model, at = policies.model[metric], drawn.cell
        return Rounds(drawn.reward[metric], weight[at], model[at], value[metric][at], drawn.user)

    return each(policies.weight, policies.value), each(policies.weight_base, policies.value_base)


def scores(policies: Policies, drawn: Drawn, metric: str) -> Floats:
    """What each round says of the difference, (n,): sum_a (pi_c - pi_0)(a) q(a) + (w_c - w_0)(r - q)."""
    apart = policies.weight - policies.weight_base
    fixed = policies.value[metric] - policies.value_base[metric] - apart * policies.model[metric]
    return np.asarray(fixed[drawn.cell] + apart[drawn.cell] * drawn.reward[metric])


COLUMNS = (
    "value",
    "std_error",
    "degrees",
    "outcomes",
    "clusters",
    "effective_clusters",
    "pareto_k",
    "skewness",
    "seen_outcomes",
)


def shown(policies: Policies, drawn: Drawn) -> dict[str, tuple[float, ...]]:
    """Metric -> `COLUMNS`: the doubly robust difference, its clustered standard error, and its diagnostics.

    What `contrast` and `DifferenceDiagnostics.of` make of `rounds_of`, from sums by cell and by cluster. Seen outcomes
    are Kish's count of the outcomes with the weights that they got, which are held against the others.
    """
    n = len(drawn.cell)
    starts = np.flatnonzero(np.diff(drawn.user, prepend=-1))
    sizes = np.diff(np.append(starts, n)).astype(np.float64)
    signed = policies.weight - policies.weight_base
    apart = np.abs(signed)
    count = np.bincount(drawn.cell, minlength=len(apart)).astype(np.float64)
    moments = [float(count @ signed**power) / n for power in (2, 3)]
    capped = np.minimum(apart, np.sqrt(moments[0]))
    cost = kish(apart, count) / kish(capped, count)
    tail, factor, degrees = pareto_k(apart[drawn.cell]), unequal_factor(sizes), unequal_degrees(sizes)
    out: dict[str, tuple[float, ...]] = {}
    for metric in METRICS:
        sums = np.add.reduceat(scores(policies, drawn, metric), starts)
        value = float(sums.sum() / n)
        deviations = sums - value * sizes
        hit = np.flatnonzero(drawn.reward[metric])
        cell, reward = drawn.cell[hit], drawn.reward[metric][hit]
        mean = float(reward.sum() / n)
        none = count - np.bincount(cell, minlength=len(count))
        above = effective_sample_size(capped[cell] * np.maximum(reward - mean, 0.0))
        under = np.maximum(mean - reward, 0.0)
        total = mean * float(none @ capped) + float(capped[cell] @ under)
        square = mean**2 * float(none @ capped**2) + float(capped[cell] ** 2 @ under**2)
        below = total**2 / square if square > 0 else 0.0
        second = float(((reward - mean) ** 2).sum()) + (n - len(hit)) * mean**2
        third = float(((reward - mean) ** 3).sum()) - (n - len(hit)) * mean**3
        out[metric] = (
            value,
            float(np.sqrt(factor * (deviations @ deviations))) / n,
            degrees,
            min(above, below) * cost,
            float(len(sizes)),
            effective_sample_size(sizes),
            tail,
            moments[1] / moments[0] ** 1.5 * third / second**1.5 if second > 0 else 0.0,
            effective_sample_size(apart[cell] * reward),
        )
    return out


def kish(weights: Floats, count: Floats) -> float:
    """Kish's count of weights that occur so often."""
    return float(count @ weights) ** 2 / float(count @ weights**2)
