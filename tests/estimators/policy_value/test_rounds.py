"""Off-policy values against hand-made numbers, laws, and a bandit whose policies' values are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.policy_value.rounds import (
    ESTIMATORS,
    Rounds,
    dm,
    dr,
    estimate,
    gain,
    ips,
    logged_mean,
    snips,
)

R = np.array([1.0, 0.0, 1.0, 0.0])
W = np.array([2.0, 0.5, 0.5, 1.0])
Q = np.array([0.5, 0.5, 0.25, 0.25])
V = np.array([0.5, 0.25, 0.5, 0.25])
C = np.arange(4)


def bandit(seed, users=300, rows=10, actions=4):
    """Rounds with a model that is wrong by a factor; the target's and the logging policy's value."""
    rng = np.random.default_rng(seed)
    n = users * rows
    mood = np.repeat(rng.random(users), rows)[:, None]
    reward = 0.1 + 0.4 * mood * np.linspace(0, 1, actions)[None, :]
    logging = np.full((n, actions), 1 / actions)
    scores = np.exp(2 * reward / reward.max())
    target = scores / scores.sum(axis=1, keepdims=True)
    action = rng.integers(actions, size=n)
    at = np.arange(n), action
    seen = (rng.random(n) < reward[at]).astype(float)
    model = 0.7 * reward
    clusters = np.repeat(np.arange(users), rows)
    rounds = Rounds(seen, target[at] / logging[at], model[at], (target * model).sum(axis=1), clusters)
    return rounds, *(float((policy * reward).sum(axis=1).mean()) for policy in (target, logging))


def test_all_four_by_hand():
    rounds = Rounds(R, W, Q, V, C)
    assert ips(rounds).value == pytest.approx(2.5 / 4)
    assert snips(rounds).value == pytest.approx(2.5 / 4.0)
    assert dm(rounds).value == pytest.approx(1.5 / 4)
    # .5 + 2 * .5, .25 - .5 * .5, .5 + .5 * .75, .25 - 1 * .25
    assert dr(rounds).value == pytest.approx((1.5 + 0.0 + 0.875 + 0.0) / 4)
    assert logged_mean(rounds).value == 0.5


@given(factor=st.floats(0.01, 100))
def test_snips_is_invariant_to_a_common_factor_of_the_weights_and_ips_is_not(factor):
    plain, scaled = Rounds(R, W, None, None, C), Rounds(R, W * factor, None, None, C)
    assert snips(scaled).value == pytest.approx(snips(plain).value)
    assert snips(scaled).std_error == pytest.approx(snips(plain).std_error)
    assert ips(scaled).value == pytest.approx(ips(plain).value * factor)


@given(st.lists(st.floats(0, 50), min_size=4, max_size=4).filter(lambda w: sum(w) > 1e-3))
def test_snips_stays_within_the_rewards(weights):
    assert -1e-9 <= snips(Rounds(R, np.array(weights), None, None, C)).value <= 1 + 1e-9


def test_dr_is_dm_when_no_round_has_weight():
    rounds = Rounds(R, np.zeros(4), Q, V, C)
    assert (dr(rounds).value, dr(rounds).std_error) == (dm(rounds).value, dm(rounds).std_error)


def test_dr_is_ips_when_the_model_says_zero():
    rounds = Rounds(R, W, np.zeros(4), np.zeros(4), C)
    assert (dr(rounds).value, dr(rounds).std_error) == (ips(rounds).value, ips(rounds).std_error)


def test_dr_is_dm_when_the_model_is_never_wrong_on_what_was_logged():
    rounds = Rounds(R, W, R, V, C)
    assert dr(rounds).value == pytest.approx(dm(rounds).value)


@pytest.mark.parametrize("name", ["ips", "snips"])
def test_the_logging_policy_judged_by_its_own_logs_is_its_mean(name):
    rounds = Rounds(R, np.ones(4), None, None, C)
    assert estimate(name, rounds).value == logged_mean(rounds).value
    assert gain(name, rounds).value == pytest.approx(0.0)
    assert gain(name, rounds).std_error == pytest.approx(0.0)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_gain_is_the_estimate_minus_the_logged_mean(name):
    rounds = Rounds(R, W, Q, V, C)
    assert gain(name, rounds).value == pytest.approx(estimate(name, rounds).value - 0.5)


def test_ips_snips_and_dr_cover_the_targets_value_and_dr_forgives_a_wrong_model():
    hits = dict.fromkeys(ESTIMATORS, 0)
    gains, widths = 0, {name: [] for name in ESTIMATORS}
    for seed in range(100):
        rounds, truth, base = bandit(seed)
        for name in ESTIMATORS:
            found = estimate(name, rounds)
            hits[name] += found.lower <= truth <= found.upper
            widths[name].append(found.std_error)
        better = gain("dr", rounds)
        gains += better.lower <= truth - base <= better.upper
    assert all(88 <= hits[name] <= 100 for name in ("ips", "snips", "dr"))
    assert hits["dm"] == 0
    assert np.mean(widths["dr"]) < np.mean(widths["ips"])
    assert 88 <= gains <= 100


def test_a_gain_is_more_certain_than_its_two_parts_taken_as_independent():
    rounds, _, _ = bandit(1)
    apart = np.hypot(snips(rounds).std_error, logged_mean(rounds).std_error)
    assert gain("snips", rounds).std_error < apart


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Rounds(R, np.array([1.0, -1.0, 1.0, 1.0]), None, None, C), "not negative"),
        (lambda: Rounds(R, np.array([1.0, np.inf, 1.0, 1.0]), None, None, C), "finite"),
        (lambda: Rounds(R, W[:3], None, None, C), "4 rewards but 3 values of weight"),
        (lambda: Rounds(R, W, Q[:1], None, C), "model_logged"),
        (lambda: Rounds(R[:0], W[:0], None, None, C[:0]), "no rounds"),
        (lambda: dm(Rounds(R, W, None, None, C)), "needs a model"),
        (lambda: dr(Rounds(R, W, Q, None, C)), "needs a model"),
    ],
)
def test_rounds_that_cannot_be_judged_say_why(call, says):
    with pytest.raises(ValueError, match=says):
        call()
