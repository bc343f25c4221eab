"""The test of mixed columns: what it sees, what it takes out, and the laws that it keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.columns import Levels, numbers


def levels(codes: np.ndarray) -> Levels:
    return Levels(codes.astype(np.uint8), int(codes.max()) + 1)


def mixed(seed: int, rows: int = 3_000) -> tuple[np.ndarray, ...]:
    """A number x, levels g that follow it, a number y that follows both, and a number apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    g = (x + rng.logistic(size=rows) > 0) + 1 * (rng.random(rows) < 0.3)
    y = np.exp(0.5 * x) + g + rng.exponential(size=rows)
    return x, g, y, rng.normal(size=rows)


def blocks(x, g, y, apart):
    return [numbers(x), levels(g), numbers(y), numbers(apart)]


@pytest.mark.parametrize("shape", [np.square, np.abs, lambda x: np.cos(2 * x), lambda x: x**3 - 3 * x])
def test_a_dependence_without_a_trend_is_seen(shape):
    rng = np.random.default_rng(1)
    x = rng.normal(size=5_000)
    y = shape(x) + rng.normal(size=5_000)
    p_value, strength = BlockTest([numbers(x), numbers(y)], 0.0).test(0, 1)
    assert p_value < 1e-9 and strength > 0.2


def test_a_bent_common_cause_is_taken_out():
    rng = np.random.default_rng(2)
    z = rng.normal(size=20_000)
    x, y = z**2 + rng.normal(size=20_000), np.cos(2 * z) + rng.exponential(size=20_000)
    tests = BlockTest([numbers(x), numbers(y), numbers(z)], 0.0)
    assert tests.test(0, 1)[0] < 1e-12 and tests.test(0, 1, [2])[0] > 0.001


def test_what_two_conditions_do_only_together_is_taken_out():
    rng = np.random.default_rng(3)
    a, b, g = rng.normal(size=20_000), rng.normal(size=20_000), rng.integers(0, 3, 20_000)
    both = np.array([1.0, -1.0, 0.2])[g] * a
    x, y = both + rng.normal(size=20_000), both + rng.normal(size=20_000)
    tests = BlockTest([numbers(x), numbers(y), numbers(a), levels(g), numbers(b)], 0.0)
    assert tests.test(0, 1)[0] < 1e-12
    assert tests.test(0, 1, [2])[0] < 1e-12
    assert tests.test(0, 1, [2, 3])[0] > 0.001


def test_tests_of_independent_columns_are_right_as_often_as_they_say():
    rejected = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=2_500)
        x, y = np.tanh(z) + rng.exponential(size=2_500), z**2 + rng.standard_t(3, size=2_500)
        g = (z + rng.logistic(size=2_500) > 0).astype(int) + rng.integers(0, 2, 2_500)
        tests = BlockTest([numbers(x), numbers(y), levels(g), numbers(z)], 0.0)
        rejected.extend(tests.test(a, b, [3])[0] < 0.05 for a, b in ((0, 1), (0, 2), (1, 2)))
    assert 0.02 <= np.mean(rejected) <= 0.09


def test_strength_says_nothing_of_chance_however_many_levels_there_are():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 25, 50_000), rng.integers(0, 20, 50_000)
    assert BlockTest([levels(a), levels(b)], 0.0).test(0, 1)[1] < 0.03


def test_a_condition_that_determines_a_column_separates_nothing():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 5_000))
    total, y = a + b, a + b + rng.normal(size=5_000)
    tests = BlockTest([v[:, None] for v in (total, y, a, b)], 0.0)
    assert tests.test(0, 1, [2, 3]) == tests.test(0, 1)


def test_columns_that_follow_from_each_other_break_no_condition():
    rng = np.random.default_rng(6)
    z, x = rng.normal(size=(2, 5_000))
    y = z + rng.normal(size=5_000)
    once = BlockTest([v[:, None] for v in (x, y, z)], 0.0).test(0, 1, [2])
    twice = BlockTest([v[:, None] for v in (x, y, z, z)], 0.0).test(0, 1, [2, 3])
    assert twice[1] == pytest.approx(once[1], abs=1e-3)


