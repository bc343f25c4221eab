"""Few columns in the place of a catalogue: the same policy as on the whole grid, by enumeration."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.arrays import Floats, Ints
from causalrec.policy.columns import Candidates, Columns, without_replacement
from causalrec.policy.plackett_luce import draw_slates, first_slot, uniform

TEMPERATURE, EXPLORATION = 0.7, 0.3
NOTHING = np.zeros(0, dtype=np.int64)


def few(value: Floats, most: int, sampled: int, contexts: int = 1, seed: int = 0) -> tuple[Columns, Candidates]:
    candidates = Candidates.best(value, np.zeros(len(value), dtype=np.int64), most)
    of = np.zeros(contexts, dtype=np.int64)
    return candidates.columns(of, NOTHING, NOTHING, sampled, np.random.default_rng(seed)), candidates


def dense(value: Floats, candidates: Candidates) -> Floats:
    """(items,) the definition: softmax among the candidates, and the exploration of all alike."""
    weight = np.where(candidates.chosen, np.exp(value / TEMPERATURE), 0.0)
    return np.asarray((1 - EXPLORATION) * weight / weight.sum() + EXPLORATION / len(value))


def first(value: Floats, columns: Columns) -> Floats:
    of_columns = value[np.maximum(columns.items, 0)]
    return first_slot(of_columns, columns.eligible, TEMPERATURE, EXPLORATION, columns)


def test_a_sample_is_every_ordered_one_alike() -> None:
    drawn = without_replacement(np.full(24_000, 4), 2, np.random.default_rng(0))
    counts = Counter(map(tuple, drawn.tolist()))
    assert set(counts) == set(permutations(range(4), 2))
    assert max(abs(n - 2_000) for n in counts.values()) < 5 * np.sqrt(2_000)


def test_fewer_than_are_wanted_are_all() -> None:
    drawn = without_replacement(np.array([0, 2, 3]), 3, np.random.default_rng(0))
    assert [sorted(row) for row in drawn.tolist()] == [[-1, -1, -1], [-1, 0, 1], [0, 1, 2]]


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 8), st.integers(1, 6))
def test_columns_stand_for_the_catalogue(seed: int, items: int, most: int, sampled: int) -> None:
    rng = np.random.default_rng(seed)
    group, of = rng.integers(-1, 3, items), rng.integers(-1, 3, 5)
    candidates = Candidates.best(rng.normal(size=items), group, most)
    of = np.minimum(of, len(candidates.size) - 1)
    row, item = np.nonzero(rng.random((5, items)) < 0.3)
    columns = candidates.columns(of, row, item, sampled, rng)
    eligible = (group[None, :] == of[:, None]) & (of[:, None] >= 0)
    assert columns.count.tolist() == eligible.sum(axis=1).tolist()
    # What is asked for has one column, with what is true of it.
    at = columns.of(row, item)
    assert columns.items[row, at].tolist() == item.tolist()
    assert columns.eligible[row, at].tolist() == eligible[row, item].tolist()
    assert columns.in_lump[row, at].tolist() == (eligible & ~candidates.chosen)[row, item].tolist()
    assert (columns.stands_for[row, at] == 1).all()
    for k in range(5):
        there = columns.items[k][columns.items[k] >= 0]
        assert len(set(there.tolist())) == len(there)
        assert (columns.eligible * columns.stands_for)[k].sum() == pytest.approx(columns.count[k])
        assert set(np.flatnonzero(eligible[k] & candidates.chosen)) <= set(there.tolist())
    assert uniform(columns.eligible, columns).sum(axis=1) == pytest.approx((columns.count > 0).astype(float))


def test_what_was_not_asked_for_has_no_column() -> None:
    columns, _ = few(np.arange(6.0), 2, 1)
    missing = next(k for k in range(6) if k not in columns.items[0])
    with pytest.raises(KeyError):
        columns.of(np.array([0]), np.array([missing]))


def test_a_column_has_the_probability_of_what_it_stands_for() -> None:
    value = np.random.default_rng(3).normal(size=9)
    columns, candidates = few(value, 3, 2)
    p, q = first(value, columns)[0], dense(value, candidates)
    assert p.sum() == pytest.approx(1.0)
    each = p / columns.stands_for[0]
    assert each == pytest.approx(q[columns.items[0]])
    assert columns.stands_for[0].tolist() == [1, 1, 1, 3, 3]


def slates_of(q: Floats, size: int) -> dict[tuple[int, ...], float]:
    found = {}
    for slate in permutations(range(len(q)), size):
        probability, left = 1.0, 1.0
        for item in slate:
            probability *= q[item] / left
            left -= q[item]
        found[slate] = probability
    return found


@pytest.mark.parametrize("sampled", [2, 3, 9], ids=["as large as a slate", "larger", "the whole lump"])
def test_slates_are_drawn_as_one_item_after_another_without_replacement(sampled: int) -> None:
    value = np.array([0.9, 0.2, -0.4, 0.1, -1.0])
    columns, candidates = few(value, 2, sampled, 12_000)
    q, p = dense(value, candidates), first(value, columns)
    drawn, propensity = draw_slates(p, 2, np.random.default_rng(1), columns)
    rows = np.arange(len(drawn))[:, None]
    slates = columns.items[rows, drawn]
    counts, expected = Counter(map(tuple, slates.tolist())), slates_of(q, 2)
    assert set(counts) == set(expected)
    for slate, probability in expected.items():
        spread = np.sqrt(12_000 * probability * (1 - probability))
        assert abs(counts[slate] - 12_000 * probability) < 4.5 * spread
    one, two = slates.T
    assert propensity[:, 0] == pytest.approx(q[one])
    assert propensity[:, 1] == pytest.approx(q[two] / (1 - q[one]))


def test_whole_slates_leave_nothing_and_their_propensities_are_exact() -> None:
    value = np.array([0.9, 0.2, -0.4, 0.1])
    columns, candidates = few(value, 1, 4, 50)
    drawn, propensity = draw_slates(first(value, columns), 4, np.random.default_rng(1), columns)
    q = dense(value, candidates)[columns.items[np.arange(50)[:, None], drawn]]
    assert propensity == pytest.approx(q / (1 - (np.cumsum(q, axis=1) - q)))
    assert propensity[:, -1] == pytest.approx(1.0)


def test_next_to_nothing_left_is_summed_over_the_whole_lump() -> None:
    value = np.concatenate([[30.0], np.zeros(999)])
    candidates = Candidates.best(value, np.zeros(1000, dtype=np.int64), 2)
    columns = candidates.columns(np.zeros(400, dtype=np.int64), NOTHING, NOTHING, 4, np.random.default_rng(0))
    p = first_slot(value[columns.items], columns.eligible, 0.1, 1e-9, columns)
    drawn, propensity = draw_slates(p, 3, np.random.default_rng(0), columns)
    assert (columns.items[np.arange(400)[:, None], drawn][:, 0] == 0).all()
    # Below the best item the others are alike: each of 999, then of 998.
    assert propensity[:, 1] == pytest.approx(1 / 999)
    assert propensity[:, 2] == pytest.approx(1 / 998)


def test_a_sample_that_is_smaller_than_a_slate_draws_none() -> None:
    value = np.arange(8.0)
    columns, _ = few(value, 2, 1)
    with pytest.raises(ValueError, match="smaller than a slate"):
        draw_slates(first(value, columns), 3, np.random.default_rng(0), columns)


def test_items_that_are_asked_for_draw_no_slate() -> None:
    candidates = Candidates.best(np.arange(8.0), np.zeros(8, dtype=np.int64), 2)
    item: Ints = np.array([0], dtype=np.int64)
    columns = candidates.columns(item, item, item, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="asked for"):
        draw_slates(first(np.arange(8.0), columns), 3, np.random.default_rng(0), columns)
