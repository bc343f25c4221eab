"""The causal graph: what the data gave, bound by what experts know; every disagreement is a reported conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.graph.discovery import time_order
from causalrec_assets.graph.knowledge import FILE, Knowledge, Statement
from causalrec_assets.graph.mpdag import MPDAG, Edge, orient, pair
from causalrec_assets.graph.nodes import tier_of

SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "target": pl.String(),
    "mark": pl.String(),
    "provenance": pl.String(),
    "who": pl.String(),
    "why": pl.String(),
    "when": pl.String(),
}


@dataclass(frozen=True)
class Conflict:
    """Where an expert and the data (or the columns at hand) disagree. The expert was followed."""

    edge: str
    says: str
    p_value: float | None
    who: str
    why: str
    when: str


def bind(
    discovered: MPDAG,
    colliders: Iterable[tuple[str, str, str]],
    separations: Mapping[Edge, tuple[float, float]],
    knowledge: Knowledge,
    roles: Mapping[str, str],
) -> tuple[MPDAG, pl.DataFrame, list[Conflict]]:
    """Orient the discovered skeleton anew, with what experts know before what data suggest.

    Args:
        discovered: Nodes and edges from data and tiers.
        colliders: The unshielded colliders that data suggest, the surest first; one that knowledge contradicts yields.
        separations: (p-value, strength) of the pairs that data called independent.
        roles: Of all columns of `units`: an expert may speak of a column that data could not place, such as `position`.

    Returns:
        The graph, its table of edges with their provenance, and the conflicts.

    Raises:
        InputError: A required edge runs against time (a later tier cannot cause an earlier one), a hidden cause has
        the name
            of a column, or what is known closes a cycle.
    """
    hidden = {h.name for h in knowledge.hidden}
    if taken := sorted(hidden & set(roles)):
        raise InputError(f"{FILE}: {taken} are declared hidden, but the source logs them; remove the hidden entries")
    conflicts: list[Conflict] = []
    nodes = [*discovered.nodes, *sorted(hidden)]
    skeleton = {pair(a, b) for a, b in discovered.directed | discovered.undirected}
    known: set[Edge] = set()
    provenance: dict[Edge, tuple[str, Statement | None]] = {}
    for said in knowledge.required:
        if obstacle := _unusable(said, nodes, roles):
            conflicts.append(_conflict(said, f"not used: {obstacle}", None))
            continue
        nodes.extend(c for c in said.edge if c not in nodes)
        _follows_time(said, roles)
        edge = pair(*said.edge)
        provenance[said.edge] = ("both" if edge in skeleton else "expert", said)
        if (said.effect, said.cause) in discovered.directed:
            conflicts.append(_conflict(said, "required, but the data find the opposite direction", None))
        elif edge in separations:
            p_value, strength = separations[edge]
            says = f"required, but the data call the two independent or nearly so (strength {strength:.4f})"
            conflicts.append(_conflict(said, says, p_value))
        skeleton.add(edge)
        known.add(said.edge)
    tiers = {node: tier_of(node, roles[node]) for node in nodes if node in roles}
    forbidden = {said.edge: said for said in knowledge.forbidden}
    for said in knowledge.forbidden:
        other, edge = (said.effect, said.cause), pair(*said.edge)
        if edge not in skeleton or other in known:
            continue
        if said.edge in discovered.directed:
            conflicts.append(_conflict(said, "forbidden, but the data find the dependence and its direction", None))
        if other in forbidden or tiers.get(said.effect, 0) > tiers.get(said.cause, 0):
            # Neither direction can be: the two depend on each other through something that the graph does not hold.
            skeleton.discard(edge)
        else:
            known.add(other)
            provenance[other] = ("both", said)
    ordered = {(a, b) for a, b in skeleton if a in tiers and b in tiers}
    try:
        graph, _ = orient(nodes, skeleton, known | time_order(ordered, tiers), colliders)
    except InputError as error:
        raise InputError(f"{FILE}: what is required and forbidden contradicts itself: {error}") from error
    return graph, _table(graph, provenance), conflicts


def _unusable(said: Statement, nodes: list[str], roles: Mapping[str, str]) -> str | None:
    """Why a statement cannot be followed with these columns, or None."""
    unseen = [c for c in said.edge if c not in nodes]
    if foreign := [c for c in unseen if roles.get(c, "identifier") in ("identifier", "logging")]:
        return f"{', '.join(foreign)} is no causal column of the source"
    if gone := [c for c in unseen if roles[c] != "mediator"]:
        return f"{', '.join(gone)} does not vary in these data"
    return None


def _follows_time(said: Statement, roles: Mapping[str, str]) -> None:
    if said.cause not in roles or said.effect not in roles:
        return
    if tier_of(said.cause, roles[said.cause]) > tier_of(said.effect, roles[said.effect]):
        raise InputError(
            f"{FILE}: `{said.cause} -> {said.effect}` ({said.who}) runs against time: "
            f"`{said.cause}` ({roles[said.cause]}) comes after `{said.effect}` ({roles[said.effect]})"
        )


def _conflict(said: Statement, says: str, p_value: float | None) -> Conflict:
    return Conflict(f"{said.cause} -> {said.effect}", says, p_value, said.who, said.why, said.when)


def _table(graph: MPDAG, provenance: Mapping[Edge, tuple[str, Statement | None]]) -> pl.DataFrame:
    rows = []
    for mark, edges in (("directed", graph.directed), ("undirected", graph.undirected)):
        for a, b in sorted(edges):
            origin, said = provenance.get((a, b), ("data", None))
            rows.append(
                (
                    a,
                    b,
                    mark,
                    origin,
                    said.who if said else None,
                    said.why if said else None,
                    said.when if said else None,
                )
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def graph_of(table: pl.DataFrame, nodes: list[str]) -> MPDAG:
    """The graph that a published table of edges describes."""

    def edges(mark: str) -> frozenset[Edge]:
        return frozenset((a, b) for a, b in table.filter(pl.col("mark") == mark).select("source", "target").iter_rows())

    return MPDAG(tuple(nodes), edges("directed"), edges("undirected"))
