"""A dense graph of discretised Gaussian columns: seconds of causal-learn's `gsq` beside G2 on tables counted once.

Twelve columns of four levels, each half of one hidden column and half of its own noise: all pairs depend on each other
given any others, so that every set is asked for, 67,584 tests. The skeleton has to be the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure, measured, say
from causalrec.graph.discovery.skeleton import find_skeleton
from causalrec.graph.independence.counts import ContingencyTest
from causalrec.settings.discovery import Search

ROWS, COLUMNS, LEVELS, ALPHA = 100_000, 12, 4, 0.05


def run(rows: int = ROWS) -> list[Figure]:
    # Ours before and after, so that a busy machine is seen.
    ours = [measured(search_ours, rows)]
    say(f"ours {ours[0].seconds:.1f} s")
    stock = measured(search_stock, rows)
    say(f"causal-learn {stock.seconds:.1f} s")
    ours.append(measured(search_ours, rows))
    say(f"ours {ours[1].seconds:.1f} s")
    edges, seconds = ours[0].result[0], [one.result[1] for one in ours]
    ratio = stock.result[1] / float(np.mean(seconds))
    how = f"{rows:,} x {COLUMNS}, {len(edges)} edges; gsq {stock.result[1]:.1f} s, {stock.peak_gb:.2f} GB; ours "
    how += f"{seconds[0]:.1f} and {seconds[1]:.1f} s, {ours[0].peak_gb:.2f} GB"
    return [
        Figure("dense: times faster than causal-learn's gsq", ratio, 6, "at least", how),
        Figure("dense: pairs on which the skeletons differ", len(edges ^ stock.result[0]), 0),
    ]


def sample(rows: int) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(rows, 1)) + rng.normal(size=(rows, COLUMNS))
    at = np.arange(1, LEVELS) / LEVELS
    return np.column_stack([np.searchsorted(np.quantile(x, at), x) for x in values.T])


def search_ours(rows: int) -> tuple[set[tuple[int, int]], float]:
    """Edges, and seconds without imports and drawing."""
    import time

    import causallearn.search.ConstraintBased.PC  # noqa: F401

    codes, names = sample(rows), [f"v{k}" for k in range(COLUMNS)]
    started = time.perf_counter()
    search = Search(alpha=ALPHA, floor=0.0, max_conditioning=COLUMNS)
    skeleton = find_skeleton(ContingencyTest(list(codes.T), 0.0, "gsq"), dict.fromkeys(names, 0), search)
    return set(skeleton.edges), time.perf_counter() - started


def search_stock(rows: int) -> tuple[set[tuple[int, int]], float]:
    import time

    from causallearn.search.ConstraintBased.PC import pc

    codes = sample(rows)
    started = time.perf_counter()
    endpoints = pc(codes, ALPHA, "gsq", show_progress=False).G.graph
    seconds = time.perf_counter() - started
    return {(i, j) for j in range(COLUMNS) for i in range(j) if endpoints[i, j] or endpoints[j, i]}, seconds
