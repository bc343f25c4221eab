"""Tables that are counted once give causal-learn's p-values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalrec.graph.independence import counts as table_test
from causalrec.graph.independence.counts import ContingencyTest


def columns(seed: int, rows: int = 2_000, number: int = 7) -> np.ndarray:
    """Codes (rows, number) of 2 to 5 levels, each leaning on the ones before."""
    rng = np.random.default_rng(seed)
    codes = np.zeros((rows, number), int)
    for k in range(number):
        most = rng.integers(2, 6)
        codes[:, k] = (rng.integers(0, most, rows) + (codes[:, :k].sum(axis=1) * (rng.random(rows) < 0.3))) % most
    return codes


@pytest.mark.parametrize("statistic", ["gsq", "chisq"])
@pytest.mark.parametrize("cells", [1 << 17, 64])
def test_p_values_are_those_of_causal_learn(statistic, cells, monkeypatch):
    from causallearn.utils.cit import CIT

    rng = np.random.default_rng(1)
    monkeypatch.setattr(table_test, "MOST_CELLS", cells)
    for seed in range(3):
        codes = columns(seed, rows=300 + 1_000 * seed)
        stock, ours = CIT(codes, statistic), ContingencyTest(list(codes.T), 0.0, statistic)
        ours._most = cells
        for _ in range(60):
            x, y, *given_ = rng.permutation(7)[: rng.integers(2, 8)].tolist()
            assert ours(x, y, given_) == pytest.approx(stock(x, y, given_), abs=1e-8)


@pytest.mark.parametrize("statistic", ["gsq", "chisq"])
def test_rows_with_a_gap_leave_the_tests_of_that_column_only(statistic):
    from causallearn.utils.cit import CIT

    codes = columns(5)
    holes = codes.copy()
    gap = np.random.default_rng(2).random(len(codes)) < 0.2
    holes[gap, 2] = -1
    ours = ContingencyTest(list(holes.T), 0.0, statistic)
    deleted, whole = CIT(codes[~gap], statistic), CIT(codes, statistic)
    assert ours(0, 2, [1]) == pytest.approx(deleted(0, 2, [1]), abs=1e-8)
    assert ours(0, 1, [2, 3]) == pytest.approx(deleted(0, 1, [2, 3]), abs=1e-8)
    assert ours(0, 1, [3]) == pytest.approx(whole(0, 1, [3]), abs=1e-8)
    ours._most = 8
    ours._answers.clear()
    assert ours(0, 1, [2, 3]) == pytest.approx(deleted(0, 1, [2, 3]), abs=1e-8)


def test_upstream_takes_a_gap_for_a_level():
    """Then whether rows have a value decides on the dependence of others; see the test above for ours."""
    from causallearn.utils.cit import CIT

    codes = columns(5).astype(float)
    codes[np.random.default_rng(2).random(len(codes)) < 0.2, 2] = np.nan
    assert CIT(codes, "gsq").cardinalities[2] > len(np.unique(columns(5)[:, 2]))


@given(st.integers(0, 100), st.permutations(range(5)))
@settings(max_examples=15, deadline=None)
def test_symmetric_and_blind_to_names_and_order(seed, names):
    codes = columns(seed, rows=600)
    tests = ContingencyTest(list(codes.T))
    result = tests.test(0, 1, [2, 3])
    assert tests.test(1, 0, [3, 2]) == result
    renamed = np.array(names)[codes]
    assert ContingencyTest(list(renamed.T)).test(0, 1, [2, 3]) == pytest.approx(result, abs=1e-9)
    order = np.random.default_rng(seed).permutation(600)
    assert ContingencyTest(list(codes[order].T)).test(0, 1, [2, 3]) == pytest.approx(result, abs=1e-9)


@given(st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_a_row_that_counts_twice_is_two_rows(seed):
    codes = columns(seed, rows=400)
    weights = np.random.default_rng(seed).integers(0, 3, 400)
    weighted = ContingencyTest(list(codes.T), weights=weights.astype(float))
    repeated = ContingencyTest(list(codes.repeat(weights, axis=0).T))
    for x, y, others in ((0, 1, []), (2, 5, [0, 1]), (3, 4, [0, 1, 2])):
        assert weighted.test(x, y, others) == pytest.approx(repeated.test(x, y, others), abs=1e-8)


def test_strength_is_the_correlation_of_two_levels_that_are_one():
    codes = columns(3)
    assert ContingencyTest([codes[:, 0], codes[:, 0]]).test(0, 1)[1] > 0.7
    rng = np.random.default_rng(4)
    assert ContingencyTest([rng.integers(0, 9, 5_000), rng.integers(0, 9, 5_000)]).test(0, 1)[1] < 0.06


def test_columns_without_a_value_or_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="columns \\[1\\] have no value"):
        ContingencyTest([np.zeros(3, int), np.full(3, -1)])
    with pytest.raises(ValueError, match="as many rows"):
        ContingencyTest([np.zeros(3, int), np.zeros(4, int)])
