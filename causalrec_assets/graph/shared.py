"""What the graph assets read and say alike."""

from datetime import date

import polars as pl

from causalrec.answers import insufficient_evidence
from causalrec.graph.discovery.notes import NodesNotes, WindowNotes
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.explanations import Scale
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.knowledge.changes import EarlierGraph
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.questions import Questions
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs


def no_graph(inputs: Inputs, reason: str) -> Draft:
    nothing_wrong = {"acyclic": True, "no_hidden_cause": True}
    return Draft(inputs, None, answer=insufficient_evidence(reason), params=nothing_wrong)


def two_armed(rows: pl.DataFrame, asked: Questions) -> list[str]:
    """The treatments of questions that are 0 or 1 wherever they are known."""
    named = dict.fromkeys(q.treatment for q in asked.questions if is_number(rows, q.treatment))
    return [t for t in named if rows[t].drop_nulls().unique().cast(pl.Float64).is_in([0.0, 1.0]).all()]


def is_number(rows: pl.DataFrame, column: str) -> bool:
    return column in rows.columns and (rows.schema[column].is_numeric() or rows.schema[column] == pl.Boolean)


def mean_of(rows: pl.DataFrame, column: str) -> float | None:
    """The mean of a number column, None where it is known of no row."""
    mean = rows[column].cast(pl.Float64).mean()
    return mean if isinstance(mean, float) else None


def questions_of(inputs: Inputs) -> Questions:
    return Questions.parse(inputs.setting("questions.yaml"))


def adjustments_of(asked: Questions, graph: MPDAG, notes: WindowNotes) -> list[Adjustment]:
    """Of each question in a graph.

    Args:
        notes: Of the graph: what is no node, the source's organic rows, how many units there are.
    """
    dropped = {d.column: d.reason for d in notes.dropped}
    twins = {d.column: d.same_as for d in notes.dropped if d.same_as}
    scale = Scale(notes.rows, {y: rate for y, rate in notes.rates.items() if rate is not None})
    columns = LoggedColumns(notes.roles, dropped, twins, notes.organic_rows)
    return [adjust(q, graph, columns, asked.adjustment, asked.strategies, scale) for q in asked.questions]


def earlier_graph(inputs: Inputs, before: date) -> EarlierGraph | None:
    """The newest graph of an earlier day, recorded as an input: the same earlier days give the same comparison."""
    graph = inputs.latest("causal_graph", before)
    if graph is None:
        return None
    if not graph.answer.answered:
        return EarlierGraph(graph.day, graph.answer, pl.DataFrame(), [])
    return EarlierGraph(graph.day, graph.answer, graph.frame, list(graph.notes_as(NodesNotes).nodes))
