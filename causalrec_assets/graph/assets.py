"""The graph assets: `discovered_graph`, `causal_graph`, `adjustment_sets`."""

from dataclasses import asdict

import dagster as dg
import polars as pl

from causalrec_assets.answers import ANSWERED, insufficient_evidence
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.graph.adjustment import Adjustment, adjust
from causalrec_assets.graph.causal_graph import bind, graph_of
from causalrec_assets.graph.discovery import discover
from causalrec_assets.graph.knowledge import parse_knowledge
from causalrec_assets.graph.mpdag import MPDAG, Edge, find_cycle
from causalrec_assets.graph.nodes import choose_nodes, tier_of
from causalrec_assets.graph.picture import draw
from causalrec_assets.graph.questions import parse_questions
from causalrec_assets.graph.search import parse_search
from causalrec_assets.logs.units import cluster_codes
from causalrec_assets.partitions import learning_window_mapping
from resources.lake import Lake


@gated_asset("discovered_graph", stage="graph", deps=[dg.AssetDep("units", partition_mapping=learning_window_mapping)])
def discovered_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the training window says: causal-learn's PC with tiers, before any expert is heard."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return Draft(inputs, None, answer=insufficient_evidence(inputs.learning.reason), params={"acyclic": True})
    questions = parse_questions(inputs.setting("questions.yaml"))
    search = parse_search(inputs.setting("discovery.yaml"))
    window = inputs.window("units", inputs.learning.train_days)
    roles, held_out = window.notes["roles"], window.notes["held_out_policies"]
    rows = window.frame.filter(~pl.col("policy").is_in(held_out).fill_null(False))
    if rows.height > search.max_rows:
        cluster = cluster_codes(rows, window.notes["cluster"])
        kept = cluster % -(-rows.height // search.max_rows) == 0
        rows = rows.filter(pl.Series(kept))
    nodes, dropped = choose_nodes(rows, roles, [q.outcome for q in questions.questions])
    if len(nodes) < 2:
        reason = f"fewer than two columns vary: {[d.column + ' is ' + d.reason for d in dropped]}"
        return Draft(inputs, None, answer=insufficient_evidence(reason), params={"acyclic": True})
    clusters = [cluster_codes(rows, name) for name in (window.notes["cluster"], "item_id")]
    found = discover(nodes, search, clusters)
    edges = []
    for mark, pairs in (("directed", found.graph.directed), ("undirected", found.graph.undirected)):
        for a, b in sorted(pairs):
            edges.append((a, b, mark, *found.strength(a, b)))
    schema = {
        "source": pl.String,
        "target": pl.String,
        "mark": pl.String,
        "p_value": pl.Float64,
        "strength": pl.Float64,
    }
    frame = pl.DataFrame(edges, schema=schema, orient="row")
    return Draft(
        inputs,
        frame,
        notes={
            "nodes": list(found.graph.nodes),
            "tiers": found.tiers,
            "roles": roles,
            "dropped": [asdict(d) for d in dropped],
            "separations": [[a, b, p, r] for (a, b), (p, r) in sorted(found.separations.items())],
            "colliders": [list(c) for c in found.colliders],
            "organic_rows": window.notes["organic_rows"],
            "rows": rows.height,
        },
        params={"acyclic": find_cycle(found.graph.directed) is None},
        metadata={
            "graph": picture(draw(frame, found.tiers, roles)),
            "edges": table(frame),
            "rows_used": rows.height,
            "seconds": round(found.seconds, 2),
            "dropped": table(pl.DataFrame([asdict(d) for d in dropped] or {"column": []})),
        },
    )


@gated_asset("causal_graph", stage="graph", deps=["discovered_graph"])
def causal_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The discovered graph, bound by the expert graph; conflicts between the two are listed with who, why and when."""
    inputs = lake.inputs(context)
    found = inputs.table("discovered_graph")
    if not found.answer.answered:
        return Draft(inputs, None, answer=found.answer, params={"acyclic": True})
    notes = found.notes
    separations: dict[Edge, tuple[float, float]] = {(a, b): (p, r) for a, b, p, r in notes["separations"]}
    colliders = [(a, c, b) for a, c, b in notes["colliders"]]
    knowledge = parse_knowledge(inputs.setting("expert_graph.yaml"))
    graph, frame, conflicts = bind(
        graph_of(found.frame, notes["nodes"]), colliders, separations, knowledge, notes["roles"]
    )
    tiers = {node: tier_of(node, notes["roles"].get(node, "pre_treatment")) for node in graph.nodes}
    rows = pl.DataFrame([asdict(c) for c in conflicts] or {"edge": []}, infer_schema_length=None)
    return Draft(
        inputs,
        frame,
        notes={
            "nodes": list(graph.nodes),
            "tiers": tiers,
            "roles": notes["roles"],
            "dropped": notes["dropped"],
            "organic_rows": notes["organic_rows"],
            "conflicts": [asdict(c) for c in conflicts],
        },
        files={"graph.png": draw(frame, tiers, notes["roles"])},
        params={"acyclic": find_cycle(graph.directed) is None},
        metadata={
            "graph": picture(draw(frame, tiers, notes["roles"])),
            "edges": table(frame),
            "conflicts": table(rows),
        },
    )


@gated_asset("adjustment_sets", stage="graph", deps=["causal_graph"])
def adjustment_sets(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """For each question the optimal observed adjustment set, or why there is none and what would settle it."""
    inputs = lake.inputs(context)
    source = inputs.table("causal_graph")
    asked = parse_questions(inputs.setting("questions.yaml"))
    questions = asked.questions
    if source.answer.answered:
        graph: MPDAG = graph_of(source.frame, source.notes["nodes"])
        dropped = {d["column"]: d["reason"] for d in source.notes["dropped"]}
        twins = {d["column"]: d["same_as"] for d in source.notes["dropped"] if d["same_as"]}
        sets = [
            adjust(q, graph, source.notes["roles"], dropped, source.notes["organic_rows"], asked.adjustment, twins)
            for q in questions
        ]
        never = [c for c, role in source.notes["roles"].items() if role != "pre_treatment"]
    else:
        sets, never = [Adjustment(q, source.answer, ()) for q in questions], []
    frame = pl.DataFrame(
        [
            (
                a.question.name,
                a.question.treatment,
                a.question.outcome,
                a.answer.status.value,
                a.answer.reason,
                list(a.columns),
            )
            for a in sets
        ],
        schema={
            "question": pl.String,
            "treatment": pl.String,
            "outcome": pl.String,
            "status": pl.String,
            "reason": pl.String,
            "columns": pl.List(pl.String),
        },
        orient="row",
    )
    shown = frame.with_columns(pl.col("columns").list.join(", "))
    forbidden = frame.filter(pl.col("columns").list.eval(pl.element().is_in(never)).list.any())
    return Draft(
        inputs,
        frame,
        answer=ANSWERED,
        params={"only_pre_treatment": forbidden.is_empty(), "questions": len(sets)},
        metadata={"sets": table(shown)},
    )


ASSETS = [discovered_graph, causal_graph, adjustment_sets]
