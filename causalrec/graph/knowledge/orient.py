"""The causal graph: what the data gave, bound by what experts know; every disagreement is a reported conflict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec.graph.discovery.nodes import place_of
from causalrec.graph.discovery.pc import time_order
from causalrec.graph.knowledge.entries import FILE, Entry, Knowledge
from causalrec.graph.knowledge.resolve import Resolved, TierOrder, Unused, resolve
from causalrec.graph.mpdag import MPDAG, Edge, orient, pair, reaches

SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "target": pl.String(),
    "mark": pl.String(),
    "provenance": pl.String(),
    "strength": pl.Float64(),
    "p_value": pl.Float64(),
    "confidence": pl.Float64(),
    "direction_confidence": pl.Float64(),
    "who": pl.String(),
    "why": pl.String(),
    "when": pl.String(),
}
Collider = tuple[str, str, str]


@dataclass(frozen=True)
class Evidence:
    """What data say of a pair; None where they were not asked.

    Attributes:
        strength, p_value: Of the test.
        confidence: How sure it is that the pair has an edge (`bootstrap`).
        direction_confidence: How sure the direction is that a row speaks of.
    """

    strength: float | None = None
    p_value: float | None = None
    confidence: float | None = None
    direction_confidence: float | None = None

    def turned(self) -> Evidence:
        """The same of the opposite direction."""
        share = None if self.direction_confidence is None else 1 - self.direction_confidence
        return Evidence(self.strength, self.p_value, self.confidence, share)


@dataclass(frozen=True)
class Conflict:
    """Where an expert and the data disagree. The expert was followed.

    Attributes:
        edge: What the entry speaks of; of a forbidden arrow that data find, the graph has the opposite, or none.
        says: The disagreement in words.
        strength, p_value, confidence: What data say of the pair.
        direction_confidence: How sure the direction of `edge` is, if there is one.
        line: Of the entry in expert_graph.yaml.
    """

    edge: str
    says: str
    strength: float | None
    p_value: float | None
    confidence: float | None
    direction_confidence: float | None
    who: str
    why: str
    when: str
    line: int


CONFLICTS: dict[str, Any] = {
    f.name: pl.Int64() if f.name == "line" else pl.String() if "None" not in str(f.type) else pl.Float64()
    for f in fields(Conflict)
}
"""The schema of a table of conflicts."""


@dataclass(frozen=True)
class Bound:
    """The causal graph and how it came about. `graph, table, conflicts = bind(...)` works too.

    Attributes:
        table: Its edges, see `SCHEMA`.
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

    def __iter__(self) -> Iterator[Any]:
        return iter((self.graph, self.table, self.conflicts))

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


@dataclass
class _Work:
    """A graph in the making.

    Attributes:
        skeleton: Pairs with an edge.
        sure: Arrows that are known.
        origin: Arrow -> its provenance and the entry that it comes from.
    """

    skeleton: set[Edge]
    sure: set[Edge] = field(default_factory=set)
    origin: dict[Edge, tuple[str, Entry]] = field(default_factory=dict)
    disagreements: list[tuple[Edge, str, Entry]] = field(default_factory=list)

    def know(self, edge: Edge, entry: Entry, provenance: str, contradiction: str | None) -> None:
        self.sure.add(edge)
        self.origin[edge] = ("conflict" if contradiction else provenance, entry)
        if contradiction:
            self.disagreements.append((edge, contradiction, entry))


