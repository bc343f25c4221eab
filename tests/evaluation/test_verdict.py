"""The verdict of a look back, of a look at a trial, and of a day between looks, each from literal rows."""

import polars as pl
import pytest

from causalrec.answers import Status, insufficient_evidence, not_available, not_identifiable
from causalrec.evaluation.deciding_rows import evidence_of, never_told
from causalrec.evaluation.verdict import Decision, Verdict, at_look, between_looks, look_back
from tests.evaluation.looks import BACK, RULE, look, trial, world


def back(report, rule=BACK, **keys):
    return look_back(report, rule, "raw", **keys)


def decision(*args, rule=BACK, **kwargs):
    return back(world(*args, **kwargs), rule).decision.value


def test_a_gain_beyond_the_looks_error_and_no_sign_of_harm_is_better():
    assert decision() == "better"


def test_without_revenue_satisfaction_alone_decides():
    assert decision(revenue=None) == "better"
    assert decision(satisfaction=(0.01, 0.006), revenue=None) == "not_better"


@pytest.mark.parametrize(("error", "expected"), [(0.0050, "better"), (0.0052, "not_better")])
def test_the_bound_is_that_of_the_stated_error(error, expected):
    # One-sided 2.5 % of a normal statistic: 1.96 standard errors; 0.01 / 1.96 = 0.0051.
    assert decision(satisfaction=(0.01, error)) == expected


def test_a_smaller_error_asks_for_more():
    rule = BACK.model_copy(update={"retrospective": 0.001})
    assert decision(satisfaction=(0.01, 0.005), rule=rule) == "not_better"


def test_few_clusters_ask_for_more():
    # Student's quantile of 4 degrees of freedom is 2.78.
    assert decision(satisfaction=(0.01, 0.0045), clusters=100_000) == "better"
    assert decision(satisfaction=(0.01, 0.0045), clusters=5) == "not_better"


def test_a_gain_that_is_no_share_of_today_is_no_change_for_nothing():
    assert decision(satisfaction=(0.0009, 0.0001)) == "not_better"


def test_revenue_that_is_shown_to_fall_keeps_a_release_back():
    verdict = back(world(revenue=(-0.1, 0.02)))
    assert verdict.decision is Decision.NOT_BETTER
    assert "It is shown to fall" in verdict.reason


def test_the_stricter_guardrail_asks_that_a_loss_is_ruled_out():
    strict = BACK.model_copy(update={"revenue": "rule_out_loss"})
    assert decision(revenue=(0.0, 0.009), rule=strict) == "better"
    verdict = back(world(revenue=(0.0, 0.1)), strict)
    assert verdict.decision is Decision.NOT_BETTER
    assert "more judged rounds" in verdict.reason


@pytest.mark.parametrize("status", ["not_available", "not_identifiable", "insufficient_evidence"])
def test_the_verdict_keeps_the_typed_answer_of_what_it_lacks(status):
    frame = world().with_columns(
        status=pl.when(pl.col("metric") == "satisfaction").then(pl.lit(status)).otherwise("status"),
        reason=pl.lit("nobody logs it"),
    )
    verdict = back(frame)
    assert (verdict.decision.value, "nobody logs it" in verdict.reason) == (status, True)
    assert verdict.look is not None and not verdict.look.trusted


@pytest.mark.parametrize(
    "answer", [not_available("no clicks"), not_identifiable("no arm"), insufficient_evidence("few")]
)
def test_without_a_challenger_the_verdict_is_the_answer_that_there_is_none(answer):
    assert back(world().clear(), unanswered=answer).decision.value == answer.status.value
    assert back(world().clear()).decision.value == Status.NOT_AVAILABLE.value
    assert between_looks(None, "no look is due", answer).decision.value == answer.status.value


@pytest.mark.parametrize(
    ("status", "never"), [("not_available", True), ("not_identifiable", False), ("answered", False)]
)
def test_only_what_is_not_logged_can_never_be_told(status, never):
    told = never_told(world().with_columns(status=pl.lit(status), reason=pl.lit("nobody logs it")), "raw")
    assert (told is not None) == never
    assert never_told(world(), "total") is not None


