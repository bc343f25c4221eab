"""Drawing slates from 500 or 5,000 items in time that hardly depends on how many there are, and exactly.

The policy's score is a part of the user and the category plus a part of the item. So a draw from its softmax is a
category by (users, categories) weights, then an item of it by weights that all users share; a draw from the
mixture with exploration is one or the other. Draws with replacement, of which a repeat is drawn again, are a
Plackett-Luce draw without replacement: given the items above, the next new item has probability
p(a) / (1 - sum of p of those above). Nothing is approximated, and no (requests, items) matrix is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats, Ints
from causalrec.simulator.traffic.logging_policy import browse_distribution, policy_score, user_score
from causalrec.simulator.world.dials import WorldConfig

ROUNDS = 24
"""A slot that still repeats an item above it after as many draws is drawn from the written-out distribution."""

Draw = Callable[[Ints], Ints]


@dataclass(frozen=True)
class DayPolicy:
    """The logging policy and the aisles of one day.

    Attributes:
        there: The items in the shop, grouped by category, (n,).
        start, count: Where each category's items start in `there`, and how many there are, (categories,).
        weight: exp(score) of each item of `there`, up to a constant, (n,).
        up_to: Cumulated `weight`, with a 0 before it, (n + 1,).
        category: Of each item of the catalogue, (items,).
        weight_of: `weight` by the item's index in the catalogue, 0 for what is not there, (items,).
        browse: How likely each item is met while browsing, (items,).
        exploration: eps.
    """

    there: Ints
    start: Ints
    count: Ints
    weight: Floats
    up_to: Floats
    category: Ints
    weight_of: Floats
    browse: Floats
    exploration: float


def day_policy(
    category: Ints, categories: int, item_rate: Floats, price: Floats, age_days: Ints, c: WorldConfig
) -> DayPolicy:
    """Prepare a day's draws: everything that no user enters.

    Args:
        category, item_rate, price, age_days: Of each item, (items,).
    """
    score = policy_score(item_rate, price, age_days, c)
    weight_of = np.exp(score - score.max())
    there = np.flatnonzero(age_days >= 0)
    there = there[np.argsort(category[there], kind="stable")]
    count = np.bincount(category[there], minlength=categories)
    weight = weight_of[there]
    return DayPolicy(
        there,
        np.cumsum(count) - count,
        count,
        weight,
        np.concatenate([[0.0], np.cumsum(weight)]),
        category,
        weight_of,
        browse_distribution(item_rate, price, c, age_days),
        c.exploration,
    )


def draw_slates(
    policy: DayPolicy, user_category_rate: Floats, size: int, config: WorldConfig, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """Draw a slate per request without replacement, with the exact action propensity of every slot.

    Args:
        user_category_rate: Of each request's user, (requests, categories).
        size: Items a slate.

    Returns:
        Items and action propensities, both (requests, size), in the order of the slots.
    """
    score = user_score(user_category_rate, config)
    by_category = np.exp(score - score.max(axis=1, keepdims=True))
    # (categories, requests): each step below reads one category of all requests in a row of memory.
    mass = by_category.T * (policy.up_to[policy.start + policy.count] - policy.up_to[policy.start])[:, None]
    up_to = np.cumsum(mass, axis=0)
    total = up_to[-1].copy()
    up_to /= total
    eps, n = policy.exploration, len(policy.there)

    def draw(rows: Ints) -> Ints:
        u, within = rng.random(len(rows)), rng.random(len(rows))
        explored = (within * n).astype(np.int64)
        v = (u - eps) / (1 - eps) if eps < 1 else u
        limits = up_to if len(rows) == up_to.shape[1] else up_to[:, rows]
        chosen = np.zeros(len(rows), dtype=np.int64)
        for limit in limits[:-1]:
            chosen += v >= limit
        low, high = policy.start[chosen], policy.start[chosen] + policy.count[chosen]
        reach = policy.up_to[low] + within * (policy.up_to[high] - policy.up_to[low])
        followed = np.clip(np.searchsorted(policy.up_to, reach, side="right") - 1, low, high - 1)
        return policy.there[np.where(u < eps, explored, followed)]

    def distribution(row: int) -> Floats:
        softmax = by_category[row, policy.category] * policy.weight_of / total[row]
        out: Floats = (1 - eps) * softmax
        out[policy.there] += eps / n
        return out

    items = _without_repeats(draw, distribution, len(score), size, [], rng)
    slates, above = np.stack(items, axis=1), np.zeros(len(score))
    propensity = np.empty((len(score), size))
    for slot, p in enumerate(first_slot_probability(policy, user_category_rate, slates, config).T):
        propensity[:, slot] = p / (1.0 - above)
        above += p
    return slates, propensity


def first_slot_probability(policy: DayPolicy, user_category_rate: Floats, item: Ints, config: WorldConfig) -> Floats:
    """The logging policy's p(item | user) of the first slot, of some items that are in the shop.

    Args:
        user_category_rate: Of each request's user, (requests, categories).
        item: (requests, some).
    """
    score = user_score(user_category_rate, config)
    by_category = np.exp(score - score.max(axis=1, keepdims=True))
    mass = by_category.T * (policy.up_to[policy.start + policy.count] - policy.up_to[policy.start])[:, None]
    total = np.cumsum(mass, axis=0)[-1]  # to the last digit as where slates are drawn
    softmax = np.take_along_axis(by_category, policy.category[item], axis=1) * policy.weight_of[item] / total[:, None]
    return np.asarray((1 - policy.exploration) * softmax + policy.exploration / len(policy.there))


def draw_organic(browse: Floats, slates: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Draw the items met while browsing, (requests, size), none of which is in the request's slate."""
    up_to = np.cumsum(browse)
    up_to /= up_to[-1]
    last = int(np.flatnonzero(browse)[-1])

    def draw(rows: Ints) -> Ints:
        return np.minimum(np.searchsorted(up_to, rng.random(len(rows)), side="right"), last)

    taken = [np.ascontiguousarray(slot) for slot in slates.T]
    return np.stack(_without_repeats(draw, lambda _: browse, len(slates), size, taken, rng), axis=1)


def _without_repeats(
    draw: Draw,
    distribution: Callable[[int], Floats],
    requests: int,
    size: int,
    taken: list[Ints],
    rng: np.random.Generator,
) -> list[Ints]:
    """Draw `size` items per request, none of which is in `taken` or drawn before; (requests,) each.

    Args:
        draw: An item with replacement for each of the given requests.
        distribution: The same distribution of one request, written out.
        taken: What must not be drawn, (requests,) each.
    """
    before, everyone = list(taken), np.arange(requests)
    for _ in range(size):
        item = draw(everyone)
        wrong = _repeated(item, before, everyone)
        for _ in range(ROUNDS):
            if not len(wrong):
                break
            item[wrong] = draw(wrong)
            wrong = wrong[_repeated(item[wrong], before, wrong)]
        # Rare (little is left beside the items above): exact all the same, by the conditional distribution.
        for row in wrong:
            p = distribution(row).copy()
            p[[above[row] for above in before]] = 0.0
            item[row] = rng.choice(len(p), p=p / p.sum())
        before.append(item)
    return before[len(taken) :]


def _repeated(item: Ints, before: list[Ints], rows: Ints) -> Ints:
    """Which of the given rows' items stand above, as positions in `rows`."""
    again = np.zeros(len(item), dtype=np.bool_)
    for above in before:
        again |= item == (above if len(above) == len(rows) else above[rows])
    return np.flatnonzero(again)