def bind(
    discovered: MPDAG,
    colliders: Iterable[Collider],
    separations: Mapping[Edge, tuple[float, float]],
    knowledge: Knowledge,
    roles: Mapping[str, str],
    found: pl.DataFrame | None = None,
    shares: Mapping[Edge, float] | None = None,
) -> Bound:
    """Orient the discovered skeleton anew, with what experts know before what data suggest.

    What is known is a guarantee: required arrows are in the graph, forbidden ones are not, settled pairs have their
    direction, and no arrow leads to an earlier tier. An edge of the data that could only be there against all of that
    (both of its directions are forbidden, or would close a cycle) is taken away.

    Args:
        discovered: Nodes and edges from data and tiers.
        colliders: The unshielded colliders that data suggest, the surest first; one that knowledge contradicts yields.
        separations: (p-value, strength) of the pairs that data called independent.
        knowledge: Of the partition's day (`read_knowledge(text, day)`).
        roles: Of all columns of `units`: an expert may speak of a column that data could not place, such as `position`.
        found: The table of `discovered`: source, target, strength, p_value and, where asked for, confidence and
            direction_confidence. Without it the table of the result has no such columns, and what experts say
            against the data is `expert` in it.
        shares: Of pairs without an edge: how sure one is.

    Raises:
        InputError: Entries contradict each other or the time order, or a hidden cause has the name of a column.
    """
    surest = list(colliders)
    resolved = resolve(knowledge, discovered.nodes, roles)
    work, graph = _orient(discovered, surest, separations, resolved, roles)
    evidence = _evidence(found, separations, shares or {})
    # A direction that follows from what is known, against the data, is a conflict of the entry that it follows from.
    told = _directions_of_data(discovered, roles)
    for a, b in sorted(graph.directed):
        if (b, a) in told and (a, b) not in work.origin:
            entry = _turned_by((a, b), discovered, surest, separations, knowledge, roles)
            if entry is not None:
                says = f"follows from `{entry.said}`, but the data find the opposite direction"
                work.origin[a, b] = ("conflict", entry)
                work.disagreements.append(((a, b), says, entry))
    conflicts = [
        _conflict(edge, says, entry, evidence.get(edge, Evidence())) for edge, says, entry in work.disagreements
    ]
    conflicts.sort(key=lambda c: (c.line, c.edge))
    table = _table(graph, work.origin, evidence)
    if found is None:
        table = table.drop(f.name for f in fields(Evidence))
    return Bound(graph, table, conflicts, resolved.unused, resolved.order, knowledge.blocks)


def bind_graph(
    discovered: MPDAG,
    colliders: Sequence[Collider],
    separations: Mapping[Edge, tuple[float, float]],
    knowledge: Knowledge,
    roles: Mapping[str, str],
) -> MPDAG:
    """The graph of `bind` alone: for comparing what it would be with other knowledge."""
    return _orient(discovered, colliders, separations, resolve(knowledge, discovered.nodes, roles), roles)[1]


def _orient(
    discovered: MPDAG,
    colliders: Sequence[Collider],
    separations: Mapping[Edge, tuple[float, float]],
    resolved: Resolved,
    roles: Mapping[str, str],
) -> tuple[_Work, MPDAG]:
    in_data = {pair(a, b) for a, b in discovered.directed | discovered.undirected}
    told, work = _directions_of_data(discovered, roles), _Work(set(in_data))
    opposite = "but the data find the opposite direction"
    for edge, said in resolved.required.items():
        contradiction = f"required, {opposite}" if edge[::-1] in told else None
        if pair(*edge) in separations:
            contradiction = "required, but the data call the two independent or nearly so"
        work.skeleton.add(pair(*edge))
        work.know(edge, said, "both" if pair(*edge) in in_data else "expert", contradiction)
    tiers = resolved.order.of
    for edge in sorted(time_order({e for e in in_data if e[0] in tiers and e[1] in tiers}, tiers)):
        work.sure.add(edge)
        placed = [resolved.order.placed[c] for c in edge if c in resolved.order.placed]
        if placed and edge not in work.origin and not _ordered(edge, roles):
            entry = min(placed, key=lambda p: p.line)
            work.know(edge, entry, "both", f"placed in tiers, {opposite}" if edge[::-1] in told else None)
    for edge, said in resolved.settled.items():
        if pair(*edge) in in_data and edge not in resolved.required:
            work.know(edge, said, "both", f"settled, {opposite}" if edge[::-1] in told else None)
    both_ways = [edge for edge in resolved.forbidden if edge[::-1] in resolved.forbidden]
    one_way = [edge for edge in resolved.forbidden if edge[::-1] not in resolved.forbidden]
    for edge in (*both_ways, *one_way):
        said, other = resolved.forbidden[edge], edge[::-1]
        if pair(*edge) not in work.skeleton or other in work.sure:
            continue
        if edge in both_ways or edge in work.sure or reaches(work.sure, *edge):
            # Neither direction can be: the two depend on each other through something that the graph does not hold.
            work.skeleton.discard(pair(*edge))
            work.sure -= {edge, other}
            work.origin.pop(edge, None)
            work.origin.pop(other, None)
            says = "forbidden, and the other direction cannot be either, but the data join the two"
            work.disagreements.append((edge, says, said))
        else:
            work.know(other, said, "both", None)
            if edge in told:
                work.origin[other] = ("conflict", said)
                work.disagreements.append((edge, "forbidden, but the data find it", said))
    nodes = [*discovered.nodes, *resolved.hidden]
    nodes += sorted({end for edge in resolved.required for end in edge} - set(nodes))
    # That a pair is independent is what told a collider between the two; of a pair that experts join it tells nothing.
    told_still = [c for c in colliders if pair(c[0], c[2]) not in work.skeleton]
    try:
        graph, _ = orient(nodes, work.skeleton, work.sure, told_still)
    except InputError as error:
        raise InputError(f"{FILE}: what is known contradicts itself: {error}") from error
    return work, graph


