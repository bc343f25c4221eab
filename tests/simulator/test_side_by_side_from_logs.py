"""The same two policies from logged columns alone: each name finds its truth, and they part where truths part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.verdict.by_formula import scores
from benchmarks.verdict.estimand_worlds import SHOP, judgement
from benchmarks.verdict.estimands import RULE, Cell, judged_cells, table
from benchmarks.verdict.estimands import run as run_worlds
from causalrec.estimators.intervals import clustered_mean, contrast
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.policy_values import report
from causalrec.evaluation.rounds import EVERYONE
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.simulator.traffic.named_values import NAMES

SMALL = replace(SHOP, users=400, items=100, events_per_day=4000, lift_by_history=-0.5)
WORLDS, TEMPERATURE = 5, 0.2


def gaps(**dials):
    """By name (worlds, 3): click-anyway minus incremental as estimated, its standard error, its truth."""
    found = {name: [] for name in NAMES}
    for seed in range(WORLDS):
        judged = judgement(replace(SMALL, seed=seed, **dials), seed, TEMPERATURE)
        (first, clusters), (second, _) = (scores(judged.data, policy) for policy in (CHALLENGER, CHAMPION))
        for name in NAMES:
            gap = contrast(*(clustered_mean(of[name], clusters) for of in (first, second)), clusters)
            truth = judged.truth[CHALLENGER][name] - judged.truth[CHAMPION][name]
            found[name].append((gap.value, gap.std_error, truth))
    return {name: np.array(rows) for name, rows in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dials", "better"),
    [
        ({}, {"raw": True, "given_met": False, "given_not_shown": True, "total": True}),
        (
            {"go_anyway": 1.0, "go_anyway_focus": 6.0},
            {"raw": True, "given_met": False, "given_not_shown": False, "total": False},
        ),
    ],
)
def test_logs_tell_which_policy_is_better_under_each_name(dials, better):
    for name, rows in gaps(**dials).items():
        value, error, truth = rows.T
        together = np.sqrt((error**2).sum()) / len(rows)
        assert abs((value - truth).mean()) < 4 * together, name
        if name in better:
            assert (truth > 0).all() == better[name], name
            assert (value.mean() > 2 * together) if better[name] else (value.mean() < -2 * together), name


def test_the_report_says_what_the_formulas_say():
    judged = judgement(SMALL, 0, TEMPERATURE)
    told = report(judged.data, RULE).filter(segment=EVERYONE, metric="satisfaction", estimator=deciding().name)
    (first, clusters), (second, _) = (scores(judged.data, policy) for policy in (CHALLENGER, CHAMPION))
    for name in NAMES:
        row = told.row(by_predicate=(pl.col("policy") == CHALLENGER) & (pl.col("estimand") == name), named=True)
        value, against = (clustered_mean(of[name], clusters) for of in (first, second))
        gap = contrast(value, against, clusters, unequal=True)
        assert row["estimate"] == pytest.approx(value.value, abs=1e-12)
        assert row["std_error"] == pytest.approx(value.std_error, rel=1e-9)
        assert row["difference"] == pytest.approx(gap.value, abs=1e-12)
        assert row["difference_std_error"] == pytest.approx(gap.std_error, rel=1e-9)


@pytest.fixture
def small(monkeypatch):
    """The table's worlds, small."""
    monkeypatch.setattr("benchmarks.verdict.estimands.SHOP", replace(SMALL, lift_by_history=0.1))


def test_the_table_of_worlds_says_bias_and_coverage(small):
    cells = run_worlds(2)
    assert [(cell.name, cell.of) for cell in cells[:3]] == [("raw", o) for o in (CHALLENGER, CHAMPION, "difference")]
    own = [cell for cell in cells if cell.estimator != "naive"]
    assert len(own) == 2 * (len(cells) - len(own)) and all(abs(cell.bias) < 5 * cell.std_error for cell in own)
    told = next(cell for cell in cells if (cell.estimator, cell.name, cell.of) == ("naive", "given_met", CHALLENGER))
    # What is recommended is recommended to those who click: the effect is a fraction of what is seen.
    assert told.bias > 0.3 * told.truth > 0 == told.covered
    assert table(cells).count("\n") == len(own) / 2 + 1


def test_coverage_holds_unless_too_little_of_it_is_shown():
    cells = [Cell("raw", CHALLENGER, 0.2, 0.0, 0.001, 0.01, 0.01, covered, 200) for covered in (0.95, 0.92, 0.85)]
    assert [cell.holds for cell in judged_cells(cells)] == [True, True, False]
    assert [replace(cells[0], bias=bias).unbiased for bias in (-0.001, 0.0019, 0.0021)] == [True, True, False]


def test_given_met_is_biased_by_what_it_must_be_where_a_common_cause_is_not_logged(small):
    cells = {(cell.estimator, cell.name, cell.of): cell for cell in run_worlds(1, "unmeasured", first_seed=3)}
    cell = cells[deciding().name, "given_met", CHALLENGER]
    assert cell.must_be < -8 * cell.std_error and cell.covered == 0
    assert abs(cell.bias - cell.must_be) < 4 * cell.std_error
    raw = cells[deciding().name, "raw", CHALLENGER]
    assert raw.must_be == 0 and abs(raw.bias) < 4 * raw.std_error
