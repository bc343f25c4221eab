"""Slates of a notebook's policy, and the probability of each."""

from itertools import permutations

import numpy as np
import pytest

import causalrec as cr

VALUE = np.array([[0.0, 1.0, 2.0, -1.0], [3.0, 0.0, 0.0, 1.0]])


def test_the_propensities_of_all_slates_of_a_context_multiply_to_a_distribution():
    policy = cr.PlackettLuce(temperature=0.7, exploration=0.1)
    slates = np.array(list(permutations(range(4), 2)))
    p = policy.propensities(np.repeat(VALUE[:1], len(slates), axis=0), slates)
    assert p.prod(axis=1).sum() == pytest.approx(1)
    assert p[:, 0] == pytest.approx(policy.probabilities(VALUE[:1])[0][slates[:, 0]])


def test_what_is_drawn_has_the_propensities_that_it_says():
    policy, eligible = cr.PlackettLuce(), np.array([[True, True, True, True], [True, False, False, True]])
    items, propensity = policy.draw(VALUE, 3, eligible, random_state=5)
    assert policy.propensities(VALUE, np.where(propensity > 0, items, -1), eligible) == pytest.approx(propensity)
    assert (propensity[1] > 0).tolist() == [True, True, False]
    assert np.array_equal(policy.draw(VALUE, 3, eligible, random_state=5)[0], items)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cr.PlackettLuce(temperature=0), "temperature must be above 0, got 0"),
        (lambda: cr.PlackettLuce(exploration=2), r"exploration must be in \[0, 1\], got 2"),
        (
            lambda: cr.PlackettLuce().probabilities([0.0, 1.0]),
            r"a column an item; got shape \(2,\)",
        ),
        (lambda: cr.PlackettLuce().probabilities([[0, 1], [np.nan, 1]]), "finite; in row 2, item 1 it is nan"),
        (lambda: cr.PlackettLuce().probabilities([[0, 1]], [True]), r"eligible has shape \(1,\), value has \(1, 2\)"),
        (lambda: cr.PlackettLuce().draw([[0, 1]], 0), "size must be at least 1, got 0"),
        (lambda: cr.PlackettLuce().propensities(VALUE, [[0, 1]]), r"a row a context, 2; got shape \(1, 2\)"),
        (lambda: cr.PlackettLuce().propensities(VALUE, [[0, 1], [0, 9]]), "0 to 3; in row 2, slot 2 stands 9"),
        (lambda: cr.PlackettLuce().propensities(VALUE, [[0, 1], [2, 2]]), "twice in the slate of row 2"),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(cr.InputError, match=words):
        call()
