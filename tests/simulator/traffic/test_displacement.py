"""Clicks that remove clicks: the draws follow the dials, and the exact expectation follows from counting every case."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.traffic.displacement import draw_displaced, expected_clicks
from causalrec.simulator.world.world import WorldConfig
from tests.simulator.conftest import SMALL, write

BOTH = replace(SMALL, slate=3, organic=2, displacement_slots=0.4, displacement_organic=0.25)


def by_counting(p, config):
    """P(click) of each slot and the share of organic clicks left, over all clicks if nothing is removed and all
    removals."""
    slots, organic_left = np.zeros(len(p)), 0.0
    for clicks in product((0, 1), repeat=len(p)):
        chance = np.prod([q if c else 1 - q for q, c in zip(p, clicks, strict=True)])
        for kept in product((0, 1), repeat=len(p)):
            share, above = chance, 0
            for click, keep in zip(clicks, kept, strict=True):
                survives = (1 - config.displacement_slots) ** above
                share *= survives if keep else 1 - survives
                above += click * keep
            slots += share * np.array(clicks) * kept
            organic_left += share * (1 - config.displacement_organic) ** above
    return slots, organic_left


@pytest.mark.parametrize("config", [BOTH, replace(BOTH, displacement_slots=0.0), replace(BOTH, displacement_slots=1.0)])
def test_the_expected_clicks_are_those_of_counting_all_cases(config):
    p = np.array([0.3, 0.15, 0.6])
    slots, organic_left = expected_clicks(p[None], config)
    expected = by_counting(p, config)
    np.testing.assert_allclose(slots[0], expected[0], rtol=1e-12)
    assert organic_left[0] == pytest.approx(expected[1], rel=1e-12)


def test_draws_remove_as_many_clicks_as_expected():
    p, n, rng = np.array([0.3, 0.15, 0.6, 0.5, 0.5]), 200_000, np.random.default_rng(0)
    click = rng.random((n, 5)) < p
    left = click & ~draw_displaced(click, BOTH, rng)
    slots, organic_left = expected_clicks(p[None, :3], BOTH)
    expected = np.concatenate([slots[0], p[3:] * organic_left])
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(left.mean(axis=0) - expected) < 4 * error).all()


def test_without_displacement_nothing_is_removed():
    p = np.array([[0.3, 0.15, 0.6]])
    slots, organic_left = expected_clicks(p, SMALL)
    np.testing.assert_allclose(slots, p)
    assert organic_left.tolist() == [1.0]


def test_what_is_removed_is_in_the_truth_and_the_rest_of_the_first_day_stays_as_it_was(small, tmp_path):
    dials = {"displacement_organic": 0.5, "displacement_slots": 0.5}
    known = write(replace(SMALL, days=1, **dials), tmp_path).known()
    plain = small.known(small.days[0])
    kept = ["event_id", "item_id", "action_propensity", "click_1", "click_0", "purchase_1", "purchase_0"]
    assert known.select(kept).equals(plain.select(kept))
    displaced = known["displaced"] == 1
    assert displaced.sum() > 0
    assert (plain.filter(displaced)["click"] == 1).all()
    assert known.filter(displaced).select("click", "purchase").sum().row(0) == (0, 0)
    outcomes = ["click", "purchase", "revenue"]
    assert known.filter(~displaced).select(outcomes).equals(plain.filter(~displaced).select(outcomes))
    first = known.filter(pl.col("position") == 1)
    assert first["displaced"].sum() == 0


@pytest.mark.parametrize("dial", ["displacement_organic", "displacement_slots", "go_anyway"])
def test_a_chance_is_at_most_one(dial):
    with pytest.raises(ValueError, match=f"{dial} is a chance"):
        WorldConfig(**{dial: 1.5})
