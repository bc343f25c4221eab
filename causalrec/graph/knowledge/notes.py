"""What the table `causal_graph` says beside its edges."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.graph.discovery.notes import WindowNotes
from causalrec.graph.knowledge.conflicts import Conflict


@dataclass(frozen=True)
class GraphNotes(WindowNotes):
    """Of the table `causal_graph`; one without an answer has none.

    Attributes:
        conflicts: Where an expert and the data disagree.
    """

    conflicts: tuple[Conflict, ...]
