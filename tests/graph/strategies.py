"""Random graphs, classes and knowledge for properties: whatever breaks one shrinks to the smallest graph that does."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import NamedTuple

from hypothesis import assume, settings
from hypothesis import strategies as st

from causalrec.graph.knowledge.entries import Knowledge, Placement, Statement
from causalrec.graph.mpdag import MPDAG, colliders_of, orient
from tests.graph.graphs import dag, members, skeleton_of

Arrows = set[tuple[str, str]]
PLACES = (("context and item", -1), ("context and item", 0), ("history", 0), ("history", 1))
SIGNED = {"who": "Ada", "why": "she built it", "when": "2026-01-01"}

twice_as_many = settings(max_examples=2 * settings.default.max_examples)
"""For what all else rests on."""


def sizes(most: int, least: int = 2) -> st.SearchStrategy[int]:
    """Three of four are the largest, as small worlds say little; the smallest is what is left of a failure."""
    return st.sampled_from([*range(least, most), *[most] * (3 * max(1, most - least))])


def chance(share: float) -> st.SearchStrategy[bool]:
    """True with this chance, in steps of a tenth; shrinks to False."""
    yes = round(10 * share)
    return st.sampled_from([False] * (10 - yes) + [True] * yes)


def some(values, share: float) -> st.SearchStrategy[set]:
    """Each of these with the same chance."""
    listed = sorted(values)
    flags = st.lists(chance(share), min_size=len(listed), max_size=len(listed))
    return flags.map(lambda drawn: {v for v, kept in zip(listed, drawn, strict=True) if kept})


class RandomDag(NamedTuple):
    """Names in alphabetical order, which says nothing of their order in time, and arrows (cause, effect)."""

    names: list[str]
    arrows: Arrows

    @property
    def graph(self) -> MPDAG:
        return dag(self.names, self.arrows)


@st.composite
def dags(draw, most: int = 6, density: float = 0.5, least: int = 2) -> RandomDag:
    """DAGs of `least` to `most` nodes v0, v1, ..., each pair joined with the chance `density`."""
    number = draw(sizes(most, least))
    order = draw(st.permutations([f"v{k}" for k in range(number)]))
    return RandomDag(sorted(order), draw(some(itertools.combinations(range(number), 2), density).map(named(order))))


def named(order):
    """Pairs of places -> pairs of names."""
    return lambda pairs: {(order[i], order[j]) for i, j in pairs}


class RandomClass:
    """The class of a DAG of which some arrows are known.

    Attributes:
        graph: Its MPDAG, of which `orient` gave up no collider.
        members: Its DAGs, by brute force.
    """

    def __init__(self, names: list[str], arrows: Arrows, known: Arrows) -> None:
        self.names, self.arrows, self.known = names, arrows, known
        self.skeleton, self.colliders = skeleton_of(arrows), colliders_of(arrows)
        self.graph, given_up = orient(names, self.skeleton, known, sorted(self.colliders))
        assert given_up == []

    def __repr__(self) -> str:
        return f"the class of {sorted(self.arrows)} over {self.names}, known {sorted(self.known)}"

    @cached_property
    def members(self) -> list[Arrows]:
        return members(self.skeleton, self.colliders, self.known)


@st.composite
def mpdags(draw, most: int = 6, density: float = 0.5, known: float = 0.2, least: int = 2) -> RandomClass:
    """Classes of `dags`, of which a share of the arrows is known."""
    names, arrows = draw(dags(most, density, least))
    return RandomClass(names, arrows, draw(some(arrows, known)))


@st.composite
def effects_in(draw, graph: MPDAG) -> tuple[str, ...]:
    """A treatment, an outcome that it may have an effect on, and the other nodes in any order."""
    pairs = [(a, b) for a, b in itertools.permutations(graph.nodes, 2) if graph.possible_path(a, {b})]
    assume(pairs)
    ends = draw(st.sampled_from(pairs))
    return (*ends, *draw(st.permutations([n for n in graph.nodes if n not in ends])))


def said(kind, edge, line) -> Statement:
    return Statement(**SIGNED, line=line, kind=kind, cause=edge[0], effect=edge[1])


@st.composite
def knowledge(draw, names) -> Knowledge:
    """Consistent: required and settled arrows follow one order, tiers too, and nothing of it is forbidden."""
    order = draw(st.permutations(sorted(names)))
    tiers: tuple[Placement, ...] = ()
    if draw(chance(0.4)):
        at = sorted(draw(st.lists(st.sampled_from(range(len(PLACES))), min_size=len(order), max_size=len(order))))
        tiers = tuple(
            Placement(**SIGNED, line=k, columns=(name,), tier=PLACES[place][0], beside=PLACES[place][1])
            for k, (name, place) in enumerate(zip(order, at, strict=True), start=1)
        )
    forward = st.sampled_from(["nothing"] * 12 + ["required"] * 3 + ["settled"] * 3 + ["forbidden"] * 2)
    kinds: dict[tuple[str, str], str] = {}
    for a, b in itertools.combinations(order, 2):
        kinds[a, b] = draw(forward)
        kinds[b, a] = "forbidden" if draw(chance(0.2)) else "nothing"
    lines = itertools.count(100)
    statements = [said(kind, edge, next(lines)) for edge, kind in kinds.items() if kind != "nothing"]
    by_kind = {k: tuple(s for s in statements if s.kind == k) for k in ("required", "settled", "forbidden")}
    return Knowledge(**by_kind, tiers=tiers)
