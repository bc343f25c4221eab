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


def reaches(arrows: Iterable[Edge], start: str, end: str) -> bool:
    """Whether a directed path leads from one node to another."""
    after: dict[str, set[str]] = {}
    for a, b in arrows:
        after.setdefault(a, set()).add(b)
    seen, stack = {start}, [start]
    while stack:
        for node in after.get(stack.pop(), set()) - seen:
            seen.add(node)
            stack.append(node)
    return end in seen


def close(nodes: Iterable[str], directed: Iterable[Edge], undirected: Iterable[Edge]) -> MPDAG:
    """Orient every edge whose direction follows from the others (Meek's rules 1 to 4).

    Raises:
        InputError: The directed edges hold a cycle.

    Source:
        Meek (1995), UAI, "Causal inference and causal explanation with background knowledge", section 2.1.2.
    """
    arrows, open_ = set(directed), {pair(a, b) for a, b in undirected}
    open_ -= {pair(a, b) for a, b in arrows}
    if cycle := find_cycle(arrows):
        raise InputError(f"the causal graph has the cycle {' -> '.join([*cycle, cycle[0]])}: a cause cannot be its own effect")
    changed = True
    while changed:
        changed = False
        for a, b in sorted(open_):
            # Colliders found in data can contradict one another; an arrow that would close a cycle is turned round.
            arrow = next((e for e in ((a, b), (b, a)) if reaches(arrows, *e) or _follows(e, arrows, open_)), None)
            if arrow:
                open_.discard((a, b))
                arrows.add(arrow if not reaches(arrows, arrow[1], arrow[0]) else (arrow[1], arrow[0]))
                changed = True
    return MPDAG(tuple(nodes), frozenset(arrows), frozenset(open_))


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
    if any(not adjacent(x, y) for k, x in enumerate(both) for y in both[k + 1:]):  # 3
        return True
    return any(  # 4: d -> a -> c with b - d, and b beside a; d and c apart
        not adjacent(d, c) and any((d, a) in arrows and adjacent(b, a) for a in into_c) for d in beside_b if d != c
    )
