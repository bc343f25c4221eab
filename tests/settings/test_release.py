import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.release import parse_release

GOOD = {
    "min_effective_rounds": 100,
    "max_mean_weight_gap": 0.5,
    "max_weight_share": 0.1,
    "revenue_margin": 0.02,
    "answer_sheet": {"uniform": "random"},
}


@pytest.mark.parametrize("file", ["release.yaml", "demos/obd/release.yaml"])
def test_the_settings_that_come_with_the_project_are_read(file):
    assert parse_release(yaml.safe_load((TEMPLATE / file).read_text())).min_effective_rounds == 100


def test_the_answer_sheet_may_be_empty():
    assert parse_release(GOOD | {"answer_sheet": None}).answer_sheet == {}


def test_the_rule_is_said_with_its_margin():
    assert "a loss of more than 2% of it" in parse_release(GOOD).words()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_effectve_rounds": 1}, "needs exactly"),
        ({"revenue_margin": -0.1}, "`revenue_margin` must be a number of at least 0"),
        ({"max_weight_share": "a lot"}, "`max_weight_share` must be a number"),
        ({"max_mean_weight_gap": True}, "`max_mean_weight_gap` must be a number"),
        ({"min_effective_rounds": float("nan")}, "`min_effective_rounds` must be a number"),
        ({"answer_sheet": ["uniform"]}, "`answer_sheet` maps a policy"),
    ],
)
def test_a_wrong_setting_is_named(change, message):
    with pytest.raises(InputError, match=message):
        parse_release(GOOD | change)


def test_effective_outcomes_are_asked_for_unless_a_home_says_otherwise():
    assert parse_release(GOOD).min_effective_outcomes == 32
    assert parse_release(GOOD | {"min_effective_outcomes": 0}).min_effective_outcomes == 0
    with pytest.raises(InputError, match="`min_effective_outcomes` must be a number"):
        parse_release(GOOD | {"min_effective_outcomes": None})
