"""Small random graphs and a brute-force reading of their equivalence class."""

import itertools

import networkx as nx
import numpy as np

from causalrec_assets.graph.mpdag import MPDAG, colliders_of, pair


def random_dag(rng: np.random.Generator, nodes: int, density: float) -> tuple[list[str], set[tuple[str, str]]]:
    """Named v0, v1, ... so that a node's name says nothing of its place in the order."""
    names = [f"v{k}" for k in rng.permutation(nodes)]
    return sorted(names), {e for e in itertools.combinations(names, 2) if rng.random() < density}


def members(nodes: list[str], skeleton: set[tuple[str, str]], colliders: set[tuple[str, str, str]], known=frozenset()):
    """All DAGs with this skeleton, exactly these unshielded colliders, and the known arrows."""
    found = []
    for turned in itertools.product((False, True), repeat=len(skeleton)):
        arrows = {(b, a) if turn else (a, b) for (a, b), turn in zip(sorted(skeleton), turned, strict=True)}
        if (
            known <= arrows
            and colliders_of(arrows) == colliders
            and nx.is_directed_acyclic_graph(nx.DiGraph(list(arrows)))
        ):
            found.append(arrows)
    return found


def skeleton_of(arrows) -> set[tuple[str, str]]:
    return {pair(a, b) for a, b in arrows}


def dag(nodes, arrows) -> MPDAG:
    return MPDAG(tuple(nodes), frozenset(arrows), frozenset())


def brute_force_valid(nodes, arrows, treatment: str, outcome: str, columns: set[str]) -> bool:
    """Definition 4 of Shpitser, VanderWeele and Robins (2010), UAI, read off path by path."""
    graph = nx.DiGraph(list(arrows))
    graph.add_nodes_from(nodes)
    below = {n: nx.descendants(graph, n) | {n} for n in nodes}
    on_the_way = {w for w in below[treatment] - {treatment} if outcome in below[w]}
    if any(columns & below[w] for w in on_the_way) or treatment in columns:
        return False
    for path in nx.all_simple_paths(graph.to_undirected(), treatment, outcome):
        if all(graph.has_edge(a, b) for a, b in itertools.pairwise(path)):
            continue
        is_open = all(
            bool(below[b] & columns) if graph.has_edge(a, b) and graph.has_edge(c, b) else b not in columns
            for a, b, c in zip(path, path[1:], path[2:], strict=False)
        )
        if is_open:
            return False
    return True
