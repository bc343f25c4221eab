"""The causal graph: what the data gave, oriented by what experts know; every disagreement is a reported conflict."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from causalrec.answers import InputError
from causalrec.graph.discovery.pc import time_order
from causalrec.graph.discovery.result import EVIDENCE, Discovery, EdgeEvidence
from causalrec.graph.knowledge.conflicts import Conflict, conflict
from causalrec.graph.knowledge.edge_table import Origin, edge_table
from causalrec.graph.knowledge.entries import FILE, Entry, Knowledge
from causalrec.graph.knowledge.resolve import Resolved, TierOrder, Unused, resolve
from causalrec.graph.mpdag import MPDAG, Edge, orient, pair, reaches

OPPOSITE = "but the data find the opposite direction"


@dataclass(frozen=True)
class OrientedGraph:
    """The causal graph and how it came about.

    Attributes:
        table: Its edges, by the columns of `edge_table.SCHEMA`.
        unused: Entries that say nothing of these columns on this day.
        order: The tiers, with what experts placed otherwise.
        blocks: Whether conflicts are to stop the graph.
    """

    graph: MPDAG
    table: pl.DataFrame
    conflicts: list[Conflict]
    unused: tuple[Unused, ...]
    order: TierOrder
    blocks: bool

    @property
    def tiers(self) -> dict[str, int]:
        """Of the graph's logged nodes."""
        return {node: self.order.of[node] for node in self.graph.nodes if node in self.order.of}

    def verdict(self) -> tuple[bool, str]:
        """(whether data and experts agree, in words), for a check; `blocks` says whether it stops the graph."""
        if not self.conflicts:
            return True, "the data contradict nothing that experts say"
        lines = [f"{c.edge} ({c.who}, line {c.line}): {c.says}" for c in self.conflicts]
        return False, f"{len(lines)} conflict(s), the experts were followed: {'; '.join(lines)}"


def orient_with_knowledge(discovery: Discovery, knowledge: Knowledge) -> OrientedGraph:
    """Orient the discovered skeleton anew, with what experts know before what data suggest.

    What is known is a guarantee: required arrows are in the graph, forbidden ones are not, settled pairs have their
    direction, and no arrow leads to an earlier tier. An edge of the data that could only be there against all of that
    (both of its directions are forbidden, or would close a cycle) is taken away. A collider that knowledge contradicts
    yields.

    Args:
        discovery: Without `edges`, the table of the result has no columns of evidence, and what experts say against the
            data is `expert` in it.
        knowledge: Of the partition's day (`read_knowledge(text, day)`).

    Raises:
        InputError: Entries contradict each other or the time order, or a hidden cause has the name of a column.
    """
    resolved = resolve(knowledge, discovery.graph.nodes, discovery.roles)
    known = _KnownArrows(discovery, resolved)
    graph = _oriented(discovery, resolved, known)
    # A direction that follows from what is known, against the data, is a conflict of the entry that it follows from.
    for edge in sorted(graph.directed):
        against_data = edge[::-1] in discovery.arrows_from_data and edge not in known.origins
        if against_data and (entry := _responsible_entry(edge, discovery, knowledge)):
            known.contradict(edge, entry, f"follows from `{entry.statement}`, {OPPOSITE}")
    conflicts = [
        conflict(edge, says, entry, discovery.evidence.get(edge, EdgeEvidence()))
        for edge, says, entry in known.disagreements
    ]
    table = edge_table(graph, known.origins, discovery.evidence)
    return OrientedGraph(
        graph,
        table if discovery.edges is not None else table.drop(EVIDENCE),
        sorted(conflicts, key=lambda c: (c.line, c.edge)),
        resolved.unused,
        resolved.order,
        knowledge.blocks,
    )


def graph_with_knowledge(discovery: Discovery, knowledge: Knowledge) -> MPDAG:
    """The graph of `orient_with_knowledge` alone: for comparing what it would be with other knowledge."""
    resolved = resolve(knowledge, discovery.graph.nodes, discovery.roles)
    return _oriented(discovery, resolved, _KnownArrows(discovery, resolved))


