"""What the model stage's contracts let through, and the fault that each of their rules is for."""

import polars as pl
import pytest
import yaml

from causalrec.home import TEMPLATE
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract

NAN = float("nan")
PROPENSITIES = pl.DataFrame(
    {
        "unit_id": ["a", "b"],
        "question": ["q", "q"],
        "treatment": [1, 0],
        "propensity": [0.6, 0.4],
        "fold": [0, 1],
    },
    schema_overrides={"treatment": pl.Int8},
)
ACTIONS = pl.DataFrame({"unit_id": ["a", "b"], "action_propensity": [1.0, 0.01], "origin": ["logged"] * 2})
EFFECTS = pl.DataFrame(
    {
        "question": ["q"] * 3,
        "treatment": ["t"] * 3,
        "outcome": ["y"] * 3,
        "estimator": ["naive", "snips", "aipw"],
        "estimate": [0.1, 0.05, 0.05],
        "std_error": [0.01] * 3,
        "lower": [0.08, 0.03, 0.03],
        "upper": [0.12, 0.07, 0.07],
        "units": [9] * 3,
        "clusters": [4] * 3,
        "status": ["answered"] * 3,
        "reason": [""] * 3,
    }
)
GAP = EFFECTS.with_columns(
    pl.lit(None, pl.Float64).alias(c) for c in ("estimate", "std_error", "lower", "upper")
).with_columns(
    units=pl.lit(None, pl.Int64),
    clusters=pl.lit(None, pl.Int64),
    status=pl.lit("not_identifiable"),
    reason=pl.lit("no organic arm"),
)
OUTCOMES = pl.DataFrame(
    {
        "unit_id": ["a", "b"],
        "policy": ["shop", None],
        "recommended": [1, 0],
        "click": [1, 0],
        "purchase": [0, 0],
        "click_if_recommended": [0.5, 0.4],
        "click_if_not": [0.3, 0.2],
        "purchase_if_recommended": [0.2, 0.1],
        "purchase_if_not": [0.1, 0.05],
    },
    schema_overrides=dict.fromkeys(["recommended", "click", "purchase"], pl.Int8),
)
OF_EFFECTS = {"rows": 3, "estimators": ["naive", "snips", "aipw"]}
NONE = pl.lit(None, pl.Float64)
SHOWN = OUTCOMES.with_columns(click_if_not=NONE, purchase_if_recommended=NONE, purchase_if_not=NONE)
BOTH = {"beats": True, "both_arms": True, "has_purchases": True}
ONE = {"beats": True, "both_arms": False, "has_purchases": False}


def first(column, value):
    """Put a value into a column's first row."""

    def plant(frame):
        row = pl.int_range(pl.len()) == 0
        planted = pl.when(row).then(value).otherwise(column).cast(frame.schema[column])
        return frame.with_columns(planted.alias(column))

    return plant


def findings(table, frame, params):
    contract = parse_contract(table, yaml.safe_load((TEMPLATE / "contracts" / f"{table}.yaml").read_text()))
    return audit(contract, frame, params)


@pytest.mark.parametrize(
    ("table", "frame", "params"),
    [
        ("treatment_propensities", PROPENSITIES, {"rows": 2}),
        ("treatment_propensities", PROPENSITIES.clear(), {"rows": 0}),
        ("action_propensities", ACTIONS, {}),
        ("action_propensities", ACTIONS.clear(), {}),
        ("effects", EFFECTS, OF_EFFECTS),
        ("effects", GAP, OF_EFFECTS),
        ("outcome_model", OUTCOMES, BOTH),
        ("outcome_model", SHOWN, ONE),
        ("outcome_model", OUTCOMES.clear(), ONE),
    ],
)
def test_a_good_table_holds(table, frame, params):
    found = findings(table, frame, params)
    assert [f.sentence() for f in found.broken] == []


@pytest.mark.parametrize(
    ("table", "frame", "params", "plant", "rule"),
    [
        ("treatment_propensities", PROPENSITIES, {"rows": 2}, first("propensity", 1.0), "inside_0_1"),
        ("treatment_propensities", PROPENSITIES, {"rows": 2}, first("propensity", NAN), "inside_0_1"),
        ("treatment_propensities", PROPENSITIES, {"rows": 2}, first("propensity", None), "not_be_null"),
        ("treatment_propensities", PROPENSITIES, {"rows": 2}, first("unit_id", pl.lit("b")), "unique"),
        ("treatment_propensities", PROPENSITIES, {"rows": 3}, lambda frame: frame, "row_count"),
        ("action_propensities", ACTIONS, {}, first("action_propensity", 0.0), "inside_0_1"),
        ("action_propensities", ACTIONS, {}, first("action_propensity", NAN), "inside_0_1"),
        ("action_propensities", ACTIONS, {}, first("origin", pl.lit("guessed")), "in_set"),
        ("effects", EFFECTS, OF_EFFECTS, first("lower", 0.2), "ordered"),
        ("effects", EFFECTS, OF_EFFECTS, first("estimate", None), "answered_has_a_number"),
        ("effects", EFFECTS, OF_EFFECTS, first("lower", None), "a_number_has_an_interval"),
        ("effects", EFFECTS, OF_EFFECTS, first("std_error", NAN), "a_finite_interval"),
        (
            "effects",
            EFFECTS,
            OF_EFFECTS,
            lambda frame: frame.with_columns(pl.lit(NAN).alias(c) for c in ("estimate", "lower", "upper")),
            "a_difference_of_probabilities",
        ),
        ("effects", EFFECTS, OF_EFFECTS, first("estimator", pl.lit("aipw")), "unique"),
        ("effects", EFFECTS, OF_EFFECTS, lambda frame: frame.head(2), "row_count"),
        ("effects", GAP, OF_EFFECTS, first("reason", pl.lit("")), "a_gap_has_a_reason"),
        ("effects", GAP, OF_EFFECTS, first("estimate", 0.1), "answered_has_a_number"),
        ("effects", GAP, OF_EFFECTS, first("status", pl.lit("unknown")), "in_set"),
        ("outcome_model", OUTCOMES, BOTH, first("click_if_recommended", 1.0), "probabilities"),
        ("outcome_model", OUTCOMES, BOTH, first("click_if_not", NAN), "probabilities"),
        ("outcome_model", OUTCOMES, BOTH, first("click_if_not", None), "not_be_null"),
        ("outcome_model", OUTCOMES, BOTH, first("purchase_if_recommended", 0.6), "a_purchase_needs_a_click"),
        ("outcome_model", OUTCOMES, BOTH, first("purchase_if_not", NAN), "purchases_are_probabilities"),
        ("outcome_model", SHOWN, ONE, first("purchase_if_not", 0.1), "a_gap_of_both"),
        ("outcome_model", OUTCOMES, BOTH, first("unit_id", pl.lit("b")), "unique"),
    ],
)
def test_a_planted_fault_is_refused_by_its_rule(table, frame, params, plant, rule):
    broken = findings(table, plant(frame), params).broken
    assert any(rule in finding.rule for finding in broken), [f.sentence() for f in broken]


def test_a_model_no_better_than_the_constant_is_said_and_not_refused():
    found = findings("outcome_model", OUTCOMES, BOTH | {"beats": False})
    assert found.holds
    assert [f.rule for f in found.warnings if not f.held] == ["beats_the_constant"]
