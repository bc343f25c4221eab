from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.trial import LookDecision
from tests.evaluation.rules import release_rule

RULE = release_rule(100, 0.5, 0.1, 0.02, {})
DAYS = [date(2026, 3, 2) + timedelta(days=k) for k in range(28)]
WEEK = 0.05 * 7 / 90
NO_MONEY = {"revenue_trusted": not_available("no purchases are logged")}


def evidence(gain, std_error=0.002, degrees=2000.0, **more):
    return Evidence(Difference(gain, std_error, degrees, 0.15, 7000), ANSWERED, **(NO_MONEY | more))


def made(number, shown, earlier=(), rule=RULE):
    return decide_look(number, DAYS[: 7 * number], shown, earlier, WEEK, rule)


def test_a_gain_beyond_the_bound_is_released_with_an_estimate_that_is_not_too_large():
    look = made(1, evidence(0.008))
    assert look.decision is LookDecision.RELEASE and look.z > look.bound == pytest.approx(2.6616, abs=1e-3)
    assert look.lower < look.unbiased < look.upper and look.unbiased == pytest.approx(0.008, rel=5e-3)
    later = made(2, evidence(0.005, 0.0015), [made(1, evidence(0.004))])
    assert later.decision is LookDecision.RELEASE and later.unbiased < 0.005


def test_below_the_bound_a_trial_goes_on_until_its_last_look():
    looks = []
    for k in range(1, 5):
        looks.append(made(k, evidence(0.004, 0.004 / np.sqrt(k)), looks))
    assert [look.decision for look in looks] == [*[LookDecision.GO_ON] * 3, LookDecision.OVER]
    assert looks[-1].unbiased is not None and looks[0].unbiased is None


def test_a_gain_for_nothing_is_not_released():
    look = made(1, evidence(0.0014, 0.0001))
    assert look.decision is LookDecision.GO_ON and look.z > look.bound
    assert "at least 1.0% is asked" in look.reason


def test_a_hopeless_trial_ends_from_its_second_look_on():
    first = made(1, evidence(-0.01))
    assert first.decision is LookDecision.GO_ON
    assert made(2, evidence(-0.01), [first]).decision is LookDecision.FUTILE
    patient = RULE.model_copy(update={"futility": False})
    assert made(2, evidence(-0.01), [first], patient).decision is LookDecision.GO_ON


def test_an_untrusted_look_forfeits_its_error():
    doubtful = replace(evidence(0.02), trusted=insufficient_evidence("9 effective outcomes"))
    first = made(1, doubtful)
    assert first.decision is LookDecision.GO_ON and not first.trusted and "forfeited" in first.reason
    second = made(2, evidence(0.003), [first])
    # As if it were the first look, and not with the error of two.
    assert second.bound == pytest.approx(made(1, evidence(0.003)).bound)
    earlier = [replace(first, number=k) for k in (1, 2, 3)]
    assert made(4, doubtful, earlier).decision is LookDecision.OVER


def test_few_clusters_ask_for_more():
    assert made(1, evidence(0.0056, degrees=2000.0)).decision is LookDecision.RELEASE
    assert made(1, evidence(0.0056, degrees=12.0)).decision is LookDecision.GO_ON
    # And what is stated of the first look is what was seen, since no stop came before it.
    few = made(1, evidence(0.0096, degrees=12.0))
    assert few.decision is LookDecision.RELEASE and few.unbiased == pytest.approx(0.0096, rel=1e-4)


def money(value, std_error):
    return {"revenue": Difference(value, std_error, 2000.0, 1.0, 7000), "revenue_trusted": ANSWERED}


@pytest.mark.parametrize(
    "asked, value, std_error, released",
    [
        ("no_sign_of_harm", 0.0, 0.05, True),
        ("no_sign_of_harm", -0.05, 0.05, True),
        ("no_sign_of_harm", -0.15, 0.05, False),
        ("rule_out_loss", 0.0, 0.05, False),
        ("rule_out_loss", 0.0, 0.005, True),
        ("rule_out_loss", -0.03, 0.001, False),
    ],
)
def test_the_guardrail_asks_what_the_owner_declares(asked, value, std_error, released):
    rule = RULE.model_copy(update={"revenue": asked})
    look = made(1, evidence(0.008, **money(value, std_error)), rule=rule)
    assert (look.decision is LookDecision.RELEASE) == released
    (guardrail,) = (condition for condition in look.conditions if condition.name == "revenue")
    assert guardrail.met == released


