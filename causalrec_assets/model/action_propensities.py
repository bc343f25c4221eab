"""The asset `action_propensities`: the logging policy's probabilities of what it showed."""

import dagster as dg
import polars as pl

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.logs.gaps import NO_ACTION_PROPENSITIES
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.gate.draft import Draft
from causalrec_assets.model.shared import UNITS
from resources.lake import Lake


@gated_asset("action_propensities", group_name="model", deps=[UNITS])
def action_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(item | slot) under the logging policy, as logged, for the recommended units of the window."""
    inputs = lake.inputs(context)
    if not inputs.learning.days:
        return Draft(inputs, None, answer=insufficient_evidence(inputs.learning.reason))
    units = inputs.window("units", inputs.learning.days).frame
    recommended = units.filter(pl.col("recommended") == 1)
    rounds = recommended.filter(pl.col("action_propensity").is_not_null())
    frame = rounds.select("unit_id", "action_propensity", pl.lit("logged").alias("origin"))
    answer = ANSWERED if frame.height else not_available(NO_ACTION_PROPENSITIES)
    if not recommended.height and units["recommended"].null_count() < max(1, units.height):
        answer = insufficient_evidence(
            "nothing was recommended in the window" if units.height else "nothing happened in the window"
        )
    return Draft(
        inputs,
        frame,
        answer=answer,
        metadata={
            "recommended_units": recommended.height,
            "with_propensity": frame.height,
            "smallest": str(frame["action_propensity"].min()),
        },
    )
