"""The graph assets: `discovered_graph`, `causal_graph`, `adjustment_sets`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl

from causalrec_assets.answers import ANSWERED, insufficient_evidence
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.graph.adjustment import Adjustment, adjust
from causalrec_assets.graph.causal_graph import bind, conflict_table, graph_of
from causalrec_assets.graph.changes import changes_since
from causalrec_assets.graph.discovery import rows_enough
from causalrec_assets.graph.evidence import gather, rows_to_search
from causalrec_assets.graph.explanations import Scale
from causalrec_assets.graph.exports import GraphExport
from causalrec_assets.graph.knowledge import FILE, read_knowledge
from causalrec_assets.graph.mpdag import MPDAG, Edge, find_cycle
from causalrec_assets.graph.nodes import KNOWN_BEFORE, choose_nodes, column_policies
from causalrec_assets.graph.overrides import effect_table, in_words, override_effects
from causalrec_assets.graph.picture import draw
from causalrec_assets.graph.questions import Questions, parse_questions
from causalrec_assets.graph.resolve import tier_order
from causalrec_assets.graph.search import parse_search
from causalrec_assets.graph.sets_table import sets_table, shown
from causalrec_assets.logs.clusters import cluster_codes
from causalrec_assets.partitions import learning_window_mapping
from resources.lake import Lake


@gated_asset("discovered_graph", stage="graph", deps=[dg.AssetDep("units", partition_mapping=learning_window_mapping)])
def discovered_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the training window says: causal-learn's PC with tiers, before any expert is heard."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return _no_graph(inputs, inputs.learning.reason)
    asked, search = _asked(inputs), parse_search(inputs.setting("discovery.yaml"))
    window = inputs.window("units", inputs.learning.train_days)
    notes, rows = window.notes, rows_to_search(window.frame, window.notes, search)
    # What a question asks about has its own place in time.
    roles, outcomes = asked.roles(notes["roles"], _arms(rows, asked)), [q.outcome for q in asked.questions]
    order = tier_order((), roles)
    nodes, dropped = choose_nodes(rows, roles, asked.spoken_of, order.of)
    if len(nodes) < 2:
        reason = f"fewer than two columns vary: {[d.column + ' is ' + d.reason for d in dropped]}"
        return _no_graph(inputs, reason)
    if not (enough := rows_enough(rows.height)).answered:
        return _no_graph(inputs, enough.reason)
    clusters = [cluster_codes(rows, name) for name in (notes["cluster"], "item_id")]
    evidence = gather(nodes, search, clusters, inputs.seed, context.log.info)
    found, frame = evidence.found, evidence.table()
    return Draft(
        inputs,
        frame,
        notes={
            "nodes": list(found.graph.nodes),
            "tiers": found.tiers,
            "roles": roles,
            "dropped": [asdict(d) for d in dropped],
            "separations": [[a, b, p, r] for (a, b), (p, r) in sorted(found.separations.items())],
            "shares": [[a, b, share] for (a, b), share in sorted(evidence.shares().items())],
            "colliders": [list(c) for c in found.colliders],
            "disagreements": evidence.disagreements().to_dicts(),
            "draws": evidence.confidence.said(),
            "organic_rows": notes["organic_rows"],
            "rows": rows.height,
            "rates": {y: rows[y].cast(pl.Float64).mean() for y in outcomes if _is_number(rows, y)},
            "split": search.split,
        },
        params={
            "acyclic": find_cycle(found.graph.directed) is None,
            "no_hidden_cause": _no_hidden_cause(evidence.disagreements()),
        },
        metadata={
            "graph": picture(draw(frame, found.tiers, roles, order.names)),
            "edges": table(frame),
            "rows_used": rows.height,
            "seconds": round(found.seconds, 2),
            "confidence": evidence.confidence.said(),
            "fci_disagrees": table(evidence.disagreements()),
            "columns": table(column_policies(nodes, dropped)),
        },
    )


@gated_asset("causal_graph", stage="graph", deps=["discovered_graph"])
def causal_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The discovered graph, bound by the expert graph; conflicts between the two are listed with who, why and when."""
    inputs = lake.inputs(context)
    found = inputs.table("discovered_graph")
    if not found.answer.answered:
        nothing_wrong = dict.fromkeys(("acyclic", "experts_and_data_agree", "may_be_used", "holds_still"), True)
        return Draft(inputs, None, answer=found.answer, params=nothing_wrong)
    asked, notes = _asked(inputs), found.notes
    separations: dict[Edge, tuple[float, float]] = {(a, b): (p, r) for a, b, p, r in notes["separations"]}
    colliders = [(a, c, b) for a, c, b in notes["colliders"]]
    knowledge = read_knowledge(inputs.setting_text(FILE), inputs.day)
    discovered, roles = graph_of(found.frame, notes["nodes"]), notes["roles"]
    shares = {(a, b): share for a, b, share in notes["shares"]}
    bound = bind(discovered, colliders, separations, knowledge, roles, found.frame, shares)

    def sets(graph: MPDAG) -> Mapping[str, str]:
        return {a.question.name: in_words(a.answer, a.columns) for a in _answers(asked, graph, notes)}

    effects = override_effects(discovered, colliders, separations, knowledge, roles, sets)
    search = parse_search(inputs.setting("discovery.yaml"))
    graph, changes = (
        bound.graph,
        changes_since(inputs.latest("causal_graph", inputs.day), bound.table, list(bound.graph.nodes)),
    )
    agree, said = bound.verdict()
    still, change = changes.verdict(search.may_change)
    reasons = {d["column"]: d["reason"] for d in notes["dropped"]}
    export = GraphExport(
        bound.table,
        list(graph.nodes),
        bound.tiers,
        {node: roles[node] for node in graph.nodes if node in roles},
        bound.order.names,
        reasons,
        {"day": str(inputs.day), "confidence": notes["draws"]},
    )
    drawn = draw(bound.table, bound.tiers, roles, bound.order.names)
    return Draft(
        inputs,
        bound.table,
        notes={
            **{key: notes[key] for key in ("roles", "dropped", "organic_rows", "rows", "rates", "split", "draws")},
            "nodes": list(graph.nodes),
            "tiers": bound.tiers,
            "conflicts": [asdict(c) for c in bound.conflicts],
            "disagreements": notes["disagreements"],
        },
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
            "may_be_used": said if bound.blocks and not agree else True,
            "holds_still": still or change,
        },
        metadata={
            "graph": picture(drawn),
            "edges": table(bound.table),
            "conflicts": table(conflict_table(bound.conflicts)),
            "entries": table(effect_table(effects)),
            "entries_not_used": table(pl.DataFrame([asdict(u) for u in bound.unused])),
            "change": change,
            "changes": table(changes.table),
        },
    )


