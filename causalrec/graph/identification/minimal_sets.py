"""Which sets of observed columns separate: the most precise of them, and the smallest ones.

Adjustment sets within the causes of treatment and outcome are the vertex cuts between both in one undirected graph over
the eligible columns: the moral graph of the back-door graph, in which all other nodes (hidden, forbidden) are replaced
by edges between those that they join.

Source: van der Zander, Liskiewicz and Textor (2019), Artificial Intelligence 270, "Separators and adjustment sets in
causal graphs"; Smucler, Sapienza and Rotnitzky (2022), Biometrika 109(1), "Efficient adjustment sets in causal
graphical models with hidden variables".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from causalrec.graph.identification.separation import Dag

MOST = 20
SEARCHED = 200
SOURCE = "\0treatments"
Neighbours = Mapping[str, set[str]]


def cut_graph(back_door: Dag, treatments: Collection[str], outcome: str, eligible: Collection[str]) -> Neighbours:
    """The undirected graph whose vertex cuts are the adjustment sets; the treatments are one node, `SOURCE`."""
    causes = back_door.ancestors({*treatments, outcome})
    near: dict[str, set[str]] = {node: set() for node in causes}
    for node in causes:
        family = [node, *back_door.into[node]]
        for a in family:
            near[a].update(b for b in family if b != a)
    kept = (set(eligible) & causes) - set(treatments) - {outcome}
    for node in sorted(causes - kept - set(treatments) - {outcome}):
        joined = near.pop(node)
        for a in joined:
            near[a].discard(node)
            near[a].update(joined - {a})
    one = {b for treatment in treatments for b in near.pop(treatment)} - set(treatments)
    for node in one:
        near[node].difference_update(treatments)
        near[node].add(SOURCE)
    return {**near, SOURCE: one}


def nearest_to_outcome(near: Neighbours, outcome: str) -> set[str] | None:
    """The neighbours of the outcome: of all cuts that use causes only, the one with the smallest variance.

    None where no set of eligible columns is valid.

    Source:
        Smucler, Sapienza and Rotnitzky (2022), theorem 4 (with hidden nodes); without hidden nodes it is O(T, Y).
    """
    return None if SOURCE in near[outcome] else set(near[outcome])


def minimal_cuts(near: Neighbours, outcome: str, most: int = MOST, searched: int = SEARCHED) -> list[tuple[str, ...]]:
    """Minimal cuts between the treatments and the outcome, the smallest first: at most `most` of them.

    Each found cut leads to the next ones by moving one of its nodes to the treatments' side, so the delay between two
    is polynomial. In a graph with more than `searched` minimal cuts, the first so many found are the choice.

    Source:
        Shen and Liang (1997), Theoretical Computer Science 180, "Efficient enumeration of all minimal separators".
    """
    if SOURCE in near[outcome]:
        return []
    first = _cut_beside(near, {SOURCE}, outcome)
    cuts, queue = {first}, deque([first])
    while queue and len(cuts) < searched:
        cut = queue.popleft()
        side = _component(near, SOURCE, cut)
        for node in sorted(cut):
            if outcome in near[node]:
                continue
            following = _cut_beside(near, side | {node}, outcome)
            if following not in cuts and len(cuts) < searched:
                cuts.add(following)
                queue.append(following)
    return sorted((tuple(sorted(cut)) for cut in cuts), key=lambda cut: (len(cut), cut))[:most]


def _cut_beside(near: Neighbours, side: set[str], outcome: str) -> frozenset[str]:
    """The minimal cut next to a side: those neighbours of the side from which the outcome can still be reached."""
    around = {b for a in side for b in near[a]} - side
    beyond = _component(near, outcome, around)
    return frozenset(b for a in beyond for b in near[a] if b not in beyond)


def _component(near: Neighbours, start: str, removed: Collection[str]) -> set[str]:
    component, stack = {start}, [start]
    while stack:
        fresh = near[stack.pop()] - component - set(removed)
        component |= fresh
        stack.extend(fresh)
    return component
