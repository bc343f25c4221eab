from itertools import permutations

import numpy as np
import pytest

from causalrec.policy.plackett_luce import draw_slates, expected, first_slot, in_slot

VALUE = np.array([[1.0, 0.0, -0.5, 0.3]])
ALL = np.ones((1, 4), dtype=bool)
P = first_slot(VALUE, ALL, 0.7, 0.1)


def enumerate_slates(p: np.ndarray, size: int) -> dict[tuple[int, ...], float]:
    """The probability of every slate, by drawing one item after another without replacement."""
    slates = {}
    for slate in permutations(range(len(p)), size):
        probability, left = 1.0, 1.0
        for item in slate:
            probability *= p[item] / left
            left -= p[item]
        slates[slate] = probability
    return slates


def given_above(above: tuple[int, ...]) -> np.ndarray:
    """The distribution of the next slot, from the enumerated slates."""
    slates = {s[-1]: q for s, q in enumerate_slates(P[0], len(above) + 1).items() if s[:-1] == above}
    return np.array([slates.get(k, 0.0) for k in range(4)]) / sum(slates.values())


def test_the_mixture_is_a_softmax_with_a_uniform_share() -> None:
    p = first_slot(np.array([[0.0, np.log(3.0)]]), np.ones((1, 2), dtype=bool), temperature=1.0, exploration=0.2)
    np.testing.assert_allclose(p, [[0.8 * 0.25 + 0.1, 0.8 * 0.75 + 0.1]])


def test_only_candidates_have_probability_and_each_keeps_its_share_of_the_exploration() -> None:
    eligible = np.array([[True, False, True, True]])
    p = first_slot(VALUE, eligible, 0.05, 0.3)
    assert p[0, 1] == 0
    np.testing.assert_allclose(p.sum(), 1.0)
    assert (p[eligible] >= 0.3 / 3 - 1e-12).all()


def test_a_context_without_candidates_shows_nothing_and_harms_no_other() -> None:
    p = first_slot(np.repeat(VALUE, 2, axis=0), np.array([[False] * 4, [True] * 4]), 0.7, 0.1)
    assert p[0].tolist() == [0.0] * 4
    np.testing.assert_array_equal(p[1:], P)


def test_each_context_has_a_slate_as_long_as_its_candidates_reach() -> None:
    p = first_slot(
        np.repeat(VALUE, 3, axis=0), np.array([[False] * 4, [True, False, False, True], [True] * 4]), 0.7, 0.1
    )
    items, propensity = draw_slates(p, 3, np.random.default_rng(3))
    assert (propensity > 0).sum(axis=1).tolist() == [0, 2, 3]
    assert sorted(items[1, :2].tolist()) == [0, 3]
    assert propensity[1, 1] == 1.0


def test_with_next_to_nothing_left_a_probability_is_still_one() -> None:
    p = first_slot(np.array([[0.0, -1.0, -1.1, -1.2]]), np.ones((1, 4), dtype=bool), 0.01, 1e-13)
    slots, above = np.zeros(3, dtype=int), np.array([[0, -1, -1], [0, 1, -1], [0, 1, 2]])
    shown, left = in_slot(p, slots, np.array([1, 2, 3]), above)
    np.testing.assert_allclose(shown, [p[0, 1] / p[0, 1:].sum(), p[0, 2] / p[0, 2:].sum(), 1.0], rtol=1e-12)
    assert (left > 0).all()
    click = np.array([[0.3, 0.1, 0.7, 0.2]])
    np.testing.assert_allclose(expected(p, click, slots[2:], above[2:]), [0.2])


@pytest.mark.parametrize(("shown", "above"), [(1, [0, 0]), (1, [1, 0])])
def test_what_is_no_draw_without_replacement_has_no_probability(shown: int, above: list[int]) -> None:
    with pytest.raises(ValueError, match="no one draw without replacement"):
        in_slot(P, np.array([0]), np.array([shown]), np.array([above]))


def test_a_slot_has_the_probability_of_the_enumerated_slates() -> None:
    shown, left = in_slot(P, np.zeros(2, dtype=int), np.array([1, 3]), np.array([[2, 0], [2, -1]]))
    np.testing.assert_allclose(shown, [given_above((2, 0))[1], given_above((2,))[3]])
    np.testing.assert_allclose(left, [1 - P[0, 2] - P[0, 0], 1 - P[0, 2]])


def test_the_plain_softmax_is_wrong_below_the_first_slot() -> None:
    shown, _ = in_slot(P, np.array([0]), np.array([1]), np.array([[0]]))
    assert shown[0] > 1.5 * P[0, 1]


def test_an_expectation_is_that_of_the_enumerated_slates() -> None:
    click = np.array([[0.3, 0.1, 0.7, 0.2]])
    found = expected(P, click, np.zeros(3, dtype=int), np.array([[-1, -1], [2, -1], [2, 0]]))
    np.testing.assert_allclose(found, [given_above(above) @ click[0] for above in ((), (2,), (2, 0))])


def test_drawn_slates_come_as_often_as_enumerated() -> None:
    draws, _ = draw_slates(np.repeat(P, 40_000, axis=0), 2, np.random.default_rng(0))
    counts = dict.fromkeys(permutations(range(4), 2), 0)
    for slate in map(tuple, draws.tolist()):
        counts[slate] += 1
    for slate, probability in enumerate_slates(P[0], 2).items():
        error = np.sqrt(probability * (1 - probability) / 40_000)
        assert abs(counts[slate] / 40_000 - probability) < 4 * error, slate


def test_the_propensity_of_a_drawn_slot_is_exact() -> None:
    items, propensity = draw_slates(np.repeat(P, 50, axis=0), 3, np.random.default_rng(1))
    for slate, found in zip(items.tolist(), propensity, strict=True):
        np.testing.assert_allclose(found, [given_above(tuple(slate[:k]))[slate[k]] for k in range(3)])


def test_inverse_propensities_recover_the_uniform_mean() -> None:
    """What such logs are for: E[w r] with w = (1/n) / pi0 is the mean of r over the candidates."""
    reward = np.array([0.1, 0.7, 0.4, 0.9])
    items, propensity = draw_slates(np.repeat(P, 40_000, axis=0), 1, np.random.default_rng(2))
    weighted = reward[items[:, 0]] * 0.25 / propensity[:, 0]
    assert abs(weighted.mean() - reward.mean()) < 4 * weighted.std() / np.sqrt(40_000)


def test_the_same_seed_draws_the_same() -> None:
    one, two = (draw_slates(P, 3, np.random.default_rng(5))[0].tolist() for _ in range(2))
    assert one == two
