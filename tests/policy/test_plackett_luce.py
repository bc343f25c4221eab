from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from causalrec_assets.policy.plackett_luce import mixed_distribution, sample_slates, slot_probabilities

SCORES = np.array([1.0, 0.0, -0.5, 0.3])


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


def test_the_mixture_is_a_softmax_with_a_uniform_share() -> None:
    p = mixed_distribution(np.array([0.0, np.log(3.0)]), temperature=1.0, exploration=0.2)
    np.testing.assert_allclose(p, [0.8 * 0.25 + 0.1, 0.8 * 0.75 + 0.1])


def test_a_cold_policy_follows_the_ranking_and_a_hot_one_spreads() -> None:
    cold, hot = mixed_distribution(SCORES, 0.01, 0.04), mixed_distribution(SCORES, 1e6, 0.04)
    np.testing.assert_allclose(cold, [0.97, 0.01, 0.01, 0.01], atol=1e-9)
    np.testing.assert_allclose(hot, 0.25, atol=1e-6)


@given(arrays(np.float64, (3, 5), elements=st.floats(-1e3, 1e3)), st.floats(0.01, 10), st.floats(0.001, 1))
def test_every_candidate_keeps_its_share_of_the_exploration(scores: np.ndarray, temperature: float, eps: float) -> None:
    p = mixed_distribution(scores, temperature, eps)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert (p >= eps / 5 * (1 - 1e-12)).all()


def test_the_scores_are_not_changed() -> None:
    scores = SCORES.copy()
    mixed_distribution(scores, 0.5, 0.1)
    assert (scores == SCORES).all()


def test_slot_probabilities_are_those_of_the_enumerated_slates() -> None:
    p = mixed_distribution(SCORES, 0.7, 0.1)
    slates = enumerate_slates(p, 3)
    first_two = (2, 0)
    above = np.isin(np.arange(4), first_two)
    given_two = {s[2]: q for s, q in slates.items() if s[:2] == first_two}
    total = sum(given_two.values())
    expected = [given_two.get(k, 0.0) / total for k in range(4)]
    np.testing.assert_allclose(slot_probabilities(SCORES, above, 0.7, 0.1), expected)


def test_the_plain_softmax_is_wrong_below_the_first_slot() -> None:
    above = np.array([True, False, False, False])
    p = mixed_distribution(SCORES, 0.7, 0.1)
    assert slot_probabilities(SCORES, above, 0.7, 0.1)[1] > 1.5 * p[1]


def test_little_is_left_and_still_sums_to_one() -> None:
    scores = np.array([60.0, 0.0, 0.0])
    left = slot_probabilities(scores, np.array([True, False, False]), 1.0, 0.0)
    np.testing.assert_allclose(left, [0.0, 0.5, 0.5])


def test_drawn_slates_come_as_often_as_enumerated() -> None:
    rng = np.random.default_rng(0)
    draws = sample_slates(np.tile(SCORES, (40_000, 1)), 2, 0.7, 0.1, rng)
    expected = enumerate_slates(mixed_distribution(SCORES, 0.7, 0.1), 2)
    counts = {slate: 0 for slate in expected}
    for slate in map(tuple, draws.items.tolist()):
        counts[slate] += 1
    for slate, probability in expected.items():
        error = np.sqrt(probability * (1 - probability) / 40_000)
        assert abs(counts[slate] / 40_000 - probability) < 4 * error, slate


def test_the_propensity_of_a_drawn_slot_is_exact() -> None:
    drawn = sample_slates(np.tile(SCORES, (50, 1)), 4, 0.7, 0.1, np.random.default_rng(1))
    for items, propensity in zip(drawn.items, drawn.action_propensity, strict=True):
        assert sorted(items.tolist()) == [0, 1, 2, 3]
        for k, item in enumerate(items):
            above = np.isin(np.arange(4), items[:k])
            np.testing.assert_allclose(propensity[k], slot_probabilities(SCORES, above, 0.7, 0.1)[item], rtol=1e-9)
    # The last of all candidates is shown for certain.
    np.testing.assert_allclose(drawn.action_propensity[:, 3], 1.0)


def test_inverse_propensities_recover_the_uniform_mean() -> None:
    """What the logs of such a policy are for: E[w r] with w = (1/n) / pi0 is the mean of r over the candidates."""
    reward = np.array([0.1, 0.7, 0.4, 0.9])
    drawn = sample_slates(np.tile(SCORES, (40_000, 1)), 1, 0.7, 0.3, np.random.default_rng(2))
    weighted = reward[drawn.items[:, 0]] * 0.25 / drawn.action_propensity[:, 0]
    assert abs(weighted.mean() - reward.mean()) < 4 * weighted.std() / np.sqrt(40_000)


def test_the_same_seed_draws_the_same() -> None:
    one, two = (sample_slates(SCORES[None], 3, 0.5, 0.1, np.random.default_rng(5)) for _ in range(2))
    assert one.items.tolist() == two.items.tolist()


@pytest.mark.parametrize(("temperature", "exploration"), [(0.0, 0.1), (1.0, -0.1), (1.0, 1.1), (float("nan"), 0.1)])
def test_settings_out_of_range_are_refused(temperature: float, exploration: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        mixed_distribution(SCORES, temperature, exploration)


def test_impossible_slots_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        slot_probabilities(SCORES, np.ones(4, dtype=bool), 1.0, 0.1)
    with pytest.raises(ValueError, match="slate of 5"):
        sample_slates(SCORES[None], 5, 1.0, 0.1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="finite"):
        mixed_distribution(np.array([0.0, np.inf]), 1.0, 0.1)
    with pytest.raises(ValueError, match="candidate"):
        mixed_distribution(np.zeros((2, 0)), 1.0, 0.1)
