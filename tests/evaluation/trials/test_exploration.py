"""What more exploration would do, read from logs without it, against logs that are drawn with it."""

import numpy as np
import pytest

from causalrec.estimators.intervals import clustered_mean
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.trials.exploration import LoggedRounds, at_random, deviation_with

ITEMS, TYPES, ROUNDS = 8, 3, 120_000


def softmax(logits):
    chance = np.exp(logits)
    return chance / chance.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def shop():
    """Rates, a model that is wrong, and three policies: who logs, the champion, the challenger."""
    draw = np.random.default_rng(3)
    rates = 0.05 + 0.3 * draw.random((TYPES, ITEMS))
    model = rates * np.exp(draw.normal(0, 0.3, rates.shape))
    logging, champion, challenger = (
        0.88 * softmax(draw.normal(0, spread, rates.shape)) + 0.12 / ITEMS for spread in (1.5, 1.0, 1.2)
    )
    return rates, model, logging, champion, challenger


def logs(shop, seed, more=0.0, champion=True, users=None):
    """Rounds of the logging policy with a share of exploration more; users click more or less than others."""
    rates, model, logging, of_champion, challenger = shop
    draw = np.random.default_rng(seed)
    logged = (1 - more) * logging + more / ITEMS
    kind = draw.integers(TYPES, size=ROUNDS)
    item = (draw.random(ROUNDS)[:, None] > logged.cumsum(1)[kind]).sum(1).clip(max=ITEMS - 1)
    user = np.arange(ROUNDS) if users is None else draw.integers(users, size=ROUNDS)
    taste = 1.0 if users is None else draw.choice([0.2, 1.8], size=users)[user]
    reward = (draw.random(ROUNDS) < rates[kind, item] * taste).astype(float)

    def rounds(policy):
        weight = policy[kind, item] / logged[kind, item]
        return Rounds(reward, weight, model[kind, item], (policy * model).sum(1)[kind], user)

    base = rounds(of_champion) if champion else None
    return LoggedRounds(rounds(challenger), base, logged[kind, item], np.full(ROUNDS, float(ITEMS)))


def deviation(logged):
    """sigma of a round's score of the difference, clusters and all."""

    def scores(rounds):
        model, expected = rounds.model()
        return expected + rounds.weight * (rounds.reward - model)

    base = logged.rounds.reward if logged.base is None else scores(logged.base)
    return clustered_mean(scores(logged.rounds) - base, logged.rounds.clusters).std_error * ROUNDS**0.5


@pytest.mark.parametrize("champion", [True, False], ids=["champion", "logging policy"])
@pytest.mark.parametrize("users", [None, 6_000], ids=["rounds alone", "users"])
@pytest.mark.parametrize("more", [0.05, 0.2])
def test_the_error_under_more_exploration_is_that_of_logs_with_it(shop, more, users, champion):
    planned, seen = [], []
    for seed in range(4):
        now = logs(shop, seed, 0.0, champion, users)
        planned.append(deviation_with(now, deviation(now), more))
        seen.append(deviation(logs(shop, 100 + seed, more, champion, users)))
    assert np.mean(planned) == pytest.approx(np.mean(seen), rel=0.03)


def test_exploration_takes_error_from_a_difference_of_two_policies_and_none_of_it_leaves_it(shop):
    now = logs(shop, 1)
    sigma = deviation(now)
    assert deviation_with(now, sigma, 0.0) == pytest.approx(sigma)
    assert deviation_with(now, sigma, 0.2) < 0.9 * sigma


def test_what_a_round_at_random_costs_is_its_true_value(shop):
    rates, _, logging, *_ = shop
    truth = rates.mean() - (logging * rates).sum(1).mean()
    found = at_random(logs(shop, 4))
    assert abs(found.value - truth) < 4 * found.std_error
    # Its standard error is that of many draws.
    values = [at_random(logs(shop, seed)).value for seed in range(10, 30)]
    assert found.std_error == pytest.approx(np.std(values, ddof=1), rel=0.5)
