import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.pareto import pareto_k


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.8, 1.2])
def test_the_shape_of_a_pareto_tail_is_found(shape):
    """Mean over 40 samples of 5,000 draws of a Pareto distribution of index 1 / k, whose tail has shape k."""
    rng = np.random.default_rng(7)
    found = [pareto_k(rng.pareto(1 / shape, 5000) + 1) for _ in range(40)]
    assert np.mean(found) == pytest.approx(shape, abs=0.05)


def test_weights_that_are_bounded_have_no_heavy_tail():
    assert pareto_k(np.random.default_rng(1).uniform(0.5, 1.5, 4000)) < 0.3


@pytest.mark.parametrize("weights", [np.ones(1000), np.zeros(1000), np.arange(1.0, 4.0)])
def test_where_there_is_no_tail_there_is_no_shape(weights):
    assert pareto_k(weights) == -np.inf


@given(st.floats(1e-6, 1e6), st.integers(0, 50))
def test_a_common_factor_changes_nothing(factor, seed):
    weights = np.random.default_rng(seed).lognormal(0, 1.5, 600)
    assert pareto_k(factor * weights) == pytest.approx(pareto_k(weights), abs=1e-9)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_what_is_no_weight_is_refused(wrong):
    with pytest.raises(ValueError, match="finite and not negative"):
        pareto_k(np.array([1.0, wrong]))
