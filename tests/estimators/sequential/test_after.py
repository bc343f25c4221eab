import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from causalrec.estimators.sequential.after import (
    as_normal,
    as_student,
    at_least_as_extreme,
    gain_at,
    median_unbiased,
)
from causalrec.estimators.sequential.bounds import bounds

INFORMATION = [1.0, 2.0, 3.0, 4.0]
LIMITS = bounds(INFORMATION, [0.05 * 7 / 90] * 4)


def test_of_one_look_it_is_the_estimate_itself():
    assert median_unbiased([4.0], LIMITS[:1], 3.0) == pytest.approx(1.5, abs=1e-6)
    assert at_least_as_extreme([4.0], LIMITS[:1], 1.0, 0.0) == pytest.approx(stats.norm.sf(1.0))


def test_a_sample_that_just_crosses_is_as_extreme_as_what_was_spent():
    assert at_least_as_extreme(INFORMATION[:3], LIMITS, LIMITS[2], 0.0) == pytest.approx(3 * 0.05 * 7 / 90, rel=1e-4)


@pytest.mark.parametrize("gain", [0.0, 0.8, 1.6])
def test_the_median_of_the_estimates_is_the_gain(gain):
    """Of 500 trials that end at a bound or at the fourth look: below the gain in half, and the naive one is not."""
    rng, estimates, naive, limits_held = np.random.default_rng(5), [], [], []
    for _ in range(500):
        s = np.cumsum(rng.normal(gain, 1.0, 4))
        z = s / np.sqrt(INFORMATION)
        last = int((z >= LIMITS).argmax()) if (z >= LIMITS).any() else 3
        estimates.append(median_unbiased(INFORMATION[: last + 1], LIMITS, z[last]))
        limits_held.append(gain_at(INFORMATION[: last + 1], LIMITS, z[last], 0.05) <= gain)
        naive.append(z[last] / np.sqrt(INFORMATION[last]))
    below = stats.binomtest(int((np.array(estimates) < gain).sum()), len(estimates), 0.5).pvalue
    assert below > 0.001
    assert stats.binomtest(sum(limits_held), len(limits_held), 0.95, "less").pvalue > 0.01
    if gain == 1.6:
        assert np.mean(naive) > gain + 0.1


@pytest.mark.parametrize("z", [-30.0, 6.0, 20.0, 40.0])
def test_a_last_week_unlike_those_before_it_has_an_estimate_too(z):
    """Which is no more than that of its last look alone, and no less than what could have crossed nothing before."""
    found = median_unbiased(INFORMATION, LIMITS, z)
    assert at_least_as_extreme(INFORMATION, LIMITS, z, found) == pytest.approx(0.5, abs=1e-4)
    assert found <= z / 2 + 1e-6


def test_looks_that_could_not_end_the_trial_are_as_if_they_had_not_been():
    blocked = np.array([np.inf, np.inf, np.inf, LIMITS[3]])
    assert median_unbiased(INFORMATION, blocked, 7.0) == pytest.approx(3.5, abs=1e-5)


@given(st.floats(-6, 6), st.floats(3, 500))
def test_a_statistic_keeps_its_tail(t, degrees):
    z = as_normal(t, degrees)
    assert stats.norm.sf(z) == pytest.approx(stats.t.sf(t, degrees), rel=1e-6)
    assert as_student(z, degrees) == pytest.approx(t, abs=1e-6)
    assert as_student(float("inf"), degrees) == float("inf")
