"""Cuts against brute force, and the variance that a set leaves."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from causalrec.graph.identification.criteria import back_door_graph, forbidden_columns, is_valid, member
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.identification.minimal_sets import cut_graph, minimal_cuts, nearest_to_outcome
from causalrec.settings.questions import Question
from tests.graph.graphs import all_sets, dag, linear_variance, random_dag
from tests.graph.strategies import dags, effects_in, some


def question_of(graph, order, logged):
    """Of a DAG: treatment, outcome, the columns that may be adjusted for, and the cut graph."""
    t, y, *others = order
    eligible = logged & set(others) - forbidden_columns(graph, {t}, y)
    near = cut_graph(back_door_graph(member(graph), {t}, y), {t}, y, eligible)
    return t, y, eligible, near


@st.composite
def worlds(draw, share_logged: float, effect: bool = False):
    world = draw(dags(7, 0.5))
    order = draw(effects_in(world.graph) if effect else st.permutations(world.names))
    logged = draw(some(world.names, share_logged))
    return world.graph, *question_of(world.graph, order, logged)


@given(worlds(0.8))
def test_minimal_cuts_are_all_minimal_adjustment_sets(world):
    graph, t, y, eligible, near = world
    valid = [s for s in all_sets(eligible) if is_valid(graph, t, y, s)]
    minimal = {tuple(sorted(s)) for s in valid if not any(other < s for other in valid)}
    cuts = minimal_cuts(near, y, most=1000)
    assert len(set(cuts)) == len(cuts) and set(cuts) == minimal
    assert [len(cut) for cut in cuts] == sorted(len(cut) for cut in cuts)
    assert minimal_cuts(near, y, most=2) == cuts[:2]


@given(worlds(0.6))
def test_the_nearest_cut_is_there_exactly_when_a_valid_set_is(world):
    graph, t, y, eligible, near = world
    nearest = nearest_to_outcome(near, y)
    assert (nearest is not None) == any(is_valid(graph, t, y, s) for s in all_sets(eligible))
    assert nearest is None or is_valid(graph, t, y, nearest)


@given(worlds(0.7, effect=True), st.integers(0, 10_000))
def test_of_all_sets_of_logged_causes_the_nearest_leaves_the_smallest_variance(world, seed):
    graph, t, y, eligible, near = world
    nearest = nearest_to_outcome(near, y)
    assume(nearest is not None)
    variance = linear_variance(np.random.default_rng(seed), graph, t, y)
    causes = member(graph).ancestors({t, y})
    for columns in all_sets(eligible & causes):
        if is_valid(graph, t, y, columns):
            assert variance(nearest) <= variance(columns) * (1 + 1e-9)


@pytest.mark.parametrize("rule", ["optimal", "causes_of_either"])
def test_a_set_that_is_called_optimal_leaves_the_smallest_variance_of_all_valid_sets(rule):
    called = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        names, arrows = random_dag(rng, 7, 0.4)
        graph, order = dag(names, arrows), rng.permutation(names).tolist()
        t, y, eligible, _ = question_of(graph, order, {n for n in order[2:] if rng.random() < 0.7})
        roles = {t: "treatment", y: "outcome", **dict.fromkeys(eligible, "pre_treatment")}
        adjustment = adjust(Question(name="q", treatment=t, outcome=y), graph, LoggedColumns(roles), rule)
        if adjustment.optimal:
            called += 1
            variance = linear_variance(np.random.default_rng(seed), graph, t, y)
            for columns in all_sets(eligible):
                if is_valid(graph, t, y, columns):
                    assert variance(set(adjustment.columns)) <= variance(columns) * (1 + 1e-9)
    assert called > 20


def test_a_graph_with_very_many_minimal_sets_is_answered_with_the_first_of_them():
    # Twenty chains from t to y: 2^20 minimal sets.
    arrows = {e for k in range(20) for e in ((f"a{k:02}", "t"), (f"a{k:02}", f"b{k:02}"), (f"b{k:02}", "y"))}
    graph = dag(sorted({n for e in arrows for n in e}), arrows | {("t", "y")})
    eligible = set(graph.nodes) - {"t", "y"}
    cuts = minimal_cuts(cut_graph(back_door_graph(member(graph), {"t"}, "y"), {"t"}, "y", eligible), "y")
    assert len(cuts) == 20
    assert all(is_valid(graph, "t", "y", set(cut)) for cut in cuts)
