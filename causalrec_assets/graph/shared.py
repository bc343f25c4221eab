"""What the graph assets read and say alike."""

from typing import Literal

from causalrec.graph.discovery.notes import WindowNotes
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.explanations import Scale
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.questions import Questions
from causalrec_assets.lake.inputs import Inputs

Demand = Literal[True] | str
"""What a contract demands: true, or in words what is wrong."""


def demand(holds: bool, otherwise: str) -> Demand:
    """True where it holds, else the words."""
    return True if holds else otherwise


def questions_of(inputs: Inputs) -> Questions:
    return Questions.parse(inputs.setting("questions.yaml"))


def adjustments_of(questions: Questions, graph: MPDAG, notes: WindowNotes) -> list[Adjustment]:
    """Of each question in a graph.

    Args:
        notes: Of the graph: what is no node, the source's organic rows, how many units there are.
    """
    dropped = {d.column: d.reason for d in notes.dropped}
    twins = {d.column: d.same_as for d in notes.dropped if d.same_as}
    scale = Scale(notes.rows, {y: rate for y, rate in notes.rates.items() if rate is not None})
    columns = LoggedColumns(notes.roles, dropped, twins, notes.organic_rows)
    settings = questions.adjustment, questions.strategies, scale
    return [adjust(question, graph, columns, *settings) for question in questions.questions]
