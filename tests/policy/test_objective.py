import numpy as np
import pytest
import yaml

from causalrec_assets.answers import InputError, Status
from causalrec_assets.home import TEMPLATE
from causalrec_assets.policy.objective import Objective, parse_objective

SETTINGS = {"satisfying_outcome": "click", "lambda": 0.5, "currency": "EUR", "money": {"purchase": {"margin": 0.3}}}


@pytest.fixture
def objective() -> Objective:
    return parse_objective(SETTINGS)


def test_satisfaction_is_the_log_of_the_satisfying_probability(objective: Objective) -> None:
    np.testing.assert_allclose(objective.satisfaction(np.array([1.0, 0.1])), [0.0, np.log(0.1)])


def test_satisfaction_prefers_what_is_clicked() -> None:
    # The mean of log P over Y ~ P, minus the entropy, would prefer the item that nobody clicks.
    objective = parse_objective(SETTINGS)
    often, never = objective.satisfaction(np.array([0.05, 0.01]))
    assert often > never


def test_revenue_is_margin_times_price_times_purchase(objective: Objective) -> None:
    np.testing.assert_allclose(objective.revenue(np.array([0.02, 0.1]), np.array([50.0, 10.0])), [0.3, 0.3])


def test_a_click_may_bring_money_too() -> None:
    objective = parse_objective({**SETTINGS, "money": {"purchase": {"margin": 0.0}, "click": {"amount": 0.2}}})
    np.testing.assert_allclose(objective.revenue(np.array([0.1]), np.array([9.0]), np.array([0.5])), [0.1])
    with pytest.raises(ValueError, match="probability"):
        objective.revenue(np.array([0.1]), np.array([9.0]))


def test_lambda_weighs_money_against_satisfaction(objective: Objective) -> None:
    np.testing.assert_allclose(objective.combine(np.array([-2.0]), np.array([3.0])), [-0.5])
    np.testing.assert_allclose(objective.combine(np.array([-2.0]), None), [-2.0])


def test_a_gap_of_revenue_is_an_answer(objective: Objective) -> None:
    assert objective.revenue_answer(True, True).answered
    for answer in (objective.revenue_answer(False, True), objective.revenue_answer(True, False)):
        assert answer.status is Status.NOT_AVAILABLE
        assert "satisfaction alone" in answer.reason
    poor = parse_objective({**SETTINGS, "money": {}})
    assert poor.revenue_answer(True, True).status is Status.NOT_AVAILABLE
    with pytest.raises(ValueError, match="no money"):
        poor.revenue(np.array([0.1]), np.array([1.0]))


@pytest.mark.parametrize("probability", [0.0, 1.1, np.nan])
def test_satisfaction_refuses_what_is_no_probability(objective: Objective, probability: float) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        objective.satisfaction(np.array([0.5, probability]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lamda": 1}, "lamda"), ({"lambda": -1}, "lambda"), ({"lambda": "much"}, "lambda"), ({"lambda": True}, "lambda"),
        ({"satisfying_outcome": "joy"}, "satisfying_outcome"), ({"money": {"return": {}}}, "return"),
        ({"money": {"purchase": {"margin": None}}}, "money.purchase.margin"), ({"money": {"purchase": 3}}, "money.purchase"),
        ({"money": {"click": {"amount": 1}}}, "money.click"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=f"objective.yaml.*{named}"):
        parse_objective({**SETTINGS, **change})


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(InputError, match="currency"):
        parse_objective({"satisfying_outcome": "click", "lambda": 1})


def test_settings_survive_the_bundle() -> None:
    rich = parse_objective({**SETTINGS, "money": {"purchase": {"margin": 0.3}, "click": {"amount": 0.2}}})
    for objective in (rich, parse_objective({**SETTINGS, "money": {}})):
        assert parse_objective(objective.to_settings()) == objective


@pytest.mark.parametrize("file", ["objective.yaml", "demos/obd/objective.yaml"])
def test_the_templates_parse(file: str) -> None:
    parse_objective(yaml.safe_load((TEMPLATE / file).read_text()))
