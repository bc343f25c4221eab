"""The causal graph: what the data gave, bound by what experts know; every disagreement is a reported conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.graph.knowledge import FILE, Knowledge, Statement
from causalrec_assets.graph.mpdag import MPDAG, Edge, close, pair
from causalrec_assets.graph.nodes import tier_of

SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(), "target": pl.String(), "mark": pl.String(), "provenance": pl.String(), "who": pl.String(),
    "why": pl.String(), "when": pl.String(),
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
    discovered: MPDAG, separations: Mapping[Edge, float], knowledge: Knowledge, roles: Mapping[str, str]
) -> tuple[MPDAG, pl.DataFrame, list[Conflict]]:
    """Apply the expert graph to the discovered one.

    Args:
        discovered: Nodes and edges from data and tiers.
        separations: p-values of the pairs that data called independent.
        roles: Of all columns of `units`: an expert may speak of a column that data could not place, such as `position`.

    Returns:
        The graph, its table of edges with their provenance, and the conflicts.

    Raises:
        InputError: A required edge runs against time (a later tier cannot cause an earlier one) or closes a cycle.
    """
    conflicts: list[Conflict] = []
    nodes = list(discovered.nodes)
    arrows, open_ = set(discovered.directed), set(discovered.undirected)
    provenance: dict[Edge, tuple[str, Statement | None]] = {}

    for said in knowledge.forbidden:
        edge = pair(*said.edge)
        if said.edge in arrows:
            arrows.discard(said.edge)
            conflicts.append(_conflict(said, "forbidden, but the data find the dependence and its direction", None))
        elif edge in open_:
            # The other direction remains, and is now known.
            open_.discard(edge)
            arrows.add((said.effect, said.cause))
            provenance[(said.effect, said.cause)] = ("both", said)
    for said in knowledge.required:
        missing = [c for c in said.edge if c not in roles]
        unseen = [c for c in said.edge if c in roles and c not in nodes]
        if missing or any(roles[c] in ("identifier", "logging") for c in unseen):
            conflicts.append(_conflict(said, f"not used: {', '.join(missing or unseen)} is no causal column of the source", None))
            continue
        if gone := [c for c in unseen if roles[c] != "mediator"]:
            conflicts.append(_conflict(said, f"not used: {', '.join(gone)} does not vary in these data", None))
            continue
        nodes.extend(unseen)
        if tier_of(said.cause, roles[said.cause]) > tier_of(said.effect, roles[said.effect]):
            raise InputError(f"{FILE}: `{said.cause} -> {said.effect}` ({said.who}) runs against time: "
                             f"`{said.cause}` ({roles[said.cause]}) comes after `{said.effect}` ({roles[said.effect]})")
        edge = pair(*said.edge)
        if said.edge in arrows or edge in open_:
            provenance[said.edge] = ("both", said)
        else:
            provenance[said.edge] = ("expert", said)
            if (said.effect, said.cause) in arrows:
                conflicts.append(_conflict(said, "required, but the data find the opposite direction", None))
            elif edge in separations:
                conflicts.append(_conflict(said, "required, but the data call the two independent", separations[edge]))
        open_.discard(edge)
        arrows.discard((said.effect, said.cause))
        arrows.add(said.edge)
    graph = close(nodes, arrows, open_)
    return graph, _table(graph, provenance), conflicts


def _conflict(said: Statement, says: str, p_value: float | None) -> Conflict:
    return Conflict(f"{said.cause} -> {said.effect}", says, p_value, said.who, said.why, said.when)


def _table(graph: MPDAG, provenance: Mapping[Edge, tuple[str, Statement | None]]) -> pl.DataFrame:
    rows = []
    for mark, edges in (("directed", graph.directed), ("undirected", graph.undirected)):
        for a, b in sorted(edges):
            origin, said = provenance.get((a, b), ("data", None))
            rows.append((a, b, mark, origin, said.who if said else None, said.why if said else None, said.when if said else None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def graph_of(table: pl.DataFrame, nodes: list[str]) -> MPDAG:
    """The graph that a published table of edges describes."""
    def edges(mark: str) -> frozenset[Edge]:
        return frozenset((a, b) for a, b in table.filter(pl.col("mark") == mark).select("source", "target").iter_rows())

    return MPDAG(tuple(nodes), edges("directed"), edges("undirected"))
