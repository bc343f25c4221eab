"""The chance of being among the first few drawn is that of counting all orders, however uneven the weights."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from causalrec.simulator.traffic.inclusion import inclusion, inclusion_without


def by_counting(weight, size):
    found = np.zeros(len(weight))
    for drawn in permutations(np.flatnonzero(weight).tolist(), size):
        left, chance = weight.sum(), 1.0
        for item in drawn:
            chance, left = chance * weight[item] / left, left - weight[item]
        found[list(drawn)] += chance
    return found


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize(("items", "size"), [(6, 1), (6, 2), (7, 5), (6, 6), (40, 2), (20, 3)])
def test_it_is_that_of_counting_all_orders(items, size, spread):
    weight = np.exp(spread * np.random.default_rng([items, size]).normal(size=(2, items)))
    found = inclusion(weight, size)
    expected = np.stack([by_counting(row, size) for row in weight])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_what_has_no_weight_is_never_drawn():
    weight = np.random.default_rng(0).random((3, 30)) ** 2
    weight[:, [2, 7, 11]] = 0.0
    found = inclusion(weight, 3)
    assert (found[:, [2, 7, 11]] == 0).all()
    np.testing.assert_allclose(found, [by_counting(row, 3) for row in weight], rtol=1e-6)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_the_chances_of_a_large_shop_sum_to_what_is_drawn(spread):
    weight = np.exp(spread * np.random.default_rng(3).normal(size=(4, 500)))
    np.testing.assert_allclose(inclusion(weight, 5).sum(axis=1), 5.0, rtol=1e-7)


def test_a_row_with_too_few_items_is_refused():
    with pytest.raises(ValueError, match="fewer than 3 items"):
        inclusion(np.array([[1.0, 1.0, 0.0]]), 3)


@pytest.mark.parametrize("spread", [0.0, 0.4, 4.0])
def test_one_distribution_without_some_items_of_each_row_is_the_same(spread):
    rng = np.random.default_rng(5)
    weight = np.exp(spread * rng.normal(size=120))
    weight[[4, 9]] = 0.0
    taken = np.stack([rng.permutation(120)[:5] for _ in range(30)])
    rows = np.tile(weight, (30, 1))
    np.put_along_axis(rows, taken, 0.0, axis=1)
    np.testing.assert_allclose(inclusion_without(weight, taken, 5), inclusion(rows, 5), rtol=1e-6, atol=1e-12)
