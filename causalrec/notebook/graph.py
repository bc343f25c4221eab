"""A causal graph from a frame, for a notebook:

import causalrec as cr
graph = cr.causal_graph(pl.read_parquet("units.parquet"), treatment="recommended", outcomes=["click", "purchase"])
graph
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.graph.discovery.evidence import DiscoveryEvidence, gather
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.graph.discovery.pc import rows_enough
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.drawing.exports import GraphExport
from causalrec.graph.drawing.picture import Picture
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.knowledge.entries import read_knowledge
from causalrec.graph.knowledge.orient import OrientedGraph, orient_with_knowledge
from causalrec.logs.clusters import codes_of
from causalrec.notebook.frames import as_frame
from causalrec.settings.discovery import Search
from causalrec.settings.questions import Question


@dataclass(frozen=True)
class FoundGraph:
    """A graph and what can be asked of it; a notebook shows it as a picture.

    Attributes:
        oriented: The graph, its table of edges, the conflicts and the entries that say nothing here.
        evidence: What the data said before experts were heard: PC, how sure it is, FCI's second opinion.
        dropped: Columns that are no nodes, and why.
    """

    oriented: OrientedGraph
    evidence: DiscoveryEvidence
    dropped: tuple[Dropped, ...]
    roles: dict[str, str]
    rows: int

    @property
    def answer(self) -> Answer:
        """Whether the rows can tell a graph; without them there are no edges, which says nothing."""
        return rows_enough(self.rows)

    @property
    def table(self) -> pl.DataFrame:
        return self.oriented.table

    @cached_property
    def picture(self) -> Picture:
        return Picture(self.table, self.oriented.tiers, self.roles, self.oriented.order.names)

    def _repr_png_(self) -> bytes:
        return self.picture.png

    def adjust(self, treatment: str, outcome: str) -> Adjustment:
        """What to adjust for, or why nothing will do."""
        question = Question(name=f"{treatment} on {outcome}", treatment=treatment, outcome=outcome)
        if not self.answer.answered:
            return Adjustment(question, self.answer, ())
        reasons = {d.column: d.reason for d in self.dropped}
        twins = {d.column: d.same_as for d in self.dropped if d.same_as}
        return adjust(question, self.oriented.graph, LoggedColumns(self.roles, reasons, twins))

    def export(self) -> GraphExport:
        """For `to_json`, `to_dot` and `to_networkx`."""
        reasons = {d.column: d.reason for d in self.dropped}
        nodes, order = self.oriented.graph.nodes, self.oriented.order
        roles = {n: r for n, r in self.roles.items() if n in nodes}
        return GraphExport(self.table, nodes, self.oriented.tiers, roles, order.names, dropped=reasons)


def causal_graph(
    frame: Any,
    treatment: str | None = None,
    outcomes: Collection[str] = (),
    mediators: Collection[str] = (),
    expert: str = "",
    clusters: Collection[str] = (),
    search: Search | None = None,
) -> FoundGraph:
    """Search the causal graph of a frame.

    Every other column is taken for a covariate, known before the treatment; select the columns first where that is not
    so. In the frame `click` comes before other outcomes.

    Args:
        frame: One row for each unit, of Polars or pandas.
        treatment: The column of the arm.
        outcomes, mediators: Columns that come after it.
        expert: The text of an expert graph, e.g. `Path("data/expert_graph.yaml").read_text()`.
        clusters: Columns such as `user_id` of which the rows of one value are not independent; they are no nodes. Those
            of the first are drawn anew together. A row without a value is independent of all others.
        search: Its settings, e.g. `Search(bootstraps=50, fci=True)`; None: the defaults, without these two. The same
            rows give the same draws.

    Raises:
        InputError: A column is not in the frame, the expert graph is faulty, or fewer than two columns vary.
    """
    frame = as_frame(frame, "the frame")
    after = {**dict.fromkeys(mediators, "mediator"), **dict.fromkeys(outcomes, "outcome")}
    special = {**({treatment: "treatment"} if treatment else {}), **after}
    if missing := [c for c in (*special, *clusters) if c not in frame.columns]:
        raise InputError(f"the frame has no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    roles = {c: special.get(c, "pre_treatment") for c in frame.columns if c not in clusters}
    nodes, dropped = choose_nodes(frame, roles, list(outcomes))
    if len(nodes) < 2:
        raise InputError(
            f"a graph needs two columns that vary; {', '.join(f'{d.column}: {d.reason}' for d in dropped)}"
        )
    codes = [codes_of(frame[c]) for c in clusters]
    evidence = gather(nodes, search or Search(), codes, seed=0)
    oriented = orient_with_knowledge(evidence.discovery(roles), read_knowledge(expert))
    return FoundGraph(oriented, evidence, tuple(dropped), roles, frame.height)


def identify(graph: FoundGraph, treatment: str, outcome: str) -> Adjustment:
    """How an effect can be told from logs like these: by an adjustment set, a front door or an instrument, or why not.

    Args:
        graph: From `causal_graph`.
        treatment, outcome: Columns of its frame.

    Returns:
        Its `answer`, and where that is answered the `strategy` and its `columns`.
    """
    return graph.adjust(treatment, outcome)
