import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.scores import calibration_curve, calibration_error, log_loss

Y = np.array([1.0, 0.0, 0.0, 1.0])


def test_log_loss_by_hand():
    found = log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.25]))
    assert found == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)


@given(st.floats(0.01, 0.99))
def test_no_constant_beats_the_mean_outcome(constant):
    assert log_loss(Y, np.full(4, constant)) >= log_loss(Y, np.full(4, 0.5)) - 1e-12


def test_the_calibration_error_of_two_bins_by_hand():
    p = np.array([0.9, 0.1, 0.1, 0.9])
    assert calibration_error(Y, p, bins=2) == pytest.approx(0.1)
    assert calibration_curve(Y, p, bins=2) == [(0.1, 0.0, 0.5), (0.9, 1.0, 0.5)]


def test_a_constant_prediction_is_one_bin_off_by_its_gap():
    assert calibration_curve(Y, np.full(4, 0.2)) == [(pytest.approx(0.2), 0.5, 1.0)]
    assert calibration_error(Y, np.full(4, 0.2)) == pytest.approx(0.3)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_the_bins_hold_every_row_once_in_rising_order(bins, seed):
    rng = np.random.default_rng(seed)
    p = rng.random(50).round(1)
    curve = calibration_curve((rng.random(50) < p).astype(float), p, bins)
    assert sum(share for _, _, share in curve) == pytest.approx(1)
    assert [c[0] for c in curve] == sorted(c[0] for c in curve)


def test_true_probabilities_are_calibrated_and_squeezed_ones_are_not():
    rng = np.random.default_rng(1)
    p = rng.random(50_000)
    y = (rng.random(50_000) < p).astype(float)
    assert calibration_error(y, p) < 0.01
    assert calibration_error(y, 0.5 + (p - 0.5) / 2) > 0.1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: log_loss(np.array([]), np.array([])), "at least one row"),
        (lambda: log_loss(Y, np.array([0.5, 0.5, 0.0, 0.5])), r"\(0, 1\)"),
        (lambda: log_loss(Y, np.array([0.5, 0.5, np.nan, 0.5])), "NaN"),
        (lambda: log_loss(np.array([1.0, np.nan]), np.array([0.5, 0.5])), "outcomes are 0 or 1"),
        (lambda: log_loss(Y, Y[:2]), "probabilities of shape"),
        (lambda: calibration_curve(Y, Y, bins=0), "at least one bin"),
    ],
)
def test_what_has_no_score_says_why(call, says):
    with pytest.raises(ValueError, match=says):
        call()
