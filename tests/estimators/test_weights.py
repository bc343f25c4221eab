import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from causalrec.estimators.weights import clip_level, effective_sample_size, summarise_weights

WEIGHTS = hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1e6))


def test_effective_rows_by_hand():
    assert effective_sample_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)


@given(WEIGHTS.filter(lambda w: w.max() > 1e-3), st.floats(1e-3, 1e3))
def test_effective_rows_lie_between_one_and_all_and_ignore_a_common_factor(weights, factor):
    found = effective_sample_size(weights)
    assert 1 - 1e-9 <= found <= len(weights) + 1e-9
    assert effective_sample_size(weights * factor) == pytest.approx(found)


def test_equal_weights_are_worth_all_rows_and_no_weight_is_worth_none():
    assert effective_sample_size(np.full(7, 1e-200)) == pytest.approx(7)
    assert effective_sample_size(np.zeros(7)) == 0.0
    assert effective_sample_size(np.array([])) == 0.0


def test_one_round_that_carries_everything_is_seen():
    found = summarise_weights(np.array([98.0, 1.0, 1.0]))
    assert (found.rows, found.largest, found.largest_share) == (3, 98.0, 0.98)
    assert found.effective_rows == pytest.approx(10_000 / 9_606)
    assert found.mean == pytest.approx(100 / 3)


def test_weights_that_are_all_zero_have_a_summary():
    assert summarise_weights(np.zeros(2)).largest_share == 0.0


@pytest.mark.parametrize("weights", [[], [1.0, -0.1], [np.nan], [np.inf]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be"):
        summarise_weights(np.array(weights))


def test_the_clip_level_is_a_quantile_of_the_training_weights():
    weights = np.arange(101.0)
    assert clip_level(weights, 0.95) == 95.0
    assert clip_level(weights, 1.0) == 100.0


@pytest.mark.parametrize(("weights", "quantile"), [([1.0], 0.0), ([1.0], 1.1), ([], 0.5)])
def test_a_level_needs_weights_and_a_quantile(weights, quantile):
    with pytest.raises(ValueError, match=r"quantile is in|at least one"):
        clip_level(np.array(weights), quantile)
