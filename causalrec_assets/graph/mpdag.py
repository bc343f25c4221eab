"""Graphs whose edges are directed or not yet: the equivalence class of PC with knowledge, closed under Meek's rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from causalrec_assets.answers import InputError

Edge = tuple[str, str]


@dataclass(frozen=True)
class MPDAG:
    """A maximally oriented partially directed acyclic graph.

    Attributes:
        directed: (cause, effect).
        undirected: Pairs in alphabetical order whose direction is open.
    """

    nodes: tuple[str, ...]
    directed: frozenset[Edge]
    undirected: frozenset[Edge]

    def parents(self, node: str) -> set[str]:
        return {a for a, b in self.directed if b == node}

    def children(self, node: str) -> set[str]:
        return {b for a, b in self.directed if a == node}

    def open_neighbours(self, node: str) -> set[str]:
        return {b if a == node else a for a, b in self.undirected if node in (a, b)}

    def adjacent(self, a: str, b: str) -> bool:
        return (a, b) in self.directed or (b, a) in self.directed or pair(a, b) in self.undirected

    def possibly_causal_paths(self, start: str, ends: set[str] | None = None) -> Iterator[tuple[str, ...]]:
        """Paths from `start` on which no edge points back to an earlier node of the path.

        Source: Perkovic, Kalisch and Maathuis (2017), UAI, "b-possibly causal" paths (Definition 3.1).
        """
        stack: list[tuple[str, ...]] = [(start,)]
        while stack:
            path = stack.pop()
            last = path[-1]
            if len(path) > 1 and (ends is None or last in ends):
                yield path
            if ends is not None and last in ends and len(path) > 1:
                continue
            for node in self.children(last) | self.open_neighbours(last):
                if node not in path and not any((node, earlier) in self.directed for earlier in path):
                    stack.append((*path, node))

    def possible_descendants(self, nodes: Iterable[str]) -> set[str]:
        """The nodes and all that they may cause."""
        found = set(nodes)
        for node in tuple(found):
            found.update(path[-1] for path in self.possibly_causal_paths(node))
        return found


def pair(a: str, b: str) -> Edge:
    return (a, b) if a < b else (b, a)


def find_cycle(edges: Iterable[Edge]) -> list[str] | None:
    """A directed cycle, as the list of its nodes, or None."""
    import networkx as nx

    try:
        return [a for a, _ in nx.find_cycle(nx.DiGraph(list(edges)))]
    except nx.NetworkXNoCycle:
        return None


def close(nodes: Iterable[str], directed: Iterable[Edge], undirected: Iterable[Edge]) -> MPDAG:
    """Orient every edge whose direction follows from the others (Meek's rules 1 to 4).

    A rule's arrow that would close a cycle is left out: it means that the edges at hand contradict each other, and
    `orient` then settles what to believe. In a graph that has an extension it does not happen.

    Raises:
        InputError: The directed edges hold a cycle.

    Source:
        Meek (1995), UAI, "Causal inference and causal explanation with background knowledge", section 2.1.2.
    """
    arrows, open_ = set(directed), {pair(a, b) for a, b in undirected}
    if cycle := find_cycle(arrows):
        raise InputError(
            f"the causal graph has the cycle {' -> '.join([*cycle, cycle[0]])}: a cause cannot be its own effect"
        )
    open_ -= {pair(a, b) for a, b in arrows}
    changed = True
    while changed:
        changed = False
        for a, b in sorted(open_):
            for cause, effect in ((a, b), (b, a)):
                if _follows((cause, effect), arrows, open_) and not reaches(arrows, effect, cause):
                    open_.discard((a, b))
                    arrows.add((cause, effect))
                    changed = True
                    break
    return MPDAG(tuple(nodes), frozenset(arrows), frozenset(open_))


def reaches(arrows: Iterable[Edge], start: str, end: str) -> bool:
    """Whether a directed path leads from one node to another."""
    children: dict[str, list[str]] = {}
    for a, b in arrows:
        children.setdefault(a, []).append(b)
    seen, stack = {start}, [start]
    while stack:
        for node in children.get(stack.pop(), ()):
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return end in seen


def colliders_of(edges: Iterable[Edge]) -> set[tuple[str, str, str]]:
    """The unshielded colliders a -> c <- b of a DAG or of a graph's arrows, as (a, c, b) with a before b."""
    arrows = set(edges)
    joined = arrows | {(b, a) for a, b in arrows}
    into: dict[str, list[str]] = {}
    for a, b in sorted(arrows):
        into.setdefault(b, []).append(a)
    return {
        (a, c, b)
        for c, causes in into.items()
        for k, a in enumerate(causes)
        for b in causes[k + 1 :]
        if (a, b) not in joined
    }


def extend(graph: MPDAG) -> frozenset[Edge] | None:
    """A DAG of the class: all arrows kept, no new unshielded collider. None where there is no such DAG.

    Source:
        Dor and Tarsi (1992), UCLA Cognitive Systems Laboratory R-185, "A simple algorithm to construct a consistent
        extension of a partially oriented graph".
    """
    arrows, open_, left, found = set(graph.directed), set(graph.undirected), set(graph.nodes), set(graph.directed)
    while left:
        for node in sorted(left):
            beside = {b if a == node else a for a, b in open_ if node in (a, b)}
            around = beside | {a for a, b in arrows if b == node}
            if any(a == node for a, _ in arrows):
                continue
            if all(graph.adjacent(x, y) for x in beside for y in around if x != y):
                break
        else:
            return None
        found |= {(x, node) for x in beside}
        open_ = {e for e in open_ if node not in e}
        arrows = {e for e in arrows if node not in e}
        left.discard(node)
    return frozenset(found)


def orient(
    nodes: Iterable[str], skeleton: Iterable[Edge], known: Iterable[Edge], colliders: Iterable[tuple[str, str, str]]
) -> tuple[MPDAG, list[tuple[str, str, str]]]:
    """An MPDAG from a skeleton, arrows that are known, and colliders that data suggest.

    Known arrows come first and are a guarantee. Colliders of finite data contradict each other and what is known now
    and then; one that would turn a known arrow, or close a cycle, is given up. Where the open edges cannot all be
    directed without a collider that nobody has seen (an undirected square), edges are directed in the order of the
    nodes until they can, and the class of that DAG is the answer. So the result always is an MPDAG.

    Args:
        known: (cause, effect), each in the skeleton, without a cycle.
        colliders: (a, c, b) for a -> c <- b, the surest first.

    Returns:
        The graph, and the colliders that were given up.

    Raises:
        InputError: The known arrows hold a cycle.
    """
    names, edges, sure = tuple(nodes), {pair(a, b) for a, b in skeleton}, set(known)
    arrows, given_up = set(sure), []
    # Meek's rules read "not adjacent and not a collider", so all colliders stand before the first rule is applied.
    for a, c, b in colliders:
        wanted = {(a, c), (b, c)}
        in_skeleton = {pair(a, c), pair(b, c)} <= edges
        if in_skeleton and not any(reaches(arrows | wanted, y, x) for x, y in wanted):
            arrows |= wanted
        else:
            given_up.append((a, c, b))
    graph = close(names, arrows, edges)
    while (dag := extend(graph)) is None:
        # Without open edges an acyclic graph is its own extension, so there is one to direct.
        a, b = min(graph.undirected)
        arrow = (b, a) if reaches(graph.directed, b, a) else (a, b)
        graph = close(names, graph.directed | {arrow}, graph.undirected)
    class_of = {(x, c) for a, c, b in colliders_of(dag) for x in (a, b)}
    return close(names, class_of | sure, edges), given_up


def _follows(edge: Edge, arrows: set[Edge], open_: set[Edge]) -> bool:
    """Whether b - c must be b -> c."""
    b, c = edge

    def adjacent(x: str, y: str) -> bool:
        return (x, y) in arrows or (y, x) in arrows or pair(x, y) in open_

    into_b, into_c = {x for x, y in arrows if y == b}, {x for x, y in arrows if y == c}
    out_b = {y for x, y in arrows if x == b}
    beside_b = {y if x == b else x for x, y in open_ if b in (x, y)}
    if any(not adjacent(a, c) for a in into_b):  # 1: a -> b - c, a and c apart: c -> b would be a new collider
        return True
    if out_b & into_c:  # 2: b -> a -> c: c -> b would close a cycle
        return True
    both = sorted(beside_b & into_c)
    if any(not adjacent(x, y) for k, x in enumerate(both) for y in both[k + 1 :]):  # 3
        return True
    return any(  # 4: d -> a -> c with b - d, and b beside a; d and c apart
        not adjacent(d, c) and any((d, a) in arrows and adjacent(b, a) for a in into_c) for d in beside_b if d != c
    )
