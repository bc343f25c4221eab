"""Which columns to adjust for, by which strategy, or why none will do.

A question is answered by the back door where some set of logged columns is valid (`criteria`, `minimal_sets`), else by
a front door or an instrument that people vouch for, else by what would settle it (`explanations`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from causalrec.answers import Answer, Status, insufficient_evidence, not_available, not_identifiable
from causalrec.graph.identification import explanations as explain
from causalrec.graph.identification.criteria import (
    back_door_graph,
    first_causal,
    forbidden_columns,
    member,
    optimal_set,
    unsettled_paths,
)
from causalrec.graph.identification.explanations import Scale
from causalrec.graph.identification.front_door import find_front_door
from causalrec.graph.identification.instrument import find_instrument
from causalrec.graph.identification.minimal_sets import cut_graph, minimal_cuts, nearest_to_outcome
from causalrec.graph.mpdag import MPDAG
from causalrec.graph.roles import KNOWN_BEFORE, NOT_THERE
from causalrec.logs.gaps import NOT_EVERY_ORGANIC_ROW, NOT_MARKED
from causalrec.settings.questions import Question

BACK_DOOR, FRONT_DOOR, INSTRUMENT = "back_door", "front_door", "instrument"
NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Adjustment:
    """A question's answer.

    Attributes:
        columns: What to adjust for; empty unless answered.
        strategy: How the effect is identified: `back_door`, `front_door`, `instrument`; None unless answered.
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


def adjust(
    question: Question,
    graph: MPDAG,
    roles: Mapping[str, str],
    dropped: Mapping[str, str],
    organic_rows: str,
    rule: str = "causes_of_either",
    twins: Mapping[str, str] = NO_NAMES,
    strategies: str = "declared",
    scale: Scale | None = None,
) -> Adjustment:
    """The adjustment set of a question, or another strategy, or a typed answer that says what would settle it.

    Args:
        graph: The causal graph.
        roles: Of the observed columns. Only a `pre_treatment` column may be adjusted for, whatever the graph says (an
            edge from the treatment to a mediator may have stayed below the floor); a node without a role is hidden.
        dropped: Column -> why it is no node of the graph, or not one that data could place.
        organic_rows: The source's declaration of its organic rows; asked of the treatment `recommended` only.
        rule: `optimal` is the most precise valid set. `causes_of_either` adds the logged parents of the treatment
            where that stays valid: a little less precise, and right when discovery has missed one of a confounder's
            two edges (VanderWeele and Shpitser 2011, Biometrics 67(4)).
        twins: Column -> the node that it equals in every unit.
        strategies: `declared`: only front doors and instruments that the question names. `graph`: all that the graph
            allows.
        scale: How many units there are and how common the outcomes are: gives the share to randomise a number.
    """
    if gap := _gap(question, graph, roles, dropped, organic_rows, twins):
        return Adjustment(question, gap, ())
    allowed = {column for column, role in roles.items() if role in KNOWN_BEFORE} & set(graph.nodes)
    allowed -= {question.treatment, question.outcome, *question.held}
    if found := by_back_door(question, graph, allowed, rule):
        return found
    logged = {column for column in roles if column in graph.nodes and column not in dropped}
    if question.effect == "total" and (found := _by_other(question, graph, allowed, logged, strategies)):
        return found
    return Adjustment(question, _why_not(question, graph, roles, allowed, logged, rule, scale), ())


def by_back_door(question: Question, graph: MPDAG, allowed: Collection[str], rule: str) -> Adjustment | None:
    """The valid set that the rule chooses among the allowed columns, with the minimal ones; None where none is valid.

    First the base: O(T, Y) where it is logged, else the most precise valid set among the logged causes of treatment
    or outcome. Then, under `causes_of_either`, the logged parents of the treatment join. Last, declared instruments
    go. A step that would leave no valid set is not taken.
    """
    treatments, y = {question.treatment, *question.held}, question.outcome
    if unsettled_paths(graph, treatments, y):
        return None
    dag = member(graph)
    usable = set(allowed) - forbidden_columns(graph, treatments, y) - dag.descendants(treatments)
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
    if rule == "causes_of_either" or not known:
        base = base if known else set()
        choices = [base | parents, nearest | parents, nearest]
    else:
        choices = [base]
    kept_out = set(question.instruments)
    tried = [c - kept_out for c in choices] + choices
    columns = next(c for c in tried if valid(c))
    most_precise = columns == optimal or (columns == nearest and usable <= back_door.ancestors({*treatments, y}))
    return Adjustment(
        question,
        _with_note(question, graph, columns & kept_out),
        tuple(sorted(columns)),
        BACK_DOOR,
        held=question.held,
        optimal=known and most_precise,
        minimal_sets=tuple(minimal_cuts(near, y)),
    )


