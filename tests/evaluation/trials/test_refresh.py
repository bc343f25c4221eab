"""A refresh replaces its champion where a loss beyond the margin is ruled out, once a week, within its own budget."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.refresh import Spent, decide_refresh, may_refresh, spent_on
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


def tried(value, std_error, trusted=ANSWERED, revenue=None, of_revenue=NO_REVENUE, base=0.15, spent=0.0, rule=RULE):
    decided = Difference(value, std_error, 1e6, base=base, rounds=7000)
    account = spent if isinstance(spent, Spent) else Spent(spent)
    return decide_refresh("hash", 3, DAYS, Evidence(decided, trusted, revenue, of_revenue), rule, account)


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


def test_of_a_champion_that_brings_nothing_no_share_can_be_ruled_out():
    found = tried(0.0, 0.001, base=0.0)
    assert not found.done
    assert "brings nothing" in found.reason


def test_what_is_not_ruled_out_of_one_refresh_is_missing_to_the_next():
    # One standard error is 0.2 % of what the champion brings, the bound 2.66 of them.
    first = tried(0.0, 0.0003)
    assert first.done
    assert first.spent == pytest.approx(2.66 * 0.002, rel=1e-3)
    second = tried(-0.0015, 0.0003, spent=first.spent)
    assert not second.done
    assert f"{first.spent:.1%} of the margin being spent" in second.reason
    assert tried(-0.0015, 0.0003).done


def test_a_shown_gain_pays_back_and_saves_nothing_up():
    assert tried(0.003, 0.0003, spent=0.02).spent == pytest.approx(0.02 - 0.98 * (0.02 - 2.66 * 0.002), rel=1e-3)
    assert tried(0.03, 0.0003, spent=0.02).spent == 0.0


def test_the_account_is_of_the_refreshes_that_made_the_champion():
    taken, refused = tried(0.0, 0.0003), tried(-0.01, 0.0003)
    assert spent_on([taken, refused], "hash", RULE).satisfaction == taken.spent
    # A trial, or a person, has chosen another one: nothing is spent of it.
    assert spent_on([taken], "another", RULE) == Spent()
    assert spent_on([refused], "hash", RULE) == Spent()
    # Earlier versions kept no account.
    assert spent_on([replace(taken, spent=None)], "hash", RULE) == Spent(RULE.refresh_margin, RULE.revenue_margin)


def test_revenue_has_an_account_where_a_loss_of_it_has_to_be_ruled_out():
    strict = RULE.model_copy(update={"revenue": "rule_out_loss"})
    equal = {"revenue": Difference(0.0, 0.002, 1e6, base=0.5, rounds=7000), "of_revenue": ANSWERED}
    first = tried(0.0, 0.0003, rule=strict, **equal)
    assert first.done
    assert first.revenue_spent == pytest.approx(2.66 * 0.004, rel=1e-3)
    second = tried(0.003, 0.0003, rule=strict, spent=spent_on([first], "hash", strict), **equal)
    assert not second.done
    assert "of the margin of revenue" in second.reason
    # No sign of harm rules no loss out.
    assert tried(0.0, 0.0003, **equal).revenue_spent is None
    assert tried(0.003, 0.0003, spent=Spent(0.0, 0.02), **equal).done


def test_many_small_losses_do_not_add_up_to_more_than_the_margin():
    rng, histories, std_error = np.random.default_rng(1), 100, 0.0003
    without = harmed = 0
    for _ in range(histories):
        for account in (False, True):
            value, spent = 1.0, 0.0
            for error in rng.normal(0.0, std_error, 12):
                found = tried(-0.005 * 0.15 + error, std_error, spent=spent)
                if found.done:
                    value, spent = 0.995 * value, found.spent if account else 0.0
            lost = value < 0.98
            harmed, without = harmed + (account and lost), without + (not account and lost)
    # Binomial at 5 %: more than 12 of 100 would happen by chance in 0.2 %.
    assert harmed <= 12
    assert without == histories


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
