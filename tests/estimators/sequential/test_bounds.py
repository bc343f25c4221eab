import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from causalrec.estimators.sequential.bounds import bounds, crossing_probabilities

WEEK = 0.05 * 7 / 90


def test_linear_spending_over_four_equal_weeks():
    # By 400,000 simulated Brownian motions (Lan and DeMets 1983), exact to 0.01.
    assert bounds([1, 2, 3, 4], [WEEK] * 4) == pytest.approx([2.663, 2.578, 2.504, 2.433], abs=0.012)
    assert bounds([1, 2, 3, 4], [0.8 * WEEK] * 4) == pytest.approx([2.728, 2.667, 2.590, 2.527], abs=0.012)


def test_each_look_spends_its_error_by_the_multivariate_normal():
    limits, k = bounds([1, 2, 3, 4], [WEEK] * 4), np.arange(1.0, 5.0)
    assert limits == pytest.approx([2.6616, 2.5845, 2.5086, 2.4413], abs=1e-4)
    correlation = np.sqrt(np.minimum.outer(k, k) / np.maximum.outer(k, k))
    for looks in (2, 3, 4):
        alive = multivariate_normal(cov=correlation[:looks, :looks], seed=0, abseps=1e-5, releps=0).cdf(limits[:looks])
        assert 1 - alive == pytest.approx(looks * WEEK, abs=3e-5)


@pytest.mark.parametrize(
    "looks, two_sided, constant",
    # Jennison and Turnbull (2000), "Group Sequential Methods", table 2.1: C_P(K, alpha) of two-sided Pocock tests.
    [(2, 0.05, 2.178), (4, 0.05, 2.361), (5, 0.05, 2.413), (2, 0.01, 2.772), (4, 0.01, 2.939)],
)
def test_pocock_constants_are_those_of_the_tables(looks, two_sided, constant):
    crossed = crossing_probabilities(range(1, looks + 1), np.full(looks, constant), 0.0).sum()
    assert 2 * crossed == pytest.approx(two_sided, abs=3e-4)


@pytest.mark.parametrize(
    "looks, constant",
    # The same, table 2.3: C_B(K, 0.05); the bound of look k is C_B sqrt(K / k).
    [(2, 1.977), (4, 2.024), (5, 2.040)],
)
def test_obrien_fleming_constants_are_those_of_the_tables(looks, constant):
    k = np.arange(1, looks + 1)
    assert 2 * crossing_probabilities(k, constant * np.sqrt(looks / k), 0.0).sum() == pytest.approx(0.05, abs=3e-4)


@given(
    st.lists(st.floats(0.05, 5.0), min_size=1, max_size=6),
    st.lists(st.floats(0.0005, 0.02), min_size=6, max_size=6),
)
def test_each_look_spends_what_it_may(steps, errors):
    information = np.cumsum(steps)
    errors = errors[: len(steps)]
    limits = bounds(information, errors)
    assert crossing_probabilities(information, limits, 0.0) == pytest.approx(errors, rel=1e-4)


@given(st.integers(0, 3))
def test_a_forfeited_look_never_crosses_and_gives_nothing_to_the_others(forfeited):
    errors = [0.0 if k == forfeited else WEEK for k in range(4)]
    limits = bounds([1, 2, 3, 4], errors)
    assert np.isinf(limits[forfeited])
    spent = crossing_probabilities([1, 2, 3, 4], limits, 0.0)
    assert spent == pytest.approx(errors, abs=1e-9) and spent.sum() == pytest.approx(3 * WEEK)


def test_a_bound_does_not_depend_on_later_looks():
    assert bounds([1, 2], [WEEK, WEEK]) == pytest.approx(bounds([1, 2, 9], [WEEK, WEEK, 0.01])[:2])


def test_a_simulated_trial_crosses_as_often_as_it_should():
    draws = np.random.default_rng(1).normal(size=(400_000, 3)) * np.sqrt([1.0, 0.7, 2.0])
    information = np.cumsum([1.0, 0.7, 2.0])
    z = draws.cumsum(axis=1) / np.sqrt(information)
    limits = bounds(information, [0.01, 0.02, 0.01])
    first = np.where((z >= limits).any(axis=1), (z >= limits).argmax(axis=1), 3)
    assert np.bincount(first, minlength=4)[:3] / len(z) == pytest.approx([0.01, 0.02, 0.01], abs=0.001)


def test_information_that_does_not_grow_is_a_look_that_says_nearly_the_same():
    limits = bounds([1.0, 0.9], [0.01, 0.01])
    assert crossing_probabilities([1.0, 1.02], limits, 0.0) == pytest.approx([0.01, 0.01], rel=1e-3)


@pytest.mark.parametrize(
    "information, errors",
    [([], []), ([1.0, -1.0], [0.1, 0.1]), ([1.0], [0.1, 0.1]), ([1.0], [-0.1]), ([1.0, 2.0], [0.6, 0.5])],
)
def test_what_is_no_plan_of_looks_is_refused(information, errors):
    with pytest.raises(ValueError):
        bounds(information, errors)
