"""Instruments: where the criterion holds, the ratio of effects is the compliers' effect, in random models."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.graph.identification.instrument import Instrument, find_instrument, is_instrument
from tests.graph.graphs import all_sets, dag, random_dag
from tests.graph.scm import Scm
from tests.graph.strategies import dags, mpdags


def ratio_of_effects(model: Scm, z: str, t: str, y: str, columns) -> float:
    """The effect of the instrument on the outcome over its effect on the treatment, from what is observed alone."""
    p = model.joint()

    def effect(end: str) -> float:
        total = 0.0
        for w in itertools.product((0, 1), repeat=len(columns)):
            here = np.all([model.column(c) == v for c, v in zip(columns, w, strict=True)], axis=0)
            here = np.broadcast_to(here, p.shape)
            rates = [
                (p * model.column(end))[here & (model.column(z) == k)].sum() / p[here & (model.column(z) == k)].sum()
                for k in (0, 1)
            ]
            total += p[here].sum() * (rates[1] - rates[0])
        return total

    return effect(y) / effect(t)


@pytest.mark.train
def test_where_the_criterion_holds_the_ratio_is_the_effect_among_the_units_that_the_instrument_decides():
    held, off = 0, []
    for seed in range(1500):
        rng = np.random.default_rng(seed)
        names, arrows = random_dag(rng, 6, 0.4)
        graph = dag(names, arrows)
        model, (t, y, *others) = Scm(rng, names, arrows), rng.permutation(names).tolist()
        if graph.possible_path(t, {y}) is None:
            continue
        logged = others[:3]
        for z in logged:
            for columns in all_sets(set(logged) - {z}):
                if not is_instrument(graph, t, y, z, columns):
                    continue
                held += 1
                uniforms = {n: rng.random(100_000) for n in names}
                moved = model.draw(uniforms, {z: 1})[t] - model.draw(uniforms, {z: 0})[t]
                assert moved.min() >= 0
                gain = model.draw(uniforms, {t: 1})[y] - model.draw(uniforms, {t: 0})[y]
                truth = gain[moved == 1].mean()
                error = gain[moved == 1].std() / np.sqrt(moved.sum())
                off.append((ratio_of_effects(model, z, t, y, sorted(columns)) - truth) / error)
    assert held > 30
    assert np.abs(off).max() < 4.5 and np.mean(np.abs(off)) < 1.1


@given(dags(6, 0.5), st.data())
def test_the_search_finds_an_instrument_exactly_when_there_is_one(world, drawn):
    graph = world.graph
    t, y, *others = drawn.draw(st.permutations(world.names))
    logged = others[:3]
    found = find_instrument(graph, t, y, logged, logged)
    every = {z for z in logged for w in all_sets(set(logged) - {z}) if is_instrument(graph, t, y, z, w)}
    assert (found is None) == (not every)
    assert found is None or is_instrument(graph, t, y, found.name, found.columns)


@given(mpdags(5, 0.5, known=0.4), st.data())
def test_in_a_class_it_holds_in_every_dag(world, drawn):
    names, graph, every = world.names, world.graph, world.members
    t, y, *others = drawn.draw(st.permutations(names))
    for z in others:
        for columns in all_sets(set(others) - {z}):
            if is_instrument(graph, t, y, z, columns):
                assert all(is_instrument(dag(names, arrows), t, y, z, columns) for arrows in every)


def find(arrows, candidates="z", allowed="z"):
    nodes = sorted({n for e in arrows for n in e})
    return find_instrument(dag(nodes, arrows), "t", "y", set(candidates), set(allowed))


BASE = {("u", "t"), ("u", "y"), ("t", "y"), ("z", "t")}


def test_the_textbook_instrument_and_what_spoils_it():
    assert find(BASE) == Instrument("z", ())
    assert find({*BASE, ("z", "y")}) is None
    assert find({*BASE, ("z", "b"), ("b", "y")}, allowed="zb") is None
    assert find({*BASE, ("u", "z")}) is None


def test_a_logged_cause_of_instrument_and_outcome_is_adjusted_for():
    arrows = {*BASE, ("w", "z"), ("w", "y")}
    assert find(arrows) is None
    assert find(arrows, allowed="zw") == Instrument("z", ("w",))


def test_a_column_that_only_goes_with_the_treatment_is_none():
    assert find({("u", "t"), ("u", "y"), ("t", "y"), ("c", "z"), ("c", "t")}) is None
