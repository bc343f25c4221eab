import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.model import parse_model_settings

TEMPLATE_SETTINGS = yaml.safe_load((TEMPLATE / "model.yaml").read_text())


def test_the_template_is_readable():
    assert parse_model_settings(TEMPLATE_SETTINGS).folds >= 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fold": 3}, r"unknown \['fold'\]"),
        ({"folds": 2}, "`folds` must be a whole number of at least 3, got 2"),
        ({"folds": 3.5}, "whole number"),
        ({"epochs": True}, "whole number"),
        ({"propensity_bound": 0.5}, r"`propensity_bound` must be in \(0, 0.5\), got 0.5"),
        ({"propensity_bound": 0}, r"must be in \(0, 0.5\)"),
        ({"weight_quantile": 0}, r"must be in \(0, 1\]"),
        ({"min_overlap_share": 1.1}, r"must be in \[0, 1\]"),
        ({"learning_rate": "fast"}, "`learning_rate` must be a number, got 'fast'"),
        ({"weight_decay": -0.1}, "weight_decay"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(change, says):
    with pytest.raises(InputError, match=says):
        parse_model_settings(TEMPLATE_SETTINGS | change)


def test_a_missing_setting_is_named():
    with pytest.raises(InputError, match=r"missing \['hidden'\]"):
        parse_model_settings({k: v for k, v in TEMPLATE_SETTINGS.items() if k != "hidden"})
