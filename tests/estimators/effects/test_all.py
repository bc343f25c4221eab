"""The laws of every registered effect estimator: a new one is held to them by its line in the registry."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.effects import EFFECT_ESTIMATORS, Nuisance, Role, first_of
from tests.estimators.effects.worlds import TRUTH, confounded

CAUSAL = [one for one in EFFECT_ESTIMATORS.values() if one.role is not Role.NAIVE]
EVERY = pytest.mark.parametrize("estimator", EFFECT_ESTIMATORS.values(), ids=EFFECT_ESTIMATORS)


def rows(data, at):
    """The same units, in another order or number."""
    m1, m0 = data.predicted
    return replace(
        data,
        outcome=data.outcome[at],
        treatment=data.treatment[at],
        clusters=data.clusters[at],
        propensity=data.propensity[at],
        predicted=(m1[at], m0[at]),
    )


def same(one, other):
    assert (one.value, one.std_error) == pytest.approx((other.value, other.std_error))


def over_worlds(estimator, **dials):
    estimates = [estimator.estimate(confounded(seed, **dials)) for seed in range(100)]
    errors = [one.value - TRUTH for one in estimates]
    return float(np.mean(errors)), sum(one.lower <= TRUTH <= one.upper for one in estimates)


def test_each_is_listed_under_its_name_and_each_role_has_one_that_speaks_for_it():
    assert {name: one.name for name, one in EFFECT_ESTIMATORS.items()} == {name: name for name in EFFECT_ESTIMATORS}
    assert {role: first_of(role).role for role in Role} == {role: role for role in Role}
    with pytest.raises(LookupError, match="role robust"):
        first_of(Role.ROBUST, [first_of(Role.NAIVE)])


@EVERY
def test_where_the_arm_is_drawn_at_random_it_recovers_the_truth(estimator):
    bias, covered = over_worlds(estimator, pull=0.0)
    assert abs(bias) < 0.005
    assert covered >= 88


@pytest.mark.parametrize("estimator", CAUSAL, ids=lambda one: one.name)
def test_in_a_confounded_world_it_recovers_the_truth_where_the_naive_difference_never_does(estimator):
    bias, covered = over_worlds(estimator)
    assert abs(bias) < 0.005
    assert covered >= 88
    naive_bias, naive_covered = over_worlds(first_of(Role.NAIVE))
    assert naive_bias > 0.09 and naive_covered == 0


@EVERY
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_outcome_has_the_effect_0_for_sure(estimator, value):
    data = confounded(1, users=50)
    constant = np.full_like(data.outcome, value)
    estimate = estimator.estimate(replace(data, outcome=constant, predicted=(constant, constant)))
    assert (estimate.value, estimate.std_error) == pytest.approx((0.0, 0.0), abs=1e-12)


@EVERY
@given(shift=st.floats(-3, 3))
def test_a_shift_of_all_outcomes_changes_nothing(estimator, shift):
    data = confounded(2, users=20)
    moved = tuple(m + shift for m in data.predicted)
    estimate = estimator.estimate(replace(data, outcome=data.outcome + shift, predicted=moved))
    assert estimate.value == pytest.approx(estimator.estimate(data).value, abs=1e-9)


@EVERY
def test_swapping_the_arms_turns_it_around(estimator):
    data = confounded(3, users=100)
    m1, m0 = data.predicted
    swapped = replace(data, treatment=1 - data.treatment, propensity=1 - data.propensity, predicted=(m0, m1))
    assert estimator.estimate(swapped).value == pytest.approx(-estimator.estimate(data).value)


@EVERY
def test_the_order_of_the_rows_does_not_matter(estimator):
    data = confounded(4, users=100)
    shuffled = rows(data, np.random.default_rng(0).permutation(len(data.outcome)))
    same(estimator.estimate(shuffled), estimator.estimate(data))


@EVERY
def test_the_names_of_the_clusters_do_not_matter_and_a_row_again_in_its_cluster_is_no_new_evidence(estimator):
    data = confounded(5, users=100)
    plain = estimator.estimate(data)
    same(estimator.estimate(replace(data, clusters=7 - 3 * data.clusters)), plain)
    twice = estimator.estimate(rows(data, np.repeat(np.arange(len(data.outcome)), 2)))
    same(twice, plain)
    assert (twice.rows, twice.clusters) == (2 * plain.rows, plain.clusters) == (2000, 100)
    alone = estimator.estimate(replace(data, clusters=np.arange(len(data.outcome))))
    assert alone.value == plain.value and alone.clusters == 1000


@EVERY
def test_it_asks_for_what_it_needs_and_for_nothing_else(estimator):
    data = confounded(6, users=30)
    without = {Nuisance.PROPENSITY: {"propensity": None}, Nuisance.OUTCOME_MODEL: {"predicted": None}}
    for nuisance, change in without.items():
        if nuisance in estimator.needs:
            with pytest.raises(ValueError, match=r"needs .* none were fitted"):
                estimator.estimate(replace(data, **change))
        else:
            same(estimator.estimate(replace(data, **change)), estimator.estimate(data))


@EVERY
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: {"treatment": np.ones_like(d.treatment)}, "every unit has the treatment 1"),
        (lambda d: {"treatment": d.treatment * 2}, "0 or 1"),
        (lambda d: {"treatment": d.treatment[:3]}, "treatments of shape"),
        (lambda d: {"outcome": np.where(np.arange(len(d.outcome)) == 0, np.nan, d.outcome)}, "not finite"),
        (lambda d: {"outcome": d.outcome[:0], "treatment": d.treatment[:0]}, "no units"),
        (lambda d: {"clusters": np.zeros_like(d.clusters)}, "two clusters"),
    ],
)
def test_what_cannot_be_estimated_says_why(estimator, change, says):
    data = confounded(7, users=20)
    with pytest.raises(ValueError, match=says):
        estimator.estimate(replace(data, **change(data)))
