"""The front door: where the criterion holds, its formula is the interventional one, in models with hidden nodes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.graph.identification.front_door import FrontDoor, find_front_door, opens_front_door
from tests.graph.graphs import all_sets, dag, random_dag
from tests.graph.scm import Scm
from tests.graph.strategies import dags, effects_in, mpdags


def by_the_front_door(model: Scm, t: str, y: str, mediators, columns, arm: int) -> float:
    """sum_w P(w) sum_m P(m | t, w) sum_t' E[Y | m, t', w] P(t' | w), from what is observed alone."""
    p, value = model.joint(), 0.0
    chosen = {n: model.column(n) for n in (*mediators, *columns, t)}

    def mass(fixed: dict[str, int], weight=None) -> float:
        hit = np.all([chosen[n] == v for n, v in fixed.items()], axis=0) if fixed else np.ones(len(p), dtype=bool)
        return float((p * (1 if weight is None else weight))[hit].sum())

    for w in itertools.product((0, 1), repeat=len(columns)):
        given = dict(zip(columns, w, strict=True))
        for m in itertools.product((0, 1), repeat=len(mediators)):
            inner = dict(zip(mediators, m, strict=True))
            chance = mass({**given, **inner, t: arm}) / mass({**given, t: arm})
            for other in (0, 1):
                here = {**given, **inner, t: other}
                value += chance * mass(here, model.column(y)) / mass(here) * mass({**given, t: other})
    return value


def test_where_the_criterion_holds_the_formula_gives_what_an_intervention_would():
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        names, arrows = random_dag(rng, 6, 0.4)
        graph = dag(names, arrows)
        t, y, *others = rng.permutation(names).tolist()
        logged = others[:3]
        if graph.possible_path(t, {y}) is None:
            continue
        model = Scm(rng, names, arrows)
        for mediators in all_sets(logged)[1:]:
            for columns in all_sets(set(logged) - mediators):
                if opens_front_door(graph, t, y, mediators, columns):
                    held += 1
                    for arm in (0, 1):
                        found = by_the_front_door(model, t, y, sorted(mediators), sorted(columns), arm)
                        assert found == pytest.approx(model.mean(y, {t: arm}), abs=1e-9)
    assert held > 60


@given(dags(6, 0.4), st.data())
def test_the_search_finds_a_front_door_exactly_when_there_is_one(world, drawn):
    graph = world.graph
    t, y, *others = drawn.draw(effects_in(graph))
    logged = set(others[:3])
    every = [
        (m, w)
        for m in all_sets(logged)[1:]
        for w in all_sets(logged - m)
        if all(graph.possible_path(t, {n}) and graph.possible_path(n, {y}) for n in m)
        and opens_front_door(graph, t, y, m, w)
    ]
    found = find_front_door(graph, t, y, logged, logged)
    assert (found is not None) == bool(every)
    assert found is None or (set(found.mediators), set(found.columns)) in every
    assert found is None or len(found.mediators) == min(len(m) for m, _ in every)


@given(mpdags(6, 0.4, known=0.5), st.data())
def test_in_a_class_it_holds_in_every_dag_or_is_not_used(world, drawn):
    names, graph, every = world.names, world.graph, world.members
    t, y, *others = drawn.draw(st.permutations(names))
    for mediators in all_sets(others[:2])[1:]:
        for columns in all_sets(set(others) - mediators):
            told = opens_front_door(graph, t, y, mediators, columns)
            in_all = all(opens_front_door(dag(names, arrows), t, y, mediators, columns) for arrows in every)
            settled = not any(graph.open_neighbours(n) for n in {t, *mediators})
            assert told == (in_all and settled)


HIDDEN = {("u", "t"), ("u", "y")}


def find(arrows, mediators="m", allowed=""):
    nodes = sorted({n for e in arrows for n in e})
    return find_front_door(dag(nodes, arrows), "t", "y", set(mediators), set(allowed))


def test_the_textbook_front_door():
    assert find({*HIDDEN, ("t", "m"), ("m", "y")}) == FrontDoor(("m",), ())


def test_a_direct_arrow_closes_it():
    assert find({*HIDDEN, ("t", "m"), ("m", "y"), ("t", "y")}) is None


def test_a_hidden_cause_of_the_mediator_closes_it_and_a_logged_one_does_not():
    arrows = {*HIDDEN, ("t", "m"), ("m", "y"), ("w", "m"), ("w", "t"), ("w", "y")}
    assert find(arrows) is None
    assert find(arrows, allowed="w") == FrontDoor(("m",), ("w",))


def test_two_ways_need_two_mediators():
    arrows = {*HIDDEN, ("t", "m"), ("m", "y"), ("t", "n"), ("n", "y")}
    assert find(arrows) is None
    assert find(arrows, "mn") == FrontDoor(("m", "n"), ())