class _KnownArrows:
    """The arrows that are known of a discovery: required ones, those of the tiers, settled and forbidden ones, in turn.

    Attributes:
        skeleton: Pairs with an edge: those of the data, with the required ones and without those that cannot be.
        arrows: Those that are known.
        origins: Arrow -> where it comes from, if from an entry.
        disagreements: (edge, what is said of it, by which entry) where data say otherwise.
    """

    def __init__(self, discovery: Discovery, resolved: Resolved) -> None:
        self._discovery, self._resolved = discovery, resolved
        self.skeleton: set[Edge] = set(discovery.skeleton)
        self.arrows: set[Edge] = set()
        self.origins: dict[Edge, Origin] = {}
        self.disagreements: list[tuple[Edge, str, Entry]] = []
        self._require()
        self._place_in_tiers()
        self._settle()
        self._forbid()

    def _require(self) -> None:
        for edge, statement in self._resolved.required.items():
            self.skeleton.add(pair(*edge))
            says = self._opposite(edge, "required")
            if pair(*edge) in self._discovery.separations:
                says = "required, but the data call the two independent or nearly so"
            self._know(edge, statement, says)

    def _place_in_tiers(self) -> None:
        order = self._resolved.order
        placeable = {edge for edge in self._discovery.skeleton if set(edge) <= order.of.keys()}
        for edge in sorted(time_order(placeable, order.of)):
            self.arrows.add(edge)
            placements = [order.placed[column] for column in edge if column in order.placed]
            if placements and edge not in self.origins and not self._discovery.follows_time(edge):
                earliest = min(placements, key=lambda placement: placement.line)
                self._know(edge, earliest, self._opposite(edge, "placed in tiers"))

    def _settle(self) -> None:
        for edge, statement in self._resolved.settled.items():
            if pair(*edge) in self._discovery.skeleton and edge not in self._resolved.required:
                self._know(edge, statement, self._opposite(edge, "settled"))

    def _forbid(self) -> None:
        """Both ways first: an edge that cannot be is no reason for another one."""
        forbidden = self._resolved.forbidden
        for edge in sorted(forbidden, key=lambda edge: edge[::-1] not in forbidden):
            entry, opposite = forbidden[edge], edge[::-1]
            if pair(*edge) not in self.skeleton or opposite in self.arrows:
                continue
            if opposite in forbidden or edge in self.arrows or reaches(self.arrows, *edge):
                self._part(edge, entry)
            else:
                self._know(opposite, entry)
                if edge in self._discovery.arrows_from_data:
                    self.origins[opposite] = Origin("conflict", entry)
                    self.disagreements.append((edge, "forbidden, but the data find it", entry))

    def _part(self, edge: Edge, entry: Entry) -> None:
        """Neither direction can be: the two depend on each other through something that the graph does not hold."""
        self.skeleton.discard(pair(*edge))
        for direction in (edge, edge[::-1]):
            self.arrows.discard(direction)
            self.origins.pop(direction, None)
        says = "forbidden, and the other direction cannot be either, but the data join the two"
        self.disagreements.append((edge, says, entry))

    def _opposite(self, edge: Edge, as_what: str) -> str | None:
        """That data find the opposite direction, in words, if they do."""
        return f"{as_what}, {OPPOSITE}" if edge[::-1] in self._discovery.arrows_from_data else None

    def _know(self, edge: Edge, entry: Entry, contradiction: str | None = None) -> None:
        self.arrows.add(edge)
        self.origins[edge] = Origin("both" if pair(*edge) in self._discovery.skeleton else "expert", entry)
        if contradiction:
            self.contradict(edge, entry, contradiction)

    def contradict(self, edge: Edge, entry: Entry, says: str) -> None:
        """An arrow of the graph that data speak against."""
        self.origins[edge] = Origin("conflict", entry)
        self.disagreements.append((edge, says, entry))


def _oriented(discovery: Discovery, resolved: Resolved, known: _KnownArrows) -> MPDAG:
    nodes = [*discovery.graph.nodes, *resolved.hidden]
    nodes += sorted({end for edge in resolved.required for end in edge} - set(nodes))
    # That a pair is independent is what tells a collider between the two; of a pair that experts join it tells nothing.
    remaining_colliders = [c for c in discovery.colliders if pair(c[0], c[2]) not in known.skeleton]
    try:
        return orient(nodes, known.skeleton, known.arrows, remaining_colliders)[0]
    except InputError as error:
        raise InputError(f"{FILE}: what is known contradicts itself: {error}") from error


def _responsible_entry(edge: Edge, discovery: Discovery, knowledge: Knowledge) -> Entry | None:
    """The entry without which a direction would not be against the data; else the one that makes the difference when
    all are taken away, the last first."""
    for entry in knowledge.entries:
        if _turns(edge, discovery, knowledge.without(entry)):
            return entry
    rest = knowledge
    for entry in reversed(knowledge.entries):
        rest = rest.without(entry)
        if _turns(edge, discovery, rest):
            return entry
    return None


def _turns(edge: Edge, discovery: Discovery, rest: Knowledge) -> bool:
    """Whether the rest of the knowledge does not give a direction. Where an entry that is left needs one that is not (a
    place in the tiers, say), it cannot be told."""
    try:
        return edge not in graph_with_knowledge(discovery, rest).directed
    except InputError:
        return False
