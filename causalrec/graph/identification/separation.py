"""What depends on what in a DAG: open paths given some columns (d-separation)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from causalrec.graph.mpdag import Edge

State = tuple[str, bool]
"""A node, and whether it was reached against an arrow (from an effect of it)."""


class Dag:
    """A directed acyclic graph that is asked many times."""

    def __init__(self, nodes: Iterable[str], arrows: Iterable[Edge]) -> None:
        self.arrows = frozenset(arrows)
        self.into: dict[str, set[str]] = {node: set() for node in nodes}
        self.out: dict[str, set[str]] = {node: set() for node in self.into}
        for a, b in self.arrows:
            self.out[a].add(b)
            self.into[b].add(a)

    def ancestors(self, nodes: Iterable[str], avoid: Iterable[str] = ()) -> set[str]:
        """The nodes and all their causes, along arrows that do not touch `avoid`."""
        return _reach(self.into, nodes, avoid)

    def descendants(self, nodes: Iterable[str], avoid: Iterable[str] = ()) -> set[str]:
        """The nodes and all their effects, along arrows that do not touch `avoid`."""
        return _reach(self.out, nodes, avoid)

    def without(self, into: Iterable[str] = (), out_of: Iterable[str] = ()) -> Dag:
        """The graph without the arrows into, or out of, some nodes: what an intervention leaves."""
        into, out_of = set(into), set(out_of)
        return Dag(self.into, {(a, b) for a, b in self.arrows if a not in out_of and b not in into})

    def open_path(self, starts: Iterable[str], ends: Iterable[str], given: Iterable[str]) -> tuple[str, ...] | None:
        """A shortest path that carries dependence, or None where `given` separates the two.

        A path is open where every node on it at which two arrows meet is given or has an effect that is, and no other
        node on it is given.

        Source:
            Shachter (1998), UAI, "Bayes-ball"; a shortest such walk visits no node twice.
        """
        given, ends, starts = set(given), set(ends), sorted(starts)
        opened = self.ancestors(given)
        before: dict[State, State | None] = {(start, True): None for start in starts}
        queue = deque(before)
        while queue:
            state = queue.popleft()
            node, from_effect = state
            if node in ends:
                return _walk_back(before, state)
            following: list[State] = []
            if node not in given:
                following += [(child, False) for child in sorted(self.out[node])]
            if (from_effect and node not in given) or (not from_effect and node in opened):
                following += [(parent, True) for parent in sorted(self.into[node])]
            for step in following:
                if step not in before and step[0] not in starts:
                    before[step] = state
                    queue.append(step)
        return None

    def separated(self, starts: Iterable[str], ends: Iterable[str], given: Iterable[str]) -> bool:
        return self.open_path(starts, ends, given) is None

    def words(self, path: tuple[str, ...]) -> str:
        """`a <- b -> c`."""
        steps = [f" -> {b}" if b in self.out[a] else f" <- {b}" for a, b in pairwise(path)]
        return path[0] + "".join(steps)


def _reach(edges: dict[str, set[str]], starts: Iterable[str], avoid: Iterable[str]) -> set[str]:
    closed = set(avoid)
    reached = set(starts) - closed
    stack = list(reached)
    while stack:
        fresh = edges[stack.pop()] - reached - closed
        reached |= fresh
        stack.extend(fresh)
    return reached


def _walk_back(before: dict[State, State | None], last: State) -> tuple[str, ...]:
    path: list[str] = []
    step: State | None = last
    while step is not None:
        path.append(step[0])
        step = before[step]
    return tuple(reversed(path))
