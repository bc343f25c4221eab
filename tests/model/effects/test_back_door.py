"""Adjusting for an adjustment set on a confounded toy world whose effects are known."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.answers import ANSWERED, Status
from causalrec.estimators.effects import EFFECT_ESTIMATORS, Role, first_of
from tests.model.effects.worlds import World, estimated
from tests.model.worlds import COLUMNS, SETTINGS, toy

NAIVE, WEIGHTED, ROBUST = (first_of(role).name for role in Role)


def effect(world, outcome="click", settings=SETTINGS, **others):
    question = {"treatment": "recommended", "outcome": outcome, "columns": COLUMNS}
    return estimated(world, question, settings, **others)


@pytest.mark.slow
def test_over_many_worlds_the_robust_estimate_is_nearly_unbiased_where_naive_is_not_and_its_intervals_cover():
    errors = {name: [] for name in EFFECT_ESTIMATORS}
    covered = 0
    for seed in range(20):
        world = toy(seed)
        estimates = effect(world).estimates
        for name, estimate in estimates.items():
            errors[name].append(estimate.value - world.click_effect)
        covered += estimates[ROBUST].lower <= world.click_effect <= estimates[ROBUST].upper
    assert np.mean(errors[NAIVE]) > 0.05
    assert abs(np.mean(errors[WEIGHTED])) < 0.03
    assert abs(np.mean(errors[ROBUST])) < 0.01
    assert covered >= 16


@pytest.mark.parametrize(
    "stand_in", [(1e12, 0.0001), (9.2e18, 0.0001), (1.7e308, 0.0001), (-999.0, 0.05), (1e12, 0.05)]
)
def test_a_stand_in_for_unknown_removes_no_confounder(stand_in):
    rng, n = np.random.default_rng(0), 10_000
    value, share = stand_in
    x = rng.normal(size=n)
    t = (rng.random(n) < 1 / (1 + np.exp(-1.5 * x))).astype(int)
    y = (rng.random(n) < 1 / (1 + np.exp(1.2 - x))).astype(int)
    unknown = np.arange(n) < share * n
    units = pl.DataFrame({"weight": np.where(unknown, value, x), "recommended": t, "click": y})
    world = World(units, np.arange(n) // 3, total=0.0, direct=0.0, compliers=0.0)
    question = {"treatment": "recommended", "outcome": "click", "columns": ["weight"]}
    estimates = estimated(world, question).estimates
    # Of the rows whose covariate is not known the naive difference remains.
    assert abs(estimates[ROBUST].value - share * estimates[NAIVE].value) < 0.02
    assert estimates[NAIVE].value > 0.15


def test_a_purchase_is_asked_the_same_way():
    world = toy(1)
    result = effect(world, "purchase")
    assert result.answer == ANSWERED
    assert result.estimates[ROBUST].lower <= world.purchase_effect <= result.estimates[ROBUST].upper
    robust, naive = (abs(result.estimates[name].value - world.purchase_effect) for name in (ROBUST, NAIVE))
    assert robust < naive


def test_diagnostics_say_how_far_the_arms_overlap():
    world = toy(2)
    diagnosis = effect(world).diagnostics
    treated = int(world.units["recommended"].sum())
    assert diagnosis["overlap_share"] == 1.0
    assert diagnosis["bounded_units"] == 0
    assert 0 < diagnosis["effective_treated"] < treated
    assert 0 < diagnosis["effective_control"] < world.units.height - treated
    assert diagnosis["calibration_error"] < 0.03
    assert diagnosis["rate_treated"] > diagnosis["rate_control"]
    assert diagnosis["mean_if_not"] > diagnosis["rate_control"]


def test_units_whose_propensity_was_bounded_are_counted():
    world = toy(3)
    diagnosis = effect(
        world, settings=SETTINGS.model_copy(update={"propensity_bound": 0.3, "min_overlap_share": 0.0})
    ).diagnostics
    outside = diagnosis["bounded_units"]
    assert 0 < outside < world.units.height
    assert diagnosis["overlap_share"] == pytest.approx(1 - outside / world.units.height)


def test_no_overlap_is_insufficient_evidence_with_its_diagnostics_beside():
    result = effect(toy(3), settings=SETTINGS.model_copy(update={"propensity_bound": 0.3}))
    assert result.answer.status is Status.INSUFFICIENT_EVIDENCE
    assert "could have had either arm" in result.answer.reason
    assert result.estimates == {}
    assert result.diagnostics["overlap_share"] < 0.9


def test_too_few_outcomes_in_an_arm_are_insufficient_evidence():
    world = toy(4)
    unclicked = pl.when(pl.col("recommended") == 1).then(0).otherwise("click")
    few = world.units.with_columns(click=unclicked.cast(pl.Int8))
    result = effect(replace(world, units=few))
    assert result.answer.status is Status.INSUFFICIENT_EVIDENCE
    assert "an arm has 0 units with `click`, at least 20" in result.answer.reason
    assert result.estimates == {}


def test_outcome_models_are_fitted_only_for_who_needs_them():
    world, some = toy(5, users=60), [EFFECT_ESTIMATORS[NAIVE], EFFECT_ESTIMATORS[WEIGHTED]]
    whole, part = effect(world), effect(world, estimators=some)
    assert list(part.estimates) == [NAIVE, WEIGHTED]
    assert part.estimates[WEIGHTED].value == whole.estimates[WEIGHTED].value
    assert "mean_if_not" in whole.diagnostics and "mean_if_not" not in part.diagnostics
