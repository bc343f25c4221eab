"""Planned chances against trials that are drawn, look by look."""

import numpy as np
import pytest

from causalrec.estimators.sequential.bounds import bounds
from causalrec.evaluation.trials.planning import (
    Asked,
    gain_found,
    loss_ruled_out,
    release_chance,
    rounds_needed,
    rounds_to_rule_out,
    sizes,
    weeks_needed,
)
from causalrec.evaluation.trials.trial import DAYS_A_LOOK
from tests.evaluation.looks import RULE

ERROR = 0.05 * DAYS_A_LOOK / 90
FOUR_LOOKS = bounds([1.0, 2.0, 3.0, 4.0], [ERROR] * 4)
DRAWS = 40_000


def drawn(gain, std_error, asked):
    """The share of drawn trials of four looks that release."""
    weeks = np.arange(1, 5)
    week = gain + np.random.default_rng(5).normal(size=(DRAWS, 4)) * std_error * 2
    estimate, spread = week.cumsum(1) / weeks, std_error * np.sqrt(4 / weeks)
    releases = (estimate >= FOUR_LOOKS * spread) & (estimate >= asked.least)
    gives_up = (estimate + spread < asked.least) & (weeks >= 2) & asked.futility
    on, found = np.ones(DRAWS, bool), np.zeros(DRAWS, bool)
    for k in range(4):
        found |= on & releases[:, k]
        on &= ~releases[:, k] & ~gives_up[:, k]
    return found.mean()


@pytest.mark.parametrize("asked", [Asked(ERROR), Asked(ERROR, 0.9), Asked(ERROR, 2.8, False), Asked(ERROR, 2.8, True)])
@pytest.mark.parametrize("gain", [0.0, 2.0, 3.4])
def test_the_planned_chance_is_that_of_drawn_trials(gain, asked):
    planned = release_chance(gain, 1.0, 4, asked)
    assert planned == pytest.approx(drawn(gain, 1.0, asked), abs=4 * np.sqrt(0.25 / DRAWS))


def test_an_equal_policy_is_released_as_often_as_the_looks_spend():
    assert release_chance(0.0, 1.0, 4, Asked(ERROR, futility=False)) == pytest.approx(4 * ERROR, abs=1e-6)


def test_giving_up_costs_chances_and_never_adds_any():
    given_up, gone_on = (release_chance(3.2, 1.0, 4, Asked(ERROR, 2.9, futile)) for futile in (True, False))
    assert gone_on - 0.05 < given_up < gone_on


def test_gain_rounds_and_weeks_say_the_same():
    asked, sigma = Asked(ERROR, 0.001), 0.6
    rounds = rounds_needed(0.01, sigma, 4, asked)
    assert gain_found(sigma / rounds**0.5, 4, asked) == pytest.approx(0.01, rel=1e-4)
    assert weeks_needed(0.01, sigma, rounds / 4 * 1.001, 12, asked) == 4
    assert weeks_needed(0.01, sigma, rounds / 4 * 0.7, 3, asked) is None
    assert rounds_needed(0.001, sigma, 4, asked) == float("inf")


def test_four_looks_take_a_tenth_more_rounds_than_one_with_their_last_bound():
    from scipy.stats import norm

    four = rounds_needed(0.01, 0.6, 4, Asked(ERROR))
    one = ((norm.isf(4 * ERROR) + norm.ppf(0.8)) * 0.6 / 0.01) ** 2
    assert 1.05 < four / one < 1.2


def test_a_loss_is_ruled_out_as_the_guardrail_asks_it():
    from scipy.stats import norm

    rounds = rounds_to_rule_out(0.02, 1.5, 4, ERROR, 0.95)
    std_error = 1.5 / rounds**0.5
    # The guardrail passes where value - b s >= -loss, with a value around 0.
    assert norm.sf((FOUR_LOOKS[-1] * std_error - 0.02) / std_error) == pytest.approx(0.95, abs=1e-4)
    assert loss_ruled_out(std_error, 4, ERROR, 0.95) == pytest.approx(0.02)


def test_longer_trials_find_less_and_rule_out_less():
    found = sizes((1, 4, 8), 7000, 0.7, Asked.of(RULE, 0.1, champion_logs=True), (0.8, 0.95))
    assert [each.rounds for each in found] == [7000, 28_000, 56_000]
    for kind in ("gains", "losses"):
        likely, surely = zip(*(getattr(each, kind) for each in found), strict=True)
        assert sorted(likely, reverse=True) == list(likely)
        assert all(a < b for a, b in zip(likely, surely, strict=True))


def test_a_home_that_looks_back_is_planned_with_the_errors_of_trials():
    back = RULE.model_copy(update={"retrospective": 0.025})
    assert Asked.of(back, 0.1, champion_logs=False) == Asked.of(RULE, 0.1, champion_logs=False)
    assert Asked.of(back, -0.1, champion_logs=True).least == pytest.approx(RULE.min_gain * 0.1)
