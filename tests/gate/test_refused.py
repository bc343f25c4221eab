"""What people are shown of a refused draft."""

import polars as pl
import pytest

from causalrec.escaping import plain
from causalrec_assets.gate.contracts import parse_contract
from causalrec_assets.gate.publishing import write_audit_publish
from causalrec_assets.gate.refused import first_rows, refusal_words, table_lines
from tests.gate.conftest import DAY
from tests.gate.test_publishing import GOOD, draft

WIDE = pl.DataFrame(
    {
        "event_id": ["e1"],
        "user_id": ["ann"],
        "item_id": ["hat"],
        "time": ["10:00"],
        "price": [-1.0],
        "revenue": [-2.0],
        **{f"other_{k}": [k] for k in range(30)},
        "broken_rule": ["price_not_negative"],
    }
)
CONTRACT = parse_contract(
    "sales",
    {
        "table": "sales",
        "columns": {name: "String" for name in WIDE.columns if name != "broken_rule"},
        "rules": [
            {"name": f"{column}_not_negative", "expect": "expect_column_values_to_be_between", "column": column}
            for column in ("price", "revenue")
        ],
    },
)


def test_the_first_rows_are_shown_by_their_keys_and_the_broken_rules_columns_and_no_person():
    assert first_rows(CONTRACT, WIDE).columns == ["event_id", "item_id", "time", "price", "broken_rule"]


def test_few_rows_are_shown_of_many():
    assert first_rows(CONTRACT, pl.concat([WIDE] * 100)).height == 5


def test_a_refusal_is_said_with_rule_rows_quarantine_and_run(attempt, store, home):
    outcome = write_audit_publish(draft(attempt("run-7"), GOOD.with_columns(share=pl.Series([0.5, 7.0]))))
    said = refusal_words(home, store, outcome.refusal)
    assert said.splitlines()[0] == f"REFUSED sales of {DAY} (there is no earlier version)"
    assert "why         column_values_to_be_between(share): 1 row(s)" in said
    assert "share  broken_rule" in said and "7" in said
    assert f"quarantine  {outcome.refusal.folder}" in said
    assert "run         run-7" in said


def test_where_a_rule_is_about_the_whole_the_rows_that_were_set_aside_are_shown(attempt, store, home):
    aside = pl.DataFrame(
        {
            "file": ["a.csv"] * 9,
            "row": range(9),
            "kind": ["sent again"] * 8 + ["impossible"],
            "reason": ["the same event once more"] * 8 + ["`click` is 7"],
        }
    )
    outcome = write_audit_publish(draft(attempt("run-8"), GOOD.head(1), set_aside=aside))
    said = refusal_words(home, store, outcome.refusal)
    assert said.count("the same event once more") == 2
    assert "`click` is 7" in said


@pytest.mark.parametrize("hostile", ["a\x1b[31mb", "a\rb", "a\nb", "a\x07b", "a\u202eb"])
def test_what_stands_in_a_log_moves_no_cursor(hostile):
    assert plain(hostile).isprintable()
    assert all(line.isprintable() for line in table_lines(pl.DataFrame({"item_id": [hostile]})))


def test_the_rows_that_a_run_shows_name_nobody_also_not_within_other_ids():
    rows = WIDE.with_columns(event_id=pl.lit("2026-ann-1"), item_id=pl.lit("hat"))
    shown = first_rows(CONTRACT, rows)
    assert "user_id" not in shown.columns
    assert shown.select("event_id", "item_id").row(0) == ("...", "hat")
