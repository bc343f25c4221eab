"""Identification by the back door: logged columns that block every path but the causal ones.

Source: Perkovic, Kalisch and Maathuis (2017), UAI (`criteria`); Henckel, Perkovic and Maathuis (2022), JRSS-B 84(2),
for the most precise set; VanderWeele and Shpitser (2011), Biometrics 67(4), for the causes of either.
"""

from __future__ import annotations

from collections.abc import Mapping

from causalrec.answers import Answer, Status
from causalrec.graph.identification import explanations as explain
from causalrec.graph.identification.adjustment import Adjustment, IdentificationProblem
from causalrec.graph.identification.criteria import (
    back_door_graph,
    first_causal,
    forbidden_columns,
    member,
    optimal_set,
    unsettled_paths,
)
from causalrec.graph.identification.minimal_sets import cut_graph, minimal_cuts, nearest_to_outcome
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.questions import Question


class BackDoor:
    """Adjusting for a valid set of columns."""

    name = "back_door"
    effects = frozenset({"total", "direct"})
    vouched = False

    def identify(self, problem: IdentificationProblem) -> Adjustment | None:
        """The valid set that the rule chooses among the allowed columns, with the minimal ones.

        First the base: O(T, Y) where it is logged, else the most precise valid set among the logged causes of treatment
        or outcome. Then, under `causes_of_either`, the logged parents of the treatment join. Last, declared instruments
        go. A step that would leave no valid set is not taken; where no set is valid there is no answer.
        """
        question, graph = problem.question, problem.graph
        treatments, y = problem.treatments, question.outcome
        if unsettled_paths(graph, treatments, y):
            return None
        dag = member(graph)
        usable = set(problem.allowed) - forbidden_columns(graph, treatments, y) - dag.descendants(treatments)
        back_door = back_door_graph(dag, treatments, y)
        near = cut_graph(back_door, treatments, y, usable)
        nearest = nearest_to_outcome(near, y)
        if nearest is None:
            return None

        def valid(columns: set[str]) -> bool:
            return back_door.separated(treatments, {y}, columns)

        parents = {p for t in treatments for p in graph.parents(t)} & usable
        optimal = optimal_set(graph, treatments, y)
        # Without a causal path there is no O(T, Y): the graph says that there is no effect. The causes of the treatment
        # let the estimate contradict it.
        known = bool(first_causal(graph, treatments, y))
        base = optimal if known and optimal <= usable and valid(optimal) else nearest
        if problem.rule == "causes_of_either" or not known:
            base = base if known else set()
            choices = [base | parents, nearest | parents, nearest]
        else:
            choices = [base]
        kept_out = set(question.instruments)
        columns = next(c for c in [*(c - kept_out for c in choices), *choices] if valid(c))
        most_precise = columns == optimal or (columns == nearest and usable <= back_door.ancestors({*treatments, y}))
        return Adjustment(
            question,
            _with_note(question, graph, columns & kept_out),
            tuple(sorted(columns)),
            self.name,
            held=question.held,
            optimal=known and most_precise,
            minimal_sets=tuple(minimal_cuts(near, y)),
        )

    def why_not(self, problem: IdentificationProblem, roles: Mapping[str, str]) -> str:
        """The open edges that decide, or the path that stays open."""
        graph, treatments, y = problem.graph, problem.treatments, problem.question.outcome
        if paths := unsettled_paths(graph, treatments, y):
            return explain.open_edges(graph, paths, lambda other: self.identify(problem.in_graph(other)))
        return explain.blocked(graph, treatments, y, problem.allowed, roles)

    def how_to_vouch(self, adjustment: Adjustment) -> str:
        """Nobody has to."""
        return ""


def _with_note(question: Question, graph: MPDAG, kept: set[str]) -> Answer:
    """Answered, and what of the declared instruments could not be followed."""
    notes = []
    if kept:
        notes.append(
            f"{explain.listed(kept)} is declared an instrument, but without it a path of the graph stays open, so it "
            f"is adjusted for; forbid its edge to `{question.outcome}` in expert_graph.yaml if there is none"
        )
    if unknown := set(question.instruments) - set(graph.nodes):
        notes.append(
            f"{explain.listed(unknown)} is declared an instrument, but is no node: not logged, or does not vary"
        )
    return Answer(Status.ANSWERED, "; ".join(notes))
