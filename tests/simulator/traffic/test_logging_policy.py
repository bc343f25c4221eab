from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.traffic import logging_policy, sampling
from causalrec.simulator.traffic.logging_policy import browse_distribution, item_distribution
from causalrec.simulator.traffic.policy_value import logged_slots, logging_probabilities, past_before
from causalrec.simulator.traffic.sampling import day_policy, draw_organic, draw_slates
from causalrec.simulator.traffic.traffic import simulate_day
from causalrec.simulator.world.world import World
from tests.simulator.conftest import SMALL


def test_exploration_is_the_least_probability_of_every_item():
    rates = np.random.default_rng(2).uniform(0.02, 0.5, size=(7, 3))
    p = item_distribution(
        rates, np.arange(SMALL.items) % 3, np.full(SMALL.items, 0.1), np.full(SMALL.items, 20.0), SMALL
    )
    assert p.sum(axis=1) == pytest.approx(np.ones(7))
    assert p.min() >= SMALL.exploration / SMALL.items


def test_every_dial_of_confounding_at_zero_leaves_a_uniform_policy_and_uniform_aisles():
    rng = np.random.default_rng(4)
    rates, category = rng.uniform(0.02, 0.5, size=(7, 3)), np.arange(SMALL.items) % 3
    item_rate, price = rng.uniform(0.02, 0.5, SMALL.items), rng.uniform(5, 90, SMALL.items)
    policy = {"policy_on_taste": 0.0, "policy_on_popularity": 0.0, "policy_on_price": 0.0}
    aisles = {"browse_on_popularity": 0.0, "browse_on_price": 0.0}
    none = replace(SMALL, **policy, **aisles)
    p = item_distribution(rates, category, item_rate, price, none)
    np.testing.assert_allclose(p, 1 / SMALL.items)
    np.testing.assert_allclose(browse_distribution(item_rate, price, none), 1 / SMALL.items)
    for dial in policy:
        one = replace(none, **{dial: getattr(SMALL, dial)})
        assert np.ptp(item_distribution(rates, category, item_rate, price, one)) > 1e-3
    for dial in aisles:
        one = replace(none, **{dial: getattr(SMALL, dial)})
        assert np.ptp(browse_distribution(item_rate, price, one)) > 1e-3


def test_the_logged_propensities_follow_from_the_landed_logs_alone(small):
    for day in (small.days[0], small.days[-1]):
        slots = logged_slots(small.world, small.landing, day)
        p = logging_probabilities(small.world, slots)
        logged = small.events(day).filter(pl.col("recommended") == 1)["action_propensity"].to_numpy()
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)))
        np.testing.assert_allclose(p[np.arange(len(p)), slots.shown], logged, rtol=1e-9)


def test_on_the_first_day_nothing_is_known_of_anybody(small):
    past = past_before(small.world, small.landing, small.days[0])
    assert np.unique(past.user_category_rate) == pytest.approx([SMALL.prior_rate])
    assert np.unique(past.item_rate) == pytest.approx([SMALL.prior_rate])


def test_other_latent_tastes_and_qualities_with_the_same_logs_change_nothing_that_the_policy_does(small):
    day = small.days[-1]
    number = (day - small.days[0]).days
    changed = World(SMALL)
    object.__setattr__(changed, "taste", -3.0 * small.world.taste)
    object.__setattr__(changed.catalogue, "quality", small.world.catalogue.quality[::-1].copy())
    before = simulate_day(small.world, past_before(small.world, small.landing, day), number).events
    after = simulate_day(changed, past_before(changed, small.landing, day), number).events
    acts = ["request_id", "item_id", "position", "recommended", "action_propensity"]
    assert after.select(acts).equals(before.select(acts))
    assert not after["click"].equals(before["click"])


def test_the_policys_module_is_given_no_world():
    assert not hasattr(logging_policy, "World")
    assert not hasattr(sampling, "World")
    functions = (item_distribution, day_policy, draw_slates, draw_organic)
    given = {name for f in functions for name in inspect.signature(f).parameters}
    read = {"user_category_rate", "item_category", "category", "categories", "item_rate", "price", "age_days"}
    assert given == read | {"config", "c", "policy", "size", "rng", "browse", "slates"}


def test_a_days_outcomes_reach_the_policy_on_the_next_day_and_not_before(small):
    day = small.days[2]
    same_day = past_before(small.world, small.landing, day)
    logs = pl.concat([small.events(d) for d in small.days[:2]])
    one = logs["item_id"].value_counts(sort=True)["item_id"][0]
    of_one = logs.filter(pl.col("item_id") == one)
    rate = (of_one["click"].sum() + SMALL.prior_rate * SMALL.prior_exposures) / (of_one.height + SMALL.prior_exposures)
    assert same_day.item_rate[int(one[-4:])] == pytest.approx(rate)
    assert past_before(small.world, small.landing, day + timedelta(days=1)).item_rate[int(one[-4:])] != pytest.approx(
        rate
    )
