"""Rules that trials are compared with, at the table's smallest."""

import json

import numpy as np

from benchmarks.verdict.histories import rules
from benchmarks.verdict.instead import TRIALS, Days, confidence_sequence, designs, fresh, lord, main
from causalrec.answers import ANSWERED
from causalrec.evaluation.trials.evidence import Difference, Evidence


def days(value, money=0.0, lasting=90):
    """Each day's challenger gains this many daily standard errors; its revenue as many of its own."""

    def reads(challenger, taken):
        n = taken.stop - taken.start
        std_error = 1 / np.sqrt(n)
        told = Difference(value, std_error, 1e6, 10.0, n)
        return Evidence(told, ANSWERED, Difference(money, std_error, 1e6, 10.0, n), ANSWERED)

    return Days(reads, [np.zeros(1)] * lasting, lasting, rules()[0])


def test_each_rule_asks_for_so_many_standard_errors():
    assert fresh(0.025)(days(1.97 / np.sqrt(7))) and not fresh(0.025)(days(1.95 / np.sqrt(7)))
    assert not fresh(0.05 / 90)(days(3.2 / np.sqrt(7))) and fresh(0.05 / 90)(days(3.3 / np.sqrt(7)))
    # The first of LORD++'s errors is the largest: 0.07 of 2.5 %.
    assert lord(0.05)(days(3.5 / np.sqrt(7))) and not lord(0.05)(days(2.5 / np.sqrt(7)))
    assert confidence_sequence(0.0156)(days(0.9)) and not confidence_sequence(0.0156)(days(0.45))


def test_a_loss_of_revenue_that_is_not_ruled_out_keeps_a_release_back():
    # 2 % of 10 is 0.2, and 1.96 standard errors of a week are 0.74.
    assert fresh(0.025, revenue=True)(days(1.0, money=0.55)) and not fresh(0.025, revenue=True)(days(1.0, money=0.5))


def test_the_table_at_its_smallest(capsys):
    main(["--histories", "2", "--worlds", "A"])
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert set(rows) == {"A false", "A found"} and set(rows["A found"]) == {*designs(rules()[0]), TRIALS}
    assert rows["A found"][TRIALS] == 1.0
