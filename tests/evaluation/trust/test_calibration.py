"""Logged propensities are judged on what the judged policies use: right ones, wrong ones, and items never shown."""

import re

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Status
from causalrec.evaluation.trust.difference import calibrated

SLOTS = 8_000
LOGGING = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
POLICY = np.array([0.1, 0.2, 0.3, 0.4, 0.0])
"""Neither shows the fifth item."""


def slots(chosen=LOGGING, logged=LOGGING, policy=POLICY, candidates=5, seed=1):
    """Items chosen with some probabilities, logged as others, in two positions."""
    rng = np.random.default_rng(seed)
    item = rng.choice(5, SLOTS, p=chosen)
    return pl.DataFrame(
        {
            "action_propensity": logged[item],
            "weight": policy[item] / logged[item],
            "candidates": np.full(SLOTS, candidates),
            "position": np.arange(SLOTS) % 2 + 1,
            "user_id": [f"u{k // 8}" for k in range(SLOTS)],
            "time": np.arange(SLOTS),
        }
    )


def test_candidates_that_nobody_shows_are_said_and_keep_nothing_from_being_decided():
    answer = calibrated(slots(), slots(policy=LOGGING), "user_id")
    assert answer.answered
    assert re.search("of choosing at random, (19|20|21)% is of candidates that .* hardly ever shows", answer.reason)


def test_where_everything_is_shown_there_is_nothing_to_say():
    answer = calibrated(slots(candidates=4), None, "user_id")
    assert answer.answered and not answer.reason


@pytest.mark.parametrize("who", ["this policy", "the champion"])
def test_a_policy_that_shows_what_the_logging_policy_never_does_is_not_identifiable(who):
    blind = np.array([0.1, 0.1, 0.2, 0.3, 0.3])
    first, second = (blind, POLICY) if who == "this policy" else (POLICY, blind)
    answer = calibrated(slots(policy=first), slots(policy=second), "user_id")
    assert answer.status is Status.NOT_IDENTIFIABLE
    assert f"do not carry {who}: its mean weight is 0.7" in answer.reason


def test_propensities_that_are_not_those_of_the_draw_are_found_in_the_weights_of_the_policy():
    answer = calibrated(slots(chosen=LOGGING, logged=np.full(5, 0.25)), None, "user_id")
    assert answer.status is Status.NOT_IDENTIFIABLE and "do not carry this policy" in answer.reason


def test_propensities_that_are_too_small_are_found_by_choosing_at_random():
    # The policy shows the first item alone, whose propensity is right; those of the others are half as large.
    logged, first = np.array([0.4, 0.15, 0.1, 0.05, 0.0]), np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    answer = calibrated(slots(logged=logged, policy=first, candidates=4), None, "user_id")
    assert answer.status is Status.NOT_IDENTIFIABLE and "choosing at random is 1.7" in answer.reason


def test_one_position_alone_is_found():
    right, wrong = slots(), slots(logged=np.array([0.2, 0.2, 0.3, 0.3, 0.0]))
    both = pl.concat([right.filter(pl.col("position") == 1), wrong.filter(pl.col("position") == 2)])
    answer = calibrated(both, None, "user_id")
    assert answer.status is Status.NOT_IDENTIFIABLE


def test_what_may_be_chance_is_not_held_against_anybody():
    assert calibrated(slots(logged=LOGGING).head(40), None, "user_id").answered


def test_one_cluster_tells_nothing():
    assert calibrated(slots().with_columns(user_id=pl.lit("u")), None, "user_id").answered
