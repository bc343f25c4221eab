"""Which columns to adjust for, or why none will do: generalised adjustment over an MPDAG.

Source: Perkovic, Kalisch and Maathuis (2017), UAI, "Interpreting and using CPDAGs with background knowledge"
(amenability, forbidden set, adjustment criterion); the optimal set O = parents of the causal nodes without forbidden
ones, Henckel, Perkovic and Maathuis (2022), JRSS-B 84(2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from types import MappingProxyType

from causalrec_assets.answers import ANSWERED, Answer, insufficient_evidence, not_available, not_identifiable
from causalrec_assets.graph.mpdag import MPDAG, extend
from causalrec_assets.graph.nodes import NOT_THERE
from causalrec_assets.graph.questions import Question
from causalrec_assets.logs.gaps import NOT_EVERY_ORGANIC_ROW, NOT_MARKED


@dataclass(frozen=True)
class Adjustment:
    """A question's answer: with `answered`, adjusting for `columns` gives the effect."""

    question: Question
    answer: Answer
    columns: tuple[str, ...]


def adjust(
    question: Question,
    graph: MPDAG,
    roles: Mapping[str, str],
    dropped: Mapping[str, str],
    organic_rows: str,
    rule: str = "causes_of_either",
    twins: Mapping[str, str] = MappingProxyType({}),
) -> Adjustment:
    """The adjustment set of a question, or a typed answer.

    Args:
        rule: `optimal` is O(T, Y). `causes_of_either` adds the parents of the treatment: still valid (a set of
            non-descendants that holds all parents of T blocks every back-door path), a little less precise, and right
            when discovery has missed one of a confounder's two edges (the disjunctive cause criterion, VanderWeele and
            Shpitser 2011, Biometrics 67(4)).
        graph: The causal graph.
        roles: Of the observed columns. Only a `pre_treatment` column may be adjusted for, whatever the graph says (an
            edge from the treatment to a mediator may have stayed below the floor); a node without a role is hidden.
        dropped: Column -> why it is no node of the graph.
        organic_rows: The source's declaration of its organic rows; asked of the treatment `recommended` only.
        twins: Column -> the node that it equals in every unit.
    """
    t, y = question.treatment, question.outcome

    def unanswered(answer: Answer) -> Adjustment:
        return Adjustment(question, answer, ())

    if t == "recommended" and organic_rows in NOT_EVERY_ORGANIC_ROW:
        marked = dropped.get(t) != NOT_THERE
        return unanswered(not_identifiable(NOT_EVERY_ORGANIC_ROW[organic_rows] if marked else NOT_MARKED))
    if t not in graph.nodes:
        return unanswered(
            not_identifiable(
                f"the treatment `{t}` is no node: {dropped.get(t, NOT_THERE)}; an effect needs units of both arms"
            )
        )
    if y not in graph.nodes:
        why = dropped.get(y, NOT_THERE)
        answer = insufficient_evidence(f"`{y}` is {why}") if "constant" in why else not_available(f"`{y}`: {why}")
        return unanswered(answer)
    if same := sorted(column for column, node in twins.items() if node == t):
        return unanswered(
            not_identifiable(
                f"{', '.join(same)} is the same as `{t}` in every unit: it decides the arm, so no unit could have been "
                f"in the other one; randomise `{t}` for a share of the units"
            )
        )
    paths = list(graph.possibly_causal_paths(t, {y}))
    for path in paths:
        if (path[0], path[1]) not in graph.directed:
            return unanswered(
                not_identifiable(
                    f"the direction of `{path[0]} - {path[1]}` is open, so it cannot be told whether "
                    f"`{' - '.join(path)}` is an effect or a common cause; say which it is in expert_graph.yaml, "
                    f"or randomise `{t}`"
                )
            )
    if not paths:
        # The graph says that there is no effect; adjusting for the parents of T lets the estimate contradict it.
        columns = graph.parents(t)
    else:
        columns = optimal_set(graph, t, y) | (graph.parents(t) if rule == "causes_of_either" else set())
    allowed = {column for column, role in roles.items() if role == "pre_treatment"} & set(graph.nodes)
    if columns <= allowed:
        return Adjustment(question, ANSWERED, tuple(sorted(columns)))
    arrows = extend(graph)
    if arrows is None:
        raise ValueError("the causal graph has no DAG in its class; it did not come from `orient`")
    dag = MPDAG(graph.nodes, arrows, frozenset())
    largest = _largest_candidate(dag, t, y, allowed)
    if is_valid(dag, t, y, largest):
        return Adjustment(question, ANSWERED, tuple(sorted(largest)))
    still_open, unlogged = _open_path(dag, t, y, largest), sorted(set(graph.nodes) - set(roles))
    return unanswered(
        not_identifiable(
            f"no set of logged columns blocks {still_open}; log {' and '.join(unlogged) or 'the common cause'}, "
            f"or randomise `{t}`"
        )
    )


