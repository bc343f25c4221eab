"""The asset `causal_graph`: what data and experts say, as one graph."""

from collections.abc import Mapping
from dataclasses import asdict

import dagster as dg
import polars as pl

from causalrec.graph.discovery.notes import DiscoveryNotes
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.drawing.exports import GraphExport
from causalrec.graph.drawing.picture import draw
from causalrec.graph.knowledge.changes import changes_since
from causalrec.graph.knowledge.conflicts import conflict_table
from causalrec.graph.knowledge.edge_table import graph_of
from causalrec.graph.knowledge.entries import FILE, read_knowledge
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.graph.knowledge.orient import orient_with_knowledge
from causalrec.graph.knowledge.overrides import effect_table, in_words, override_effects
from causalrec.graph.mpdag import MPDAG, find_cycle
from causalrec.settings.discovery import Search
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.graph.shared import adjustments_of, earlier_graph, questions_of
from resources.lake import Lake


@gated_asset("causal_graph", group_name="graph", deps=["discovered_graph"])
def causal_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The discovered graph, bound by the expert graph; conflicts between the two are listed with who, why and when."""
    inputs = lake.inputs(context)
    found = inputs.table("discovered_graph")
    if not found.answer.answered:
        nothing_wrong = dict.fromkeys(("acyclic", "experts_and_data_agree", "may_be_used", "holds_still"), True)
        return Draft(inputs, None, answer=found.answer, params=nothing_wrong)
    asked, notes = questions_of(inputs), found.notes_as(DiscoveryNotes)
    discovery, roles = _discovery(found.frame, notes), notes.roles
    knowledge = read_knowledge(inputs.setting_text(FILE), inputs.day)
    oriented = orient_with_knowledge(discovery, knowledge)

    def sets(graph: MPDAG) -> Mapping[str, str]:
        return {a.question.name: in_words(a.answer, a.columns) for a in adjustments_of(asked, graph, notes)}

    effects = override_effects(discovery, knowledge, sets)
    search = Search.parse(inputs.setting("discovery.yaml"))
    graph = oriented.graph
    changes = changes_since(earlier_graph(inputs, inputs.day), oriented.table, list(graph.nodes))
    agree, said = oriented.verdict()
    still, change = changes.verdict(search.may_change)
    reasons = {d.column: d.reason for d in notes.dropped}
    export = GraphExport(
        oriented.table,
        list(graph.nodes),
        oriented.tiers,
        {node: roles[node] for node in graph.nodes if node in roles},
        oriented.order.names,
        reasons,
        {"day": str(inputs.day), "confidence": notes.draws},
    )
    drawn = draw(oriented.table, oriented.tiers, roles, oriented.order.names)
    return Draft(
        inputs,
        oriented.table,
        notes=GraphNotes(
            nodes=tuple(graph.nodes),
            tiers=oriented.tiers,
            roles=notes.roles,
            dropped=notes.dropped,
            disagreements=notes.disagreements,
            draws=notes.draws,
            organic_rows=notes.organic_rows,
            rows=notes.rows,
            rates=notes.rates,
            split=notes.split,
            conflicts=tuple(oriented.conflicts),
        ),
        files={
            "graph.png": drawn,
            "graph.json": export.to_json().encode(),
            "graph.dot": export.to_dot().encode(),
        },
        # The published files are named by a hash; people and other tools take these copies.
        exports={
            name: inputs.home.reports / f"{inputs.day}-{name}" for name in ("graph.png", "graph.json", "graph.dot")
        },
        params={
            "acyclic": find_cycle(graph.directed) is None,
            "experts_and_data_agree": agree or said,
            "may_be_used": said if oriented.blocks and not agree else True,
            "holds_still": still or change,
        },
        metadata={
            "graph": picture(drawn),
            "edges": table(oriented.table),
            "conflicts": table(conflict_table(oriented.conflicts)),
            "entries": table(effect_table(effects)),
            "entries_not_used": table(pl.DataFrame([asdict(u) for u in oriented.unused])),
            "change": change,
            "changes": table(changes.table),
        },
    )


def _discovery(edges: pl.DataFrame, notes: DiscoveryNotes) -> Discovery:
    """The published graph with what its notes say."""
    return Discovery(
        graph_of(edges, list(notes.nodes)),
        notes.roles,
        tuple(notes.colliders),
        {(a, b): (p_value, strength) for a, b, p_value, strength in notes.separations},
        edges,
        {(a, b): share for a, b, share in notes.shares},
    )
