"""The release rule in three worlds, each a literal frame of the two rows that decide."""

from datetime import date

import polars as pl
import pytest

from causalrec.answers import Status, insufficient_evidence, not_available, not_identifiable
from causalrec.evaluation.policy_values import SCHEMA
from causalrec.evaluation.verdict import decide
from tests.evaluation.rules import release_rule

RULE = release_rule(100, 0.5, 0.1, 0.02, {})
KEYS = {
    "segment": "everyone",
    "policy": "challenger",
    "estimator": "dr",
    "baseline": "logging policy",
    "status": "answered",
    "reason": "",
    "rounds": 1000,
    "first_day": date(2026, 3, 2),
    "last_day": date(2026, 3, 5),
}


def world(satisfaction=(0.01, 0.005, 0.015), revenue=(0.05, -0.01, 0.11), **others):
    """Differences with their limits, from 10 % satisfaction and a revenue of 1 per recommendation."""
    rows = []
    for metric, base, interval in (("satisfaction", 0.1, satisfaction), ("revenue", 1.0, revenue)):
        if interval is not None:
            difference, lower, upper = interval
            rows.append(
                {
                    **KEYS,
                    "metric": metric,
                    "estimate": base + difference,
                    "difference": difference,
                    "difference_lower": lower,
                    "difference_upper": upper,
                    **others,
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def decision(*args, **kwargs):
    return decide(world(*args, **kwargs), RULE).decision.value


def test_better_satisfaction_and_no_loss_of_revenue_is_better():
    assert decision() == "better"


def test_without_revenue_satisfaction_alone_decides():
    assert decision(revenue=None) == "better"
    assert decision(satisfaction=(0.01, -0.001, 0.02), revenue=None) == "not_better"


def test_an_interval_of_satisfaction_that_reaches_0_is_not_better():
    assert decision(satisfaction=(0.01, 0.0, 0.02)) == "not_better"


def test_better_satisfaction_at_the_cost_of_revenue_is_not_better():
    assert decision(revenue=(-0.1, -0.15, -0.05)) == "not_better"


def test_a_loss_within_the_margin_is_allowed():
    assert decision(revenue=(0.0, -0.019, 0.019)) == "better"


def test_a_loss_beyond_the_margin_that_cannot_be_ruled_out_is_insufficient_evidence():
    verdict = decide(world(revenue=(0.0, -0.3, 0.3)), RULE)
    assert verdict.decision.value == "insufficient_evidence"
    assert "up to 0.3000 cannot be ruled out" in verdict.reason
    assert "0.0200 (2% of today's)" in verdict.reason


def test_how_many_more_rounds_would_rule_a_loss_out_is_worked_out():
    # 1,000 rounds give a half width of 0.3; room for 0.02 + 0.04 = 0.06 takes (0.3 / 0.06)^2 = 25 times as many.
    verdict = decide(world(revenue=(0.04, -0.26, 0.34)), RULE)
    assert "about 24,000 more judged rounds would rule it out" in verdict.reason
    assert "100 judgement days like these 4 (learning.yaml: judgement_days)" in verdict.reason


def test_where_the_loss_is_larger_than_allowed_more_rounds_would_show_it():
    # The half width 0.3 falls below the loss of 0.1 with 9 times as many.
    verdict = decide(world(revenue=(-0.1, -0.4, 0.2)), RULE)
    assert verdict.decision.value == "insufficient_evidence"
    assert "about 8,000 more judged rounds would show the loss that is estimated now" in verdict.reason


def test_where_nothing_may_be_lost_and_nothing_changes_no_number_of_rounds_is_named():
    verdict = decide(world(revenue=(0.0, -0.3, 0.3)), release_rule(100, 0.5, 0.1, 0.0, {}))
    assert "no number of rounds would rule it out" in verdict.reason


@pytest.mark.parametrize("status", ["not_available", "not_identifiable", "insufficient_evidence"])
@pytest.mark.parametrize("metric", ["satisfaction", "revenue"])
def test_the_verdict_keeps_the_typed_answer_of_what_it_lacks(metric, status):
    frame = world().with_columns(
        status=pl.when(pl.col("metric") == metric).then(pl.lit(status)).otherwise("status"),
        reason=pl.lit("nobody logs it"),
    )
    verdict = decide(frame, RULE)
    assert (verdict.decision.value, "nobody logs it" in verdict.reason) == (status, True)


@pytest.mark.parametrize(
    "answer", [not_available("no clicks"), not_identifiable("no arm"), insufficient_evidence("few")]
)
def test_without_a_challenger_the_verdict_is_the_answer_that_there_is_none(answer):
    assert decide(world().clear(), RULE, answer).decision.value == answer.status.value
    assert decide(world().clear(), RULE).decision.value == Status.NOT_AVAILABLE.value


@pytest.mark.parametrize("metric", ["satisfaction", "revenue"])
def test_trust_comes_before_the_numbers(metric):
    frame = world().with_columns(
        status=pl.when(pl.col("metric") == metric).then(pl.lit("insufficient_evidence")).otherwise("status"),
        reason=pl.lit("2 effective rounds of 10,000"),
    )
    verdict = decide(frame, RULE)
    assert verdict.decision.value == "insufficient_evidence"
    assert f"The {metric} of the challenger cannot be told: 2 effective rounds of 10,000" in verdict.reason


def test_without_a_challenger_the_reason_is_the_models():
    verdict = decide(world().clear(), RULE, insufficient_evidence("2 training days"))
    assert (verdict.decision.value, verdict.reason) == (
        "insufficient_evidence",
        "There is no challenger to judge: 2 training days.",
    )


def test_segments_and_other_estimators_do_not_decide():
    worse = pl.concat(
        [
            world(satisfaction=(-0.1, -0.2, -0.05), segment="device=mobile"),
            world(satisfaction=(-0.1, -0.2, -0.05), estimator="ips"),
        ]
    )
    assert decide(pl.concat([world(), worse]), RULE).decision.value == "better"


def test_the_reason_has_the_numbers_and_what_they_are_compared_with():
    reason = decide(world(baseline="champion"), RULE).reason
    assert "from 10.00 % (champion) to 11.00 %: +1.00 points (95 % interval +0.50 to +1.50)" in reason
    assert "from 1.0000 (champion) to 1.0500: +0.0500 (95 % interval -0.0100 to +0.1100)" in reason


def test_satisfaction_that_is_not_better_decides_whether_or_not_revenue_can_be_told():
    differences = world(satisfaction=(0.01, -0.001, 0.02))
    of_revenue = pl.when(pl.col("metric") == "revenue").then(pl.lit("insufficient_evidence"))
    untold = differences.with_columns(status=of_revenue.otherwise("status"))
    assert decide(untold, RULE).decision.value == "not_better"
