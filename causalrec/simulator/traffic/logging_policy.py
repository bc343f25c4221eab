"""The policy that makes the logs. It reads what is logged, as of the end of the day before, and explores.

Slates are drawn without replacement from one distribution per user and day,
p = (1 - eps) softmax(score) + eps / n. The item in slot k then has the action propensity
p(a_k) / (1 - sum of p of those above it) (Plackett-Luce; Kool, van Hoof and Welling 2019, "Stochastic Beams and
Where to Find Them", section 2). `sampling.py` draws them.
"""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.world.dials import WorldConfig


def item_distribution(
    user_category_rate: Floats,
    item_category: Ints,
    item_rate: Floats,
    price: Floats,
    config: WorldConfig,
    age_days: Ints | None = None,
) -> Floats:
    """p(item | user) of the first slot, written out.

    Args:
        user_category_rate: Past click rate of each user in each category, (users, categories).
        item_category, item_rate, price: Of each item, (items,).
        age_days: Of each item, (items,); what is not published yet (below 0) is not shown. None: all are, and
            their age moves nothing.

    Returns:
        (users, items), rows sum to 1.
    """
    category_score, item_score = (
        user_score(user_category_rate, config),
        policy_score(item_rate, price, age_days, config),
    )
    score = category_score[:, item_category] + item_score[None, :]
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    softmax = weight / weight.sum(axis=1, keepdims=True)
    there = published(len(price), age_days)
    return np.asarray((1 - config.exploration) * softmax + config.exploration * there / there.sum())


def user_score(user_category_rate: Floats, config: WorldConfig) -> Floats:
    """What a user's past adds to the score of a category's items, in the shape of the rates."""
    return np.asarray(config.confounding * config.policy_on_taste * np.log(user_category_rate / config.prior_rate))


def policy_score(item_rate: Floats, price: Floats, age_days: Ints | None, config: WorldConfig) -> Floats:
    """What an item adds to its score whoever is asked, (items,); -inf before it is published."""
    liked = config.policy_on_popularity * np.log(item_rate / config.prior_rate)
    score = config.confounding * (liked - config.policy_on_price * (np.log(price) - 3.0))
    return _by_age(score, age_days, config.policy_on_newness)


def browse_distribution(item_rate: Floats, price: Floats, config: WorldConfig, age_days: Ints | None = None) -> Floats:
    """How likely each item is met while browsing, (items,), sums to 1: aisles show popular and dear items."""
    liked = config.browse_on_popularity * np.log(item_rate)
    score = config.confounding * (liked + config.browse_on_price * (np.log(price) - 3.0))
    weight = np.exp(_by_age(score, age_days, -config.policy_on_newness))
    return np.asarray(weight / weight.sum())


def published(items: int, age_days: Ints | None) -> Mask:
    """Whether each item is in the shop, (items,)."""
    return np.ones(items, dtype=np.bool_) if age_days is None else age_days >= 0


def _by_age(score: Floats, age_days: Ints | None, newness: float) -> Floats:
    if age_days is None:
        return score
    # 6 is about the log of the age of an item of the first day: the score stays near that of no such dial.
    aged = score - newness * (np.log1p(np.maximum(age_days, 0)) - 6.0)
    return np.where(age_days >= 0, aged, -np.inf)
