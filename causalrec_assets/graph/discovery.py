"""Causal discovery: causal-learn's PC on the window's units, with what can come before what as tiers."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from causalrec_assets.graph.independence import BlockTest, register
from causalrec_assets.graph.mpdag import MPDAG, Edge, close, pair, reaches
from causalrec_assets.graph.nodes import Node
from causalrec_assets.graph.questions import Search


@dataclass(frozen=True)
class Discovered:
    """The graph that data and tiers give, before any expert is heard.

    Attributes:
        colliders: Arrows that stand in an unshielded collider found by PC.
        separations: For each pair that is not adjacent, the p-value at which it was called independent.
    """

    graph: MPDAG
    tiers: dict[str, int]
    colliders: frozenset[Edge]
    separations: dict[Edge, float]
    tests: BlockTest
    seconds: float

    def strength(self, a: str, b: str) -> tuple[float, float]:
        """(p-value, strength) of a pair given the other neighbours of the later node."""
        names = list(self.graph.nodes)
        later = b if self.tiers[b] >= self.tiers[a] else a
        others = [n for n in names if n not in (a, b) and self.graph.adjacent(n, later) and self.tiers[n] <= self.tiers[later]]
        return self.tests.test(names.index(a), names.index(b), [names.index(n) for n in others])


def discover(nodes: list[Node], search: Search) -> Discovered:
    """Run PC.

    causal-learn gives skeleton and colliders through its public interface. Orientation from tiers, and the closure under
    Meek's rules, are done here: given forbidden pairs it would make a collider of X - Y - Z with X and Z forbidden both
    ways, and it drops required edges that data call independent (tests/graph pins both).

    Raises:
        ValueError: Fewer than two nodes.
    """
    if len(nodes) < 2:
        raise ValueError(f"a graph needs at least two columns that vary, got {[n.name for n in nodes]}")
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    started = time.perf_counter()
    names = [node.name for node in nodes]
    tiers = {node.name: node.tier for node in nodes}
    tests = BlockTest([node.block for node in nodes], search.floor)
    knowledge = BackgroundKnowledge()
    for node in nodes:
        knowledge.add_node_to_tier(GraphNode(node.name), node.tier)
    placeholder = np.zeros((max(2, len(nodes) + 1), len(nodes)))
    found = pc(
        placeholder, search.alpha, register(), stable=True, background_knowledge=knowledge, show_progress=False,
        node_names=names, max_k=search.max_conditioning, blocks=tests,
    )
    matrix = found.G.graph
    skeleton = {pair(names[i], names[j]) for i in range(len(names)) for j in range(i) if matrix[i, j] or matrix[j, i]}
    colliders = _colliders(matrix, names, skeleton)
    separations = {}
    for i in range(len(names)):
        for j in range(i):
            if (edge := pair(names[i], names[j])) not in skeleton:
                sets = found.sepset[i, j] or [()]
                separations[edge] = max(tests.test(i, j, [int(k) for k in s])[0] for s in sets)
    graph = orient(names, skeleton, tiers, colliders)
    return Discovered(graph, tiers, colliders, separations, tests, time.perf_counter() - started)


def orient(names: list[str], skeleton: set[Edge], tiers: dict[str, int], colliders: frozenset[Edge]) -> MPDAG:
    """Tiers first (a guarantee), then the colliders of the data that agree with them, then Meek's rules."""
    arrows = {(a, b) if tiers[a] < tiers[b] else (b, a) for a, b in skeleton if tiers[a] != tiers[b]}
    for a, b in sorted(colliders):
        if pair(a, b) in skeleton and (b, a) not in arrows and not reaches(arrows, b, a):
            arrows.add((a, b))
    return close(names, arrows, skeleton)


def _colliders(matrix: np.ndarray, names: list[str], skeleton: set[Edge]) -> frozenset[Edge]:  # type: ignore[type-arg]
    """Arrows a -> c with another b -> c, where a and b are not adjacent. graph[j, i] = 1 and graph[i, j] = -1: i -> j."""
    into = {c: [a for a in range(len(names)) if matrix[c, a] == 1 and matrix[a, c] == -1] for c in range(len(names))}
    found = set()
    for c, causes in into.items():
        for a in causes:
            if any(b != a and pair(names[a], names[b]) not in skeleton for b in causes):
                found.add((names[a], names[c]))
    return frozenset(found)