def _with_note(question: Question, graph: MPDAG, kept: set[str]) -> Answer:
    """Answered, and what of the declared instruments could not be followed."""
    said = []
    if kept:
        said.append(
            f"{explain.listed(kept)} is declared an instrument, but without it a path of the graph stays open, so it "
            f"is adjusted for; forbid its edge to `{question.outcome}` in expert_graph.yaml if there is none"
        )
    if unknown := set(question.instruments) - set(graph.nodes):
        said.append(
            f"{explain.listed(unknown)} is declared an instrument, but is no node: not logged, or does not vary"
        )
    return Answer(Status.ANSWERED, "; ".join(said))


def _by_other(
    question: Question, graph: MPDAG, allowed: set[str], logged: set[str], strategies: str
) -> Adjustment | None:
    """A front door or an instrument. The front door first: it gives the effect among all units."""
    t, y = question.treatment, question.outcome
    mediators = logged if strategies == "graph" else logged & set(question.through)
    if door := find_front_door(graph, t, y, mediators, allowed):
        words = f"identified by the front door: all of the effect passes through {explain.listed(door.mediators)}"
        return Adjustment(question, Answer(Status.ANSWERED, words), door.columns, FRONT_DOOR, mediators=door.mediators)
    candidates = allowed if strategies == "graph" else allowed & set(question.instruments)
    if found := find_instrument(graph, t, y, candidates, allowed):
        words = (
            f"identified by the instrument `{found.name}`: the effect among the units whose `{t}` it decides, if it "
            f"never moves a unit away from `{t}`"
        )
        return Adjustment(question, Answer(Status.ANSWERED, words), found.columns, INSTRUMENT, instrument=found.name)
    return None


def _why_not(
    question: Question,
    graph: MPDAG,
    roles: Mapping[str, str],
    allowed: set[str],
    logged: set[str],
    rule: str,
    scale: Scale | None,
) -> Answer:
    treatments, y = {question.treatment, *question.held}, question.outcome
    if paths := unsettled_paths(graph, treatments, y):
        said = explain.open_edges(graph, paths, lambda other: by_back_door(question, other, allowed, rule))
    else:
        said = explain.blocked(graph, treatments, y, allowed, roles)
    more = []
    if question.effect == "total":
        if refused := explain.refused_declarations(question, graph, allowed, logged):
            more.append(refused)
        other = _by_other(question, graph, allowed, logged, "graph")
        if other is not None:
            more.append(explain.could_be_declared(question, other.mediators, other.instrument))
    more.append(explain.experiment(question, scale))
    return not_identifiable("; ".join([said, *more]))


def _gap(
    question: Question,
    graph: MPDAG,
    roles: Mapping[str, str],
    dropped: Mapping[str, str],
    organic_rows: str,
    twins: Mapping[str, str],
) -> Answer | None:
    """What the logs lack to speak of the question at all."""
    t, y = question.treatment, question.outcome
    if t == "recommended" and organic_rows in NOT_EVERY_ORGANIC_ROW:
        marked = dropped.get(t) != NOT_THERE
        return not_identifiable(NOT_EVERY_ORGANIC_ROW[organic_rows] if marked else NOT_MARKED)
    for column, asked_as, of_it in ((t, "treatment", (*KNOWN_BEFORE, "treatment")), (y, "outcome", ("outcome",))):
        if column not in graph.nodes and column not in dropped:
            return explain.no_such_column(question.name, column, asked_as, roles, of_it)
    if t not in graph.nodes:
        if dropped.get(t) == NOT_THERE:
            return not_available(f"the treatment `{t}`: {NOT_THERE}, or no unit of the window has a value of it")
        return not_identifiable(
            f"the treatment `{t}` is no node: {dropped.get(t, NOT_THERE)}; an effect needs units of both arms"
        )
    if y not in graph.nodes:
        why = dropped.get(y, NOT_THERE)
        return insufficient_evidence(f"`{y}` is {why}") if "constant" in why else not_available(f"`{y}`: {why}")
    if same := sorted(column for column, node in twins.items() if node == t):
        return not_identifiable(
            f"{', '.join(same)} is the same as `{t}` in every unit: it decides the arm, so no unit could have been "
            f"in the other one; randomise `{t}` for a share of the units"
        )
    for column in question.held:
        if column in dropped or column not in graph.nodes:
            return explain.cannot_be_held(column, t, dropped.get(column, NOT_THERE))
    return None
