import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.release import ReleaseRule

GOOD = {
    "min_effective_rounds": 100,
    "max_mean_weight_gap": 0.5,
    "max_weight_share": 0.1,
    "revenue_margin": 0.02,
    "answer_sheet": {"uniform": "random"},
}


@pytest.mark.parametrize("file", ["release.yaml", "demos/obd/release.yaml"])
def test_the_settings_that_come_with_the_project_are_read(file):
    assert ReleaseRule.parse(yaml.safe_load((TEMPLATE / file).read_text())).min_effective_rounds == 100


def test_the_answer_sheet_may_be_empty():
    assert ReleaseRule.parse(GOOD | {"answer_sheet": None}).answer_sheet == {}


def test_the_rule_is_said_with_its_margin():
    assert "a loss of more than 2% of it" in ReleaseRule.parse(GOOD).words()


def test_effective_outcomes_are_asked_for_unless_a_home_says_otherwise():
    assert ReleaseRule.parse(GOOD).min_effective_outcomes == 32
    assert ReleaseRule.parse(GOOD | {"min_effective_outcomes": 0}).min_effective_outcomes == 0
    with pytest.raises(InputError, match="`min_effective_outcomes` must be a number"):
        ReleaseRule.parse(GOOD | {"min_effective_outcomes": None})
