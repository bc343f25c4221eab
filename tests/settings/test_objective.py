from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.objective import Objective, default_form, with_form

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
    stated = (0.15, 0.3) if path.parent.name == "simulated" else (None, None)
    assert (objective.weight, objective.margin) == stated


FORMS = ["do", "total", "effect_given_met"]
EXPECTED = SimpleNamespace(
    click=np.array([[0.2, 0.1]]),
    purchase=np.array([[0.02, 0.05]]),
    click_if_not=np.array([[0.15, 0.01]]),
    purchase_if_not=np.array([[0.015, 0.01]]),
    click_unprompted=None,
    purchase_unprompted=None,
    rest_click=np.array([[0.3, 0.5]]),
    rest_purchase=np.array([[0.1, 0.1]]),
    rest_sales=np.array([[2.0, 3.0]]),
    price=np.array([10.0, 20.0]),
)


def source(organic: str = "every_impression", request: bool = True) -> Source:
    columns = {
        "time": "t",
        "item_id": "i",
        "recommended": "r",
        "click": "c",
        **({"request_id": "q"} if request else {}),
    }
    if organic == "none":
        del columns["recommended"]
    return parse_source(
        {
            "first_day": date(2026, 3, 2),
            "events": {"folder": "events", "columns": columns},
            "outcomes": {"click": {}},
            "organic_rows": organic,
        }
    )


def test_each_form_counts_what_it_says() -> None:
    def value(form: str) -> list[float]:
        objective = Objective.parse({**SETTINGS, "form": form})
        return objective.value(*objective.terms(EXPECTED))[0].tolist()

    assert value("do") == pytest.approx([np.log(0.2) + 0.5 * 0.3 * 0.2, np.log(0.1) + 0.5 * 0.3 * 1.0])
    assert value("total") == pytest.approx([0.5 + 0.5 * 0.3 * 2.2, 0.6 + 0.5 * 0.3 * 4.0])
    assert value("effect_given_met") == pytest.approx([0.05 + 0.5 * 0.3 * 0.05, 0.09 + 0.5 * 0.3 * 0.8])


def test_what_is_stored_without_a_form_is_do() -> None:
    stored = Objective.parse(SETTINGS)
    assert stored.maximises == "do" and "form" not in stored.to_json()
    stated = Objective.parse({**SETTINGS, "form": "do"})
    assert stated.to_json() == stored.to_json()
    np.testing.assert_array_equal(stated.value(*stated.terms(EXPECTED)), stored.value(*stored.terms(EXPECTED)))
    total = Objective.parse({**SETTINGS, "form": "total"})
    assert Objective.parse(total.to_json()) == total


@pytest.mark.parametrize(
    ("logs", "form"),
    [
        (source(), "total"),
        (source("interactions_only"), "total"),
        (source("none"), "do"),
        (source(request=False), "do"),
    ],
)
def test_the_form_that_is_left_out_is_total_where_whole_requests_are_logged(logs: Source, form: str) -> None:
    assert default_form(logs) == form
    assert with_form(Objective.parse({"satisfying": "click"}), logs).maximises == form


@pytest.mark.parametrize("form", FORMS)
def test_a_stated_form_is_never_another(form: str) -> None:
    stated = Objective.parse({**SETTINGS, "form": form})
    assert with_form(stated, source(), temperature=0.5) == stated


@pytest.mark.parametrize(
    ("form", "logs", "why"),
    [
        ("total", source("none"), "form: total.*organic_rows"),
        ("total", source(request=False), "form: total.*request_id"),
        ("effect_given_met", source("interactions_only"), "effect_given_met.*every_impression.*interactions_only"),
        ("effect_given_met", source("none"), "effect_given_met.*none"),
    ],
)
def test_a_form_that_the_logs_cannot_tell_is_refused(form: str, logs: Source, why: str) -> None:
    with pytest.raises(InputError, match=f"objective.yaml.*{why}"):
        with_form(Objective.parse({"satisfying": "click", "form": form}), logs)


def test_a_number_in_the_units_of_a_form_that_nobody_stated_is_refused_where_it_would_change_its_meaning() -> None:
    with pytest.raises(InputError, match=r"objective.yaml: `lambda: 0.5`.*form.*outcomes.*form: do"):
        with_form(Objective.parse(SETTINGS), source())
    with pytest.raises(InputError, match=r"policy.yaml: `temperature: 0.7`.*form"):
        with_form(Objective.parse({"satisfying": "click"}), source(), temperature=0.7)
    assert with_form(Objective.parse(SETTINGS), source("none"), temperature=0.7).maximises == "do"
    assert with_form(Objective.parse({**SETTINGS, "lambda": 0}), source()).maximises == "total"


@pytest.mark.parametrize(
    ("form", "without", "why"),
    [
        ("total", {"rest_click": None}, "rest of the request"),
        ("total", {"rest_sales": None}, "rest of the request"),
        ("effect_given_met", {"click_if_not": None, "purchase_if_not": None}, "both arms"),
    ],
)
def test_a_form_whose_model_is_missing_never_becomes_another(form: str, without: dict[str, None], why: str) -> None:
    objective = Objective.parse({**SETTINGS, "form": form})
    with pytest.raises(InputError, match=f"{form}.*{why}"):
        objective.terms(SimpleNamespace(**{**vars(EXPECTED), **without}))


# Millionths of a millionth, so that no two differ by less than a logarithm's rounding.
@given(
    arrays(np.int64, (1, 6), elements=st.integers(1_000, 1_000_000), unique=True).map(lambda n: n * 1e-12),
    st.floats(0, 1),
)
def test_without_money_and_displacement_all_forms_rank_alike(click: np.ndarray, unprompted: float) -> None:
    """log P, P + a constant, and P - a constant are increasing in P."""
    constant = np.full_like(click, unprompted * 1e-9)
    expected = SimpleNamespace(**{**vars(EXPECTED), "click": click, "click_if_not": constant, "rest_click": 0 * click})
    orders = []
    for form in FORMS:
        objective = Objective.parse({"satisfying": "click", "form": form})
        orders.append(np.argsort(objective.value(*objective.terms(expected))[0]).tolist())
    assert orders[0] == orders[1] == orders[2]


@given(st.floats(0.01, 100), st.floats(0.1, 10))
def test_what_money_is_counted_in_changes_nothing(rate: float, weight: float) -> None:
    """Prices in another currency, and lambda per unit of that: the same values."""
    for form in FORMS:
        one = Objective.parse({**SETTINGS, "form": form, "lambda": weight})
        other = Objective.parse({**SETTINGS, "form": form, "lambda": weight / rate})
        money = {"price": EXPECTED.price * rate, "rest_sales": EXPECTED.rest_sales * rate}
        converted = SimpleNamespace(**{**vars(EXPECTED), **money})
        np.testing.assert_allclose(one.value(*one.terms(EXPECTED)), other.value(*other.terms(converted)))
