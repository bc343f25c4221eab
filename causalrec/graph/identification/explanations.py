"""Why a question has no answer, in words: the open path, and which edge, measurement or experiment would settle it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from causalrec.answers import Answer, InputError, not_available, not_identifiable
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.criteria import back_door_graph, forbidden_columns, member
from causalrec.graph.identification.minimal_sets import cut_graph, nearest_to_outcome
from causalrec.graph.mpdag import MPDAG, Edge, close, extend, pair
from causalrec.settings.questions import Question

MOST_EDGES = 4
"""Open edges whose two directions are tried."""
PART_OF_THE_ROWS = "part of the rows"
"""How `choose_nodes` says that a column is missing in some units."""
CHANGE, POWER = 0.1, 0.8
"""An experiment should see a change of a tenth of the outcome's rate in four of five cases."""


@dataclass(frozen=True)
class Scale:
    """How many units a window has, and the rate of each outcome in it."""

    units: int
    rates: Mapping[str, float]


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in sorted(names)]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def open_edges(graph: MPDAG, paths: list[tuple[str, ...]], attempt: Callable[[MPDAG], Adjustment | None]) -> str:
    """Every edge at the treatment whose direction decides, and what each direction would give.

    Args:
        paths: Of `unsettled_paths`; the first edge of each is open.
        attempt: Answers the question in another graph.
    """
    edges = [pair(path[0], path[1]) for path in paths]
    shown = " - ".join(paths[0])
    names = " and ".join(f"`{a} - {b}`" for a, b in edges)
    sentence = (
        f"the direction of {names} is open, so it cannot be told whether `{shown}` is an effect or a common cause; say "
        "which it is in expert_graph.yaml"
    )
    outcomes = [
        f"if `{a}` causes `{b}`, {_settled(graph, (a, b), attempt)}"
        for edge in edges[:MOST_EDGES]
        for a, b in (edge, edge[::-1])
    ]
    return f"{sentence} ({'; '.join(outcomes)})"


def _settled(graph: MPDAG, arrow: Edge, attempt: Callable[[MPDAG], Adjustment | None]) -> str:
    try:
        turned = close(graph.nodes, graph.directed | {arrow}, graph.undirected)
    except InputError:
        return "the rest of the graph is contradicted"
    if extend(turned) is None:
        return "the rest of the graph is contradicted"
    adjustment = attempt(turned)
    if adjustment is None:
        return "the question stays open"
    return f"adjust for {listed(adjustment.columns)}" if adjustment.columns else "nothing needs to be adjusted for"


def blocked(
    graph: MPDAG, treatments: set[str], outcome: str, allowed: Collection[str], roles: Mapping[str, str]
) -> str:
    """The path that stays open whatever logged columns are adjusted for, and what to measure."""
    dag = member(graph)
    back_door = back_door_graph(dag, treatments, outcome)
    usable = set(allowed) - forbidden_columns(graph, treatments, outcome) - dag.descendants(treatments)
    given = usable & back_door.ancestors({*treatments, outcome})
    path = back_door.open_path(treatments, {outcome}, given)
    if path is None:
        raise ValueError(f"{sorted(given)} block every path; the question has an answer")
    words = back_door.words(path)
    if len(path) == 2:
        return (
            f"the graph says that `{outcome}` causes `{path[0]}` ({words}), and no column blocks that; if it is wrong, "
            "forbid this edge in expert_graph.yaml"
        )
    sentence = f"no set of logged columns blocks the path {words}"
    never = forbidden_columns(graph, treatments, outcome) | dag.descendants(treatments)
    hidden = sorted(set(graph.nodes) - set(roles) - never)
    for size in sorted({1, 2, len(hidden)} - {0}):
        wanted = []
        for chosen in combinations(hidden, size):
            near = cut_graph(back_door, treatments, outcome, usable | set(chosen))
            if nearest_to_outcome(near, outcome) is not None:
                wanted.append(" and ".join(_described(dag.out[name], name) for name in chosen))
        if wanted:
            return f"{sentence}; log {', or '.join(wanted)}"
    late = [
        f"`{node}` ({roles[node].replace('_', '-')})" for node in path[1:-1] if node in roles and node not in usable
    ]
    if late:
        return (
            f"{sentence}; {', '.join(late)} on it is no column from before the treatment, so it may not be adjusted for"
        )
    return f"{sentence}; what is hidden on it comes after the treatment, so measuring it does not help"


def _described(effects: Collection[str], name: str) -> str:
    return f"`{name}` (a common cause of {listed(effects)})" if len(effects) > 1 else f"`{name}`"


def experiment(question: Question, scale: Scale | None) -> str:
    """Which variable to randomise, and for what share of the units."""
    t, y = question.treatment, question.outcome
    if question.held:
        return f"or randomise {listed({t, *question.held})} together for a share of the units"
    if scale is None or not scale.units or not 0 < scale.rates.get(y, 0) < 1:
        return f"or randomise `{t}` for a share of the units"
    needed = units_to_randomise(scale.rates[y])
    share = needed / scale.units
    if share > 1:
        return (
            f"or randomise `{t}`: to see a change of a tenth of the rate of `{y}` takes about {needed:,} units, "
            f"{share:.1f} times what this window has"
        )
    return (
        f"or randomise `{t}` for {max(share, 0.0001):.2%} of the units: about {needed:,} show a change of a tenth of "
        f"the rate of `{y}`"
    )


def units_to_randomise(rate: float, change: float = CHANGE, power: float = POWER, level: float = 0.05) -> int:
    """How many units, half in each arm, show a relative change of a rate.

    2 * 2 r (1 - r) (z(1 - level / 2) + z(power))^2 / (change r)^2

    Args:
        rate: r, in (0, 1).
        change: Relative to the rate.

    Source:
        Fleiss, Levin and Paik (2003), "Statistical Methods for Rates and Proportions", section 4.2, with one rate for
        both variances. For units that come in clusters it is a lower bound.
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    return math.ceil(4 * (1 - rate) / rate * ((z(1 - level / 2) + z(power)) / change) ** 2)


def no_such_column(
    question: str, column: str, asked_as: str, roles: Mapping[str, str], of_it: Collection[str]
) -> Answer:
    """Why a column that is no node, and that nothing was dropped for, cannot be asked about.

    Args:
        asked_as: treatment or outcome.
        of_it: The roles that a column needs to be one.
    """
    why = f"the units have no column `{column}`"
    if column in roles:
        why = f"`{column}` is of the role `{roles[column]}`, and is no {asked_as}"
    known = listed(name for name, role in roles.items() if role in of_it) or "none"
    return not_available(
        f"{why} (questions.yaml: `{asked_as}` of `{question}`); these could be asked about: {known}. A column of your "
        "events becomes one in sources.yaml (`context`)"
    )


def cannot_be_held(column: str, treatment: str, why: str) -> Answer:
    """Why a mediator cannot be held: it may exist in one arm only."""
    if PART_OF_THE_ROWS in why:
        return not_identifiable(
            f"`{column}` cannot be held: it exists on a part of the units only, and a unit of the other arm of "
            f"`{treatment}` has none that could stay as it is; ask for the total effect, or hold a mediator that both "
            "arms have"
        )
    return not_available(f"`{column}` cannot be held: {why}")
