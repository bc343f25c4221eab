"""Small random graphs and a brute-force reading of their equivalence class."""

import itertools

import networkx as nx
import numpy as np

from causalrec.graph.mpdag import MPDAG, pair


def random_dag(rng: np.random.Generator, nodes: int, density: float) -> tuple[list[str], set[tuple[str, str]]]:
    """Named v0, v1, ... so that a node's name says nothing of its place in the order."""
    names = [f"v{k}" for k in rng.permutation(nodes)]
    return sorted(names), {e for e in itertools.combinations(names, 2) if rng.random() < density}


def members(skeleton: set[tuple[str, str]], colliders: set[tuple[str, str, str]], known=frozenset()):
    """All DAGs with this skeleton, exactly these unshielded colliders, and the known arrows.

    Grown pair by pair: what has a wrong collider or a cycle already is not followed.
    """
    sure = {(end, c) for a, c, b in colliders for end in (a, b)} | set(known)
    grown: list[set[tuple[str, str]]] = [set()]
    for a, b in sorted(skeleton):
        grown = [
            arrows | {(cause, effect)}
            for arrows in grown
            for cause, effect in ((a, b), (b, a))
            if (effect, cause) not in sure
            and all(
                pair(cause, other) in skeleton or (*pair(cause, other), effect) in {(x, y, c) for x, c, y in colliders}
                for other, end in arrows
                if end == effect
            )
            and not _leads(arrows, effect, cause)
        ]
    return grown


def _leads(arrows: set[tuple[str, str]], start: str, end: str) -> bool:
    reached, before = {start}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {b for a, b in arrows if a in reached}
    return end in reached


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


def possibly_causal_paths(graph: MPDAG, start: str, ends: set[str] | None = None):
    """All paths on which no edge points back to an earlier node: definition 3.1 of Perkovic et al. (2017), listed."""
    stack = [(start,)]
    while stack:
        path = stack.pop()
        last = path[-1]
        if len(path) > 1 and (ends is None or last in ends):
            yield path
        if ends is not None and last in ends and len(path) > 1:
            continue
        for node in graph.children(last) | graph.open_neighbours(last):
            if node not in path and not any((node, earlier) in graph.directed for earlier in path):
                stack.append((*path, node))


def brute_force_valid_jointly(nodes, arrows, treatments: set[str], outcome: str, columns: set[str]) -> bool:
    """The same for several treatments at once, with proper paths only: those that leave the treatments for good."""
    graph = nx.DiGraph(list(arrows))
    graph.add_nodes_from(nodes)
    below = {n: nx.descendants(graph, n) | {n} for n in nodes}
    proper = []
    for start in treatments:
        rest = graph.subgraph(set(nodes) - treatments | {start})
        proper += [(rest, path) for path in nx.all_simple_paths(rest.to_undirected(), start, outcome)]
    causal = [path for rest, path in proper if all(rest.has_edge(a, b) for a, b in itertools.pairwise(path))]
    if columns & (treatments | {d for path in causal for node in path[1:] for d in below[node]}):
        return False
    for rest, path in proper:
        if path not in causal and all(
            bool(below[b] & columns) if rest.has_edge(a, b) and rest.has_edge(c, b) else b not in columns
            for a, b, c in zip(path, path[1:], path[2:], strict=False)
        ):
            return False
    return True


def all_sets(names):
    return [set(s) for size in range(len(names) + 1) for s in itertools.combinations(sorted(names), size)]


def linear_variance(rng: np.random.Generator, graph: MPDAG, treatment: str, outcome: str):
    """Of a set: Var(Y | T, Z) / Var(T | Z), an adjusted effect's variance in a linear Gaussian world of a DAG."""
    names = list(graph.nodes)
    weights = np.zeros((len(names), len(names)))
    for a, b in sorted(graph.directed):
        weights[names.index(b), names.index(a)] = rng.uniform(0.4, 1.2) * rng.choice([-1, 1])
    root = np.linalg.inv(np.eye(len(names)) - weights)
    covariance = root @ np.diag(rng.uniform(0.5, 2.0, len(names))) @ root.T

    def left(of: str, given: set[str]) -> float:
        k, rest = names.index(of), [names.index(g) for g in sorted(given)]
        inside = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, k])
        return covariance[k, k] - covariance[k, rest] @ inside

    return lambda columns: left(outcome, columns | {treatment}) / left(treatment, columns)
