"""Numbers far from all others are named, and bend no scale; honest long tails are left alone."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.logs.far_values import far_values, fences, in_words, within_fences

ROWS = 5_000


def normal(seed=0):
    return np.random.default_rng(seed).normal(size=ROWS)


def found(values):
    return [(one.value, one.rows) for one in far_values(pl.DataFrame({"x": values}))]


@pytest.mark.parametrize("value", [1e4, 999_999.0, 2147483647.0, 1e12, -1e12, 9.2e18, 1.7976931348623157e308])
def test_one_absurd_value_is_named_with_its_column_value_and_rows(value):
    assert found(np.append(normal(), value)) == [(value, 1)]


@pytest.mark.parametrize("share", [0.002, 0.05, 0.4])
def test_a_sentinel_of_many_rows_is_named(share):
    x, rows = normal(), int(share * ROWS)
    x[:rows] = -999
    assert found(x) == [(-999.0, rows)]


def test_what_people_write_for_unknown_is_named_where_it_stands_alone():
    age = np.random.default_rng(1).integers(18, 90, ROWS)
    for value, rows in ((-1, 50), (999, 50), (-9, 3000), (9999, 10)):
        assert found(np.append(age, [value] * rows)) == [(value, rows)]
    assert found(np.append(age, [-1] * 3)) == []
    assert found(np.append(age, [99] * 50)) == []
    assert found(np.random.default_rng(1).integers(-3, 20, ROWS)) == []


def test_the_year_9999_and_the_epoch_are_far_from_dates_as_numbers():
    seconds = np.random.default_rng(2).integers(1_700_000_000, 1_770_000_000, ROWS)
    assert found(np.append(seconds, [253402214400] * 7)) == [(253402214400.0, 7)]
    assert found(np.append(seconds, [0] * 7)) == [(0.0, 7)]


def test_both_sides_are_named_and_the_commonest_of_several_stands_for_them():
    assert found(np.append(normal(), [1e12, 1e13, 1e13, -5e9])) == [(-5e9, 1), (1e13, 3)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda r: r.normal(size=ROWS),
        lambda r: r.lognormal(0, 1.5, ROWS),
        lambda r: r.exponential(size=ROWS),
        lambda r: r.poisson(0.5, ROWS),
        lambda r: r.integers(0, 2, ROWS),
        lambda r: (r.random(ROWS) < 0.01).astype(int),
        lambda r: r.standard_t(3, ROWS),
        lambda r: np.where(r.random(ROWS) < 0.8, 0, r.lognormal(6, 1, ROWS)),
        lambda r: r.choice([0, 5, 10, 500], ROWS),
        lambda r: np.concatenate([r.random(3000), 1000 + r.random(2000)]),
    ],
)
def test_honest_tails_and_groups_are_not_far(draw):
    assert not [seed for seed in range(20) if found(draw(np.random.default_rng(seed)))]


def test_few_rows_no_rows_and_texts_are_nothing_to_name():
    frame = pl.DataFrame({"a": [1.0, 50.0, None], "b": [None, None, None], "c": ["x", "y", "z"], "d": [1, 1, 1]})
    assert far_values(frame) == [] and far_values(frame.clear()) == []
    assert in_words([]) is True


def test_it_is_said_in_words_with_what_to_do():
    said = in_words(far_values(pl.DataFrame({"weight": [*range(19_999), 10**12]})))
    assert said.startswith("`weight` is 1e+12 in 1 of 20,000 rows (0.005 %), far from all others (0 to 19998)")
    assert "cleaning.yaml" in said


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_one_value_moves_the_fences_no_further_than_the_data_reach(values, absurd):
    low, high = fences(np.array([*values, absurd]))
    width = max(values) - min(values)
    assert min(values) - 10 * width - 1e-6 <= low <= high <= max(values) + 10 * width + 1e-6 or width == 0


def test_what_lies_within_is_left_as_it_is():
    x = normal()
    assert (within_fences(x) == x).all()
    assert np.abs(within_fences(np.append(x, 1e300))).max() < 20
