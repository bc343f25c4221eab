"""The policy that makes the logs. It reads what is logged, as of the end of the day before, and explores.

Slates are drawn without replacement from one distribution per user and day,
p = (1 - eps) softmax(score) + eps / n, by the Gumbel top-k trick. The item in slot k then has the action
propensity p(a_k) / (1 - sum of p of those above it) (Plackett-Luce; Kool, van Hoof and Welling 2019,
"Stochastic Beams and Where to Find Them", section 2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from causalrec_assets.simulator.world import WorldConfig

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def item_distribution(
    user_category_rate: Floats, item_category: Ints, item_rate: Floats, price: Floats, config: WorldConfig
) -> Floats:
    """p(item | user) of the first slot.

    Args:
        user_category_rate: Past click rate of each user in each category, (users, categories).
        item_category, item_rate, price: Of each item, (items,).

    Returns:
        (users, items), rows sum to 1.
    """
    score = (
        config.policy_on_taste * np.log(user_category_rate / config.prior_rate)[:, item_category]
        + config.policy_on_popularity * np.log(item_rate / config.prior_rate)[None, :]
        - config.policy_on_price * (np.log(price) - 3.0)[None, :]
    )
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    softmax = weight / weight.sum(axis=1, keepdims=True)
    return np.asarray((1 - config.exploration) * softmax + config.exploration / len(price))


def draw_slates(p: Floats, size: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw a slate per row of p without replacement, with the exact action propensity of every slot.

    Args:
        p: (requests, items), rows sum to 1, all positive.
        size: Items a slate.

    Returns:
        Items and action propensities, both (requests, size), in the order of the slots.
    """
    # The k smallest of Exp(1) / p, ascending, are a draw without replacement: Gumbel top-k, rescaled.
    keys = rng.standard_exponential(p.shape, dtype=np.float64) / p
    top = np.argpartition(keys, size - 1, axis=1)[:, :size]
    order = np.argsort(np.take_along_axis(keys, top, axis=1), axis=1)
    items = np.take_along_axis(top, order, axis=1)
    chosen = np.take_along_axis(p, items, axis=1)
    above = np.cumsum(chosen, axis=1) - chosen
    return items, chosen / (1.0 - above)


def browse_distribution(item_rate: Floats, price: Floats, config: WorldConfig) -> Floats:
    """How likely each item is met while browsing, (items,), sums to 1: aisles show popular and dear items."""
    score = config.browse_on_popularity * np.log(item_rate) + config.browse_on_price * (np.log(price) - 3.0)
    weight = np.exp(score)
    return np.asarray(weight / weight.sum())


def draw_organic(browse: Floats, slates: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Draw the items met while browsing, (requests, size), none of which is in the request's slate."""
    keys = rng.standard_exponential((len(slates), len(browse))) / browse
    np.put_along_axis(keys, slates, np.inf, axis=1)
    return np.argpartition(keys, size - 1, axis=1)[:, :size]
