"""A second opinion that does not assume that every common cause was logged: FCI on what PC found.

PC's edge a -> b may stand for an effect, or for a common cause that nobody logged. FCI allows for that: an arrowhead at
both ends of an edge says that neither causes the other. Where the two disagree, nothing is averaged; the disagreement
is listed, and a person looks.

The search and the rules are causal-learn's. Two things differ from its `fci`: tiers only put an arrowhead at the later
end (its own use of forbidden edges also claims that the earlier causes the later, which a hidden common cause makes
false; tests/graph pins it), and the sets of possible separators are bounded in size, as PC's are (its own go through
all subsets, 2^k of them). The rules that find selection bias are not used.

Source: Spirtes, Glymour and Scheines (2000), "Causation, Prediction, and Search", section 6.7; Zhang (2008), Artificial
Intelligence 172, "On the completeness of orientation rules for causal discovery in the presence of latent confounders
and selection bias".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from causalrec.graph.discovery.pc import Discovered
from causalrec.graph.mpdag import MPDAG, Edge, pair
from causalrec.settings.discovery import Search

Independent = Callable[[int, int, tuple[int, ...]], bool]
MARKS = {"TAIL": "", "ARROW": ">", "CIRCLE": "o"}


@dataclass(frozen=True)
class Disagreement:
    """One pair on which PC and FCI do not agree.

    Attributes:
        pc, fci: The edge in each, as in `a -> b`, `a o-> b`, `a <-> b`; `none` where there is no edge.
        says: What follows, in words.
    """

    a: str
    b: str
    pc: str
    fci: str
    says: str


@dataclass(frozen=True)
class SecondOpinion:
    """What FCI says.

    Attributes:
        edges: Pair -> its edge, as in `a o-> b`.
        disagreements: With PC, in the order of the pairs.
        finished: False where the time was over before all possible separators had been tried: edges may then be left
            that FCI would have taken away.
    """

    edges: Mapping[Edge, str]
    disagreements: tuple[Disagreement, ...]
    finished: bool
    seconds: float


def second_opinion(discovered: Discovered, search: Search, seconds: float = 60.0) -> SecondOpinion:
    """Run FCI from PC's skeleton on.

    Args:
        discovered: What PC found.
        search: Its alpha, and the size of the largest set that is tried.
        seconds: No further set is tried after so long.
    """
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.search.ConstraintBased.FCI import rule0

    started, pc_graph = time.perf_counter(), discovered.graph
    names = list(pc_graph.nodes)

    def independent(x: int, y: int, given: tuple[int, ...]) -> bool:
        return discovered.tests(x, y, given) > search.alpha

    graph = _all_circles(pc_graph)
    sets = _both_ways({(names.index(a), names.index(b)): s for (a, b), s in discovered.separating_sets.items()}, names)
    nodes = graph.get_nodes()
    rule0(graph, nodes, sets, None, False)
    finished = _remove_by_possible_separators(graph, sets, independent, search.max_conditioning, started + seconds)
    rule0(graph, nodes, sets, None, False)
    _point_at_later(graph, discovered.tiers, Endpoint.ARROW)
    _apply_rules(graph, nodes, sets, independent)
    edges = {}
    for edge in graph.get_graph_edges():
        a, b = sorted((edge.get_node1(), edge.get_node2()), key=lambda node: str(node.get_name()))
        at_a, at_b = (MARKS[edge.get_proximal_endpoint(node).name] for node in (a, b))
        edges[a.get_name(), b.get_name()] = f"{a.get_name()} {'<' if at_a == '>' else at_a}-{at_b} {b.get_name()}"
    disagreements = tuple(_disagreements(pc_graph, edges))
    return SecondOpinion(edges, disagreements, finished, time.perf_counter() - started)


def _all_circles(pc_graph: MPDAG) -> Any:
    from causallearn.graph.Edge import Edge as MarkedEdge
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode

    nodes = {name: GraphNode(name) for name in pc_graph.nodes}
    graph = GeneralGraph(list(nodes.values()))
    for a, b in sorted(pc_graph.directed | pc_graph.undirected):
        graph.add_edge(MarkedEdge(nodes[a], nodes[b], Endpoint.CIRCLE, Endpoint.CIRCLE))
    return graph


def _both_ways(sets: Mapping[tuple[int, int], Iterable[str]], names: list[str]) -> dict[tuple[int, int], set[int]]:
    """causal-learn looks a pair up in either order."""
    numbered = {key: {names.index(name) for name in given} for key, given in sets.items()}
    return numbered | {(y, x): given for (x, y), given in numbered.items()}


def _remove_by_possible_separators(
    graph: Any, sets: dict[tuple[int, int], set[int]], independent: Independent, largest: int, until: float
) -> bool:
    """Take away edges that nodes further off than the neighbours separate; False where the time was over."""
    from causallearn.search.ConstraintBased.FCI import getPossibleDsep

    number = graph.get_node_map()
    for edge in graph.get_graph_edges():
        a, b = edge.get_node1(), edge.get_node2()
        x, y = number[a], number[b]
        for first, second in ((a, b), (b, a)):
            candidates = sorted(number[node] for node in getPossibleDsep(first, second, graph, -1))
            beside = {number[node] for node in graph.get_adjacent_nodes(first)}
            separating = None
            for size in range(2, largest + 1):
                for given in combinations(candidates, size):
                    if time.perf_counter() > until:
                        return False
                    # Sets of neighbours only were tried by PC.
                    if not beside.issuperset(given) and independent(x, y, given):
                        separating = given
                        break
                if separating is not None:
                    break
            if separating is not None:
                graph.remove_edge(edge)
                sets[x, y] = sets[y, x] = set(separating)
                break
    return True


def _point_at_later(graph: Any, tiers: Mapping[str, int], arrow: Any) -> None:
    """A later node causes no earlier one: an arrowhead at the later end, whatever stands at the other."""
    from causallearn.graph.Edge import Edge as MarkedEdge

    for edge in graph.get_graph_edges():
        a, b = edge.get_node1(), edge.get_node2()
        earlier, later = (a, b) if tiers[a.get_name()] < tiers[b.get_name()] else (b, a)
        if tiers[a.get_name()] != tiers[b.get_name()]:
            at_earlier = edge.get_proximal_endpoint(earlier)
            graph.remove_edge(edge)
            graph.add_edge(MarkedEdge(earlier, later, at_earlier, arrow))


def _apply_rules(graph: Any, nodes: list[Any], sets: dict[tuple[int, int], set[int]], independent: Independent) -> None:
    """Zhang's rules 1 to 4 and 8 to 10, until none of them changes a mark."""
    from causallearn.search.ConstraintBased import FCI as rules

    def p_value(x: int, y: int, given: Iterable[int]) -> float:
        return float(independent(x, y, tuple(given)))

    before = None
    while before is None or (graph.graph != before).any():
        before = graph.graph.copy()
        rules.rulesR1R2cycle(graph, None, False, False)
        rules.ruleR3(graph, sets, None, False, False)
        rules.ruleR4B(graph, -1, np.zeros((2, len(nodes))), p_value, 0.5, sets, False, None, False)
        rules.rule8(graph, nodes, False)
        rules.rule9(graph, nodes, False)
        rules.rule10(graph, False)


def _disagreements(pc_graph: MPDAG, edges: Mapping[Edge, str]) -> Iterable[Disagreement]:
    for a, b in sorted({pair(a, b) for a, b in pc_graph.directed | pc_graph.undirected}):
        forward, backward = (a, b) in pc_graph.directed, (b, a) in pc_graph.directed
        pc = f"{a} -> {b}" if forward else f"{a} <- {b}" if backward else f"{a} - {b}"
        fci = edges.get((a, b), "none")
        marks = fci.split(" ")[1] if fci != "none" else ""
        if fci == "none":
            yield Disagreement(a, b, pc, fci, "columns further off separate the two: there may be no effect at all")
        elif marks == "<->":
            yield Disagreement(a, b, pc, fci, "neither causes the other: a common cause that is not logged")
        elif forward and marks.startswith("<"):
            yield Disagreement(
                a, b, pc, fci, f"`{a}` does not cause `{b}`: the direction is the other, or a hidden cause"
            )
        elif backward and marks.endswith(">"):
            yield Disagreement(
                a, b, pc, fci, f"`{b}` does not cause `{a}`: the direction is the other, or a hidden cause"
            )