def _ordered(edge: Edge, roles: Mapping[str, str]) -> bool:
    """Whether the default time order alone gives a pair its direction."""
    a, b = edge
    return place_of(a, roles[a]) < place_of(b, roles[b])


def _directions_of_data(discovered: MPDAG, roles: Mapping[str, str]) -> set[Edge]:
    """The arrows that come from data, not from the time order."""
    return {e for e in discovered.directed if not (e[0] in roles and e[1] in roles and _ordered(e, roles))}


def _turned_by(
    edge: Edge,
    discovered: MPDAG,
    colliders: Sequence[Collider],
    separations: Mapping[Edge, tuple[float, float]],
    knowledge: Knowledge,
    roles: Mapping[str, str],
) -> Entry | None:
    """The entry without which a direction would not be against the data; else the one that makes the difference when
    all are taken away, the last first."""
    for entry in knowledge.entries:
        try:
            alone = bind_graph(discovered, colliders, separations, knowledge.without(entry), roles)
        except InputError:
            # Another entry needs this one (a place in the tiers, say), so it cannot be told what it does alone.
            continue
        if edge not in alone.directed:
            return entry
    rest = knowledge
    for entry in reversed(knowledge.entries):
        rest = rest.without(entry)
        try:
            if edge not in bind_graph(discovered, colliders, separations, rest, roles).directed:
                return entry
        except InputError:
            continue
    return None


def _evidence(
    found: pl.DataFrame | None, separations: Mapping[Edge, tuple[float, float]], shares: Mapping[Edge, float]
) -> dict[Edge, Evidence]:
    """Of each pair, in both directions."""
    known: dict[Edge, Evidence] = {}
    for (a, b), (p_value, strength) in separations.items():
        known[a, b] = Evidence(strength, p_value, shares.get(pair(a, b)))
    for row in found.iter_rows(named=True) if found is not None else ():
        known[row["source"], row["target"]] = Evidence(*(row.get(f.name) for f in fields(Evidence)))
    return {edge[::-1]: of.turned() for edge, of in known.items()} | known


def _conflict(edge: Edge, says: str, entry: Entry, of: Evidence) -> Conflict:
    arrow = f"{edge[0]} -> {edge[1]}"
    shown = (of.strength, of.p_value, of.confidence, of.direction_confidence)
    return Conflict(arrow, says, *shown, entry.who, entry.why, entry.when, entry.line)


def conflict_table(conflicts: Sequence[Conflict]) -> pl.DataFrame:
    """Conflicts as rows, for the metadata and the report."""
    return pl.DataFrame([vars(c) for c in conflicts], schema=CONFLICTS)


def _table(graph: MPDAG, origin: Mapping[Edge, tuple[str, Entry]], evidence: Mapping[Edge, Evidence]) -> pl.DataFrame:
    rows = []
    for mark, edges in (("directed", graph.directed), ("undirected", graph.undirected)):
        for edge in sorted(edges):
            provenance, entry = origin.get(edge, ("data", None))
            of = evidence.get(edge, Evidence())
            signed = (entry.who, entry.why, entry.when) if entry else (None, None, None)
            numbers = (of.strength, of.p_value, of.confidence, of.direction_confidence)
            rows.append((*edge, mark, provenance, *numbers, *signed))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def graph_of(table: pl.DataFrame, nodes: list[str]) -> MPDAG:
    """The graph that a published table of edges describes."""

    def edges(mark: str) -> frozenset[Edge]:
        return frozenset((a, b) for a, b in table.filter(pl.col("mark") == mark).select("source", "target").iter_rows())

    return MPDAG(tuple(nodes), edges("directed"), edges("undirected"))
