"""Identification by an instrument: a logged column that moves the treatment, and the outcome only through it.

What it gives is the effect among the compliers, the units whose treatment the instrument decides, where it never moves
a unit away from the treatment (monotonicity).

Source: Angrist, Imbens and Rubin (1996), JASA 91(434); given covariates, Frölich (2007), J. Econometrics 139(1).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

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