def _largest_candidate(dag: MPDAG, treatment: str, outcome: str, allowed: set[str]) -> set[str]:
    """All allowed causes of the treatment or the outcome: where any allowed set is valid, this one is.

    Source:
        van der Zander, Liskiewicz and Textor (2014), UAI, "Constructing separators and adjustment sets in ancestral
        graphs", Theorem 4.
    """
    import networkx as nx

    whole = nx.DiGraph(list(dag.directed))
    whole.add_nodes_from(dag.nodes)
    causes: set[str] = nx.ancestors(whole, treatment) | nx.ancestors(whole, outcome)
    causal = nx.descendants(whole, treatment) & (nx.ancestors(whole, outcome) | {outcome})
    forbidden: set[str] = {treatment, outcome} | causal | {d for node in causal for d in nx.descendants(whole, node)}
    return (causes & allowed) - forbidden


def _open_path(dag: MPDAG, treatment: str, outcome: str, columns: set[str], most: int = 5000) -> str:
    """The shortest non-causal path that adjusting for `columns` leaves open, in words."""
    import networkx as nx

    whole = nx.DiGraph(list(dag.directed))
    opened = columns | {a for c in columns for a in nx.ancestors(whole, c)}
    for path in islice(nx.shortest_simple_paths(whole.to_undirected(), treatment, outcome), most):
        if all(whole.has_edge(a, b) for a, b in pairwise(path)):
            continue
        if all(
            (b in opened) if whole.has_edge(a, b) and whole.has_edge(c, b) else (b not in columns)
            for a, b, c in zip(path, path[1:], path[2:], strict=False)
        ):
            steps = [f" -> {b}" if whole.has_edge(a, b) else f" <- {b}" for a, b in pairwise(path)]
            return f"the path {path[0]}{''.join(steps)}"
    return "all of its non-causal paths"


def optimal_set(graph: MPDAG, treatment: str, outcome: str) -> set[str]:
    """O(T, Y): the parents of the causal nodes, without the possible descendants of causal nodes and without T."""
    causal = {node for path in graph.possibly_causal_paths(treatment, {outcome}) for node in path[1:]}
    forbidden = graph.possible_descendants(causal) | {treatment}
    return {parent for node in causal for parent in graph.parents(node)} - forbidden


def is_valid(graph: MPDAG, treatment: str, outcome: str, columns: set[str]) -> bool:
    """Whether a set satisfies the generalised adjustment criterion in a DAG: no forbidden node, and it blocks every
    proper non-causal path (d-separation once the causal paths' first edges are cut).

    Raises:
        ValueError: The graph has open edges; the criterion is checked in a DAG.
    """
    import networkx as nx

    if graph.undirected:
        raise ValueError("d-separation is asked of a DAG; this graph has open edges")
    causal = {node for path in graph.possibly_causal_paths(treatment, {outcome}) for node in path[1:]}
    if columns & (graph.possible_descendants(causal) | {treatment}):
        return False
    back_door = nx.DiGraph([(a, b) for a, b in graph.directed if not (a == treatment and b in causal)])
    back_door.add_nodes_from(graph.nodes)
    return bool(nx.is_d_separator(back_door, {treatment}, {outcome}, columns))
