"""The pages that say in words what a contract found."""

import html
import re

import polars as pl
import pytest
import yaml

from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.publishing import write_audit_publish
from tests.gate.conftest import CONTRACT, DAY
from tests.gate.test_publishing import GOOD

PARAMS = {"nested_outcomes": True, "expected_rows": 2}
ROWS = GOOD.with_columns(user_id=pl.Series(["ann-of-london", "bob-of-paris"]))
NESTED = {"name": "nested", "expect": "expect_outcomes_to_be_nested", "outcome": "purchase", "within": "click"}


@pytest.fixture
def publish(attempt, home):
    rules = [rule for rule in CONTRACT["rules"] if rule.get("name") != "nested"]
    rules += [
        {**NESTED, "only_if": "nested_outcomes", "why": "no basket without a <look>"},
        {"expect": "expect_column_values_to_be_unique", "column": "user_id"},
        {"name": "cheap", "holds": "share <= 1 AND id <> '<b>'"},
        {"expect": "expect_column_distinct_values_to_contain_set", "column": "user_id", "value_set": []},
    ]
    contract = CONTRACT | {"rules": rules, "columns": CONTRACT["columns"] | {"user_id": "String"}}
    (home.data / "contracts" / "sales.yaml").write_text(yaml.safe_dump(contract))

    def go(rows, run_id="run-1", **params):
        return write_audit_publish(Draft(attempt(run_id), rows, params=PARAMS | params))

    return go


def words(path):
    text = path.read_text()
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_a_table_that_holds_has_a_page_with_its_sentences(publish, home):
    page = publish(ROWS).page
    assert page == home.reports / "data_docs" / "sales" / f"{DAY}.html"
    said = words(page)
    assert "2 rows. The contract holds" in said
    assert "Where there is a purchase there must be a click ." in said
    assert "no basket without a <look>" in said
    assert "share <= 1 AND id <> '<b>'" in said
    assert "every column of the contract, with its type" in said


def test_a_broken_contract_has_a_page_without_anybody_in_it(publish):
    both = ROWS.with_columns(user_id=pl.lit("ann-of-london"), click=pl.lit(0, pl.Int8), share=pl.lit(7.0))
    page = publish(both).page
    said = words(page)
    assert "The contract is broken by" in said
    assert "1 unexpected values found. 50% of 2 total rows." in said
    assert "london" not in page.read_text()


def test_a_wrong_schema_has_a_page(publish):
    assert "column `share` (Float64) is missing" in words(publish(ROWS.drop("share")).page)


def test_what_is_not_asked_is_listed_and_a_new_version_overwrites(publish):
    first = publish(ROWS).page
    second = publish(ROWS, "run-2", nested_outcomes=False).page
    assert first == second
    assert "nested (not asked: nested_outcomes is false)" in words(second)
    assert "run run-2" in words(second)


def test_a_page_asks_for_nothing_from_elsewhere_and_the_index_lists_it(publish, home):
    page = publish(ROWS).page.read_text()
    assert re.findall(r"(?:src|href)=\"([^\"#]+)", page) == ["../index.html"]
    index = (home.reports / "data_docs" / "index.html").read_text()
    assert f'href="sales/{DAY}.html"' in index


def test_pages_can_be_switched_off(publish, home):
    settings = yaml.safe_load((home.data / "lake.yaml").read_text()) or {}
    (home.data / "lake.yaml").write_text(yaml.safe_dump(settings | {"gate": {"data_docs": False}}))
    assert publish(ROWS).page is None
    assert not (home.reports / "data_docs").exists()
