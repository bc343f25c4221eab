"""The asset `discovered_graph`: what the data say of causes."""

import dagster as dg
import polars as pl

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
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.graph.shared import is_number, mean_of, no_graph, questions_of, two_armed
from resources.lake import Lake


@gated_asset(
    "discovered_graph", group_name="graph", deps=[dg.AssetDep("units", partition_mapping=learning_window_mapping)]
)
def discovered_graph(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the training window says: causal-learn's PC with tiers, before any expert is heard."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return no_graph(inputs, inputs.learning.reason)
    asked, search = questions_of(inputs), Search.parse(inputs.setting("discovery.yaml"))
    window = inputs.window("units", inputs.learning.train_days)
    notes = window.notes_as(UnitsNotes)
    rows = rows_to_search(window.frame, notes, search)
    # What a question asks about has its own place in time.
    roles, outcomes = asked.roles(notes.roles, two_armed(rows, asked)), [q.outcome for q in asked.questions]
    order = tier_order((), roles)
    nodes, dropped = choose_nodes(rows, roles, asked.spoken_of, order.of)
    if len(nodes) < 2:
        reason = f"fewer than two columns vary: {[d.column + ' is ' + d.reason for d in dropped]}"
        return no_graph(inputs, reason)
    if not (enough := rows_enough(rows.height)).answered:
        return no_graph(inputs, enough.reason)
    clusters = [cluster_codes(rows, name) for name in (notes.cluster, "item_id")]
    evidence = gather(nodes, search, clusters, inputs.seed, context.log.info)
    found, frame = evidence.found, evidence.table()
    return Draft(
        inputs,
        frame,
        notes=DiscoveryNotes(
            nodes=tuple(found.graph.nodes),
            tiers=found.tiers,
            roles=roles,
            dropped=tuple(dropped),
            disagreements=tuple(EdgeDisagreement(**row) for row in evidence.disagreements().iter_rows(named=True)),
            draws=evidence.confidence.in_words(),
            organic_rows=notes.organic_rows,
            rows=rows.height,
            rates={y: mean_of(rows, y) for y in outcomes if is_number(rows, y)},
            split=search.split,
            separations=tuple((a, b, p, r) for (a, b), (p, r) in sorted(found.separations.items())),
            shares=tuple((a, b, share) for (a, b), share in sorted(evidence.shares().items())),
            colliders=tuple(found.colliders),
        ),
        params={
            "acyclic": find_cycle(found.graph.directed) is None,
            "no_hidden_cause": _no_hidden_cause(evidence.disagreements()),
        },
        metadata={
            "graph": picture(draw(frame, found.tiers, roles, order.names)),
            "edges": table(frame),
            "rows_used": rows.height,
            "seconds": round(found.seconds, 2),
            "confidence": evidence.confidence.in_words(),
            "fci_disagrees": table(evidence.disagreements()),
            "columns": table(column_policies(nodes, dropped)),
        },
    )


def _no_hidden_cause(disagreements: pl.DataFrame) -> bool | str:
    """True, or what FCI says in at least half of the draws (or says, if none were made), in words."""
    firm = disagreements.filter(pl.col("share_of_draws").fill_null(1.0) >= 0.5)
    said = [f"{row['fci']} ({row['says']})" for row in firm.iter_rows(named=True)]
    return f"FCI reads {len(said)} edge(s) in another way: {'; '.join(said)}" if said else True
