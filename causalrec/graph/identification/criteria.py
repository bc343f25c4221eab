"""Whether adjusting for some columns gives an effect: the generalised adjustment criterion, asked of the MPDAG itself.

All of it is reachability: no list of paths is made, so a dense graph is answered as fast as a sparse one.

Source: Perkovic, Kalisch and Maathuis (2017), UAI, "Interpreting and using CPDAGs with background knowledge",
definition 4.3 and theorem 4.4. `treatments` are several where mediators are held: the effect is then the direct one.
"""

from __future__ import annotations

from collections.abc import Collection

from causalrec.graph.identification.separation import Dag
from causalrec.graph.mpdag import MPDAG, extend


def member(graph: MPDAG) -> Dag:
    """A DAG of the class.

    Raises:
        ValueError: There is none; the graph did not come from `orient`.
    """
    arrows = extend(graph)
    if arrows is None:
        raise ValueError("the causal graph has no DAG in its class; it did not come from `orient`")
    return Dag(graph.nodes, arrows)


def unsettled_paths(graph: MPDAG, treatments: Collection[str], outcome: str) -> list[tuple[str, ...]]:
    """For each open edge at a treatment that may begin a causal path: a shortest such path.

    Where there is one, no set is valid: in some DAG of the class the path is causal, in another it is a back door. An
    empty list means that the graph is amenable.
    """
    held, paths = set(treatments), []
    for treatment in sorted(held):
        avoid = held | graph.parents(treatment)
        for first in sorted(graph.open_neighbours(treatment) - held):
            if path := graph.possible_path(first, {outcome}, avoid):
                paths.append((treatment, *path))
    return paths


def first_causal(graph: MPDAG, treatments: Collection[str], outcome: str) -> set[str]:
    """The effects of a treatment that may pass an effect on to the outcome; empty where the graph knows of none."""
    held = set(treatments)
    return {
        child
        for treatment in held
        for child in graph.children(treatment) - held
        if graph.possible_path(child, {outcome}, held | graph.parents(treatment))
    }


def forbidden_columns(graph: MPDAG, treatments: Collection[str], outcome: str) -> set[str]:
    """What no adjustment may hold: the treatments, and all that a node on a causal path may cause.

    In an amenable graph, a node that is forbidden in a DAG of the class is an effect there of a first node of a
    causal path, so the possible effects of those first nodes are all.
    """
    return set(treatments) | graph.possible_descendants(first_causal(graph, treatments, outcome))


def causal_nodes(dag: Dag, treatments: Collection[str], outcome: str) -> set[str]:
    """The nodes on the causal paths that leave the treatments and do not come back to them, the outcome included."""
    below = {child for treatment in treatments for child in dag.out[treatment]}
    return dag.descendants(below, treatments) & dag.ancestors({outcome}, treatments)


def back_door_graph(dag: Dag, treatments: Collection[str], outcome: str) -> Dag:
    """The DAG without the first arrows of the causal paths: what still joins treatment and outcome confounds."""
    causal = causal_nodes(dag, treatments, outcome)
    return Dag(dag.into, {(a, b) for a, b in dag.arrows if not (a in treatments and b in causal)})


def is_valid(graph: MPDAG, treatments: str | Collection[str], outcome: str, columns: Collection[str]) -> bool:
    """Whether a set satisfies the generalised adjustment criterion, in every DAG of the class at once.

    In an amenable graph, and without forbidden columns, a set blocks the non-causal paths of every DAG of the class or
    of none, so one DAG is asked.
    """
    held = {treatments} if isinstance(treatments, str) else set(treatments)
    if unsettled_paths(graph, held, outcome) or set(columns) & (forbidden_columns(graph, held, outcome) | {outcome}):
        return False
    return back_door_graph(member(graph), held, outcome).separated(held, {outcome}, columns)


def optimal_set(graph: MPDAG, treatments: str | Collection[str], outcome: str) -> set[str]:
    """O(T, Y): the parents of the causal nodes, without the effects of causal nodes and without the treatments.

    The same set in every DAG of an amenable class, so it is read off one of them.

    Source:
        Henckel, Perkovic and Maathuis (2022), JRSS-B 84(2), definition 3.12 and lemma E.7.
    """
    held = {treatments} if isinstance(treatments, str) else set(treatments)
    dag = member(graph)
    causal = causal_nodes(dag, held, outcome)
    return {parent for node in causal for parent in dag.into[node]} - dag.descendants(causal) - held
