"""Each causal expectation, where it holds and where it does not; and that they are Great Expectations' own kind."""

from datetime import UTC, date, datetime

import great_expectations as gx
import polars as pl
import pytest

import causalrec_assets.gate.expectations.causal as causal
from causalrec.answers import InputError
from causalrec_assets.gate.checking import audit, offending_rows
from causalrec_assets.gate.contracts import parse_contract

NAN = float("nan")
TABLE = pl.DataFrame(
    {
        "recommended": [1, 1, 1, 0],
        "action_propensity": [0.5, 1.0, 0.2, None],
        "propensity": [0.5, 0.6, 0.7, 0.4],
        "request_id": ["r", "r", "s", "r"],
        "item_id": ["hat", "shoe", "hat", "hat"],
        "position": [1, 2, 1, None],
        "click": [1, 1, 0, None],
        "purchase": [0, 1, 0, None],
        "time": [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (0, 9, 23, 12)],
        "day": [date(2026, 3, 2)] * 4,
        "age": [20.0, 30.0, None, 30.0],
        "age_again": [20, 30, None, 30],
        "shop": ["one"] * 4,
        "weight": [1.0, 2.0, 3.0, 4.0],
    },
    schema_overrides={"recommended": pl.Int8, "time": pl.Datetime("us", "UTC")},
)


def found(rows, expect, **arguments):
    """The finding on one expectation, and the positions of its offending rows."""
    rule = {"name": "asked", "expect": expect, **arguments}
    contract = parse_contract("t", {"table": "t", "columns": {}, "extra_columns": True, "rules": [rule]})
    return next(finding for finding in audit(contract, rows, {}).findings if finding.rule == "asked")


