"""What every registered off-policy estimator must do, whichever it is."""

import numpy as np
import pytest

from causalrec.estimators.policy_value import (
    POLICY_VALUE_ESTIMATORS,
    Rounds,
    deciding,
    gain,
    logged_mean,
    weighting,
)
from causalrec.simulator.traffic.policy_value import (
    logged_slots,
    logging_probabilities,
    outcome_probabilities,
    true_policy_value,
    uniform_probabilities,
)
from tests.simulator.conftest import SMALL, write

EACH = pytest.mark.parametrize("estimator", POLICY_VALUE_ESTIMATORS.values(), ids=POLICY_VALUE_ESTIMATORS.keys())
ON_ALL_DAYS = pytest.mark.parametrize(
    "estimator", [each for each in POLICY_VALUE_ESTIMATORS.values() if each.on == "all"], ids=lambda each: each.name
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A day's rounds and the exact value of a policy between the logging one and choosing at random.

    Of the rounds there are those with a model that knows the truth, and those with one that says 0.7 of it.
    """
    small = write(SMALL, tmp_path_factory.mktemp("shop"))
    slots = logged_slots(small.world, small.landing, small.days[-1])
    logging, uniform = logging_probabilities(small.world, slots), uniform_probabilities(slots)
    target = 0.5 * logging + 0.5 * uniform
    at = np.arange(len(slots.shown)), slots.shown
    clicked = dict(small.events(small.days[-1]).select("event_id", "click").iter_rows())
    reward = np.array([float(clicked[unit]) for unit in slots.unit_id])
    q = np.concatenate([p_click for _, p_click, _ in outcome_probabilities(small.world, slots)])
    right, wrong = (
        Rounds(reward, target[at] / logging[at], model[at], (target * model).sum(axis=1), slots.user)
        for model in (q, 0.7 * q)
    )
    return right, wrong, true_policy_value(small.world, slots, target).click


def some(n=200, seed=0):
    """Rounds of any kind: rewards and predictions from 0 to 1, weights whose mean is 1 but for chance."""
    rng = np.random.default_rng(seed)
    return Rounds(
        rng.integers(2, size=n).astype(float),
        rng.exponential(size=n),
        rng.random(n),
        rng.random(n),
        rng.integers(40, size=n),
    )


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


@EACH
def test_the_registry_names_each_by_its_own_name(estimator):
    assert POLICY_VALUE_ESTIMATORS[estimator.name] is estimator
    assert estimator.label


def test_one_decides_and_one_only_weighs():
    assert deciding().decides and deciding().on == "all"
    assert not weighting().needs_model


@EACH
def test_with_a_right_model_each_tells_the_simulators_exact_value(estimator, shop):
    right, _, truth = shop
    estimate = estimator.estimate(right)
    assert abs(estimate.value - truth) < 3 * estimate.std_error


@ON_ALL_DAYS
def test_with_a_wrong_model_those_that_weigh_tell_the_simulators_exact_value(estimator, shop):
    _, wrong, truth = shop
    estimate = estimator.estimate(wrong)
    assert abs(estimate.value - truth) < 3 * estimate.std_error


@EACH
def test_a_reward_that_is_always_the_same_is_the_value_of_every_policy(estimator):
    rounds = some()
    ones = np.ones(len(rounds.reward))
    weight = rounds.weight / rounds.weight.mean()
    constant = Rounds(0.3 * ones, weight, 0.3 * ones, 0.3 * ones, rounds.clusters)
    assert estimator.estimate(constant).value == pytest.approx(0.3)


@EACH
def test_with_weights_of_1_the_logging_policy_is_judged_by_its_own_mean(estimator):
    rounds = some()
    ones = np.ones(len(rounds.reward))
    # A model that is right about the policy that made the logs predicts their mean.
    q = np.full(len(rounds.reward), rounds.reward.mean())
    own = Rounds(rounds.reward, ones, q, q, rounds.clusters)
    assert estimator.estimate(own).value == pytest.approx(logged_mean(own).value)
    assert gain(estimator, own).value == pytest.approx(0.0)


@EACH
def test_the_order_of_the_rounds_changes_nothing(estimator):
    rounds = some()
    order = np.random.default_rng(1).permutation(len(rounds.reward))
    fields = (rounds.reward, rounds.weight, rounds.model_logged, rounds.model_target, rounds.clusters)
    plain, turned = estimator.estimate(rounds), estimator.estimate(Rounds(*(field[order] for field in fields)))
    assert turned.value == pytest.approx(plain.value)
    assert turned.std_error == pytest.approx(plain.std_error)
    assert turned.influence == pytest.approx(plain.influence[order])


@EACH
def test_of_no_rounds_nothing_is_estimated(estimator):
    none = np.zeros(0)
    with pytest.raises(ValueError, match="no rounds"):
        estimator.estimate(Rounds(none, none, none, none, none.astype(int)))


@EACH
def test_without_a_model_only_those_answer_that_need_none(estimator):
    rounds = some()
    bare = Rounds(rounds.reward, rounds.weight, None, None, rounds.clusters)
    if estimator.needs_model:
        with pytest.raises(ValueError, match="needs a model"):
            estimator.estimate(bare)
    else:
        assert estimator.estimate(bare).value == estimator.estimate(rounds).value


@EACH
def test_one_that_is_bounded_stays_within_rewards_and_predictions(estimator):
    values = [estimator.estimate(some(4, seed)).value for seed in range(300)]
    outside = [value for value in values if not -1e-9 <= value <= 1 + 1e-9]
    assert bool(outside) != estimator.bounded


@EACH
def test_a_gain_is_the_estimate_minus_the_logged_mean(estimator):
    rounds = some()
    difference = estimator.estimate(rounds).value - logged_mean(rounds).value
    assert gain(estimator, rounds).value == pytest.approx(difference)


@pytest.fixture(scope="module")
def draws():
    return [bandit(seed) for seed in range(100)]


@ON_ALL_DAYS
def test_intervals_cover_the_targets_value_however_wrong_the_model(estimator, draws):
    estimates = [(estimator.estimate(rounds), truth) for rounds, truth, _ in draws]
    assert 88 <= sum(interval.lower <= truth <= interval.upper for interval, truth in estimates) <= 100


def test_the_one_that_decides_is_more_certain_than_weighting_alone(draws):
    errors = {
        each.name: np.mean([each.estimate(rounds).std_error for rounds, _, _ in draws])
        for each in (deciding(), weighting())
    }
    assert errors[deciding().name] < errors[weighting().name]


def test_the_interval_of_a_gain_covers_the_true_gain(draws):
    gains = [(gain(deciding(), rounds), truth - base) for rounds, truth, base in draws]
    assert 88 <= sum(interval.lower <= truth <= interval.upper for interval, truth in gains) <= 100


def test_a_model_that_is_wrong_and_alone_does_not_cover_the_truth(draws):
    alone = [each for each in POLICY_VALUE_ESTIMATORS.values() if each.on == "unseen"]
    for each in alone:
        estimates = [(each.estimate(rounds), truth) for rounds, truth, _ in draws]
        assert not any(estimate.lower <= truth <= estimate.upper for estimate, truth in estimates)


@EACH
def test_a_gain_is_no_less_certain_than_its_two_parts_taken_as_independent(estimator, draws):
    rounds = draws[1][0]
    apart = np.hypot(estimator.estimate(rounds).std_error, logged_mean(rounds).std_error)
    assert gain(estimator, rounds).std_error < apart