def test_an_informative_gap_is_seen_and_no_value_is_made_up_for_it():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 10_000))
    gap = rng.random(10_000) < 1 / (1 + np.exp(-2 * y))
    p_value, _ = BlockTest([numbers(x, gap), numbers(y)], 0.0).test(0, 1)
    assert p_value < 1e-12
    at_random = rng.random(10_000) < 0.4
    assert BlockTest([numbers(x, at_random), numbers(y)], 0.0).test(0, 1)[0] > 0.001
    other = np.where(at_random, 99.0, x)
    a, b = (BlockTest([numbers(v, at_random), numbers(y)], 0.0).correlation for v in (x, other))
    assert (a == b).all()


@given(st.integers(0, 50), st.permutations(range(3)))
@settings(max_examples=5, deadline=None)
def test_symmetric_and_blind_to_names_order_and_monotone_scales(seed, names):
    x, g, y, apart = mixed(seed)
    tests = BlockTest(blocks(x, g, y, apart), 0.0)
    for a, b, others in ((0, 2, []), (0, 2, [1]), (1, 2, [0, 3]), (0, 3, [1, 2])):
        found = tests.test(a, b, others)
        assert tests.test(b, a, others[::-1]) == found
        relabelled = BlockTest(blocks(np.exp(x), np.array(names)[g], y, apart), 0.0).test(a, b, others)
        assert relabelled == pytest.approx(found, rel=1e-3, abs=1e-5)
        order = np.random.default_rng(seed).permutation(len(x))
        shuffled = BlockTest(blocks(x[order], g[order], y[order], apart[order]), 0.0).test(a, b, others)
        assert shuffled == pytest.approx(found, rel=1e-6, abs=1e-8)


@given(st.integers(0, 50))
@settings(max_examples=6, deadline=None)
def test_weights_count_rows(seed):
    columns = mixed(seed)
    weights = np.random.default_rng(seed).integers(0, 3, 3_000)
    plain = BlockTest(blocks(*columns), 0.0)
    same = plain.reweighted(np.ones(3_000))
    assert same.test(0, 2, [1]) == pytest.approx(plain.test(0, 2, [1]), rel=1e-9, abs=1e-12)
    doubled = plain.reweighted(np.full(3_000, 2.0))
    assert np.allclose(doubled.correlation, plain.correlation, atol=1e-9)
    assert (doubled.effective_rows == 2 * plain.effective_rows).all()
    # With the same scores, counting a row twice is having it twice.
    drawn = plain.reweighted(weights.astype(float))
    raw = [c[:, None].astype(float) for c in columns]
    repeated = BlockTest([c.repeat(weights, axis=0) for c in raw], 0.0)
    counted = BlockTest(raw, 0.0).reweighted(weights.astype(float))
    n = len(counted.layout.at)
    assert np.allclose(counted.correlation[:n, :n], repeated.correlation[:n, :n], atol=1e-7)
    assert drawn.effective_rows[0, 2] == pytest.approx(weights.sum())


def test_a_draw_of_rows_finds_no_dependence_that_the_rows_do_not_have():
    rejected = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        tests = BlockTest([numbers(rng.normal(size=2_000)), levels(rng.integers(0, 6, 2_000))], 0.0)
        drawn = np.bincount(rng.integers(0, 2_000, 2_000), minlength=2_000).astype(float)
        rejected.append(tests.reweighted(drawn).test(0, 1)[0] < 0.01)
    assert np.mean(rejected) <= 0.1


def test_few_items_are_not_explained_by_more_columns_than_they_can_bear():
    rng = np.random.default_rng(8)
    item, per_item = rng.integers(0, 60, 20_000), rng.normal(size=(5, 60))
    a = per_item[0] + 1.2 * per_item[4]
    columns = [numbers(v[item]) for v in (a, a + per_item[1], per_item[2], per_item[3], per_item[4])]
    tests = BlockTest(columns, 0.0, [item])
    assert tests.test(0, 1, [2, 3, 4])[0] < 1e-4
    assert tests.test(2, 3, [0, 1, 4])[0] > 0.01


@pytest.mark.parametrize("weights", [np.ones(5), np.full(3_000, -1.0), np.zeros(3_000)])
def test_weights_that_count_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 3000 numbers"):
        BlockTest(blocks(*mixed(1)), 0.0).reweighted(weights)
