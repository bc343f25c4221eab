"""What the model assets read alike."""

import dagster as dg
import polars as pl

from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.lake.inputs import Inputs

UNITS = dg.AssetDep("units", partition_mapping=learning_window_mapping)


def training_units(inputs: Inputs) -> tuple[pl.DataFrame, UnitsNotes]:
    """The units of the training days that a fit may read, and their notes."""
    window = inputs.window("units", inputs.learning.train_days)
    notes = window.notes_as(UnitsNotes)
    return without_held_out(window.frame, notes.held_out_policies), notes
