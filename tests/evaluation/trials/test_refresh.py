"""A refresh replaces its champion where a loss beyond the margin is ruled out, once a week, within its own budget."""

from datetime import date, timedelta

import numpy as np
import pytest

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.refresh import decide_refresh, may_refresh
from causalrec.settings.release import ReleaseRule

DAYS = [date(2026, 3, 1) + timedelta(days=k) for k in range(7)]
RULE = ReleaseRule.parse(
    {
        "min_effective_rounds": 100,
        "max_mean_weight_gap": 0.5,
        "max_weight_share": 0.1,
        "revenue_margin": 0.02,
        "answer_sheet": {},
    }
)
NO_REVENUE = not_available("none")


def tried(value, std_error, trusted=ANSWERED, revenue=None, of_revenue=NO_REVENUE):
    decided = Difference(value, std_error, 1e6, base=0.15, rounds=7000)
    return decide_refresh("hash", 3, DAYS, Evidence(decided, trusted, revenue, of_revenue), RULE)


def test_a_loss_beyond_the_margin_has_to_be_ruled_out():
    # The margin is 2 % of 0.15; the error of a week 5 % x 7 / 90, a bound of 2.66 standard errors.
    assert tried(0.0, 0.003 / 2.67).done
    assert not tried(0.0, 0.003 / 2.65).done
    assert not tried(-0.003, 0.0001).done
    assert tried(-0.0029, 0.00002).done


def test_what_is_not_trusted_is_no_refresh_and_says_why():
    found = tried(0.01, 0.001, insufficient_evidence("5 clusters"))
    assert not found.done
    assert "5 clusters" in found.reason


def test_revenue_is_asked_as_of_a_release():
    harmed = Difference(-0.1, 0.01, 1e6, base=0.5, rounds=7000)
    assert not tried(0.01, 0.001, revenue=harmed, of_revenue=ANSWERED).done


def test_it_names_what_was_held_against_what_and_when():
    found = tried(0.01, 0.001)
    assert (found.bundle, found.champion, found.first_day, found.last_day) == ("hash", 3, DAYS[0], DAYS[-1])


@pytest.mark.parametrize(("later", "may"), [(6, False), (7, True), (30, True)])
def test_no_day_is_judged_twice(later, may):
    days = [day + timedelta(days=later) for day in DAYS]
    assert may_refresh([tried(0.0, 0.001)], days) is may


def test_short_judgement_windows_bring_no_more_than_one_attempt_a_week():
    assert not may_refresh([tried(0.0, 0.001)], [DAYS[-1] + timedelta(days=1)])
    assert may_refresh([], DAYS)
    assert not may_refresh([], [])


def test_a_recipe_that_is_worse_by_the_margin_is_refreshed_no_more_often_than_the_budget():
    rng, histories, std_error = np.random.default_rng(0), 400, 0.0005
    looks = rng.normal(-0.02 * 0.15, std_error, (histories, 12))
    harmed = sum(any(tried(value, std_error).done for value in history) for history in looks)
    # Binomial at 5 %: more than 32 of 400 would happen by chance in 0.5 %.
    assert harmed <= 32
