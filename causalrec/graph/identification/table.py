"""The answers of `adjust` as the table `adjustment_sets`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from causalrec.graph.identification.adjustment import Adjustment

SCHEMA: dict[str, pl.DataType] = {
    "question": pl.String(),
    "treatment": pl.String(),
    "outcome": pl.String(),
    "effect": pl.String(),
    "status": pl.String(),
    "reason": pl.String(),
    "strategy": pl.String(),
    "columns": pl.List(pl.String()),
    "held": pl.List(pl.String()),
    "mediators": pl.List(pl.String()),
    "instrument": pl.String(),
    "optimal": pl.Boolean(),
    "minimal_sets": pl.List(pl.List(pl.String())),
}


@dataclass(frozen=True)
class AdjustmentNotes:
    """What the table `adjustment_sets` says beside its rows.

    Attributes:
        split: Whether the graph was found on one half of the clusters, for effects to be estimated on the other.
    """

    split: bool


def sets_table(answers: Sequence[Adjustment]) -> pl.DataFrame:
    """One row per question. `strategy` and `instrument` are null where there is none; lists are empty then."""
    rows = [
        {
            "question": a.question.name,
            "treatment": a.question.treatment,
            "outcome": a.question.outcome,
            "effect": a.question.effect,
            "status": a.answer.status.value,
            "reason": a.answer.reason,
            "strategy": a.strategy,
            "columns": list(a.columns),
            "held": list(a.held),
            "mediators": list(a.mediators),
            "instrument": a.instrument,
            "optimal": a.optimal,
            "minimal_sets": [list(s) for s in a.minimal_sets],
        }
        for a in answers
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def shown(table: pl.DataFrame) -> pl.DataFrame:
    """The table with its lists as text, for people."""
    joined = pl.col("columns", "held", "mediators").list.join(", ")
    sets = pl.col("minimal_sets").list.eval(pl.concat_str(pl.lit("{"), pl.element().list.join(", "), pl.lit("}")))
    return table.with_columns(joined, sets.list.join(" ").alias("minimal_sets"))
