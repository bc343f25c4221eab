"""Worst cases by hand, and that they hold whatever happens to those who see nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.bounds import bounds


def rounds(reward, weight):
    return Rounds(np.asarray(reward, float), np.asarray(weight, float), None, None, np.arange(len(reward)))


def test_against_the_logging_policy_by_hand():
    found = bounds(rounds([1, 0, 1, 0], [2, 2, 0, 0]), None)
    # V1 is (2 x 1) / 4 for both; a weight of 2 gains 1 of a rewarded round, and one of 0 loses 1.
    assert (found.lower, found.upper, found.raw) == (0.0, 0.5, 0.0)
    assert (found.difference_lower, found.difference_upper, found.apart) == (-0.25, 0.25, 0.5)
    assert not found.sign_is_known and "does not tell its sign" in found.words


def test_the_sign_is_known_where_the_raw_difference_is_larger_than_the_policies_are_apart():
    # Weights need not average 1 in a sample: a gain of 2 / 2 against policies that are 1 / 2 apart.
    found = bounds(rounds([1, 0], [3, 1]), None)
    assert (found.raw, found.apart) == (1.0, 0.5)
    assert found.sign_is_known and "has the sign of the raw difference" in found.words


def test_a_policy_is_not_apart_from_itself():
    same = rounds([1, 0, 1], [1.5, 0.5, 1.0])
    found = bounds(same, same)
    assert (found.difference_lower, found.difference_upper, found.apart) == (0.0, 0.0, 0.0)


SIMPLEX = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda p: np.array(p) / sum(p))
RATES = st.lists(st.floats(0, 1), min_size=4, max_size=4).map(np.array)


@given(SIMPLEX, SIMPLEX, SIMPLEX, RATES, RATES)
def test_they_hold_in_every_world(logging, target, other, mu1, share):
    """One round an item, in the proportions of the logs: means over rounds are expectations."""
    mu0 = mu1 * share  # monotone
    copies = 4 * logging
    first, second = (Rounds(mu1, p / logging * copies, None, None, np.arange(4)) for p in (target, other))
    found = bounds(first, second)
    added = float((target * (mu1 - mu0)).sum() - (other * (mu1 - mu0)).sum())
    assert found.lower - 1e-9 <= float((target * mu0).sum()) <= found.upper + 1e-9
    assert found.difference_lower - 1e-9 <= added <= found.difference_upper + 1e-9
    free = float((target * (mu1 - share)).sum() - (other * (mu1 - share)).sum())
    assert found.raw - found.apart - 1e-9 <= free <= found.raw + found.apart + 1e-9
