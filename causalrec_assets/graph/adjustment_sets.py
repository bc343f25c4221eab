"""The asset `adjustment_sets`: per causal question, what to adjust for, or why nothing will do."""

import dagster as dg
import polars as pl

from causalrec.answers import ANSWERED
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.table import AdjustmentNotes, sets_table, shown
from causalrec.graph.knowledge.edge_table import graph_of
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.graph.roles import KNOWN_BEFORE
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.graph.shared import adjustments_of, questions_of
from resources.lake import Lake


@gated_asset("adjustment_sets", group_name="graph", deps=["causal_graph"])
def adjustment_sets(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """For each question the optimal observed adjustment set, or why there is none and what would settle it."""
    inputs = lake.inputs(context)
    graph, questions = inputs.table("causal_graph"), questions_of(inputs)
    if graph.answer.answered:
        notes = graph.notes_as(GraphNotes)
        sets, split = adjustments_of(questions, graph_of(graph.frame, list(notes.nodes)), notes), notes.split
        never = [c for c, role in notes.roles.items() if role not in KNOWN_BEFORE]
    else:
        sets, split, never = [Adjustment(q, graph.answer, ()) for q in questions.questions], False, []
    frame = sets_table(sets)
    forbidden = frame.filter(pl.col("columns").list.eval(pl.element().is_in(never)).list.any())
    return Draft(
        inputs,
        frame,
        answer=ANSWERED,
        notes=AdjustmentNotes(split),
        params={"only_pre_treatment": forbidden.is_empty(), "questions": len(sets)},
        metadata={"sets": table(shown(frame))},
    )
