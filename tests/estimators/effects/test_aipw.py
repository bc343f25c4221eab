"""Effects against hand-made numbers, laws, and a confounded world whose effect is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.effects.aipw import aipw_effect, naive_difference, snips_effect

Y = np.array([1.0, 0.0, 1.0, 0.0])
T = np.array([1.0, 1.0, 0.0, 0.0])
E = np.array([0.5, 0.25, 0.5, 0.2])
C = np.arange(4)


def confounded(seed, users=400, rows=10):
    """A user's mood raises the chances of treatment and of the outcome; the effect is .10 for everybody."""
    rng = np.random.default_rng(seed)
    mood = np.repeat(rng.random(users), rows)
    e = 0.2 + 0.6 * mood
    t = (rng.random(len(mood)) < e).astype(float)
    base = 0.1 + 0.5 * mood
    y = (rng.random(len(mood)) < base + 0.1 * t).astype(float)
    return y, t, e, base, np.repeat(np.arange(users), rows)


def test_naive_by_hand():
    assert naive_difference(np.array([1.0, 0.0, 1.0, 1.0]), T, C).value == -0.5


def test_snips_by_hand():
    # treated: (1/.5 + 0) / (2 + 4) = 1/3; control: (1/.5 + 0) / (2 + 1.25) = 8/13
    assert snips_effect(Y, T, E, C).value == pytest.approx(1 / 3 - 8 / 13)


def test_aipw_by_hand():
    m1, m0 = np.full(4, 0.5), np.full(4, 0.25)
    # scores: .25 + .5/.5, .25 - .5/.25, .25 - .75/.5, .25 + .25/.8
    assert aipw_effect(Y, T, E, m1, m0, C).value == pytest.approx(np.mean([1.25, -1.75, -1.25, 0.5625]))


def test_snips_with_a_constant_propensity_is_the_naive_difference():
    y, t, _, _, clusters = confounded(1)
    naive, snips = naive_difference(y, t, clusters), snips_effect(y, t, np.full(len(y), 0.3), clusters)
    assert (snips.value, snips.std_error) == pytest.approx((naive.value, naive.std_error))


def test_aipw_without_outcome_models_is_the_horvitz_thompson_difference():
    y, t, e, _, clusters = confounded(2)
    zero = np.zeros(len(y))
    horvitz_thompson = (t * y / e - (1 - t) * y / (1 - e)).mean()
    assert aipw_effect(y, t, e, zero, zero, clusters).value == pytest.approx(horvitz_thompson)


def test_aipw_with_models_that_fit_every_unit_is_the_mean_predicted_effect():
    y, t, e, base, clusters = confounded(3)
    m1, m0 = np.where(t == 1, y, base), np.where(t == 0, y, base)
    assert aipw_effect(y, t, e, m1, m0, clusters).value == pytest.approx((m1 - m0).mean())


def test_aipw_with_the_arms_means_and_their_share_is_the_naive_difference():
    y, t, _, _, clusters = confounded(4)
    m1, m0 = np.full(len(y), y[t == 1].mean()), np.full(len(y), y[t == 0].mean())
    found = aipw_effect(y, t, np.full(len(y), t.mean()), m1, m0, clusters)
    assert found.value == pytest.approx(naive_difference(y, t, clusters).value)


@given(shift=st.floats(-3, 3))
def test_every_effect_ignores_a_shift_of_all_outcomes(shift):
    y, t, e, base, clusters = confounded(5, users=20)
    plain = snips_effect(y, t, e, clusters).value
    assert snips_effect(y + shift, t, e, clusters).value == pytest.approx(plain, abs=1e-9)
    naive = naive_difference(y, t, clusters).value
    assert naive_difference(y + shift, t, clusters).value == pytest.approx(naive)
    moved = aipw_effect(y + shift, t, e, base + 0.1 + shift, base + shift, clusters).value
    assert moved == pytest.approx(aipw_effect(y, t, e, base + 0.1, base, clusters).value)


def test_swapping_the_arms_turns_every_effect_around():
    y, t, e, base, clusters = confounded(6)
    naive, snips = naive_difference(y, t, clusters).value, snips_effect(y, t, e, clusters).value
    assert naive_difference(y, 1 - t, clusters).value == pytest.approx(-naive)
    assert snips_effect(y, 1 - t, 1 - e, clusters).value == pytest.approx(-snips)
    there = aipw_effect(y, t, e, base + 0.1, base, clusters).value
    assert aipw_effect(y, 1 - t, 1 - e, base, base + 0.1, clusters).value == pytest.approx(-there)


def test_in_a_confounded_world_naive_is_wrong_and_the_others_cover_the_truth():
    naive, snips, aipw = [], [], []
    for seed in range(100, 200):
        y, t, e, base, clusters = confounded(seed)
        naive.append(naive_difference(y, t, clusters))
        snips.append(snips_effect(y, t, e, clusters))
        aipw.append(aipw_effect(y, t, e, base + 0.1, base, clusters))
    assert np.mean([f.value for f in naive]) > 0.19
    assert abs(np.mean([f.value for f in aipw]) - 0.1) < 0.005
    assert abs(np.mean([f.value for f in snips]) - 0.1) < 0.005
    assert sum(f.lower <= 0.1 <= f.upper for f in naive) == 0
    assert 88 <= sum(f.lower <= 0.1 <= f.upper for f in snips) <= 100
    assert 88 <= sum(f.lower <= 0.1 <= f.upper for f in aipw) <= 100


@pytest.mark.parametrize("wrong", ["propensity", "outcome models"])
def test_aipw_is_right_when_one_of_its_two_nuisances_is(wrong):
    values = []
    for seed in range(300, 360):
        y, t, e, base, clusters = confounded(seed)
        e = np.full(len(y), t.mean()) if wrong == "propensity" else e
        base = np.full(len(y), 0.3) if wrong == "outcome models" else base
        values.append(aipw_effect(y, t, e, base + 0.1, base, clusters).value)
    assert abs(np.mean(values) - 0.1) < 0.006


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: naive_difference(Y, np.ones(4), C), "every unit has the treatment 1"),
        (lambda: naive_difference(Y, np.array([0, 1, 2, 0.0]), C), "0 or 1"),
        (lambda: naive_difference(np.array([]), np.array([]), C[:0]), "no units"),
        (lambda: naive_difference(Y, T[:3], C), "treatments of shape"),
        (lambda: naive_difference(np.array([1.0, np.nan, 0.0, 0.0]), T, C), "not finite"),
        (lambda: snips_effect(Y, T, np.array([0.5, 1.0, 0.5, 0.5]), C), r"lie in \(0, 1\)"),
        (lambda: snips_effect(Y, T, np.array([0.5, np.nan, 0.5, 0.5]), C), r"lie in \(0, 1\)"),
        (lambda: aipw_effect(Y, T, E[:2], Y, Y, C), "propensities of shape"),
        (lambda: aipw_effect(Y, T, E, Y, Y[:2], C), "predictions of shape"),
    ],
)
def test_what_cannot_be_estimated_says_why(call, says):
    with pytest.raises(ValueError, match=says):
        call()
