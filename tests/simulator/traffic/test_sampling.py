"""The fast draws are exactly those of Plackett-Luce: tested against the law, and against the written-out policy."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chi2

from causalrec.simulator.traffic import sampling
from causalrec.simulator.traffic.logging_policy import item_distribution
from causalrec.simulator.traffic.sampling import day_policy, draw_organic, draw_slates
from causalrec.simulator.world.world import WorldConfig

SHOP = WorldConfig(items=12, exploration=0.2, slate=2, organic=2)
CATEGORY = np.arange(6) % 3
RATES = np.array([0.05, 0.2, 0.4])
ITEM_RATE = np.array([0.05, 0.1, 0.3, 0.2, 0.08, 0.15])
PRICE = np.array([5.0, 20.0, 30.0, 12.0, 60.0, 18.0])
AGE = np.array([400, 20, 0, 90, 700, -3])


def drawn(size, n, config=SHOP, seed=0, age=AGE):
    policy = day_policy(CATEGORY, 3, ITEM_RATE, PRICE, age, config)
    return draw_slates(policy, np.tile(RATES, (n, 1)), size, config, np.random.default_rng(seed))


def law(size, config=SHOP, age=AGE):
    """P(slate) of every ordered slate."""
    p = item_distribution(RATES[None], CATEGORY, ITEM_RATE, PRICE, config, age)[0]
    found = {}
    for slate in permutations(np.flatnonzero(age >= 0).tolist(), size):
        left, product = 1.0, 1.0
        for item in slate:
            product, left = product * p[item] / left, left - p[item]
        found[slate] = product
    return found


def misfit(slates, probability):
    """P(a chi-square is as large) of the slates' frequencies."""
    n, width = len(slates), len(next(iter(probability)))
    base = 10 ** np.arange(width)[::-1]
    seen = np.bincount(slates @ base, minlength=10**width)
    expected = {int(np.array(slate) @ base): n * p for slate, p in probability.items()}
    assert sum(seen[code] for code in expected) == n
    statistic = sum((seen[code] - e) ** 2 / e for code, e in expected.items())
    return chi2.sf(statistic, len(expected) - 1)


@pytest.mark.parametrize("exploration", [0.02, 0.2, 1.0])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_slates_follow_the_plackett_luce_law(size, exploration):
    config = replace(SHOP, exploration=exploration, confounding=1.5, policy_on_newness=0.2)
    assert misfit(drawn(size, 200_000, config)[0], law(size, config)) > 1e-4


def test_a_slot_that_keeps_repeating_what_is_above_is_drawn_exactly_all_the_same(monkeypatch):
    monkeypatch.setattr(sampling, "ROUNDS", 0)
    config = replace(SHOP, confounding=2.0)
    assert misfit(drawn(3, 40_000, config)[0], law(3, config)) > 1e-4


def test_a_slate_of_the_whole_shop_ends_although_one_item_has_nearly_all_the_probability():
    config = replace(SHOP, exploration=0.001, confounding=6.0)
    slates, propensity = drawn(5, 500, config)
    assert (np.sort(slates, axis=1) == np.arange(5)).all()
    assert propensity[:, -1] == pytest.approx(np.ones(500))


def test_the_action_propensity_is_the_conditional_one_of_the_written_out_policy():
    slates, propensity = drawn(4, 300)
    p = item_distribution(RATES[None], CATEGORY, ITEM_RATE, PRICE, SHOP, AGE)[0]
    left = 1.0 - np.cumsum(np.pad(p[slates], ((0, 0), (1, 0)))[:, :-1], axis=1)
    np.testing.assert_allclose(propensity, p[slates] / left, rtol=1e-12)


def test_nothing_is_shown_or_browsed_before_it_is_published():
    slates, _ = drawn(3, 5000)
    assert 5 not in slates
    policy = day_policy(CATEGORY, 3, ITEM_RATE, PRICE, AGE, SHOP)
    assert 5 not in draw_organic(policy.browse, slates, 2, np.random.default_rng(1))


def test_what_is_browsed_follows_the_aisles_law_without_what_stands_in_the_slate():
    browse, n = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), 100_000
    organic = draw_organic(browse, np.full((n, 1), 1), 2, np.random.default_rng(3))
    rest = browse.copy()
    rest[1] = 0.0
    rest /= rest.sum()
    others = [0, 2, 3, 4]
    exact = {(a, b): rest[a] * rest[b] / (1 - rest[a]) for a, b in permutations(others, 2)}
    assert misfit(organic, exact) > 1e-4
