import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalrec.estimators.intervals import (
    TooFewClusters,
    clustered_mean,
    clustered_ratio,
    contrast,
    from_influence,
)

FOUR = np.array([1.0, 0.0, 1.0, 1.0])
PAIRS = np.array([0, 0, 1, 1])


def test_the_clustered_mean_of_four_rows_in_two_clusters_by_hand():
    # mean .75; deviations .25 -.75 .25 .25; cluster sums -.5 and .5; se^2 = 2/1 / 16 * (.25 + .25)
    found = clustered_mean(FOUR, PAIRS)
    assert found.value == 0.75
    assert found.std_error == pytest.approx(0.25)
    assert found.upper - found.value == pytest.approx(12.7062047 * 0.25)  # t of one degree of freedom
    assert (found.rows, found.clusters) == (4, 2)


def test_one_row_a_cluster_is_the_textbook_standard_error():
    values = np.random.default_rng(1).normal(size=50)
    found = clustered_mean(values, np.arange(50))
    assert found.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(50))


def test_the_same_rows_said_twice_in_their_clusters_add_no_certainty():
    values, clusters = np.random.default_rng(2).normal(size=30), np.arange(30)
    once, twice = clustered_mean(values, clusters), clustered_mean(np.tile(values, 2), np.tile(clusters, 2))
    assert twice.std_error == pytest.approx(once.std_error)


def test_a_ratio_by_hand():
    found = clustered_ratio(np.array([1.0, 0.0, 2.0]), np.array([1.0, 1.0, 2.0]), np.arange(3))
    # r = .75, influence (a - r b) / (4/3) = .1875, -.5625, .375; their squares sum to .4921875, and
    # se^2 = 3/2 / 9 times that
    assert found.value == 0.75
    assert found.influence.tolist() == pytest.approx([0.1875, -0.5625, 0.375])
    assert found.std_error == pytest.approx(np.sqrt(0.4921875 / 6))


@given(factor=st.floats(0.01, 100))
def test_a_ratio_over_a_constant_is_the_mean(factor):
    ratio = clustered_ratio(FOUR * factor, np.full(4, factor), PAIRS)
    mean = clustered_mean(FOUR, PAIRS)
    assert (ratio.value, ratio.std_error) == pytest.approx((mean.value, mean.std_error))


@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
def test_a_mean_and_its_interval_move_with_shift_and_scale(shift, scale):
    plain, moved = clustered_mean(FOUR, PAIRS), clustered_mean(FOUR * scale + shift, PAIRS)
    assert moved.lower == pytest.approx(plain.lower * scale + shift)
    assert moved.std_error == pytest.approx(plain.std_error * scale)


def test_the_names_of_the_clusters_do_not_matter():
    assert clustered_mean(FOUR, PAIRS).std_error == clustered_mean(FOUR, np.array([9, 9, -4, -4])).std_error


def test_a_contrast_of_an_estimate_with_itself_is_certainly_zero():
    found = clustered_mean(FOUR, PAIRS)
    assert contrast(found, found, PAIRS).value == 0.0
    assert contrast(found, found, PAIRS).std_error == 0.0


def test_a_contrast_is_the_mean_of_the_differences():
    rng = np.random.default_rng(3)
    first, second, clusters = rng.normal(size=40), rng.normal(size=40), np.repeat(np.arange(10), 4)
    found = contrast(clustered_mean(first, clusters), clustered_mean(second, clusters), clusters)
    direct = clustered_mean(first - second, clusters)
    assert (found.value, found.std_error) == pytest.approx((direct.value, direct.std_error))


@settings(deadline=None)
@given(level=st.floats(0.5, 0.99))
def test_a_higher_level_is_a_wider_interval(level):
    narrow, wide = clustered_mean(FOUR, PAIRS, level), clustered_mean(FOUR, PAIRS, level + 0.005)
    assert wide.upper - wide.lower > narrow.upper - narrow.lower


def test_intervals_cover_the_truth_as_often_as_they_say_and_rows_as_if_independent_do_not():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(30), 20)
    clustered, independent = 0, 0
    for _ in range(400):
        values = np.repeat(rng.normal(size=30), 20) + rng.normal(size=600)
        found, wrong = clustered_mean(values, clusters), clustered_mean(values, np.arange(600))
        clustered += found.lower <= 0 <= found.upper
        independent += wrong.lower <= 0 <= wrong.upper
    assert 0.92 <= clustered / 400 <= 0.98
    assert independent / 400 < 0.6


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: clustered_mean(FOUR, np.zeros(4, dtype=int)), TooFewClusters, "two clusters, got 1"),
        (lambda: clustered_mean(np.array([]), np.array([], dtype=int)), ValueError, "not finite"),
        (lambda: clustered_mean(np.array([1.0, np.nan]), np.arange(2)), ValueError, "NaN"),
        (lambda: clustered_mean(FOUR, np.arange(3)), ValueError, "cluster codes"),
        (lambda: clustered_mean(FOUR, PAIRS, level=1.0), ValueError, "level"),
        (lambda: clustered_ratio(FOUR, np.zeros(4), PAIRS), ZeroDivisionError, "weights sum to 0"),
        (lambda: clustered_ratio(FOUR, np.ones(3), PAIRS), ValueError, "denominators"),
        (lambda: from_influence(float("nan"), FOUR, PAIRS), ValueError, "not finite"),
        (
            lambda: contrast(clustered_mean(FOUR, PAIRS), clustered_mean(FOUR[:2], np.arange(2)), PAIRS),
            ValueError,
            "same rows",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_estimated_says_why(call, error, says):
    with pytest.raises(error, match=says):
        call()