@gated_asset("adjustment_sets", stage="graph", deps=["causal_graph"])
def adjustment_sets(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """For each question the optimal observed adjustment set, or why there is none and what would settle it."""
    inputs = lake.inputs(context)
    source, asked = inputs.table("causal_graph"), _asked(inputs)
    if source.answer.answered:
        sets = _answers(asked, graph_of(source.frame, source.notes["nodes"]), source.notes)
        never = [c for c, role in source.notes["roles"].items() if role not in KNOWN_BEFORE]
    else:
        sets, never = [Adjustment(q, source.answer, ()) for q in asked.questions], []
    frame = sets_table(sets)
    forbidden = frame.filter(pl.col("columns").list.eval(pl.element().is_in(never)).list.any())
    return Draft(
        inputs,
        frame,
        answer=ANSWERED,
        notes={"split": source.notes.get("split", False)},
        params={"only_pre_treatment": forbidden.is_empty(), "questions": len(sets)},
        metadata={"sets": table(shown(frame))},
    )


def _no_graph(inputs: Inputs, reason: str) -> Draft:
    nothing_wrong = {"acyclic": True, "no_hidden_cause": True}
    return Draft(inputs, None, answer=insufficient_evidence(reason), params=nothing_wrong)


def _arms(rows: pl.DataFrame, asked: Questions) -> list[str]:
    """The treatments of questions that are 0 or 1 wherever they are known."""
    named = dict.fromkeys(q.treatment for q in asked.questions if _is_number(rows, q.treatment))
    return [t for t in named if rows[t].drop_nulls().unique().cast(pl.Float64).is_in([0.0, 1.0]).all()]


def _is_number(rows: pl.DataFrame, column: str) -> bool:
    return column in rows.columns and (rows.schema[column].is_numeric() or rows.schema[column] == pl.Boolean)


def _asked(inputs: Inputs) -> Questions:
    return parse_questions(inputs.setting("questions.yaml"))


def _answers(asked: Questions, graph: MPDAG, notes: Mapping[str, Any]) -> list[Adjustment]:
    """Of each question in a graph.

    Args:
        notes: Of the graph: what is no node, the source's organic rows, how many units there are.
    """
    dropped = {d["column"]: d["reason"] for d in notes["dropped"]}
    twins = {d["column"]: d["same_as"] for d in notes["dropped"] if d["same_as"]}
    scale = Scale(notes["rows"], {y: rate for y, rate in notes["rates"].items() if rate is not None})
    settings = notes["organic_rows"], asked.adjustment, twins, asked.strategies, scale
    return [adjust(question, graph, notes["roles"], dropped, *settings) for question in asked.questions]


def _no_hidden_cause(disagreements: pl.DataFrame) -> bool | str:
    """True, or what FCI says in at least half of the draws (or says, if none were made), in words."""
    firm = disagreements.filter(pl.col("share_of_draws").fill_null(1.0) >= 0.5)
    said = [f"{row['fci']} ({row['says']})" for row in firm.iter_rows(named=True)]
    return f"FCI reads {len(said)} edge(s) in another way: {'; '.join(said)}" if said else True


ASSETS = [discovered_graph, causal_graph, adjustment_sets]
