"""Graphs whose edges are directed or not yet: the equivalence class of PC with knowledge, closed under Meek's rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from causalrec.answers import InputError

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

    @cached_property
    def _near(self) -> _Near:
        return _Near(self.nodes, self.directed, self.undirected)

    def parents(self, node: str) -> set[str]:
        return set(self._near.into.get(node, ()))

    def children(self, node: str) -> set[str]:
        return set(self._near.out.get(node, ()))

    def open_neighbours(self, node: str) -> set[str]:
        return set(self._near.beside.get(node, ()))

    def adjacent(self, a: str, b: str) -> bool:
        return self._near.adjacent(a, b)

    def possible_path(self, start: str, ends: set[str], avoid: Iterable[str] = ()) -> tuple[str, ...] | None:
        """A shortest unshielded path from `start` to one of `ends` on which no edge points back, or None.

        Where a node may cause another at all, it may do so along an unshielded path, and on an unshielded path it is
        enough that no edge of it points back: so reachability answers, and no path is listed.

        Args:
            avoid: Nodes that the path may not touch. A path that avoids them and may be causal has an unshielded part
                that avoids them too.

        Source:
            Perkovic, Kalisch and Maathuis (2017), UAI, lemmas 3.2 and 3.6.
        """
        if start in ends:
            return (start,)
        near, closed = self._near, {start, *avoid}
        before: dict[Edge, Edge | None] = {("", start): None}
        queue = deque(before)
        while queue:
            step = queue.popleft()
            previous, last = step
            for node in sorted(near.out[last] | near.beside[last]):
                following = (last, node)
                if node in closed or following in before or near.shields(previous, node):
                    continue
                before[following] = step
                if node in ends:
                    return _walk_back(before, following)
                queue.append(following)
        return None

    def possible_descendants(self, nodes: Iterable[str]) -> set[str]:
        """The nodes and all that one of them may cause."""
        near, reached = self._near, set(nodes)
        for start in tuple(reached):
            seen = {("", start)}
            stack = list(seen)
            while stack:
                previous, last = stack.pop()
                for node in near.out[last] | near.beside[last]:
                    step = (last, node)
                    if step not in seen and node != start and not near.shields(previous, node):
                        seen.add(step)
                        stack.append(step)
            reached.update(node for _, node in seen)
        return reached


class _Near:
    """Who stands beside whom, ready to be asked."""

    def __init__(self, nodes: Iterable[str], directed: Iterable[Edge], undirected: Iterable[Edge]) -> None:
        self.into: dict[str, set[str]] = {node: set() for node in nodes}
        self.out: dict[str, set[str]] = {node: set() for node in self.into}
        self.beside: dict[str, set[str]] = {node: set() for node in self.into}
        for a, b in directed:
            self._known(a, b)
            self.out[a].add(b)
            self.into[b].add(a)
        for a, b in undirected:
            self._known(a, b)
            self.beside[a].add(b)
            self.beside[b].add(a)

    def _known(self, *names: str) -> None:
        for name in names:
            for kind in (self.into, self.out, self.beside):
                kind.setdefault(name, set())

    def adjacent(self, a: str, b: str) -> bool:
        return b in self.out.get(a, ()) or b in self.into.get(a, ()) or b in self.beside.get(a, ())

    def shields(self, previous: str, following: str) -> bool:
        """Whether a step from `previous` over a node to `following` has a short cut, or turns back."""
        return previous == following or self.adjacent(previous, following)

    def turn(self, cause: str, effect: str) -> None:
        """Direct an open edge."""
        self.beside[cause].discard(effect)
        self.beside[effect].discard(cause)
        self.out[cause].add(effect)
        self.into[effect].add(cause)

    def reaches(self, start: str, end: str) -> bool:
        seen, stack = {start}, [start]
        while stack and end not in seen:
            fresh = self.out[stack.pop()] - seen
            seen |= fresh
            stack.extend(fresh)
        return end in seen


def _walk_back(before: dict[Edge, Edge | None], last: Edge) -> tuple[str, ...]:
    path: list[str] = []
    step: Edge | None = last
    while step is not None:
        path.append(step[1])
        step = before[step]
    return tuple(reversed(path))


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
    names = tuple(nodes)
    near = _Near(names, arrows, open_)
    changed = True
    while changed:
        changed = False
        for a, b in sorted(open_):
            for cause, effect in ((a, b), (b, a)):
                if _follows(cause, effect, near) and not near.reaches(effect, cause):
                    open_.discard((a, b))
                    arrows.add((cause, effect))
                    near.turn(cause, effect)
                    changed = True
                    break
    return MPDAG(names, frozenset(arrows), frozenset(open_))


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
    near, arrows = _Near(graph.nodes, graph.directed, graph.undirected), set(graph.directed)
    left = set(near.into)
    while left:
        for node in sorted(left):
            beside, around = near.beside[node] & left, (near.beside[node] | near.into[node]) & left
            if near.out[node] & left:
                continue
            if all(near.adjacent(x, y) for x in beside for y in around if x != y):
                break
        else:
            return None
        arrows |= {(x, node) for x in beside}
        left.discard(node)
    return frozenset(arrows)


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


def _follows(b: str, c: str, near: _Near) -> bool:
    """Whether b - c must be b -> c."""
    if any(not near.adjacent(a, c) for a in near.into[b]):  # 1: a -> b - c, a and c apart: c -> b would be a collider
        return True
    if near.out[b] & near.into[c]:  # 2: b -> a -> c: c -> b would close a cycle
        return True
    both = sorted(near.beside[b] & near.into[c])
    if any(not near.adjacent(x, y) for k, x in enumerate(both) for y in both[k + 1 :]):  # 3
        return True
    return any(  # 4: d -> a -> c with b - d, and b beside a; d and c apart
        not near.adjacent(d, c) and any(near.adjacent(b, a) for a in near.into[c] & near.out[d])
        for d in near.beside[b]
        if d != c
    )
