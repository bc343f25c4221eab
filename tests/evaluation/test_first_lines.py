"""What a person reads first is said of every report, and is worked out from its rows."""

import polars as pl
import pytest

from causalrec.evaluation.policy_values import SCHEMA
from causalrec.evaluation.report.first_lines import Judged, first_lines
from causalrec.evaluation.verdict import Decision, Verdict
from tests.evaluation.rules import release_rule
from tests.evaluation.test_verdict import world

RULE = release_rule(100, 0.5, 0.1, 0.02, {})


def lines(report, **changes):
    fields = {
        "verdict": Verdict(Decision.BETTER, "Because."),
        "report": report,
        "rule": RULE,
        "satisfying": "click",
        "slots": 1000,
    }
    return {line.name: line for line in first_lines(Judged(**(fields | changes)))}


def anyway(report, **changes):
    """The three lines of what would happen anyway: what decides, given met, given not shown."""
    fields = {"verdict": Verdict(Decision.BETTER, "Because."), "report": report, "rule": RULE, "satisfying": "click"}
    told = first_lines(Judged(**(fields | changes)))
    return [line for line in told if line.name == "What would happen anyway"]


def estimand_rows(**of):
    """The raw row of the challenger at 11 %, and what would have happened anyway by estimand."""
    rows = [world(revenue=None).with_columns(estimand=pl.lit("raw"))]
    for estimand, values in of.items():
        changed = {name: pl.lit(value) for name, value in values.items()}
        rows.append(world(revenue=None).with_columns(estimand=pl.lit(estimand), **changed))
    return pl.concat(rows, how="diagonal_relaxed")


@pytest.mark.parametrize("report", [world(), world().clear(), world(revenue=None)])
def test_every_line_is_said(report):
    for line in lines(report).values():
        assert line.words.strip()
    assert len(lines(report)) == len(lines(world()))


def test_a_week_is_counted_from_the_judged_days_own_slots():
    # 1,000 slots on 4 days are 1,750 a week; +1 point of them are 17.5 clicks, and 0.05 each 87.5 of money.
    words = lines(world())["What it means a week"].words
    assert "1,750 recommended slots a week" in words
    assert "+17.5 (+8.75 to +26.2) clicks a week" in words
    assert "+87.5 (-17.5 to +192) of revenue" in words


def test_money_that_nobody_stated_is_no_zero():
    said = lines(world(revenue=None), no_revenue="no margin is stated in objective.yaml")
    assert "In money it is not known: no margin is stated" in said["What it means a week"].words
    assert said["Revenue"].status == "not_available"


def test_the_guardrail_says_what_is_asked_and_how_many_rounds_it_would_take():
    assert lines(world(revenue=(0.0, -0.019, 0.019)))["Revenue"].words.endswith("is ruled out. Met.")
    words = lines(world(revenue=(0.04, -0.26, 0.34)))["Revenue"].words
    assert "Not met: about 24,000 more judged rounds would rule it out" in words


def test_what_would_have_happened_anyway_is_a_share_of_the_raw_rate():
    report = estimand_rows(
        given_met={"anyway": 0.0935, "anyway_lower": 0.088, "anyway_upper": 0.099},
        given_not_shown={"anyway": 0.0022, "anyway_lower": 0.0011, "anyway_upper": 0.0033},
    )
    decides, met, not_shown = anyway(report, estimand="total")
    assert decides.words.startswith("What decides is the total")
    assert met.words.endswith("85 % (80 % to 90 %) of the new policy's 11.00 %, which is 9.35 % (8.80 to 9.90).")
    assert not_shown.words.endswith(
        "2.0 % (1.0 % to 3.0 %) of the new policy's 11.00 %, which is 0.22 % (0.11 to 0.33)."
    )


def test_what_cannot_be_identified_has_bounds_and_says_what_it_would_take():
    gap = {"status": "not_identifiable", "reason": "no organic row is logged; log them", "estimate": None}
    _, met, not_shown = anyway(estimand_rows(given_met=gap | {"anyway_lower": 0.0, "anyway_upper": 0.11}))
    assert (met.status, not_shown.status) == ("not_identifiable", "not_available")
    assert met.words.endswith("not known. No organic row is logged; log them. It lies between 0.00 % and 11.00 %.")


@pytest.mark.parametrize("decision", list(Decision))
def test_every_decision_has_a_next_step(decision):
    assert Verdict(decision, "Because.").next_step
    assert Verdict(decision, "Because.", "Look again.").next_step == "Look again."


def test_without_a_challenger_each_line_says_so():
    said = lines(pl.DataFrame(schema=SCHEMA), verdict=Verdict(Decision.NOT_AVAILABLE, "No clicks."))
    assert said["How sure it is"].words == "Not known: there is no challenger to judge."
    assert said["How sure it is"].status == "not_available"
