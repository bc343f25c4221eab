"""A question's answer, and what strategies read to find it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from causalrec.answers import Answer
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.questions import Question


@dataclass(frozen=True)
class Adjustment:
    """A question's answer.

    Attributes:
        columns: What to adjust for; empty unless answered.
        strategy: The name of the strategy that identifies the effect (`STRATEGIES`); None unless answered.
        held: Mediators that are held; only of a direct effect.
        mediators: Of the front door.
        instrument: Of the strategy of this name.
        optimal: Whether no other set of logged columns that is valid gives a smaller variance, if the graph is right.
        minimal_sets: Valid sets of logged columns that no column can be taken from, the smallest first, at most 20.
    """

    question: Question
    answer: Answer
    columns: tuple[str, ...]
    strategy: str | None = None
    held: tuple[str, ...] = ()
    mediators: tuple[str, ...] = ()
    instrument: str | None = None
    optimal: bool = False
    minimal_sets: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class IdentificationProblem:
    """A question to a graph.

    Attributes:
        allowed: The columns that may be adjusted for: logged, known before the treatment, and nodes.
        logged: The nodes that are logged in every unit.
        rule: `optimal` or `causes_of_either`, see `identify`.
        declared_only: Whether only front doors and instruments count that the question names, as people vouch for them.
    """

    question: Question
    graph: MPDAG
    allowed: Set[str]
    logged: Set[str] = frozenset()
    rule: str = "causes_of_either"
    declared_only: bool = True

    @property
    def treatments(self) -> set[str]:
        """The treatment and the mediators that are held."""
        return {self.question.treatment, *self.question.held}

    def in_graph(self, graph: MPDAG) -> IdentificationProblem:
        """The same question to another graph."""
        return replace(self, graph=graph)

    def undeclared(self) -> IdentificationProblem:
        """With all that the graph allows, whether or not people vouch for it."""
        return replace(self, declared_only=False)
