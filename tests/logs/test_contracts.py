"""The contracts of the log tables: which rows they refuse, and which gaps they only name."""

from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.home import TEMPLATE
from causalrec.logs.units.covariates import covariate_names
from causalrec.logs.units.history import advance
from causalrec.logs.units.units import build_units
from causalrec.settings.logs.columns import HISTORY_COVARIATES
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract
from tests.logs.worlds import FIRST, ITEMS, SECOND, at, clean, event, frame, source

SHOWN = {"recommended": 1, "position": 1, "policy": "p", "action_propensity": 0.25, "request_id": "r"}
EVENTS = clean(
    frame(
        event("1", at(SECOND, 9), "hat", click=1, purchase=1, **SHOWN),
        event("2", at(SECOND, 10), "shoe", user="bob"),
    )
)
EVENT_PARAMS = {
    "landed_rows": 2,
    "forgotten_rows": 0,
    "outcome_rows": 0,
    "purchase_needs_click": True,
    "logs_propensities": True,
    "logs_first_slots": False,
    "marks_recommended": True,
    "few_wrong": True,
    "no_lines_lost": True,
    "any_outcome": True,
    "weighable": True,
}
SHOP = source(outcomes={"click": {}, "purchase": {}})
HISTORY = advance({}, {FIRST: EVENTS}, ITEMS, SHOP, FIRST)
UNITS = build_units(EVENTS, HISTORY, ITEMS, SHOP, SECOND)
UNIT_PARAMS = {
    "events": 2,
    "no_far_values": True,
    "marks_recommended": True,
    "covariates": ["item_id"],
    **{f"has_{c}": c in covariate_names(SHOP) for c in HISTORY_COVARIATES},
    "outcomes_come_on_the_day": True,
}
HISTORY_PARAMS = {"within_window": True, "outcomes_come_on_the_day": True}
CATALOGUE = ITEMS.select(
    "item_id",
    pl.lit("a title").alias("title"),
    pl.lit("text").alias("description"),
    "category",
    "price",
    "published_at",
)
USERS = pl.DataFrame({"user_id": ["ann", "bob"], "age_group": ["30", None]})


def contract(table):
    return parse_contract(table, yaml.safe_load((TEMPLATE / "contracts" / f"{table}.yaml").read_text()))


def broken(table, rows, params=None):
    return [finding.rule for finding in audit(contract(table), rows, params or {}).broken]


def said(table, rows, params=None):
    return [finding.rule for finding in audit(contract(table), rows, params or {}).warnings if not finding.held]


def first(**values):
    """The first row gets values."""
    row = pl.int_range(pl.len()) == 0

    def change(rows):
        return rows.with_columns(
            pl.when(row).then(pl.lit(value)).otherwise(name).cast(rows.schema[name]).alias(name)
            for name, value in values.items()
        )

    return change


def second(**values):
    return lambda rows: first(**values)(rows.reverse()).reverse()


@pytest.mark.parametrize(
    ("table", "rows", "params"),
    [
        ("items", CATALOGUE, {}),
        ("users", USERS, {}),
        ("clean_events", EVENTS, EVENT_PARAMS),
        ("history", HISTORY, HISTORY_PARAMS),
        ("units", UNITS, UNIT_PARAMS),
    ],
)
def test_good_rows_hold_and_nothing_is_said(table, rows, params):
    assert broken(table, rows, params) == []
    assert said(table, rows, params) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (first(event_id="2"), "column_values_to_be_unique(event_id)"),
        (first(event_id=None), "column_values_to_not_be_null(event_id)"),
        (first(time=None), "column_values_to_not_be_null(time)"),
        (first(item_id=None), "column_values_to_not_be_null(item_id)"),
        (first(recommended=2), "column_values_to_be_in_set(recommended)"),
        (first(recommended=None), "column_values_to_not_be_null(recommended)"),
        (first(click=3), "column_values_to_be_in_set(click)"),
        (first(purchase=-1), "column_values_to_be_in_set(purchase)"),
        (first(click=0), "a_purchase_has_a_click"),
        (first(click=None), "a_purchase_has_a_click"),
        (first(action_propensity=0.0), "action_propensity_in_0_1"),
        (first(action_propensity=1.01), "action_propensity_in_0_1"),
        (second(action_propensity=0.5), "organic_rows_have_no_action_propensity"),
        (first(position=0), "position_from_1"),
        (first(revenue=-1.0), "revenue_not_negative"),
        (lambda rows: rows.head(1), "rows_reconcile"),
        (lambda rows: rows.drop("policy"), "schema"),
        (lambda rows: rows.with_columns(pl.col("click").cast(pl.Int64)), "schema"),
    ],
)
def test_a_wrong_event_is_refused(change, rule):
    assert rule in broken("clean_events", change(EVENTS), EVENT_PARAMS)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (first(action_propensity=None), "recommended_rows_have_an_action_propensity"),
        (lambda rows: rows.with_columns(position=pl.lit(1, pl.Int64), request_id=pl.lit("r")), "one_item_a_slot"),
        (lambda rows: rows.with_columns(item_id=pl.lit("hat"), request_id=pl.lit("r")), "an_item_once_a_slate"),
    ],
)
def test_what_is_only_not_judged_is_said_and_refuses_nothing(change, rule):
    rows = change(EVENTS.with_columns(position=pl.int_range(1, pl.len() + 1)))
    assert broken("clean_events", rows, EVENT_PARAMS) == []
    assert rule in said("clean_events", rows, EVENT_PARAMS)


