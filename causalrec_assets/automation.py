"""Jobs: what a person runs for a day."""

import dagster as dg

from causalrec_assets.partitions import days

log_assets = dg.define_asset_job(
    "log_assets",
    selection=dg.AssetSelection.groups("logs"),
    partitions_def=days,
    description="A day's landed files to units. Run the days in order: each day's history builds on the day before.",
)

learning_assets = dg.define_asset_job(
    "learning_assets",
    selection=dg.AssetSelection.groups("graph", "embeddings", "model", "policy", "evaluation", "serving"),
    partitions_def=days,
    description="Graph, model, policy, evidence and release as of a day, from the log assets of its window.",
)

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all(),
    partitions_def=days,
    description="All assets of a day.",
)

JOBS = [log_assets, learning_assets, everything]