def at(row, **values):
    """The table with other values in one row."""
    here = pl.int_range(pl.len()) == row
    return TABLE.with_columns(
        pl.when(here).then(pl.lit(value, TABLE.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    )


EXPECTED = {
    "expect_action_propensities_to_be_possible": {},
    "expect_treatment_propensities_to_be_possible": {},
    "expect_recommended_rounds_to_have_an_action_propensity": {},
    "expect_organic_rounds_to_have_no_action_propensity": {},
    "expect_slots_of_a_slate_to_be_distinct": {},
    "expect_items_of_a_slate_to_be_distinct": {},
    "expect_positions_to_start_at_one": {},
    "expect_outcomes_to_be_nested": {"outcome": "purchase", "within": "click"},
    "expect_no_leak_from_the_day": {},
    "expect_days_to_be_within": {"first": "2026-02-01", "last": date(2026, 3, 2)},
    "expect_both_arms": {},
    "expect_overlap": {},
    "expect_covariates_to_vary": {"columns": ["age", "weight"]},
    "expect_covariates_to_differ": {"columns": ["age", "weight"]},
    "expect_no_nan": {"columns": ["age", "weight"]},
    "expect_rows_to_reconcile": {"landed": 9, "set_aside": 3, "forgotten": 2},
}


def test_every_causal_expectation_is_tried_here():
    here = [c for c in vars(causal).values() if isinstance(c, type) and c.__module__ == causal.__name__]
    classes = {c.expectation_type for c in here}
    assert classes == set(EXPECTED)


@pytest.mark.parametrize("expect", sorted(EXPECTED))
def test_it_holds_of_good_rows_and_of_none(expect):
    assert found(TABLE, expect, **EXPECTED[expect]).held
    needs_rows = ("expect_both_arms", "expect_rows_to_reconcile")
    assert found(TABLE.clear(), expect, **EXPECTED[expect]).held is (expect not in needs_rows)


@pytest.mark.parametrize(
    ("rows", "expect", "arguments", "positions"),
    [
        (at(1, action_propensity=0.0), "expect_action_propensities_to_be_possible", {}, [1]),
        (at(1, action_propensity=1.01), "expect_action_propensities_to_be_possible", {}, [1]),
        (at(1, action_propensity=NAN), "expect_action_propensities_to_be_possible", {}, [1]),
        (at(2, propensity=1.0), "expect_treatment_propensities_to_be_possible", {}, [2]),
        (at(2, propensity=0.0), "expect_treatment_propensities_to_be_possible", {}, [2]),
        (at(2, propensity=NAN), "expect_treatment_propensities_to_be_possible", {}, [2]),
        (at(0, action_propensity=None), "expect_recommended_rounds_to_have_an_action_propensity", {}, [0]),
        (at(3, action_propensity=0.3), "expect_organic_rounds_to_have_no_action_propensity", {}, [3]),
        (at(1, position=1), "expect_slots_of_a_slate_to_be_distinct", {}, [0, 1]),
        (at(1, item_id="hat"), "expect_items_of_a_slate_to_be_distinct", {}, [0, 1]),
        (at(0, position=0), "expect_positions_to_start_at_one", {}, [0]),
        (at(1, click=0), "expect_outcomes_to_be_nested", {"outcome": "purchase", "within": "click"}, [1]),
        (at(1, click=None), "expect_outcomes_to_be_nested", {"outcome": "purchase", "within": "click"}, [1]),
        (at(2, day=date(2026, 3, 3)), "expect_no_leak_from_the_day", {}, [2]),
        (TABLE, "expect_no_leak_from_the_day", {"known_until": date(2026, 3, 2)}, [0, 1, 2, 3]),
        (at(2, day=date(2026, 3, 3)), "expect_days_to_be_within", {"last": date(2026, 3, 2)}, [2]),
        (at(2, day=date(2026, 1, 3)), "expect_days_to_be_within", EXPECTED["expect_days_to_be_within"], [2]),
        (at(0, age=NAN), "expect_no_nan", {"columns": ["age", "weight"]}, [0]),
        (at(0, propensity=0.001), "expect_overlap", {}, [0]),
    ],
)
def test_it_names_the_rows_that_break_it(rows, expect, arguments, positions):
    finding = found(rows, expect, **arguments)
    assert not finding.held
    assert list(finding.rows) == positions
    assert finding.count == len(positions)


@pytest.mark.parametrize(
    ("rows", "expect", "arguments", "said"),
    [
        (TABLE.head(3), "expect_both_arms", {}, "3 treated, 0 untreated"),
        (TABLE, "expect_both_arms", {"least": 0.3}, "3 treated, 1 untreated"),
        (TABLE, "expect_covariates_to_vary", {"columns": ["age", "shop"]}, "constant: shop"),
        (TABLE, "expect_covariates_to_differ", {"columns": ["age", "age_again", "weight"]}, "equal: age = age_again"),
        (TABLE, "expect_rows_to_reconcile", {"landed": 5}, "4 published, 4 accounted for"),
        (TABLE, "expect_rows_to_reconcile", {"landed": 4, "set_aside": 1}, "4 published, 5 accounted for"),
    ],
)
def test_it_says_what_is_wrong_with_the_whole(rows, expect, arguments, said):
    finding = found(rows, expect, **arguments)
    assert (finding.held, finding.observed) == (False, said)


def test_columns_of_the_same_values_in_another_order_differ():
    rows = TABLE.with_columns(weight_backwards=pl.col("weight").reverse())
    assert found(rows, "expect_covariates_to_differ", columns=["weight", "weight_backwards"]).held


@pytest.mark.parametrize(
    ("ignore", "broken"), [("never", [0, 1, 2, 3]), ("all_values_are_missing", [0, 1]), ("any_value_is_missing", [])]
)
def test_a_combination_of_values_with_a_gap_counts_as_one(ignore, broken):
    rows = pl.DataFrame(
        {"user": ["u", "u", None, None], "item": [None, None, None, None]}, schema_overrides={"item": pl.String}
    )
    finding = found(rows, "expect_compound_columns_to_be_unique", column_list=["user", "item"], ignore_row_if=ignore)
    assert (finding.held, list(finding.rows)) == (not broken, broken)


def test_mostly_allows_a_share():
    assert found(at(0, propensity=0.001), "expect_overlap", mostly=0.75).held


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"expect": "expect_outcomes_to_be_nested", "outcome": "bought", "within": "click"}, r"\['bought'\]"),
        ({"expect": "expect_outcomes_to_be_nested", "outcome": "click"}, "not a valid expect_outcomes_to_be_nested"),
        ({"expect": "expect_both_arms", "share": 1}, "not a valid expect_both_arms"),
        ({"expect": "expect_miracles"}, "expect_miracles"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(arguments, says):
    with pytest.raises(InputError, match=says):
        found(TABLE, **arguments)


@pytest.mark.parametrize(
    ("sentence", "says"),
    [("clicks > 1", "clicks"), ("click +", "syntax"), ("click + 1", "neither true nor false")],
)
def test_a_row_rule_that_cannot_be_read_says_why(sentence, says):
    contract = parse_contract("t", {"table": "t", "columns": {}, "extra_columns": True, "rules": [{"holds": sentence}]})
    with pytest.raises(InputError, match=rf"contracts/t.yaml: .*{says}"):
        audit(contract, TABLE, {})


def test_they_work_in_a_plain_suite_and_say_a_sentence(tmp_path):
    from causalrec_assets.gate.expectations.limits import Limits
    from causalrec_assets.gate.session import validating

    at(1, click=0).write_parquet(tmp_path / "t.parquet")
    suite = gx.ExpectationSuite(name="plain")
    suite.add_expectation(causal.ExpectOutcomesToBeNested(outcome="purchase", within="click"))
    with validating(tmp_path / "t.parquet", Limits()) as staged:
        result = staged.batch.validate(suite, result_format="BASIC")
    assert not result.success
    assert result.results[0].result["unexpected_count"] == 1
    assert causal.ExpectOutcomesToBeNested.sentence({"outcome": "purchase", "within": "click"}) == (
        "Where there is a purchase there must be a click."
    )
    assert suite.expectations[0].configuration.to_domain_obj() == suite.expectations[0]


def test_offending_rows_are_capped_for_each_rule(tmp_path):
    many = pl.DataFrame({"a": range(30_000), "b": range(30_000)})
    many.write_parquet(tmp_path / "t.parquet", row_group_size=1000)
    rules = [{"name": "small", "holds": "a < 5"}, {"name": "smaller", "holds": "b < 1"}]
    contract = parse_contract("t", {"table": "t", "columns": {}, "extra_columns": True, "rules": rules})
    broken = audit(contract, tmp_path / "t.parquet", {}).broken
    rows = offending_rows(tmp_path / "t.parquet", broken)
    assert {f.rule: f.count for f in broken} == {"small": 29_995, "smaller": 29_999}
    assert dict(rows.group_by("broken_rule").len().iter_rows()) == {"small": 10_000, "smaller": 10_000}
    assert rows.filter(broken_rule="small")["a"].to_list() == list(range(5, 10_005))