def test_what_a_source_does_not_say_is_not_asked():
    rows = EVENTS.with_columns(
        action_propensity=pl.lit(None, pl.Float64),
        recommended=pl.lit(None, pl.Int8),
        click=pl.lit(0, pl.Int8),
    )
    params = EVENT_PARAMS | {
        "purchase_needs_click": False,
        "logs_propensities": False,
        "marks_recommended": False,
    }
    assert broken("clean_events", rows, params) == []


def test_gaps_of_the_events_are_named_and_refuse_nothing():
    one_arm = EVENTS.with_columns(recommended=pl.lit(0, pl.Int8), action_propensity=pl.lit(None, pl.Float64))
    params = EVENT_PARAMS | {"any_outcome": False, "weighable": False}
    assert broken("clean_events", one_arm, params) == []
    assert said("clean_events", one_arm, params) == ["both_arms", "any_outcome", "action_propensities"]


def test_a_day_without_events_holds_and_is_named():
    params = EVENT_PARAMS | {"landed_rows": 0, "any_outcome": False, "weighable": False}
    assert broken("clean_events", EVENTS.clear(), params) == []
    assert "any_event" in said("clean_events", EVENTS.clear(), params)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (first(unit_id="2"), "column_values_to_be_unique(unit_id)"),
        (lambda rows: rows.head(1), "table_row_count_to_equal"),
        (first(recommended=None), "column_values_to_not_be_null(recommended)"),
        (first(day=SECOND - timedelta(days=1)), "the_time_is_of_the_day"),
        (first(hour=24), "column_values_to_be_between(hour)"),
        (first(weekday=0), "column_values_to_be_between(weekday)"),
        (first(user_exposures=None), "column_values_to_not_be_null(user_exposures)"),
        (first(user_tenure_days=None), "column_values_to_not_be_null(user_tenure_days)"),
        (first(user_tenure_days=-1), "column_values_to_be_between(user_tenure_days)"),
        (first(user_purchases=None), "column_values_to_not_be_null(user_purchases)"),
        (first(user_recency_days=0), "column_values_to_be_between(user_recency_days)"),
        (first(item_purchase_rate=1.5), "column_values_to_be_between(item_purchase_rate)"),
        (first(item_price_change=-2.0), "column_values_to_be_between(item_price_change)"),
        (first(unknown_item=2), "column_values_to_be_in_set(unknown_item)"),
        (first(item_exposures=None), "column_values_to_not_be_null(item_exposures)"),
        (first(item_click_rate=float("nan")), "column_values_to_not_be_null(item_click_rate)"),
        (first(item_click_rate=1.5), "column_values_to_be_between(item_click_rate)"),
        (first(user_category_click_rate=None), "column_values_to_not_be_null(user_category_click_rate)"),
        (first(user_clicks=99), "clicks_before_are_exposures_before"),
    ],
)
def test_a_wrong_unit_is_refused(change, rule):
    assert rule in broken("units", change(UNITS), UNIT_PARAMS)


def test_outcomes_that_come_days_later_may_outlive_their_exposures():
    late = {"outcomes_come_on_the_day": False}
    assert broken("history", first(clicks=99)(HISTORY), HISTORY_PARAMS | late) == []
    assert broken("units", first(user_clicks=99)(UNITS), UNIT_PARAMS | late) == []


def test_a_number_that_is_nan_is_refused():
    assert broken("units", first(price=float("nan"))(UNITS), UNIT_PARAMS) == ["no_nan"]


def test_units_of_one_arm_are_answered_not_refused():
    one_arm = UNITS.with_columns(recommended=pl.lit(1, pl.Int8))
    assert broken("units", one_arm, UNIT_PARAMS) == []
    assert said("units", one_arm, UNIT_PARAMS) == ["both_arms"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (first(entity="shop"), "column_values_to_be_in_set(entity)"),
        (first(exposures=None), "column_values_to_not_be_null(exposures)"),
        (first(exposures=-1), "column_values_to_be_between(exposures)"),
        (first(first_seen=SECOND, last_seen=FIRST), "seen_in_order"),
        (first(exposures=0, last_seen=FIRST), "who_was_seen_was_exposed"),
        (first(priced=99), "prices_are_of_exposures"),
        (lambda rows: pl.concat([rows, rows.head(1)]), "compound_columns_to_be_unique"),
        (first(clicks=-1), "column_values_to_be_between(clicks)"),
        (first(clicks=99), "clicks_are_exposures"),
        (first(user_id=None, item_id=None), "every_row_is_of_somebody"),
    ],
)
def test_a_wrong_history_is_refused(change, rule):
    found = broken("history", change(HISTORY), HISTORY_PARAMS)
    assert [name for name in found if name.startswith(rule)] != []


def test_a_history_that_reaches_too_far_is_refused():
    assert broken("history", HISTORY, HISTORY_PARAMS | {"within_window": False}) == ["within_window"]


def test_wrong_items_and_users_are_refused():
    assert broken("items", first(item_id="shoe")(CATALOGUE)) == ["column_values_to_be_unique(item_id)"]
    assert broken("items", first(price=-1.0)(CATALOGUE)) == ["column_values_to_be_between(price)"]
    assert broken("users", first(user_id=None)(USERS)) == ["column_values_to_not_be_null(user_id)"]
    assert broken("users", first(user_id="bob")(USERS)) == ["column_values_to_be_unique(user_id)"]


def test_items_without_text_are_named():
    assert said("items", CATALOGUE.with_columns(title=pl.lit(None, pl.String))) == ["items_have_text"]
