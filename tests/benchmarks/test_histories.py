"""The table of false releases and of what is found, at its smallest."""

import json

import pytest

from benchmarks.verdict.histories import CASES, Case, main, rounds_for, rules


def test_the_table_at_its_smallest(capsys):
    main(["--histories", "2", "--worlds", "A"])
    printed = capsys.readouterr().out
    rows = json.loads(printed.splitlines()[-1])["rows"]
    assert printed.count("at most 5 % holds: A yes") == 2
    assert "at least (A 95%) holds: A raw off yes" in printed
    assert set(rows["found"]) == {case.name for case in CASES if case.world == "A"}
    # 20,000 rounds a day find 5 % at the first look; they do not rule out that 2 % of the revenue is lost by day 28.
    assert rows["found"]["A raw off"]["share"] == 1.0


def test_the_organic_clicks_that_are_taken_ask_for_more_rounds():
    rule, _ = rules()
    raw, of_revenue = rounds_for(Case("F"), rule)
    total, _ = rounds_for(Case("F", total=True), rule)
    assert of_revenue is None and 20_000 < raw < total < 2 * raw
    strict, of_revenue = rounds_for(Case("F", revenue="rule_out_loss"), rule)
    assert of_revenue is not None and of_revenue > 20 * strict == pytest.approx(20 * raw)
