"""The table of stale champions at a tiny size: drift is what it says, and refreshes follow it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.verdict.estimand_worlds import SHOP
from benchmarks.verdict.histories import rules
from benchmarks.verdict.stale import Drift, Model, simulated, under_drift
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.simulator.world.world import World

RULE, _ = rules()


def test_without_drift_a_bundle_never_grows_old():
    drift = Drift(Shop(WORLDS["A"], 0), 0.0)
    assert drift.gain(90) == pytest.approx(0.0, abs=1e-12)
    assert drift.mass(0) == pytest.approx(drift.shop.mass)
    assert drift.rates(50) == pytest.approx(drift.shop.rates)


def test_under_drift_log_odds_of_days_apart_correlate_as_the_dial_says():
    drift = Drift(Shop(WORLDS["A"], 0), np.pi / 2 / 100)
    assert drift.rates(200) == pytest.approx(1 / (1 + np.exp(-(drift.middle - drift.first))))
    assert 0 < drift.gain(30, 30) < drift.gain(60, 60)


def test_refreshes_follow_what_a_champion_without_them_falls_behind():
    off = under_drift("A", 0.01, 0, RULE.model_copy(update={"refresh": False}))
    on = under_drift("A", 0.01, 0, RULE)
    assert off.refreshes == 0 and off.lowest == 0.0 and off.behind[-1] > 0.05
    assert on.refreshes > 3 and on.behind[-1] < 0.01


def test_a_model_that_knows_items_by_name_keeps_what_it_has_learned_of_them():
    config = replace(SHOP, users=60, items=12, events_per_day=240, days=3)
    world, days = World(config), simulated(config)
    fresh, named = (Model.fit(world, days[:2], by_name) for by_name in (False, True))
    assert fresh.item_rate is None and named.item_rate.shape == (12,)
    moved = replace(days[2], item_rate=days[2].item_rate[::-1])
    assert named.true_value(moved) == named.true_value(days[2])
    assert fresh.true_value(moved) != fresh.true_value(days[2])
