"""Independent columns have no edges, however few the rows, however many the levels and columns."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Status
from causalrec.graph.discovery.frames import discover_frame
from causalrec.graph.discovery.pc import FEWEST_ROWS, rows_enough
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.columns import Levels, numbers
from causalrec.graph.independence.counts import ContingencyTest
from causalrec.notebook.graph import causal_graph

ALPHA = 0.001


def codes(rng, rows, levels, rare=False):
    """Codes from 0 on, all of which occur; with `rare`, most levels hardly ever."""
    weight = 1 / np.arange(1, levels + 1) if rare else np.ones(levels)
    return np.unique(rng.choice(levels, rows, p=weight / weight.sum()), return_inverse=True)[1]


def block(rng, rows, kind):
    if kind == "number":
        return numbers(rng.normal(size=rows))
    return as_levels(rng, codes(rng, rows, abs(kind), kind < 0))


def as_levels(rng, found):
    """A column of one level only is no node; a number stands in for it."""
    return Levels(found.astype(np.uint8), int(found.max()) + 1) if found.max() else numbers(rng.normal(size=len(found)))


def column(rng, rows, levels):
    return codes(rng, rows, abs(levels), levels < 0) if levels else rng.normal(size=rows)


def false_edges(draw, times):
    return sum(draw(np.random.default_rng(seed)) <= ALPHA for seed in range(times))


@pytest.mark.parametrize("rows", [2, 4, 6, 12, 50, 200])
def test_blocks_of_independent_columns_are_independent(rows):
    pairs = [("number", "number"), ("number", -50), (20, 20), (-50, -50), (2, 50)]
    found = [
        false_edges(lambda rng, a=a, b=b: BlockTest([block(rng, rows, a), block(rng, rows, b)], 0.0).test(0, 1)[0], 8)
        for a, b in pairs
    ]
    assert sum(found) <= 1, found


@pytest.mark.parametrize("rows", [2, 5, 20, 60, 200, 1000])
def test_tables_of_independent_columns_are_independent(rows):
    for a, b, rare in (
        (2, 2, False),
        (10, 10, False),
        (20, 20, False),
        (2, 50, False),
        (50, 50, True),
        (50, 50, False),
    ):

        def drawn(rng, a=a, b=b, rare=rare):
            return ContingencyTest([codes(rng, rows, a, rare), codes(rng, rows, b, rare)]).test(0, 1)[0]

        found = false_edges(drawn, 100)
        assert found <= 2, (a, b, rare)


def test_tables_given_many_small_strata_are_independent():
    def drawn(rng):
        z = rng.integers(0, 60, 200)
        x, y = (z + rng.integers(0, 2, 200)) % 3, (z + rng.integers(0, 2, 200)) % 3
        return ContingencyTest([np.unique(v, return_inverse=True)[1] for v in (x, y, z)]).test(0, 1, [2])[0]

    assert false_edges(drawn, 200) <= 2


def test_a_condition_that_leaves_no_rows_separates_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    wide = [numbers(x), numbers(x + 0.3 * rng.normal(size=40)), *(block(rng, 40, 20) for _ in range(2))]
    tests = BlockTest(wide, 0.0)
    assert tests.test(0, 1)[0] < ALPHA
    assert tests.test(0, 1, [2, 3]) == tests.test(0, 1)


def test_levels_that_met_once_by_chance_are_no_dependence():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 20_000), rng.integers(0, 5, 20_000)
    a[:4], b[1:5] = 5, 5
    assert BlockTest([Levels(a.astype(np.uint8), 6), Levels(b.astype(np.uint8), 6)], 0.0).test(0, 1)[0] > 0.01


def test_what_depends_is_still_found():
    rng = np.random.default_rng(1)
    g = rng.integers(0, 12, 150)
    h = np.where(rng.random(150) < 0.6, g, rng.integers(0, 12, 150))
    assert ContingencyTest([g, h]).test(0, 1)[0] < ALPHA
    assert BlockTest([Levels(g.astype(np.uint8), 12), Levels(h.astype(np.uint8), 12)], 0.0).test(0, 1)[0] < ALPHA
    x = rng.normal(size=30)
    assert BlockTest([numbers(x), numbers(x + 0.3 * rng.normal(size=30))], 0.0).test(0, 1)[0] < ALPHA


@pytest.mark.parametrize("rows", [2, 3, 6, 12])
def test_a_frame_of_few_rows_has_no_edges_and_says_that_they_are_too_few(rows):
    rng = np.random.default_rng(rows)
    frame = pl.DataFrame({c: rng.normal(size=rows) for c in "abcd"})
    found = discover_frame(frame)
    assert found.table().is_empty()
    assert found.answer.status is Status.INSUFFICIENT_EVIDENCE and f"too few rows: {rows}" in found.answer.reason
    graph = causal_graph(frame, treatment="a", outcomes=["b"])
    assert graph.table.is_empty() and graph.adjust("a", "b").answer == found.answer


def test_enough_rows_are_an_answer():
    assert rows_enough(FEWEST_ROWS).answered and not rows_enough(FEWEST_ROWS - 1).answered


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_false_edges_are_at_most_alpha_at_any_number_of_rows_levels_and_columns():
    """200 seeds a cell, tests of all pairs together; one-sided at 1 % against more than alpha, Holm over the cells."""
    from scipy.stats import binom

    cells = []
    for rows in (2, 5, 12, 50, 200):
        for levels in (0, 2, 5, 20, 50, -50):
            for width in (2, 4, 8):
                edges = 0
                for seed in range(200):
                    rng = np.random.default_rng(seed)
                    columns = [column(rng, rows, levels) for _ in range(width)]
                    pairs = [(i, j) for j in range(width) for i in range(j)]
                    blocks = [as_levels(rng, c) if levels else numbers(c) for c in columns]
                    tests = [BlockTest(blocks, 0.0), *([ContingencyTest(columns)] if levels else [])]
                    edges += sum(any(t.test(*pair)[0] <= ALPHA for t in tests) for pair in pairs)
                trials = 200 * width * (width - 1) // 2
                # Either test may find a false edge: twice alpha where both are asked.
                cells.append(binom.sf(edges - 1, trials, ALPHA * (2 if levels else 1)))
    cells.sort()
    assert all(p > 0.01 / (len(cells) - at) for at, p in enumerate(cells)), cells[:5]
