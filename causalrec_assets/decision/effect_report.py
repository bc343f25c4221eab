"""The asset `effect_report`: what each treatment changes, for people."""

import dagster as dg

from causalrec.evaluation import effects as effect
from causalrec.evaluation.notes import EffectReportNotes
from causalrec.evaluation.plots import effects_plot
from causalrec.graph.identification.table import AdjustmentNotes
from causalrec.model.effects.notes import EffectsNotes
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from resources.lake import Lake


@gated_asset("effect_report", group_name="evaluation", deps=["effects", "adjustment_sets"])
def effect_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What each treatment changes: trust, causal beside naive, sensitivity and assumptions, in words."""
    inputs = lake.inputs(context)
    effects, sets = inputs.table("effects"), inputs.table("adjustment_sets")
    notes = effects.notes_as(EffectsNotes)
    frame = effect.report(effects.frame, notes.diagnostics, sets.frame, sets.notes_as(AdjustmentNotes).split)
    plot = effects_plot(frame)
    return Draft(
        inputs,
        frame,
        notes=EffectReportNotes(notes.clusters, notes.far_values),
        params={"questions": sets.frame.height},
        metadata={
            "verdicts": table(frame.select("question", "verdict")),
            **({"effects": picture(plot)} if plot else {}),
        },
    )
