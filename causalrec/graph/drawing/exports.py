"""The causal graph for other tools: JSON that networkx reads, and DOT for graphviz."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec.escaping import dot, plain
from causalrec.graph.drawing.picture import COLOURS, FILL, line_width
from causalrec.graph.roles import TIERS

VERSION = 1
"""Of the JSON's layout; a change that an older reader would misread raises it."""


@dataclass(frozen=True)
class GraphExport:
    """A causal graph with all that is known of its nodes and edges.

    Attributes:
        table: Its edges: source, target, mark, and any other columns.
        nodes: All of them, also those without an edge.
        tiers: Node -> the number of its tier; a hidden cause has none.
        roles: Column -> its role.
        names: Of the tiers.
        dropped: Column -> why it is no node.
        about: What else is to go with it, e.g. the day.
    """

    table: pl.DataFrame
    nodes: Sequence[str]
    tiers: Mapping[str, int]
    roles: Mapping[str, str]
    names: Sequence[str] = TIERS
    dropped: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """In the node-link layout of networkx: `networkx.node_link_graph(found, edges="edges")` reads it.

        An edge whose direction is open stands once, with the mark `undirected`.
        """
        nodes = [
            {
                "id": node,
                "tier": self.tiers.get(node),
                "tier_name": self.names[self.tiers[node]] if node in self.tiers else None,
                "role": self.roles.get(node, "hidden"),
            }
            for node in self.nodes
        ]
        about = {
            "schema_version": VERSION,
            "tier_names": list(self.names),
            "dropped": dict(self.dropped),
            "columns": {name: str(dtype) for name, dtype in self.table.schema.items()},
            "about": dict(self.about),
        }
        return {"directed": True, "multigraph": False, "graph": about, "nodes": nodes, "edges": self.table.to_dicts()}

    def to_json(self) -> str:
        """As text; the same graph gives the same bytes."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def to_networkx(self) -> Any:
        """A `networkx.DiGraph`; nodes and edges have all that the table says as attributes."""
        import networkx as nx

        return nx.node_link_graph(self.to_dict(), edges="edges")

    def to_dot(self) -> str:
        """For graphviz: tiers from left to right, provenance as colour, confidence as width."""
        lines = [
            "digraph causal_graph {",
            "  rankdir=LR;",
            '  node [shape=box, style="rounded,filled", fontname="Helvetica", color="#64748b"];',
            '  edge [fontname="Helvetica", arrowsize=0.7];',
        ]
        for node in self.nodes:
            hidden = node not in self.tiers
            style = ', style="rounded,dashed"' if hidden else ""
            fill = FILL.get(self.roles.get(node, ""), "#f1f5f9")
            lines.append(f"  {dot(node)} [label={dot(plain(node))}, fillcolor={dot(fill)}{style}];")
        for tier in sorted(set(self.tiers.values())):
            beside = " ".join(f"{dot(n)};" for n in self.nodes if self.tiers.get(n) == tier)
            lines.append(f"  {{ rank=same; {beside} }}")
        lines += [_dot_edge(row) for row in self.table.iter_rows(named=True)]
        return "\n".join([*lines, "}", ""])


def from_json(text: str) -> GraphExport:
    """Read what `to_json` wrote.

    Raises:
        InputError: It is no such text, or of a layout that this version does not know.
    """
    try:
        raw = json.loads(text)
        about = raw["graph"]
        if (version := about["schema_version"]) != VERSION:
            raise InputError(f"the graph's JSON has the layout {version}; this version reads {VERSION}")
        schema = {name: getattr(pl, dtype) for name, dtype in about["columns"].items()}
        return GraphExport(
            pl.DataFrame(raw["edges"], schema=schema, orient="row"),
            [node["id"] for node in raw["nodes"]],
            {node["id"]: node["tier"] for node in raw["nodes"] if node["tier"] is not None},
            {node["id"]: node["role"] for node in raw["nodes"] if node["role"] != "hidden"},
            about["tier_names"],
            about["dropped"],
            about["about"],
        )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise InputError(
            f"this is no causal graph as JSON ({type(error).__name__}: {error}); expected the text that `to_json` gives"
        ) from error


def _dot_edge(row: Mapping[str, Any]) -> str:
    provenance, confidence = row.get("provenance") or "data", row.get("confidence")
    style = {"penwidth": f"{line_width(confidence):.2f}", "color": dot(COLOURS[provenance])}
    if row["mark"] != "directed":
        style["dir"] = "none"
    if provenance == "conflict":
        style["style"] = "dashed"
    if confidence is not None:
        style["label"] = dot(f"{confidence:.2f}")
    facts = [provenance, *(f"{k}: {row[k]}" for k in ("who", "why", "when") if row.get(k))]
    style["tooltip"] = dot(plain("; ".join(facts)))
    shown = ", ".join(f"{key}={value}" for key, value in style.items())
    return f"  {dot(row['source'])} -> {dot(row['target'])} [{shown}];"
