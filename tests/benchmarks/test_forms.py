"""The table of the objective's forms, at a small size."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.verdict.forms import DIALS, JUDGED_BY, TRAIN, rows_of, run, table
from benchmarks.verdict.forms.worlds import FORMS, LOGGING, TRUE_DO, TRUE_EFFECT, TWO_ARMS, Judged
from benchmarks.verdict.side_by_side import SHOP
from causalrec.simulator.traffic.named_values import NAMES

SMALL = replace(SHOP, users=200, items=40, events_per_day=1500)


@pytest.mark.filterwarnings("ignore:Sortedness of columns")
def test_each_form_is_as_sure_as_do_and_stands_beside_who_knows_the_truth():
    (label, dials), *_ = [one for one in DIALS.items() if one[1] == {"lift_by_history": -0.35}]
    rows = {row.policy: row for row in run(1, SMALL, TRAIN, {label: dials})}
    assert list(rows) == [LOGGING, *FORMS, TWO_ARMS, TRUE_DO, TRUE_EFFECT]
    sure = [rows[policy].entropy for policy in (*FORMS, TRUE_DO, TRUE_EFFECT)]
    # Temperatures are found on training days, and the judged one is another.
    assert np.ptp(sure) < 0.15
    met = {policy: row.values["given_met"] for policy, row in rows.items()}
    assert met[TRUE_EFFECT] == max(met.values())
    assert met[TRUE_EFFECT] > met[TRUE_DO] + 0.005
    raw = {policy: row.values["raw"] for policy, row in rows.items()}
    assert raw[TRUE_DO] == max(raw.values()) and raw["do"] > raw[LOGGING]
    assert rows["do"].less_do == {name: (0.0, pytest.approx(np.nan, nan_ok=True)) for name in JUDGED_BY}
    assert table(list(rows.values())).count("\n") == len(rows) + 1


def test_worlds_are_compared_one_by_one():
    def world(gain):
        truth = {policy: dict.fromkeys(NAMES, value) for policy, value in (("do", gain), ("total", gain + 0.01))}
        return Judged(truth, dict.fromkeys(truth, 4.0), {"do": 0.5, "total": 0.1})

    do, total = rows_of("some", [world(0.1), world(0.3)])
    assert total.values["raw"] == pytest.approx(0.21)
    gap, error = total.less_do["raw"]
    assert (gap, error) == (pytest.approx(0.01), pytest.approx(0.0, abs=1e-12))
    assert (do.temperature, total.temperature, total.worlds) == (0.5, 0.1, 2)
