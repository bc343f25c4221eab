"""The hidden cause has exactly the strength that was asked for, and biases what adjusts for logged columns only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.comparison import true_effects
from causalrec.simulator.traffic.policy_value import logged_slots, true_policy_value, uniform_probabilities
from causalrec.simulator.world.hidden import hidden_given_arm, odds_given_hidden
from tests.simulator.conftest import SMALL, write
from tests.simulator.test_effects import CONFOUNDED, adjusted, what_the_policy_read


@pytest.mark.parametrize("gamma", [1.0, 1.7, 3.0, 10.0])
def test_two_units_of_the_same_covariates_have_an_odds_ratio_of_exactly_gamma(gamma):
    in_slate, elsewhere = hidden_given_arm(gamma)
    assert in_slate / (1 - in_slate) / (elsewhere / (1 - elsewhere)) == pytest.approx(gamma)
    e = np.array([0.01, 0.3, 0.97])
    there = e * in_slate / (e * in_slate + (1 - e) * elsewhere)
    not_there = e * (1 - in_slate) / (e * (1 - in_slate) + (1 - e) * (1 - elsewhere))
    odds = e / (1 - e)
    np.testing.assert_allclose(there / (1 - there), odds_given_hidden(odds, np.array([1]), gamma))
    np.testing.assert_allclose(not_there / (1 - not_there), odds_given_hidden(odds, np.array([0]), gamma))
    np.testing.assert_allclose(there / (1 - there) / odds, np.sqrt(gamma))
    np.testing.assert_allclose(odds / (not_there / (1 - not_there)), np.sqrt(gamma))


def hidden_world(tmp_path, gamma, on_click):
    return write(replace(CONFOUNDED, days=4, hidden_gamma=gamma, hidden_on_click=on_click), tmp_path)


def test_within_any_stratum_of_what_is_logged_the_drawn_odds_ratio_is_gamma(tmp_path):
    written = hidden_world(tmp_path, 3.0, 1.0)
    known, x = written.known(), what_the_policy_read(written)
    t, u = known["recommended"].to_numpy() == 1, known["hidden"].to_numpy() == 1
    for column in range(3):
        for part in np.array_split(np.argsort(x[:, column]), 4):
            a, b, c, d = ((t[part] == i) & (u[part] == j) for i, j in ((1, 1), (1, 0), (0, 1), (0, 0)))
            counts = np.array([k.sum() for k in (a, b, c, d)])
            error = np.sqrt((1 / counts).sum())
            ratio = np.log(counts[0] * counts[3] / (counts[1] * counts[2]))
            assert abs(ratio - np.log(3.0)) < 4 * error


@pytest.mark.parametrize(("gamma", "on_click", "sign"), [(1.0, 1.0, 0), (3.0, 1.0, 1), (3.0, -1.0, -1), (3.0, 0.0, 0)])
def test_adjusting_for_what_is_logged_is_biased_by_a_hidden_cause_of_both_and_of_both_only(
    gamma, on_click, sign, tmp_path
):
    written = hidden_world(tmp_path, gamma, on_click)
    estimate, error = adjusted(written, "click")
    bias = estimate - true_effects(written.truth, written.days)["click"]
    if sign == 0:
        assert abs(bias) < 3 * error
    else:
        assert sign * bias > 6 * error


def test_the_hidden_cause_changes_no_slate_of_the_first_day_and_no_logged_propensity(small, tmp_path):
    with_it = write(replace(SMALL, hidden_gamma=3.0, hidden_on_click=1.0), tmp_path)
    acts = ["event_id", "user_id", "item_id", "recommended", "action_propensity"]
    first = small.days[0]
    assert with_it.events(first).select(acts).equals(small.events(first).select(acts))
    assert set(with_it.events().columns) == set(small.events().columns)
    assert set(with_it.known().columns) - set(small.known().columns) == {"hidden"}


def test_the_value_of_a_policy_averages_over_the_hidden_cause(tmp_path):
    written = write(replace(SMALL, hidden_gamma=4.0, hidden_on_click=1.0), tmp_path)
    slots = logged_slots(written.world, written.landing, written.days[-1])
    shown = written.known(written.days[-1]).filter(pl.col("recommended") == 1)
    chosen = np.zeros(slots.candidates.shape)
    chosen[np.arange(len(slots.shown)), slots.shown] = 1.0
    p = shown["p_click_1"].to_numpy()
    assert abs(true_policy_value(written.world, slots, chosen).click - p.mean()) < 4 * p.std() / np.sqrt(len(p))
    # Elsewhere the cause is rarer, and so is the click.
    without = logged_slots(written.world, written.landing, written.days[-1])
    object.__setattr__(without, "in_slate", np.ones_like(slots.in_slate))
    uniform = uniform_probabilities(slots)
    fewer, more = (true_policy_value(written.world, s, uniform).click for s in (slots, without))
    assert fewer < more