def test_without_a_challenger_the_reason_is_the_models():
    verdict = back(world().clear(), unanswered=insufficient_evidence("2 training days"))
    assert (verdict.decision.value, verdict.reason) == (
        "insufficient_evidence",
        "There is no challenger to judge: 2 training days.",
    )


def test_segments_other_estimators_and_other_estimands_do_not_decide():
    worse = [
        world(satisfaction=(-0.1, 0.001), **other)
        for other in ({"segment": "device=mobile"}, {"estimator": "ips"}, {"estimand": "given_met"})
    ]
    frame = pl.concat([world(), *worse])
    assert back(frame).decision is Decision.BETTER
    assert look_back(frame, BACK, "given_met").decision is Decision.NOT_BETTER


def test_a_share_of_today_is_of_the_slots_own_rate_whatever_decides():
    total = world(satisfaction=(0.02, 0.001), estimand="total").with_columns(estimate=pl.lit(5.0))
    evidence = evidence_of(pl.concat([world(), total]), "total")
    assert evidence.satisfaction.base == pytest.approx(0.1)
    assert evidence.satisfaction.value == pytest.approx(0.02)


def test_the_reason_has_the_numbers_and_what_they_are_compared_with():
    reason = back(world(baseline="champion")).reason
    assert "from 10.00 % (champion) to 11.00 %: +1.00 points (95 % interval +0.60 to +1.40)" in reason
    assert "from 1.0000 (champion) to 1.0500: +0.0500 (95 % interval -0.0100 to +0.1100)" in reason


def test_a_look_that_crosses_its_bound_releases():
    running = trial()
    verdict = at_look(running, look(running, 1, (0.01, 0.002)), world())
    assert verdict.decision is Decision.BETTER and "Look 1 of 4." in verdict.reason


def test_a_look_that_does_not_goes_on_and_says_when_the_next_one_comes():
    running = trial()
    verdict = at_look(running, look(running, 1, (0.01, 0.005)), world())
    assert verdict.decision is Decision.WAIT
    assert "once the outcomes of 2026-03-15 are in" in verdict.next_step


def test_a_look_that_is_not_trusted_says_what_is_missing_and_the_trial_goes_on():
    running = trial()
    report = world(status="not_identifiable", reason="weights average 3", difference=None)
    verdict = at_look(running, look(running, 1, None), report)
    assert verdict.decision is Decision.NOT_IDENTIFIABLE
    assert "2026-03-15" in verdict.next_step and "40 effective outcomes" in verdict.reason


def test_the_last_look_that_does_not_release_is_not_better():
    running = trial(*[(0.003, 0.005)] * 3)
    verdict = at_look(running, look(running, 4, (0.003, 0.005)), world())
    assert verdict.decision is Decision.NOT_BETTER


def test_the_last_look_that_is_not_trusted_says_what_is_missing():
    running = trial(*[(0.003, 0.005)] * 3)
    report = world(status="insufficient_evidence", reason="40 effective outcomes", difference=None)
    verdict = at_look(running, look(running, 4, None), report)
    assert verdict.decision is Decision.INSUFFICIENT_EVIDENCE
    assert "40 effective outcomes" in verdict.reason


def test_between_looks_the_next_one_is_named():
    verdict = between_looks(trial((0.01, 0.005)), "no look is due: the trial is on day 9")
    assert (verdict.decision, verdict.reason) == (Decision.WAIT, "no look is due: the trial is on day 9.")
    assert "2026-03-15" in verdict.next_step
    assert "enrols the newest bundle" in between_looks(None, "no look is due: no trial is open").next_step


@pytest.mark.parametrize("each", list(Decision))
def test_every_decision_has_a_next_step(each):
    assert Verdict(each, "Because.").next_step
    assert Verdict(each, "Because.", "Look again.").next_step == "Look again."


def test_the_template_has_trials():
    assert RULE.retrospective is None
