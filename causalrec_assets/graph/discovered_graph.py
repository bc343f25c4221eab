"""The asset `discovered_graph`: what the data say of causes."""

from collections.abc import Sequence

import dagster as dg
import polars as pl

from causalrec.answers import insufficient_evidence
from causalrec.graph.discovery.evidence import gather, rows_to_search
from causalrec.graph.discovery.nodes import choose_nodes, column_policies
from causalrec.graph.discovery.notes import DiscoveryNotes, EdgeDisagreement
from causalrec.graph.discovery.pc import rows_enough
from causalrec.graph.drawing.picture import draw
from causalrec.graph.knowledge.resolve import tier_order
from causalrec.graph.mpdag import find_cycle
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.notes import UnitsNotes
from causalrec.settings.discovery import Search
from causalrec.settings.questions import Questions
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.graph.shared import Demand, demand, questions_of
from causalrec_assets.lake.inputs import Inputs
from resources.lake import Lake


@gated_asset(
    "discovered_graph", group_name="graph", deps=[dg.AssetDep("units", partition_mapping=learning_window_mapping)]
)
def discovered_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the training window says: causal-learn's PC with tiers, before any expert is heard."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return _no_graph(inputs, inputs.learning.reason)
    questions, search = questions_of(inputs), Search.parse(inputs.setting("discovery.yaml"))
    window = inputs.window("units", inputs.learning.train_days)
    notes = window.notes_as(UnitsNotes)
    rows = rows_to_search(window.frame, notes, search)
    # What a question asks about has its own place in time.
    roles = questions.roles(notes.roles, _two_armed(rows, questions))
    order = tier_order((), roles)
    nodes, dropped = choose_nodes(rows, roles, questions.spoken_of, order.of)
    if len(nodes) < 2:
        reason = f"fewer than two columns vary: {[d.column + ' is ' + d.reason for d in dropped]}"
        return _no_graph(inputs, reason)
    if not (enough := rows_enough(rows.height)).answered:
        return _no_graph(inputs, enough.reason)
    clusters = [cluster_codes(rows, name) for name in (notes.cluster, "item_id")]
    evidence = gather(nodes, search, clusters, inputs.seed, context.log.info)
    discovered, edges, disagreements = evidence.found, evidence.table(), evidence.disagreements()
    read_otherwise = tuple(EdgeDisagreement(**row) for row in disagreements.iter_rows(named=True))
    outcomes = [question.outcome for question in questions.questions if _is_number(rows, question.outcome)]
    return Draft(
        inputs,
        edges,
        notes=DiscoveryNotes(
            nodes=tuple(discovered.graph.nodes),
            tiers=discovered.tiers,
            roles=roles,
            dropped=tuple(dropped),
            disagreements=read_otherwise,
            draws=evidence.confidence.in_words(),
            organic_rows=notes.organic_rows,
            rows=rows.height,
            rates={outcome: _mean_of(rows, outcome) for outcome in outcomes},
            split=search.split,
            separations=tuple((a, b, *tested) for (a, b), tested in sorted(discovered.separations.items())),
            shares=tuple((a, b, share) for (a, b), share in sorted(evidence.shares().items())),
            colliders=tuple(discovered.colliders),
        ),
        params={
            "acyclic": find_cycle(discovered.graph.directed) is None,
            "no_hidden_cause": _no_hidden_cause(read_otherwise),
        },
        metadata={
            "graph": picture(draw(edges, discovered.tiers, roles, order.names)),
            "edges": table(edges),
            "rows_used": rows.height,
            "seconds": round(discovered.seconds, 2),
            "confidence": evidence.confidence.in_words(),
            "fci_disagrees": table(disagreements),
            "columns": table(column_policies(nodes, dropped)),
        },
    )


def _no_graph(inputs: Inputs, reason: str) -> Draft:
    """The answer without edges that too little data give."""
    nothing_wrong = {"acyclic": True, "no_hidden_cause": True}
    return Draft(inputs, None, answer=insufficient_evidence(reason), params=nothing_wrong)


def _two_armed(rows: pl.DataFrame, questions: Questions) -> list[str]:
    """The treatments of questions that are 0 or 1 wherever they are known."""
    named = dict.fromkeys(q.treatment for q in questions.questions if _is_number(rows, q.treatment))
    return [t for t in named if rows[t].drop_nulls().unique().cast(pl.Float64).is_in([0.0, 1.0]).all()]


def _is_number(rows: pl.DataFrame, column: str) -> bool:
    return column in rows.columns and (rows.schema[column].is_numeric() or rows.schema[column] == pl.Boolean)


def _mean_of(rows: pl.DataFrame, column: str) -> float | None:
    """The mean of a number column, None where it is known of no row."""
    mean = rows[column].cast(pl.Float64).mean()
    return mean if isinstance(mean, float) else None


def _no_hidden_cause(disagreements: Sequence[EdgeDisagreement]) -> Demand:
    """What FCI says in at least half of the draws (or says, if none were made)."""
    firm = [d for d in disagreements if d.share_of_draws is None or d.share_of_draws >= 0.5]
    readings = "; ".join(f"{d.fci} ({d.says})" for d in firm)
    return demand(not firm, f"FCI reads {len(firm)} edge(s) in another way: {readings}")
