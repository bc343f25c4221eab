"""What a person reads first is said of every report, and is worked out from its rows."""

import polars as pl
import pytest

from causalrec.evaluation.report.first_lines import Judged, first_lines
from causalrec.evaluation.verdict import Decision, Verdict, between_looks, look_back
from tests.evaluation.looks import BACK, COLUMNS, RULE, trial, world


def told(report, **changes):
    fields = {
        "verdict": look_back(report, BACK, "raw"),
        "report": report,
        "rule": BACK,
        "satisfying": "click",
        "estimand": "raw",
        "slots": 1000,
    }
    return first_lines(Judged(**(fields | changes)))


def lines(report, **changes):
    return {line.name: line for line in told(report, **changes)}


def anyway(report, **changes):
    """The three lines of what would happen anyway: what decides, given met, given not shown."""
    return [line for line in told(report, **changes) if line.name == "What would happen anyway"]


def estimand_rows(**of):
    """The raw row of the challenger at 11 %, and what would have happened anyway by estimand."""
    rows = [world(revenue=None)]
    for estimand, values in of.items():
        changed = {name: pl.lit(value, dtype=COLUMNS[name]) for name, value in values.items()}
        rows.append(world(revenue=None, estimand=estimand).with_columns(**changed))
    return pl.concat(rows)


@pytest.mark.parametrize("report", [world(), world().clear(), world(revenue=None)])
def test_every_line_is_said(report):
    for line in lines(report).values():
        assert line.words.strip()
    assert len(lines(report)) == len(lines(world()))


def test_a_week_is_counted_from_the_judged_days_own_slots():
    # 1,000 slots on 4 days are 1,750 a week; +1 point of them are 17.5 clicks, and 0.05 each 87.5 of money.
    words = lines(world())["What it means a week"].words
    assert "1,750 recommended slots a week" in words
    assert "+17.5 (+10.5 to +24.5) clicks a week" in words
    assert "+87.5 (-17.5 to +192) of revenue" in words
    # 1,000 judged slots of 100 users.
    assert "+0.10 clicks for each of 100 users" in lines(world(clusters=100))["What it means a week"].words
    assert "for each of" not in lines(world(), cluster="request_id")["What it means a week"].words


def test_what_a_person_asks_first_is_answered_first():
    names = list(lines(world()))
    assert names[:5] == [
        "Next step",
        "How far it is",
        "How sure it is",
        "What it means a week",
        "What would happen anyway",
    ]


def test_money_that_nobody_stated_is_no_zero():
    said = lines(world(revenue=None), no_revenue="no margin is stated in objective.yaml")
    assert "In money it is not known: no margin is stated" in said["What it means a week"].words
    assert said["Revenue"].status == "not_available"


def test_the_guardrail_says_what_is_asked_and_what_the_stricter_one_would_take():
    words = lines(world(revenue=(0.0, 0.1)))["Revenue"].words
    assert "Asked of revenue: no sign of harm. It is not shown to fall" in words
    # The reach of 1.96 x 0.1 falls to the margin of 0.02 with (9.8)^2 = 96 times the rounds.
    assert "would take about 95,0" in words
    # 1,000 rounds on 4 days are 1,750 a week.
    assert "(about 54 weeks at this pace)" in words


def test_what_trust_lacks_is_said_as_the_rule_says_it():
    reason = "40 effective outcomes; about 1,500 more rounds like these (less than a week at this pace) would do"
    report = world(revenue=None, status="insufficient_evidence", reason=reason)
    assert reason in lines(report)["What it rests on"].words


def test_what_would_have_happened_anyway_is_a_share_of_the_raw_rate():
    report = estimand_rows(
        given_met={"anyway": 0.0935, "anyway_lower": 0.088, "anyway_upper": 0.099},
        given_not_shown={"anyway": 0.0022, "anyway_lower": 0.0011, "anyway_upper": 0.0033},
    )
    decides, met, not_shown = anyway(report, estimand="total")
    assert decides.words.startswith("What decides is the total")
    assert met.words.endswith(
        "they would still bring 9.35 % (8.80 to 9.90) instead of 11.00 %: 85 % (80 % to 90 %) would happen anyway "
        "(given met)."
    )
    assert "0.22 % (0.11 to 0.33) instead of 11.00 %: 2.0 % (1.0 % to 3.0 %) would happen anyway" in not_shown.words
    assert not_shown.words.endswith("(given not shown).")
    rests = {"anyway": 0.0022, "anyway_lower": 0.0011, "anyway_upper": 0.0033, "reason": "how likely: logged"}
    assert anyway(estimand_rows(given_not_shown=rests))[2].words.endswith("(given not shown). How likely: logged.")


def test_what_cannot_be_identified_has_bounds_and_says_what_it_would_take():
    gap = {"status": "not_identifiable", "reason": "no organic row is logged; log them", "estimate": None}
    _, met, not_shown = anyway(estimand_rows(given_met=gap | {"anyway_lower": 0.0, "anyway_upper": 0.11}))
    assert (met.status, not_shown.status) == ("not_identifiable", "not_available")
    assert met.words.endswith(
        "(given met): no organic row is logged; log them. Between 0.00 % and 11.00 % would, if no recommendation keeps "
        "anybody from an item; without that assumption, between 0 % and 100 %."
    )


def test_without_a_challenger_each_line_says_so():
    empty = world().clear()
    said = lines(empty, verdict=Verdict(Decision.NOT_AVAILABLE, "No clicks."))
    assert said["How sure it is"].words == "Not known: there is no challenger to judge."
    assert said["How sure it is"].status == "not_available"


def test_a_running_trial_is_told_instead_of_the_days_of_the_report():
    running = trial((0.004, 0.004))
    verdict = between_looks(running, "no look is due: the trial is on day 9")
    said = lines(world(), verdict=verdict, trial=running, rule=RULE)
    assert said["How far it is"].words.startswith("Day 0 of 28 of the trial of 01234567")
    assert "at all looks at once (repeated interval)" in said["How sure it is"].words
    assert said["Next step"].words == verdict.next_step


def test_a_look_that_is_not_trusted_says_what_is_missing():
    running = trial(None)
    said = lines(world(), verdict=between_looks(running, "no look is due"), trial=running, rule=RULE)
    assert said["What it rests on"].status == "insufficient_evidence"
    assert "40 effective outcomes of the difference, 100 are asked for" in said["What it rests on"].words