def test_how_many_rounds_the_stricter_guardrail_would_take():
    look = made(1, evidence(0.008, **money(0.0, 0.01)))
    reach = look.bound * 0.01
    more = 7000 * ((reach / 0.02) ** 2 - 1)
    (words,) = (c.words for c in look.conditions if c.name == "revenue")
    assert "To rule out a loss of more than 2% would take about" in words
    assert float(words.split("about ")[1].split(" ")[0].replace(",", "")) == pytest.approx(more, rel=0.01)


def test_revenue_that_cannot_be_told_keeps_a_release_back():
    look = made(1, evidence(0.008, revenue_trusted=insufficient_evidence("4 effective purchases")))
    assert look.decision is LookDecision.GO_ON and "4 effective purchases" in look.reason


def test_what_revenue_kept_back_does_not_shrink_the_gain_that_is_stated():
    """A gain far beyond its bounds, kept back for weeks: no earlier look could have released it, whatever it was."""
    looks = []
    for k in range(1, 5):
        fallen = money(-0.15 if k < 4 else 0.0, 0.05 / np.sqrt(k))
        looks.append(made(k, evidence(0.03, 0.002 / np.sqrt(k), **fallen), looks))
    assert [look.decision for look in looks] == [*[LookDecision.GO_ON] * 3, LookDecision.RELEASE]
    assert looks[0].z > 10 and looks[-1].unbiased == pytest.approx(0.03, rel=1e-4)


def test_a_least_gain_that_kept_a_look_back_counts_as_its_bound():
    earlier = made(1, evidence(0.0014, 0.0001))
    assert earlier.z > earlier.bound and earlier.decision is LookDecision.GO_ON
    look = made(2, evidence(0.00155, 0.0001 / np.sqrt(2)), [earlier])
    # Held against the least gain of 0.0015 and not against a bound of 0.00027, which it would long have crossed.
    assert look.decision is LookDecision.RELEASE and 0.0014 < look.unbiased < 0.00155


def test_policies_that_never_differ_are_not_judged():
    assert not made(1, evidence(0.0, 0.0)).trusted


def test_one_look_back_is_the_last():
    rule = RULE.model_copy(update={"retrospective": 0.025})
    assert decide_look(1, DAYS[:4], evidence(0.001), [], 0.025, rule).decision is LookDecision.OVER
    look = decide_look(1, DAYS[:4], evidence(0.0045), [], 0.025, rule)
    assert look.decision is LookDecision.RELEASE and look.bound == pytest.approx(1.96, abs=1e-3)


@given(st.floats(-0.02, 0.02), st.floats(0.0005, 0.01))
def test_what_is_released_is_above_its_bound_and_its_interval_above_0(gain, std_error):
    look = made(1, evidence(gain, std_error))
    if look.decision is LookDecision.RELEASE:
        assert look.lower >= -1e-12 and gain >= 0.01 * 0.15


def test_looks_are_made_in_order():
    with pytest.raises(ValueError, match="look 2 follows"):
        made(2, evidence(0.0), [])


def test_equal_policies_are_released_no_more_often_than_they_may_be():
    """800 trials of Brownian increments: at most four weeks' error (a one-sided binomial test at 1 %)."""
    from scipy.stats import binomtest

    rng, released = np.random.default_rng(3), 0
    rule = RULE.model_copy(update={"min_gain": 0.0})
    for _ in range(800):
        weeks, looks = rng.normal(0.0, 0.004, 4), []
        for k in range(1, 5):
            looks.append(made(k, evidence(weeks[:k].mean(), 0.004 / np.sqrt(k), 1e6), looks, rule))
            if looks[-1].decision.ends:
                break
        released += looks[-1].decision is LookDecision.RELEASE
    assert binomtest(released, 800, 4 * WEEK, "greater").pvalue > 0.01
    assert released > 0
