"""The asset `causal_graph`: what data and experts say, as one graph."""

from collections.abc import Mapping
from datetime import date

import dagster as dg
import polars as pl

from causalrec.graph.discovery.notes import DiscoveryNotes, NodesNotes
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.drawing.exports import GraphExport
from causalrec.graph.drawing.picture import draw
from causalrec.graph.knowledge.changes import EarlierGraph, changes_since
from causalrec.graph.knowledge.conflicts import conflict_table
from causalrec.graph.knowledge.edge_table import graph_of
from causalrec.graph.knowledge.entries import FILE, read_knowledge
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.graph.knowledge.orient import OrientedGraph, orient_with_knowledge
from causalrec.graph.knowledge.overrides import effect_table, in_words, override_effects
from causalrec.graph.knowledge.resolve import unused_table
from causalrec.graph.mpdag import MPDAG, find_cycle
from causalrec.settings.discovery import Search
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.graph.shared import adjustments_of, demand, questions_of
from causalrec_assets.lake.inputs import Inputs
from resources.lake import Lake


@gated_asset("causal_graph", group_name="graph", deps=["discovered_graph"])
def causal_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The discovered graph, bound by the expert graph; conflicts between the two are listed with who, why and when."""
    inputs = lake.inputs(context)
    discovered = inputs.table("discovered_graph")
    if not discovered.answer.answered:
        nothing_wrong = dict.fromkeys(("acyclic", "experts_and_data_agree", "may_be_used", "holds_still"), True)
        return Draft(inputs, None, answer=discovered.answer, params=nothing_wrong)
    questions, notes = questions_of(inputs), discovered.notes_as(DiscoveryNotes)
    discovery = _discovery(discovered.frame, notes)
    knowledge = read_knowledge(inputs.setting_text(FILE), inputs.day)
    oriented = orient_with_knowledge(discovery, knowledge)

    def sets(graph: MPDAG) -> Mapping[str, str]:
        return {a.question.name: in_words(a.answer, a.columns) for a in adjustments_of(questions, graph, notes)}

    effects = override_effects(discovery, knowledge, sets)
    search = Search.parse(inputs.setting("discovery.yaml"))
    changes = changes_since(earlier_graph(inputs, inputs.day), oriented.table, list(oriented.graph.nodes))
    agree, conflicts = oriented.verdict()
    still, change = changes.verdict(search.may_change)
    files = _files(oriented, notes, inputs.day)
    return Draft(
        inputs,
        oriented.table,
        notes=_notes(oriented, notes),
        files=files,
        # The published files are named by a hash; people and other tools take these copies.
        exports={name: inputs.home.reports / f"{inputs.day}-{name}" for name in files},
        params={
            "acyclic": find_cycle(oriented.graph.directed) is None,
            "experts_and_data_agree": demand(agree, conflicts),
            "may_be_used": demand(agree or not oriented.blocks, conflicts),
            "holds_still": demand(still, change),
        },
        metadata={
            "graph": picture(files["graph.png"]),
            "edges": table(oriented.table),
            "conflicts": table(conflict_table(oriented.conflicts)),
            "entries": table(effect_table(effects)),
            "entries_not_used": table(unused_table(oriented.unused)),
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


def _notes(oriented: OrientedGraph, notes: DiscoveryNotes) -> GraphNotes:
    """What the discovery noted, of the graph as experts see it."""
    return GraphNotes(
        nodes=oriented.graph.nodes,
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
    )


def _files(oriented: OrientedGraph, notes: DiscoveryNotes, day: date) -> dict[str, bytes]:
    """The graph as a picture, as JSON and as DOT, by the files' names."""
    nodes, order = oriented.graph.nodes, oriented.order
    export = GraphExport(
        oriented.table,
        nodes,
        oriented.tiers,
        {node: notes.roles[node] for node in nodes if node in notes.roles},
        order.names,
        {column.column: column.reason for column in notes.dropped},
        {"day": str(day), "confidence": notes.draws},
    )
    return {
        "graph.png": draw(oriented.table, oriented.tiers, notes.roles, order.names),
        "graph.json": export.to_json().encode(),
        "graph.dot": export.to_dot().encode(),
    }


def earlier_graph(inputs: Inputs, before: date) -> EarlierGraph | None:
    """The newest graph of an earlier day, recorded as an input: the same earlier days give the same comparison."""
    graph = inputs.latest("causal_graph", before)
    if graph is None:
        return None
    if not graph.answer.answered:
        return EarlierGraph(graph.day, graph.answer, pl.DataFrame(), [])
    return EarlierGraph(graph.day, graph.answer, graph.frame, list(graph.notes_as(NodesNotes).nodes))
