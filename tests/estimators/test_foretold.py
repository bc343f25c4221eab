"""What a difference rests on is read off what decides it on average, not off the luck of the sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.foretold import foretold_skewness, outcomes_apart
from causalrec.estimators.weights import effective_sample_size


def test_outcomes_count_where_all_rounds_differ_alike():
    reward = np.repeat([1.0, 0.0], [12, 388])
    assert outcomes_apart(np.full(400, -0.5), reward) == pytest.approx(12)
    assert outcomes_apart(np.full(400, 0.5), 1.0 - reward) == pytest.approx(12)


def test_outcomes_where_policies_agree_tell_nothing_apart():
    apart, reward = np.repeat([0.0, 1.0], [300, 100]), np.zeros(400)
    reward[:60] = 1.0
    assert outcomes_apart(apart, reward) == 0
    reward[390:] = 1.0
    assert outcomes_apart(apart, reward) == pytest.approx(10)


def test_a_large_weight_costs_the_same_whether_or_not_it_has_an_outcome():
    apart = np.ones(1000)
    apart[0] = 30.0
    unlucky, lucky = np.zeros(1000), np.zeros(1000)
    unlucky[100:140] = 1.0
    lucky[[0, *range(101, 140)]] = 1.0
    foretold = [outcomes_apart(apart, reward) for reward in (unlucky, lucky)]
    seen = [effective_sample_size(apart * reward) for reward in (unlucky, lucky)]
    assert foretold[1] / foretold[0] == pytest.approx(1, abs=0.1)
    assert seen[1] / seen[0] < 0.15


def test_nothing_leans_where_policies_or_outcomes_do_not_differ():
    assert outcomes_apart(np.zeros(5), np.arange(5.0)) == 0 == outcomes_apart(np.arange(5.0), np.ones(5))
    assert foretold_skewness(np.zeros(5), np.arange(5.0)) == 0 == foretold_skewness(np.arange(5.0), np.ones(5))


@given(st.integers(0, 100), st.floats(0.1, 50))
def test_which_policy_is_which_turns_the_lean_around(seed, scale):
    rng = np.random.default_rng(seed)
    apart, reward = rng.lognormal(0, 1, 300) - 1, (rng.random(300) < 0.2).astype(float)
    found = foretold_skewness(apart, reward)
    assert foretold_skewness(-apart, scale * reward) == pytest.approx(-found, rel=1e-9)
    assert outcomes_apart(-scale * apart, scale * reward) == pytest.approx(outcomes_apart(apart, reward), rel=1e-9)


def test_the_foretold_skewness_is_that_of_means_over_samples():
    """Of 20,000 means of 200 rounds with 5 % of outcomes."""
    rng = np.random.default_rng(0)
    apart, reward = (
        rng.choice([-0.5, 0.5, 3.0], p=[0.6, 0.3, 0.1], size=(20_000, 200)),
        rng.random((20_000, 200)) < 0.05,
    )
    means = (apart * (reward - 0.05)).mean(1)
    centred = means - means.mean()
    actual = (centred**3).mean() / (centred**2).mean() ** 1.5
    foretold = np.mean([foretold_skewness(a, r.astype(float)) for a, r in zip(apart[:300], reward[:300], strict=True)])
    assert foretold == pytest.approx(actual, rel=0.12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(wrong):
    with pytest.raises(ValueError, match="finite"):
        outcomes_apart(np.array([1.0, wrong, 2.0]), np.array([0.0, 1.0, 0.0]))
