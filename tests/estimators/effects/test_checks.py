import numpy as np
import pytest

from causalrec.estimators.effects.checks import checked_arms, checked_propensity


def test_whole_numbers_and_booleans_become_floats():
    y, t = checked_arms(np.array([0, 1]), np.array([True, False]))
    assert y.dtype == t.dtype == np.float64 and t.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("wrong", [1.0, 0.0, np.nan, 1.5])
def test_a_propensity_at_which_an_arm_is_impossible_is_refused(wrong):
    with pytest.raises(ValueError, match=r"lie in \(0, 1\)"):
        checked_propensity(np.array([0.5, wrong]), 2)


def test_a_propensity_for_each_unit_is_needed():
    with pytest.raises(ValueError, match="4 outcomes but propensities of shape"):
        checked_propensity(np.array([0.5, 0.5]), 4)
