"""The causal graph as a table of edges, each with where it comes from and how sure the data are of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal

import polars as pl

from causalrec.graph.discovery.result import EdgeEvidence
from causalrec.graph.knowledge.entries import Entry
from causalrec.graph.mpdag import MPDAG, Edge

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


@dataclass(frozen=True)
class Origin:
    """Where a known arrow comes from: an entry alone, entry and data alike, or an entry against the data."""

    provenance: Literal["expert", "both", "conflict"]
    entry: Entry


def edge_table(graph: MPDAG, origins: Mapping[Edge, Origin], evidence: Mapping[Edge, EdgeEvidence]) -> pl.DataFrame:
    """The edges by the columns of `SCHEMA`, the directed ones first; one without an origin comes from data."""
    rows: list[tuple[object, ...]] = []
    for mark, edges in (("directed", graph.directed), ("undirected", graph.undirected)):
        for edge in sorted(edges):
            origin = origins.get(edge)
            provenance = origin.provenance if origin else "data"
            signed = (origin.entry.who, origin.entry.why, origin.entry.when) if origin else (None, None, None)
            rows.append((*edge, mark, provenance, *astuple(evidence.get(edge, EdgeEvidence())), *signed))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def graph_of(table: pl.DataFrame, nodes: list[str]) -> MPDAG:
    """The graph that a published table of edges describes."""

    def edges(mark: str) -> frozenset[Edge]:
        return frozenset((a, b) for a, b in table.filter(pl.col("mark") == mark).select("source", "target").iter_rows())

    return MPDAG(tuple(nodes), edges("directed"), edges("undirected"))
