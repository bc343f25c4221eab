"""Causal discovery: causal-learn's PC on the window's units, with what can come before what as tiers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec_assets.graph.independence import BlockTest, register
from causalrec_assets.graph.mpdag import MPDAG, Edge, colliders_of, orient, pair
from causalrec_assets.graph.nodes import Node
from causalrec_assets.graph.search import Search


@dataclass(frozen=True)
class Discovered:
    """The graph that data and tiers give, before any expert is heard.

    Attributes:
        colliders: (a, c, b) for each unshielded collider a -> c <- b found by PC, the strongest first.
        given_up: Those that contradict the tiers or a stronger one.
        separations: For each pair that is not adjacent, (p-value, strength) where it was called independent: the
            p-value is small where the dependence is real but weaker than the floor.
    """

    graph: MPDAG
    tiers: dict[str, int]
    colliders: tuple[tuple[str, str, str], ...]
    given_up: tuple[tuple[str, str, str], ...]
    separations: dict[Edge, tuple[float, float]]
    tests: BlockTest
    seconds: float

    def strength(self, a: str, b: str) -> tuple[float, float]:
        """(p-value, strength) of a pair given the other neighbours of the later node."""
        names = list(self.graph.nodes)
        later = b if self.tiers[b] >= self.tiers[a] else a
        others = [
            n for n in names if n not in (a, b) and self.graph.adjacent(n, later) and self.tiers[n] <= self.tiers[later]
        ]
        return self.tests.test(names.index(a), names.index(b), [names.index(n) for n in others])


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
    tests = BlockTest([node.block for node in nodes], search.floor, clusters)
    return find_graph(tests, {node.name: node.tier for node in nodes}, search, started)


def find_graph(tests: BlockTest, tiers: dict[str, int], search: Search, started: float | None = None) -> Discovered:
    """Run PC with tests at hand.

    causal-learn gives skeleton and colliders through its public interface. Orientation from tiers, and the closure
    under Meek's rules, are done here: given forbidden pairs it would make a collider of X - Y - Z with X and Z
    forbidden both ways, and it drops required edges that data call independent (tests/graph pins both).

    Args:
        tests: Between the nodes, in the order of `tiers`.
        tiers: Node -> its tier.
        started: When the work began, of `time.perf_counter`.
    """
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    started, names = started or time.perf_counter(), list(tiers)
    knowledge = BackgroundKnowledge()
    for name, tier in tiers.items():
        knowledge.add_node_to_tier(GraphNode(name), tier)
    no_rows = np.zeros((max(2, len(names) + 1), len(names)))
    found = pc(
        no_rows,
        search.alpha,
        register(),
        stable=True,
        background_knowledge=knowledge,
        show_progress=False,
        node_names=names,
        max_k=search.max_conditioning,
        blocks=tests,
    )
    matrix = found.G.graph
    skeleton = {pair(names[i], names[j]) for i in range(len(names)) for j in range(i) if matrix[i, j] or matrix[j, i]}
    colliders = _colliders(matrix, names, tests)
    separations = {}
    for i in range(len(names)):
        for j in range(i):
            if (edge := pair(names[i], names[j])) not in skeleton:
                sets = found.sepset[i, j] or [()]
                weakest = min((tests.test(i, j, [int(k) for k in s]) for s in sets), key=lambda found: found[1])
                separations[edge] = weakest
    graph, given_up = orient(names, skeleton, time_order(skeleton, tiers), colliders)
    return Discovered(graph, tiers, colliders, tuple(given_up), separations, tests, time.perf_counter() - started)


def time_order(skeleton: Iterable[Edge], tiers: Mapping[str, int]) -> set[Edge]:
    """The arrows that the tiers give: an earlier tier is never an effect of a later one."""
    return {(a, b) if tiers[a] < tiers[b] else (b, a) for a, b in skeleton if tiers[a] != tiers[b]}


def _colliders(matrix: npt.NDArray[np.int64], names: list[str], tests: BlockTest) -> tuple[tuple[str, str, str], ...]:
    """The unshielded colliders of causal-learn's graph, the strongest first.

    In its matrix, i -> j is written graph[j, i] = 1 and graph[i, j] = -1.
    """
    size = range(len(names))
    arrows = [(names[i], names[j]) for i in size for j in size if matrix[j, i] == 1 and matrix[i, j] == -1]
    joined = {pair(names[i], names[j]) for i in size for j in range(i) if matrix[i, j] or matrix[j, i]}

    def weakest_leg(collider: tuple[str, str, str]) -> float:
        a, c, b = (names.index(n) for n in collider)
        return min(tests.test(a, c)[1], tests.test(b, c)[1])

    found = [(a, c, b) for a, c, b in colliders_of(arrows) if pair(a, b) not in joined]
    return tuple(sorted(found, key=lambda t: (-weakest_leg(t), t)))
