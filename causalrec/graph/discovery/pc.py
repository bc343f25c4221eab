"""Causal discovery: causal-learn's PC on the window's units, with what can come before what as tiers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence
from causalrec.engine.threads import one_thread
from causalrec.graph.discovery.colliders import Triple, decide
from causalrec.graph.discovery.nodes import Node
from causalrec.graph.discovery.skeleton import find_skeleton
from causalrec.graph.independence import clustered_tests_of
from causalrec.graph.independence.protocol import Tests
from causalrec.graph.mpdag import MPDAG, Edge, extend, find_cycle, orient, pair
from causalrec.settings.discovery import Search

FEWEST_ROWS = 50
"""Of a dozen rows no test at a level of 0.001 finds even the strongest dependence."""
EDGES: dict[str, pl.DataType] = {
    "source": pl.String(),
    "target": pl.String(),
    "mark": pl.String(),
    "p_value": pl.Float64(),
    "strength": pl.Float64(),
}


@dataclass(frozen=True)
class Discovered:
    """The graph that data and tiers give, before any expert is heard.

    Attributes:
        colliders: (a, c, b) for each unshielded collider a -> c <- b found by PC, the strongest first.
        given_up: Those that contradict the tiers or a stronger one.
        separations: For each pair that is not adjacent, (p-value, strength) where it was called independent: the
            p-value is small where the dependence is real but weaker than the floor.
        separating_sets: For each such pair, what it was called independent given.
    """

    graph: MPDAG
    tiers: dict[str, int]
    colliders: tuple[tuple[str, str, str], ...]
    given_up: tuple[tuple[str, str, str], ...]
    separations: dict[Edge, tuple[float, float]]
    separating_sets: dict[Edge, tuple[str, ...]]
    tests: Tests
    seconds: float

    @one_thread()
    def table(self) -> pl.DataFrame:
        """The edges: source, target, mark (directed or undirected), p_value, strength."""
        rows: list[tuple[object, ...]] = []
        for mark, pairs in (("directed", self.graph.directed), ("undirected", self.graph.undirected)):
            rows.extend((a, b, mark, *self.strength(a, b)) for a, b in sorted(pairs))
        return pl.DataFrame(rows, schema=EDGES, orient="row")

    def strength(self, a: str, b: str) -> tuple[float, float]:
        """(p-value, strength) of a pair given the other neighbours of the later node."""
        names = list(self.graph.nodes)
        later = b if self.tiers[b] >= self.tiers[a] else a
        others = [
            n for n in names if n not in (a, b) and self.graph.adjacent(n, later) and self.tiers[n] <= self.tiers[later]
        ]
        return self.tests.test(names.index(a), names.index(b), [names.index(n) for n in others])


def rows_enough(rows: int) -> Answer:
    """Whether a graph can be told from so many rows: of fewer, no edge says little of what depends on what."""
    if rows >= FEWEST_ROWS:
        return ANSWERED
    return insufficient_evidence(
        f"too few rows: {rows}, and at least {FEWEST_ROWS} are needed before a test of independence can tell anything"
    )


@one_thread()
def discover(nodes: list[Node], search: Search, clusters: Sequence[npt.NDArray[np.int64]] = ()) -> Discovered:
    """Run PC on columns.

    Args:
        clusters: Integer codes of each row's user and item (or hour): rows of one are not independent draws.

    Raises:
        ValueError: Fewer than two nodes.
    """
    if len(nodes) < 2:
        raise ValueError(f"a graph needs at least two columns that vary, got {[n.name for n in nodes]}")
    started = time.perf_counter()
    tests = clustered_tests_of(nodes, search.floor, clusters)
    return find_graph(tests, {node.name: node.tier for node in nodes}, search, started)


@one_thread()
def find_graph(tests: Tests, tiers: dict[str, int], search: Search, started: float | None = None) -> Discovered:
    """Run PC with tests at hand.

    causal-learn gives the skeleton through its public interface. Colliders, orientation from tiers and the closure
    under Meek's rules are done here: given forbidden pairs it would make a collider of X - Y - Z with X and Z
    forbidden both ways, and it drops required edges that data call independent (tests/graph pins both).

    Args:
        tests: Between the nodes, in the order of `tiers`.
        tiers: Node -> its tier.
        started: When the work began, of `time.perf_counter`.
    """
    started, names = started or time.perf_counter(), list(tiers)
    # With one thread: also because the matrices of a test are small, and threads would wait for each other.
    pc_skeleton = find_skeleton(tests, tiers, search)
    decided, believed = decide(pc_skeleton, tests, search)
    skeleton = {pair(names[i], names[j]) for i, j in pc_skeleton.edges}
    colliders = tuple(_named(triple, names) for triple in _surest(decided, tests))
    separating = {pair(names[i], names[j]): tuple(names[k] for k in s) for (i, j), s in believed.items()}
    separations = {pair(names[i], names[j]): tests.test(i, j, s) for (i, j), s in believed.items()}
    graph, given_up = orient(names, skeleton, time_order(skeleton, tiers), colliders)
    if search.separating_sets == "stock" and len(set(tiers.values())) == 1:
        # causal-learn settles colliders that contradict each other in another order. Its graph, where it stands for a
        # DAG, is what was asked for.
        stock_graph = as_graph(pc_skeleton.matrix, names)
        graph = graph if stock_graph is None or extend(stock_graph) is None else stock_graph
    return Discovered(
        graph, tiers, colliders, tuple(given_up), separations, separating, tests, time.perf_counter() - started
    )


def time_order(skeleton: Iterable[Edge], tiers: Mapping[str, int]) -> set[Edge]:
    """The arrows that the tiers give: an earlier tier is never an effect of a later one."""
    return {(a, b) if tiers[a] < tiers[b] else (b, a) for a, b in skeleton if tiers[a] != tiers[b]}


def _named(triple: Triple, names: list[str]) -> tuple[str, str, str]:
    a, c, b = triple
    first, last = pair(names[a], names[b])
    return first, names[c], last


def _surest(colliders: Iterable[Triple], tests: Tests) -> list[Triple]:
    """Those first whose weaker leg is the strongest."""
    return sorted(colliders, key=lambda t: (-min(tests.test(t[0], t[1])[1], tests.test(t[2], t[1])[1]), t))


def as_graph(matrix: npt.NDArray[np.int64], names: list[str]) -> MPDAG | None:
    """causal-learn's own graph; None where an edge has two heads or the arrows close a cycle.

    Args:
        matrix: i -> j is written matrix[j, i] = 1 and matrix[i, j] = -1; i - j has -1 in both.
    """
    directed, undirected = set(), set()
    for j in range(len(names)):
        for i in range(j):
            marks = int(matrix[i, j]), int(matrix[j, i])
            if marks == (-1, 1):
                directed.add((names[i], names[j]))
            elif marks == (1, -1):
                directed.add((names[j], names[i]))
            elif marks == (-1, -1):
                undirected.add(pair(names[i], names[j]))
            elif marks != (0, 0):
                return None
    if find_cycle(directed):
        return None
    return MPDAG(tuple(names), frozenset(directed), frozenset(undirected))
