"""Where an expert and the data disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from causalrec.graph.discovery.result import EdgeEvidence
from causalrec.graph.knowledge.entries import Entry
from causalrec.graph.mpdag import Edge


@dataclass(frozen=True)
class Conflict:
    """Where an expert and the data disagree. The expert was followed.

    Attributes:
        edge: What the entry speaks of; of a forbidden arrow that data find, the graph has the opposite, or none.
        says: The disagreement in words.
        strength, p_value, confidence: What data say of the pair.
        direction_confidence: How sure the direction of `edge` is, if there is one.
        line: Of the entry in expert_graph.yaml.
    """

    edge: str
    says: str
    strength: float | None
    p_value: float | None
    confidence: float | None
    direction_confidence: float | None
    who: str
    why: str
    when: str
    line: int


def conflict(edge: Edge, says: str, entry: Entry, evidence: EdgeEvidence) -> Conflict:
    """What an entry says of an edge, beside what data say of it."""
    return Conflict(
        " -> ".join(edge),
        says,
        evidence.strength,
        evidence.p_value,
        evidence.confidence,
        evidence.direction_confidence,
        entry.who,
        entry.why,
        entry.when,
        entry.line,
    )


CONFLICTS: dict[str, Any] = {
    f.name: pl.Int64() if f.name == "line" else pl.String() if "None" not in str(f.type) else pl.Float64()
    for f in fields(Conflict)
}
"""The schema of a table of conflicts."""


def conflict_table(conflicts: Sequence[Conflict]) -> pl.DataFrame:
    """Conflicts as rows, for the metadata and the report."""
    return pl.DataFrame([vars(c) for c in conflicts], schema=CONFLICTS)
