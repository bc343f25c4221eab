"""What an asset hands to the gate: a table that nobody can read yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from causalrec.answers import ANSWERED, Answer
from causalrec_assets.lake.inputs import Inputs

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Draft:
    """A table on its way through the gate.

    Attributes:
        inputs: What was read to make it.
        frame: The rows; None with an answer other than `answered` means no rows, with the contract's columns.
        staged: In place of a frame: the rows as a Parquet file of a name from `inputs.store.staging(...)`. The gate
            never reads it whole, and moves it to where it belongs.
        answer: What the table as a whole can say.
        notes: What later stages read with the table: a dataclass, see `lake/notes.py`.
        files: Artefacts published with it (weights, cards, reports); never pickles.
        params: Values that the contract's rules refer to, as `$name`, in a row rule as `IN $name`, or `only_if: name`.
        metadata: What the Dagster UI shows beside the row count and the schema.
        lineage: Column -> the (table, column) pairs that its values are made from; the UI shows it.
        exports: Name of a file -> where a copy for people goes, once the table is published.
        set_aside: Rows of the source that cannot be used, each with its reason; they go to quarantine, the table is
            still published. A Parquet file of a staging name is moved there.
    """

    inputs: Inputs
    frame: pl.DataFrame | None = None
    answer: Answer = ANSWERED
    notes: DataclassInstance | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    exports: Mapping[str, Path] = field(default_factory=dict)
    set_aside: pl.DataFrame | Path | None = None
    staged: Path | None = None
