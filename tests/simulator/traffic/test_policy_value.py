from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.traffic.policy_value import (
    best_probabilities,
    logged_slots,
    logging_probabilities,
    true_policy_value,
    uniform_probabilities,
)


@pytest.fixture(scope="module")
def slots(small):
    return logged_slots(small.world, small.landing, small.days[-1])


def all_on(slots, items):
    chosen = np.zeros(slots.candidates.shape)
    chosen[np.arange(len(items)), items] = 1.0
    return chosen


def test_items_above_in_the_request_are_no_candidates(small, slots):
    rows = small.events(small.days[-1]).filter(pl.col("recommended") == 1)
    assert slots.unit_id == rows["event_id"].to_list()
    assert (~slots.candidates).sum(axis=1).tolist() == (rows["position"] - 1).to_list()
    first_request = [int(item[-4:]) for item in rows.filter(pl.col("request_id") == rows["request_id"][0])["item_id"]]
    assert np.flatnonzero(~slots.candidates[4]).tolist() == sorted(first_request[:4])


def test_the_value_of_what_was_shown_is_the_mean_of_its_probabilities(small, slots):
    shown = small.known(small.days[-1]).filter(pl.col("recommended") == 1)
    value = true_policy_value(small.world, slots, all_on(slots, slots.shown))
    assert value.click == pytest.approx(shown["p_click_1"].mean())
    assert value.purchase == pytest.approx(shown["p_purchase_1"].mean())
    assert value.revenue == pytest.approx((shown["p_purchase_1"] * shown["price"]).mean())


def test_weighting_the_logs_by_action_propensities_gives_the_value_of_the_uniform_policy(small, slots):
    shown = small.known(small.days[-1]).filter(pl.col("recommended") == 1)
    uniform = uniform_probabilities(slots)
    weight = uniform[np.arange(len(slots.shown)), slots.shown] / shown["action_propensity"].to_numpy()
    weighted = weight * shown["p_click_1"].to_numpy()
    value = true_policy_value(small.world, slots, uniform).click
    assert abs(weighted.mean() - value) < 3.5 * weighted.std() / np.sqrt(len(weighted))


def test_a_better_policy_than_the_logging_one_exists_by_far(small, slots):
    logging, uniform, best = (
        true_policy_value(small.world, slots, p).click
        for p in (
            logging_probabilities(small.world, slots),
            uniform_probabilities(slots),
            best_probabilities(small.world, slots),
        )
    )
    assert uniform < logging
    assert best > 1.5 * logging


def test_no_item_beats_the_best_one_in_any_slot(small, slots):
    best = best_probabilities(small.world, slots)
    rng = np.random.default_rng(0)
    noise = rng.random(slots.candidates.shape) * slots.candidates
    other = all_on(slots, noise.argmax(axis=1))
    assert true_policy_value(small.world, slots, best).click > true_policy_value(small.world, slots, other).click
    assert (best > 0).sum(axis=1).tolist() == [1] * len(slots.shown)
    assert slots.candidates[best > 0].all()


def test_probabilities_that_are_none_are_refused_with_the_slot(small, slots):
    uniform = uniform_probabilities(slots)
    with pytest.raises(ValueError, match="got"):
        true_policy_value(small.world, slots, uniform[:, :-1])
    with pytest.raises(ValueError, match="slot 0 are negative or do not sum to 1"):
        true_policy_value(small.world, slots, uniform * 2)
    everywhere = np.full(uniform.shape, 1 / uniform.shape[1])
    with pytest.raises(ValueError, match="slot 1 gives a probability to an item that already stands above it"):
        true_policy_value(small.world, slots, everywhere)
