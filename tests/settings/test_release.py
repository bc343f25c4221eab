import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.release import ReleaseRule

GOOD = {
    "min_effective_rounds": 100,
    "max_mean_weight_gap": 0.5,
    "max_weight_share": 0.1,
    "revenue_margin": 0.02,
    "answer_sheet": {"uniform": "random"},
}


@pytest.mark.parametrize("file", ["release.yaml", "demos/obd/release.yaml", "demos/simulated/release.yaml"])
def test_the_settings_that_come_with_the_project_are_read(file):
    assert ReleaseRule.parse(yaml.safe_load((TEMPLATE / file).read_text())).min_effective_rounds == 100


def test_the_answer_sheet_may_be_empty():
    assert ReleaseRule.parse(GOOD | {"answer_sheet": None}).answer_sheet == {}


def test_the_rule_is_said_with_what_is_asked_of_revenue():
    assert "where there is revenue, it is not shown to fall" in ReleaseRule.parse(GOOD).words()
    stricter = ReleaseRule.parse(GOOD | {"revenue": "rule_out_loss"})
    assert "where there is revenue, a loss of more than 2% of it is ruled out" in stricter.words()


def test_the_error_of_a_look_is_by_the_calendar():
    rule = ReleaseRule.parse(GOOD)
    assert rule.error_a_look(champion_logs=True) == pytest.approx(0.003889, abs=1e-6)
    assert rule.error_a_look(champion_logs=False) == pytest.approx(0.003111, abs=1e-6)
    assert rule.refresh_error() == pytest.approx(0.003889, abs=1e-6)


def test_one_look_back_has_the_error_that_is_stated():
    rule = ReleaseRule.parse(GOOD | {"retrospective": 0.025})
    assert rule.error_a_look(champion_logs=True) == rule.error_a_look(champion_logs=False) == 0.025
    assert "one look back" in rule.words() and "2.5%" in rule.words()


def test_a_trial_is_no_longer_than_the_history_that_its_error_is_of():
    with pytest.raises(InputError, match="`trial_weeks: 14` are 98 days"):
        ReleaseRule.parse(GOOD | {"trial_weeks": 14})


@pytest.mark.parametrize(
    "rows, request_id, stated, decides",
    [
        ("every_impression", True, None, "total"),
        ("interactions_only", True, None, "total"),
        ("every_impression", False, None, "raw"),
        ("none", True, None, "raw"),
        ("every_impression", True, "given_met", "given_met"),
    ],
)
def test_the_total_decides_where_it_is_logged_and_nothing_else_is_stated(rows, request_id, stated, decides):
    raw = yaml.safe_load((TEMPLATE / "demos/simulated/sources.yaml").read_text())
    raw["events"]["columns"] = {k: v for k, v in raw["events"]["columns"].items() if request_id or k != "request_id"}
    source = parse_source(raw | {"organic_rows": rows})
    assert ReleaseRule.parse(GOOD | {"estimand": stated}).deciding_estimand(source) == decides


def test_effective_outcomes_are_asked_for_unless_a_home_says_otherwise():
    assert ReleaseRule.parse(GOOD).min_effective_outcomes == 32
    assert ReleaseRule.parse(GOOD | {"min_effective_outcomes": 0}).min_effective_outcomes == 0
    with pytest.raises(InputError, match="`min_effective_outcomes` must be a number"):
        ReleaseRule.parse(GOOD | {"min_effective_outcomes": None})
