from pathlib import Path

import numpy as np
import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.objective import Objective

SETTINGS = {"satisfying": "click", "lambda": 0.5, "margin": 0.3}


def test_satisfaction_is_the_log_of_the_satisfying_probability() -> None:
    click, purchase = np.array([1.0, 0.1]), np.array([0.5, 0.01])
    np.testing.assert_allclose(Objective.parse(SETTINGS).satisfaction(click, purchase), [0.0, np.log(0.1)])
    by_purchase = Objective.parse({**SETTINGS, "satisfying": "purchase"})
    np.testing.assert_allclose(by_purchase.satisfaction(click, purchase), np.log(purchase))


def test_satisfaction_prefers_what_is_clicked() -> None:
    # The mean of log P over Y ~ P, minus the entropy, would prefer the item that nobody clicks.
    often, never = Objective.parse(SETTINGS).satisfaction(np.array([0.05, 0.01]), None)
    assert often > never


def test_a_purchase_that_nobody_logs_cannot_satisfy() -> None:
    with pytest.raises(InputError, match="no purchases"):
        Objective.parse({**SETTINGS, "satisfying": "purchase"}).satisfaction(np.array([0.1]), None)


def test_revenue_is_margin_times_price_times_purchase() -> None:
    objective = Objective.parse(SETTINGS)
    revenue = objective.revenue(np.array([0.02, 0.1]), np.array([50.0, 10.0]))
    assert revenue is not None
    np.testing.assert_allclose(revenue, [0.3, 0.3])


def test_without_purchases_or_prices_items_rank_by_satisfaction_alone() -> None:
    objective = Objective.parse(SETTINGS)
    assert objective.revenue(None, np.array([1.0])) is None
    assert objective.revenue(np.array([0.1]), None) is None
    np.testing.assert_allclose(objective.value(np.array([-2.0]), None), [-2.0])


def test_lambda_weighs_money_against_satisfaction() -> None:
    np.testing.assert_allclose(Objective.parse(SETTINGS).value(np.array([-2.0]), np.array([3.0])), [-0.5])


def test_without_a_stated_margin_there_is_no_revenue_and_items_rank_by_satisfaction_alone() -> None:
    objective = Objective.parse({"satisfying": "click"})
    assert objective.margin is None and objective.weight is None
    assert objective.revenue(np.array([0.1]), np.array([50.0])) is None
    np.testing.assert_allclose(objective.value(np.array([-2.0]), None), [-2.0])


def test_with_a_margin_and_no_lambda_revenue_is_there_and_does_not_rank() -> None:
    objective = Objective.parse({"satisfying": "click", "margin": 0.2})
    revenue = objective.revenue(np.array([0.1]), np.array([50.0]))
    assert revenue is not None
    np.testing.assert_allclose(revenue, [1.0])
    np.testing.assert_allclose(objective.value(np.array([-2.0]), revenue), [-2.0])


@pytest.mark.parametrize("settings", [SETTINGS, {"satisfying": "click"}, {"satisfying": "purchase", "margin": 1}])
def test_a_bundles_copy_says_the_same(settings: dict[str, object]) -> None:
    objective = Objective.parse(settings)
    assert Objective.parse(objective.to_json()) == objective


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lamda": 1}, "lamda"),
        ({"lambda": -1}, "lambda"),
        ({"lambda": "much"}, "much"),
        ({"lambda": float("nan")}, "lambda"),
        ({"lambda": True}, "lambda"),
        ({"margin": 2}, "margin"),
        ({"margin": "30%"}, "margin"),
        ({"margin": None}, "margin"),
        ({"satisfying": "joy"}, "satisfying"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=f"objective.yaml.*{named}"):
        Objective.parse({**SETTINGS, **change})


@pytest.mark.parametrize("path", sorted(TEMPLATE.glob("**/objective.yaml")), ids=lambda p: p.parent.name)
def test_money_is_stated_for_the_simulated_shop_only(path: Path) -> None:
    objective = Objective.parse(yaml.safe_load(path.read_text()))
    stated = (0.5, 0.3) if path.parent.name == "simulated" else (None, None)
    assert (objective.weight, objective.margin) == stated
