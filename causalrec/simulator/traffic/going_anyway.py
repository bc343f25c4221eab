"""People who come for items of their own, and go to them whether they are recommended or not.

What they come for is a Plackett-Luce draw of `organic` items from a distribution of the user's own,
g(a) proportional to (past click rate of the user in the category x past click rate of the item)^focus. It is drawn
without a look at the slate: what the slate shows of it is met there, the rest without a recommendation. So

    P(a is met without a recommendation given that the slate does not show it) = P(a is among what they came for),

whatever else the slate shows. All that moves it is logged: it is no unmeasured cause of being met.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from causalrec.arrays import Floats, Ints
from causalrec.simulator.traffic.logging_policy import item_distribution
from causalrec.simulator.traffic.sampling import day_policy, draw_slates
from causalrec.simulator.world.dials import WorldConfig

ANY_ITEM = 0.01
"""Of what they come for, the share that is any item: no item is out of reach."""


def came_for_distribution(
    user_category_rate: Floats, item_category: Ints, item_rate: Floats, age_days: Ints, config: WorldConfig
) -> Floats:
    """g(item | user) of the first item that people come for, written out.

    Args:
        user_category_rate: Past click rate of each user in each category, (users, categories).
        item_category, item_rate, age_days: Of each item, (items,).

    Returns:
        (users, items), rows sum to 1.
    """
    price = np.ones(len(item_rate))  # it moves nothing here
    return item_distribution(user_category_rate, item_category, item_rate, price, _as_policy(config), age_days)


def draw_came_for(
    user_category_rate: Floats,
    item_category: Ints,
    item_rate: Floats,
    age_days: Ints,
    config: WorldConfig,
    rng: np.random.Generator,
) -> Ints:
    """What people come for in each request, (requests, organic).

    Args:
        user_category_rate: Of each request's user, (requests, categories).
        item_category, item_rate, age_days: Of each item, (items,).
    """
    c, price = _as_policy(config), np.ones(len(item_rate))
    wanted = day_policy(item_category, user_category_rate.shape[1], item_rate, price, age_days, c)
    return draw_slates(wanted, user_category_rate, c.organic, c, rng)[0]


def _as_policy(config: WorldConfig) -> WorldConfig:
    """The dials with which the logging policy's distribution is that of what people come for."""
    return replace(
        config,
        confounding=1.0,
        policy_on_taste=config.go_anyway_focus,
        policy_on_popularity=config.go_anyway_focus,
        policy_on_price=0.0,
        policy_on_newness=0.0,
        exploration=ANY_ITEM,
    )
