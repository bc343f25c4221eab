"""Identification by the front door: the whole effect passes through logged mediators that nothing hidden confounds.

    P(y | do(t)) = sum_w P(w) sum_m P(m | t, w) sum_t' P(y | m, t', w) P(t' | w)

Source: Pearl (1995), Biometrika 82(4), section 3.2; given covariates, Fulcher, Shpitser, Marealle and Tchetgen Tchetgen
(2020), JRSS-B 82(1), "Robust inference on population indirect causal effects: the generalized front door criterion".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from causalrec.answers import Answer, Status
from causalrec.graph.identification.adjustment import Adjustment, IdentificationProblem
from causalrec.graph.identification.criteria import causal_nodes, member
from causalrec.graph.identification.explanations import listed
from causalrec.graph.identification.separation import Dag
from causalrec.graph.mpdag import MPDAG

MOST_MEDIATORS = 3
MOST_TRIED = 2000
"""Pairs of mediators and covariates that are tried before the search says that it found none."""


@dataclass(frozen=True)
class FrontDoor:
    """Mediators and the covariates given which they are a front door."""

    mediators: tuple[str, ...]
    columns: tuple[str, ...]


def opens_front_door(
    graph: MPDAG, treatment: str, outcome: str, mediators: Collection[str], columns: Collection[str]
) -> bool:
    """Whether mediators, given columns, identify the effect by the front door in every DAG of the class.

    The four independences are those that the do-calculus needs: nothing but the treatment's effect joins it to the
    mediators; nothing but the mediators' effect joins them to the outcome, given the treatment; the treatment acts
    through them only; and they do not act on it. Arrows into or out of treatment and mediators are cut for that. Where
    none of these has an open edge, all DAGs of the class stay alike when cut, so one is asked; else the answer is no.
    """
    inner, given = set(mediators), set(columns)
    if not inner or {treatment, outcome} & (inner | given) or inner & given:
        return False
    if any(graph.open_neighbours(node) for node in {treatment, *inner}):
        return False
    if given & graph.possible_descendants({treatment}):
        return False
    return _Cut(member(graph), treatment, outcome, inner).holds(given)


class _Cut:
    """The graphs that interventions on treatment and mediators leave, ready to be asked."""

    def __init__(self, dag: Dag, treatment: str, outcome: str, mediators: set[str]) -> None:
        self.t, self.y, self.m = {treatment}, {outcome}, mediators
        self.intercepts = outcome not in dag.descendants(self.t, mediators)
        self.no_way_out_of_t = dag.without(out_of=self.t)
        self.no_way_out_of_m = dag.without(out_of=mediators)
        self.no_way_into_m = dag.without(into=mediators)
        self.no_way_into_both = dag.without(into=mediators | self.t)

    def holds(self, given: set[str]) -> bool:
        return (
            self.intercepts
            and self.no_way_out_of_t.separated(self.t, self.m, given)
            and self.no_way_out_of_m.separated(self.m, self.y, self.t | given)
            and self.no_way_into_both.separated(self.t, self.y, self.m | given)
            and self.no_way_into_m.separated(self.t, self.m, given)
        )


def find_front_door(
    graph: MPDAG, treatment: str, outcome: str, mediators: Collection[str], allowed: Collection[str]
) -> FrontDoor | None:
    """The front door with the fewest mediators, then the fewest columns, or None.

    Up to three mediators; given nothing, one or two allowed columns, the logged causes of the treatment, those of
    treatment and mediators, or all logged causes of any of the three. After 2,000 pairs of the two no
    other mediators are tried.

    Args:
        mediators: What may be the front door: logged in every unit.
        allowed: The columns that may be given: known before the treatment.
    """
    if graph.open_neighbours(treatment):
        return None
    dag = member(graph)
    on_the_way = sorted(causal_nodes(dag, {treatment}, outcome) & set(mediators) - {outcome})
    on_the_way = [node for node in on_the_way if not graph.open_neighbours(node)]
    before = set(allowed) - graph.possible_descendants({treatment})
    tried = 0
    for inner in (c for size in range(1, MOST_MEDIATORS + 1) for c in combinations(on_the_way, size)):
        cut = _Cut(dag, treatment, outcome, set(inner))
        for given in _covariates(dag, treatment, outcome, inner, before) if cut.intercepts else [()]:
            tried += 1
            if cut.holds(set(given)):
                return FrontDoor(inner, tuple(sorted(given)))
        if tried >= MOST_TRIED:
            return None
    return None


def _covariates(
    dag: Dag, treatment: str, outcome: str, inner: tuple[str, ...], before: set[str]
) -> Iterator[tuple[str, ...]]:
    causes = sorted(dag.ancestors({treatment, outcome, *inner}) & before)
    beside = dag.into[treatment] & before
    either = (dag.into[treatment] | {c for m in inner for c in dag.into[m]}) & before
    tried = chain(
        [()], combinations(causes, 1), combinations(causes, 2), [tuple(beside)], [tuple(either)], [tuple(causes)]
    )
    return iter({frozenset(given): given for given in tried}.values())


class FrontDoorStrategy:
    """A front door that people vouch for."""

    name = "front_door"
    effects = frozenset({"total"})
    vouched = True

    def identify(self, problem: IdentificationProblem) -> Adjustment | None:
        """By the mediators that the question names (`through`), or by any."""
        question = problem.question
        mediators = problem.logged & set(question.through) if problem.declared_only else problem.logged
        door = find_front_door(problem.graph, question.treatment, question.outcome, mediators, problem.allowed)
        if door is None:
            return None
        words = f"identified by the front door: all of the effect passes through {listed(door.mediators)}"
        answer = Answer(Status.ANSWERED, words)
        return Adjustment(question, answer, door.columns, self.name, mediators=door.mediators)

    def why_not(self, problem: IdentificationProblem, roles: Mapping[str, str]) -> str:
        """Why the mediators that the question names are none."""
        through = problem.question.through
        if missing := sorted(set(through) - problem.logged):
            return f"{listed(missing)} cannot be the front door: not logged in every unit"
        if not through:
            return ""
        return (
            f"{listed(through)} is no front door: in the graph the effect has another way, or something not logged "
            "moves it too"
        )

    def how_to_vouch(self, adjustment: Adjustment) -> str:
        """By naming the mediators."""
        return (
            f"in the graph the whole effect passes through {listed(adjustment.mediators)}, which nothing hidden "
            "confounds: if people vouch for that, name it in questions.yaml "
            f"(through: [{', '.join(adjustment.mediators)}])"
        )
