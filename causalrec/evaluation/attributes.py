"""What is known of users, and what it was used for: adjusted for, read by the policy, or neither, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.settings.logs.sources import Source
from causalrec.settings.policy import Allowed

NOT_JOINED = "not used: the events name no user whom it could be looked up for"
LEFT_OUT = "not used: left out (covariates.yaml: leave_out)"
NO_GRAPH = "no effect is adjusted for it: there is no causal graph"


@dataclass(frozen=True)
class AttributeUse:
    """One attribute of users.

    Attributes:
        kind: `text` or `number`, with `sensitive` before it where it is.
        effects, policy: What becomes of it in the effects, and in the policy, in words.
    """

    name: str
    kind: str
    effects: str
    policy: str


def attribute_uses(
    source: Source,
    left_out: Collection[str],
    graph: GraphNotes | None,
    sets: pl.DataFrame,
    model: OutcomeModelNotes | None,
    allowed: Sequence[Allowed],
) -> list[AttributeUse]:
    """A line per attribute that the source maps.

    Args:
        left_out: By `covariates.yaml`.
        graph: Notes of `causal_graph`; None where it has no answer.
        sets: The table `adjustment_sets`.
        model: Notes of `outcome_model`; None where it has no answer.
        allowed: Sensitive attributes that policies may read.
    """
    uses = []
    for name, kind in source.user_kinds.items():
        words = f"sensitive {kind}" if name in source.sensitive else kind
        if name not in source.user_attributes or name in left_out:
            why = LEFT_OUT if name in left_out else NOT_JOINED
            uses.append(AttributeUse(name, words, why, "not read"))
            continue
        policy = _in_policy(name, source, model, allowed)
        uses.append(AttributeUse(name, words, _in_effects(name, graph, sets), policy))
    return uses


def _in_effects(name: str, graph: GraphNotes | None, sets: pl.DataFrame) -> str:
    if graph is None:
        return NO_GRAPH
    adjusted = [row["question"] for row in sets.iter_rows(named=True) if name in (row["columns"] or ())]
    if adjusted:
        return f"adjusted for in {', '.join(adjusted)}"
    dropped = {d.column: d.reason for d in graph.dropped}
    if name in dropped:
        return f"not in the graph: {dropped[name]}"
    return "in the graph, and in no adjustment set: no question needs it"


def _in_policy(name: str, source: Source, model: OutcomeModelNotes | None, allowed: Sequence[Allowed]) -> str:
    permission = next((entry for entry in allowed if entry.column == name), None)
    if name in source.sensitive and permission is None:
        return "not read: it is sensitive"
    if model is None:
        return "not read: there is no outcome model"
    if name not in model.columns:
        return "not read: the outcome model does not need it"
    return "read" if permission is None else f"read, though sensitive: allowed by {permission.who} ({permission.why})"
