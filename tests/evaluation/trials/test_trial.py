from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.evaluation.trials.log import TrialsInMemory
from causalrec.evaluation.trials.trial import Look, LookDecision, Trial

OPENED = date(2026, 3, 1)


def trial(weeks=4):
    return Trial(OPENED, "bundle", 3, "raw", 0.004, weeks)


def look(number, decision=LookDecision.GO_ON):
    days = trial().days_of(number)
    return Look(number, days[0], days[-1], 0.004, True, decision, "because")


def test_a_look_takes_whole_weeks_after_the_enrolment():
    assert trial().days_of(1) == tuple(date(2026, 3, 2 + k) for k in range(7))
    assert trial().days_of(2)[:7] == trial().days_of(1) and len(trial().days_of(2)) == 14


@given(st.integers(0, 60), st.integers(0, 4), st.integers(1, 6))
def test_every_look_is_made_once_and_in_order_however_late_the_runs_come(days, made, weeks):
    one = trial(weeks)
    for k in range(1, min(made, weeks) + 1):
        one = one.after(look(k))
    due = one.due(OPENED + timedelta(days=days))
    assert list(due) == [k for k in range(1, weeks + 1) if k > len(one.looks) and 7 * k <= days]


def test_a_look_that_releases_ends_the_trial():
    ended = trial().after(look(1)).after(look(2, LookDecision.RELEASE))
    assert ended.closed == "because" and ended.due(date(2027, 1, 1)) == () and ended.next_look() is None
    with pytest.raises(ValueError, match="does not follow"):
        ended.after(look(3))


def test_the_next_look_is_after_the_next_whole_week():
    assert trial().next_look() == date(2026, 3, 8)
    assert trial().after(look(1)).next_look() == date(2026, 3, 15)
    assert trial(1).after(look(1)).next_look() is None


@pytest.mark.parametrize("number", [1, 3, 5])
def test_no_look_is_made_twice_or_passed_over(number):
    with pytest.raises(ValueError, match="does not follow"):
        trial().after(look(1)).after(look(number))


def test_one_trial_runs_at_a_time():
    log = TrialsInMemory()
    log.open(trial())
    with pytest.raises(ValueError, match="a trial runs"):
        log.open(trial())
    log.look(look(1))
    log.close("the champion has moved")
    assert log.running() is None and log.trials[0].closed == "the champion has moved" and len(log.trials[0].looks) == 1
    with pytest.raises(ValueError, match="no trial runs"):
        log.look(look(2))
    log.open(trial())
    assert log.running() == trial()
