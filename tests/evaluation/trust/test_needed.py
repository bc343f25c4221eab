"""Each rule of trust says what is missing: in rounds and weeks where rounds help, else what to log or change."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Status
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import WeightSummary
from causalrec.evaluation.estimands.given_met import GivenMet
from causalrec.evaluation.trust.difference import OTHER_SIDE, DifferenceDiagnostics, carries_a_decision
from causalrec.evaluation.trust.needed import in_weeks, mean_weight_answer, pace_of
from causalrec.evaluation.trust.weight_diagnostics import check_outcomes, check_weights
from tests.evaluation.looks import RULE

PACE = 2_000.0
"""Rounds a week."""


def weights(effective=5_000.0, mean=1.0, share=0.01):
    return check_weights(WeightSummary(10_000, effective, mean, 50.0, share), RULE, PACE)


def outcomes(reward):
    n = len(reward)
    return check_outcomes(Rounds(reward, np.ones(n), None, None, np.arange(n)), "satisfaction", RULE, PACE)


def difference(outcomes=10_000.0, clusters=10_000.0, pareto_k=0.1, skewness=0.0):
    found = DifferenceDiagnostics(outcomes, 10_000, clusters, pareto_k, skewness)
    return carries_a_decision(found, 10_000, RULE, PACE)


def met(total, squares):
    days = [date(2026, 3, 2) + timedelta(k % 7) for k in range(2_000)]
    one = {"met_known": True, "met_sum": total / 2_000, "met_squares": squares / 2_000, "judged_slots": 1}
    return GivenMet().check(pl.DataFrame({"day": days}).with_columns(**{k: pl.lit(v) for k, v in one.items()}), "")


@pytest.mark.parametrize(
    ("answer", "rounds", "weeks"),
    [
        (weights(effective=40.0), "about 15,000 more rounds", "about 7.5 weeks"),
        (weights(share=0.5), "about 40,000 more rounds", "about 20 weeks"),
        (
            mean_weight_answer(WeightSummary(1_000, 100.0, 0.9, 50.0, 0.01), 0.0625, PACE),
            "about 15,797 more rounds",
            "about 7.9 weeks",
        ),
        (outcomes(np.repeat([1.0, 0.0], [1, 999])), "about 31,000 more rounds", "about 16 weeks"),
        (difference(outcomes=RULE.min_difference_outcomes / 1.1), "about 1,000 more rounds", "less than a week"),
        (difference(skewness=-1.2 * RULE.max_skewness), "about 4,400 more rounds", "about 2.2 weeks"),
        (difference(skewness=1.2 * OTHER_SIDE * RULE.max_skewness), "about 4,400 more rounds", "about 2.2 weeks"),
        (met(50.0, 50.0), "about 2,000 more rounds", "about 1.0 weeks"),
    ],
)
def test_where_rounds_help_the_reason_says_how_many_and_how_long_they_take(answer, rounds, weeks):
    assert answer.status is Status.INSUFFICIENT_EVIDENCE
    assert f"{rounds} like these ({weeks} at this pace)" in answer.reason


@pytest.mark.parametrize(
    ("answer", "instead"),
    [
        (weights(effective=0.0), "let the logging policy explore"),
        (weights(mean=0.2), "let it explore that, or judge a policy that shows less of it"),
        (weights(mean=3.0), "log the real ones"),
        (outcomes(np.zeros(1_000)), "judge on more days"),
        (difference(outcomes=0.0), "let the two policies differ more"),
        (difference(clusters=3.0), "days that bring others, or a cluster of which there are more"),
        (difference(pareto_k=1.2), "let the logging policy explore more"),
        (met(0.0, 0.0), "a policy that shows what people meet"),
        (met(1_000.0, 900.0), "a policy that shows what people meet"),
    ],
)
def test_where_rounds_do_not_help_the_reason_says_what_would(answer, instead):
    assert not answer.answered
    assert instead in answer.reason and "at this pace" not in answer.reason


def test_an_error_may_lean_further_away_from_a_release_than_towards_one():
    assert difference(skewness=-0.99 * RULE.max_skewness).answered
    assert difference(skewness=2 * RULE.max_skewness).answered
    assert "above the truth more often" in difference(skewness=-2 * RULE.max_skewness).reason
    assert "below the truth more often" in difference(skewness=5 * RULE.max_skewness).reason


def test_nobody_knows_weeks_without_days():
    assert in_weeks(100, None) == "" and pace_of(pl.DataFrame(schema={"day": pl.Date})) is None
    assert "more rounds like these;" in f"{check_weights(WeightSummary(100, 40.0, 1.0, 50.0, 0.01), RULE).reason};"


def test_the_pace_is_that_of_all_days_from_the_first_to_the_last():
    days = pl.DataFrame({"day": [date(2026, 3, 2)] * 30 + [date(2026, 3, 15)] * 10})
    assert pace_of(days) == 40 / 2
