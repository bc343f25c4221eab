"""Clusters of unequal sizes: what they are worth, and an interval that knows it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.clusters import cluster_sizes, effective_clusters, unequal_degrees, unequal_factor
from causalrec.estimators.intervals import clustered_mean, contrast, from_influence

SIZES = st.lists(st.integers(1, 500), min_size=2, max_size=40)


def test_clusters_of_one_size_count_as_they_are():
    codes = np.repeat(np.arange(8), 25)
    assert effective_clusters(codes) == pytest.approx(8)
    assert unequal_factor(cluster_sizes(codes)) == pytest.approx(8 / 7)
    assert unequal_degrees(cluster_sizes(codes)) == pytest.approx(7)


@given(SIZES)
def test_there_are_never_more_degrees_than_clusters_but_one(sizes):
    found = np.array(sizes, dtype=float)
    assert 1 - 1e-9 <= unequal_degrees(found) <= len(sizes) - 1 + 1e-9
    assert unequal_factor(found) >= len(sizes) / (len(sizes) - 1) - 1e-9
    assert 1 <= effective_clusters(np.repeat(np.arange(len(sizes)), sizes)) <= len(sizes) + 1e-9


@given(SIZES)
def test_the_degrees_are_those_of_the_deviations_own_covariance(sizes):
    share = np.array(sizes) / sum(sizes)
    centre = np.eye(len(share)) - np.outer(share, np.ones(len(share)))
    covariance = centre @ np.diag(share) @ centre.T
    expected = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
    assert unequal_degrees(np.array(sizes, dtype=float)) == pytest.approx(expected, rel=1e-6)
    assert unequal_factor(np.array(sizes, dtype=float)) == pytest.approx(1 / np.trace(covariance), rel=1e-9)


def test_one_size_gives_the_interval_that_it_always_was():
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=60), np.repeat(np.arange(12), 5)
    plain, knowing = (from_influence(0.3, values - values.mean(), codes, unequal=each) for each in (False, True))
    assert (knowing.lower, knowing.upper) == pytest.approx((plain.lower, plain.upper), rel=1e-12)
    assert (plain.degrees, knowing.degrees) == pytest.approx((11, 11))


def test_five_very_unequal_clusters_are_covered_only_by_an_interval_that_knows_their_sizes():
    sizes = np.array([5, 10, 20, 60, 400])
    codes = np.repeat(np.arange(5), sizes)
    covered = {False: 0, True: 0}
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=len(codes))
        mean = clustered_mean(values, codes)
        zero = clustered_mean(np.zeros(len(codes)), codes)
        for unequal in covered:
            found = contrast(mean, zero, codes, unequal=unequal)
            covered[unequal] += found.lower <= 0 <= found.upper
    assert covered[False] < 850
    assert covered[True] > 930
