"""Identification by an instrument: a logged column that moves the treatment, and the outcome only through it.

What it gives is the effect among the compliers, the units whose treatment the instrument decides, where it never moves
a unit away from the treatment (monotonicity).

Source: Angrist, Imbens and Rubin (1996), JASA 91(434); given covariates, Frölich (2007), J. Econometrics 139(1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from causalrec.answers import Answer, Status
from causalrec.graph.identification.adjustment import Adjustment, IdentificationProblem
from causalrec.graph.identification.criteria import forbidden_columns, is_valid, member
from causalrec.graph.mpdag import MPDAG


@dataclass(frozen=True)
class Instrument:
    """An instrument and the columns given which it is as good as random."""

    name: str
    columns: tuple[str, ...]


def is_instrument(graph: MPDAG, treatment: str, outcome: str, instrument: str, columns: Collection[str]) -> bool:
    """Whether a column is an instrument given others, in every DAG of the class.

    It causes the treatment; all that it may do to the outcome passes through the treatment; and adjusting for the
    columns is valid for its effect on the treatment and for its effect on the outcome.
    """
    if instrument in {treatment, outcome} or {instrument, treatment, outcome} & set(columns):
        return False
    if graph.possible_path(instrument, {outcome}, {treatment}):
        return False
    if treatment not in member(graph).descendants({instrument}):
        return False
    return all(is_valid(graph, instrument, end, columns) for end in (treatment, outcome))


def find_instrument(
    graph: MPDAG, treatment: str, outcome: str, candidates: Collection[str], allowed: Collection[str]
) -> Instrument | None:
    """The first candidate, in order of names, that is an instrument given allowed columns, or None.

    Given are its logged causes where that is valid, else all logged causes of it, of the treatment or of the outcome:
    where any allowed set is valid, that one is.

    Source:
        van der Zander, Liskiewicz and Textor (2014), UAI, "Constructing separators and adjustment sets in ancestral
        graphs", theorem 4.
    """
    dag = member(graph)
    for name in sorted(candidates):
        if name not in dag.into or name in {treatment, outcome} or treatment not in dag.descendants({name}):
            continue
        forbidden = {x for end in (treatment, outcome) for x in forbidden_columns(graph, {name}, end)}
        usable = set(allowed) - forbidden - {treatment, outcome, name}
        for columns in (dag.into[name] & usable, dag.ancestors({name, treatment, outcome}) & usable):
            if is_instrument(graph, treatment, outcome, name, columns):
                return Instrument(name, tuple(sorted(columns)))
    return None


class InstrumentStrategy:
    """An instrument that people vouch for."""

    name = "instrument"
    effects = frozenset({"total"})
    vouched = True

    def identify(self, problem: IdentificationProblem) -> Adjustment | None:
        """By an instrument that the question names, or by any."""
        question, t = problem.question, problem.question.treatment
        candidates = problem.allowed & set(question.instruments) if problem.declared_only else problem.allowed
        instrument = find_instrument(problem.graph, t, question.outcome, candidates, problem.allowed)
        if instrument is None:
            return None
        words = (
            f"identified by the instrument `{instrument.name}`: the effect among the units whose `{t}` it decides, if "
            f"it never moves a unit away from `{t}`"
        )
        answer = Answer(Status.ANSWERED, words)
        return Adjustment(question, answer, instrument.columns, self.name, instrument=instrument.name)

    def why_not(self, problem: IdentificationProblem, roles: Mapping[str, str]) -> str:
        """Why the instruments that the question names are none."""
        reasons = ((name, _obstacle(problem, name)) for name in problem.question.instruments)
        return "; ".join(f"`{name}` cannot be the instrument: {reason}" for name, reason in reasons if reason)

    def how_to_vouch(self, adjustment: Adjustment) -> str:
        """By naming it."""
        return (
            f"in the graph `{adjustment.instrument}` moves `{adjustment.question.outcome}` only through "
            f"`{adjustment.question.treatment}`: if people vouch for that, name it in questions.yaml "
            f"(instruments: [{adjustment.instrument}])"
        )


def _obstacle(problem: IdentificationProblem, name: str) -> str | None:
    graph, t, y = problem.graph, problem.question.treatment, problem.question.outcome
    if name not in problem.allowed:
        return "it is no logged column from before the treatment"
    if path := graph.possible_path(name, {y}, {t}):
        return f"`{' - '.join(path)}` goes past `{t}`"
    if t not in member(graph).descendants({name}):
        return f"the graph has no arrow by which it moves `{t}`"
    if find_instrument(graph, t, y, [name], problem.allowed) is None:
        return f"it shares a cause with `{t}` or `{y}` that is not blocked"
    return None
