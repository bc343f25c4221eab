"""Networks whose graph is known: causal-learn's `chisq` beside the same test on tables that are counted once.

With causal-learn's rule for separating sets the graph has to be the same, edge by edge and mark by mark. With ours, its
distance to the true graph's class (SHD: pairs whose mark differs) has to be no larger. No knowledge, alpha 0.05, no
bound on the conditioning sets.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure, say
from causalrec.answers import InputError
from causalrec.graph.discovery.pc import as_graph, find_graph
from causalrec.graph.independence.counts import ContingencyTest
from causalrec.graph.mpdag import MPDAG, close, colliders_of, pair
from causalrec.settings.discovery import Search

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "bnlearn"
NAMES = ("asia", "sachs", "child", "survey")
ALPHA, UNBOUNDED = 0.05, 1_000


def run(data: Path = FOLDER, networks: list[str] | None = None, rows: int | None = None) -> list[Figure]:
    """Compare on each network of the folder.

    Args:
        rows: Only the first ones; None: all.
    """
    if not data.is_dir():
        say(f"{data} is not here: name a folder with NAME.data.txt and NAME.graph.txt by --data")
        return []
    figures = []
    for name in networks or NAMES:
        codes, names, truth = read(data, name, rows)
        started = time.perf_counter()
        stock = stock_graph(codes, names)
        between = time.perf_counter()
        ours = {rule: our_graph(codes, names, rule) for rule in ("stock", "strongest")}
        seconds = between - started, (time.perf_counter() - between) / 2
        how = f"{len(codes):,} rows x {len(names)}; causal-learn {seconds[0]:.2f} s, ours {seconds[1]:.2f} s"
        say(f"{name}: {how}")
        differ = shd(ours["stock"], stock)
        figures.append(Figure(f"{name}: pairs that differ from causal-learn's, with its rule", differ, 0, how=how))
        theirs, reached = shd(stock, truth), shd(ours["strongest"], truth)
        figures.append(Figure(f"{name}: SHD to the truth", reached, theirs, how=f"causal-learn {theirs}"))
    return figures


def read(folder: Path, name: str, rows: int | None = None) -> tuple[npt.NDArray[np.int64], list[str], MPDAG]:
    """Codes (rows, nodes) from 0, the nodes' names, and the class of the true graph.

    Raises:
        InputError: A file is missing, or its edges are of nodes that the data do not have.
    """
    files = folder / f"{name}.data.txt", folder / f"{name}.graph.txt"
    if missing := [str(f) for f in files if not f.exists()]:
        raise InputError(
            f"no {' and no '.join(missing)}; a network is NAME.data.txt (a header, then numbers) and "
            "NAME.graph.txt (lines like `1. X1 --> X2`)"
        )
    names = files[0].read_text().split("\n", 1)[0].split()
    values = np.loadtxt(files[0], skiprows=1, max_rows=rows)
    codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in values.T])
    arrows = set(re.findall(r"^\d+\.\s+(\S+)\s+-->\s+(\S+)\s*$", files[1].read_text(), re.MULTILINE))
    if foreign := {n for arrow in arrows for n in arrow} - set(names):
        raise InputError(f"{files[1]}: {sorted(foreign)} are no columns of {files[0].name}")
    return codes, names, class_of(names, arrows)


def class_of(names: list[str], arrows: set[tuple[str, str]]) -> MPDAG:
    """All graphs that no data can tell from this one."""
    known = {(x, c) for a, c, b in colliders_of(arrows) for x in (a, b)}
    return close(names, known, {pair(a, b) for a, b in arrows})


def stock_graph(codes: npt.NDArray[np.int64], names: list[str]) -> MPDAG:
    """causal-learn's PC with `chisq`."""
    from causallearn.search.ConstraintBased.PC import pc

    found = pc(codes, ALPHA, "chisq", show_progress=False, node_names=names).G.graph
    graph = as_graph(found, names)
    if graph is None:
        raise ValueError("causal-learn's graph has an edge with two heads or a cycle: there is nothing to compare with")
    return graph


def our_graph(codes: npt.NDArray[np.int64], names: list[str], rule: str) -> MPDAG:
    search = Search(alpha=ALPHA, floor=0.0, max_conditioning=UNBOUNDED, separating_sets=rule)
    return find_graph(ContingencyTest(list(codes.T), 0.0, "chisq"), dict.fromkeys(names, 0), search).graph


def shd(a: MPDAG, b: MPDAG) -> int:
    """Pairs that are not joined in both, or not by the same mark."""

    def mark(graph: MPDAG, x: str, y: str) -> int:
        return 1 * ((x, y) in graph.directed) + 2 * ((y, x) in graph.directed) + 4 * (pair(x, y) in graph.undirected)

    return sum(mark(a, x, y) != mark(b, x, y) for k, x in enumerate(a.nodes) for y in a.nodes[:k])
