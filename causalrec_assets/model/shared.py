"""What the model assets read alike."""

from typing import Any

import dagster as dg
import polars as pl

from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.lake.inputs import Inputs

UNITS = dg.AssetDep("units", partition_mapping=learning_window_mapping)


def training_units(inputs: Inputs) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The units of the training days that a fit may read, and their notes."""
    window = inputs.window("units", inputs.learning.train_days)
    held_out = window.notes["held_out_policies"]
    return window.frame.filter(~pl.col("policy").is_in(held_out).fill_null(False)), window.notes
