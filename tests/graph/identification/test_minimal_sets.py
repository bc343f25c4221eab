"""Cuts against brute force, and the variance that a set leaves."""

import numpy as np
import pytest

from causalrec.graph.identification.criteria import back_door_graph, forbidden_columns, is_valid, member
from causalrec.graph.identification.identify import adjust
from causalrec.graph.identification.minimal_sets import cut_graph, minimal_cuts, nearest_to_outcome
from causalrec.settings.questions import Question
from tests.graph.graphs import all_sets, dag, linear_variance, random_dag


def world(seed: int, nodes: int, density: float, share_logged: float):
    """A random DAG with an effect of t on y, the columns that may be adjusted for, and its cut graph."""
    rng = np.random.default_rng(seed)
    names, arrows = random_dag(rng, nodes, density)
    graph = dag(names, arrows)
    t, y, *others = rng.permutation(names).tolist()
    logged = {n for n in others if rng.random() < share_logged}
    eligible = logged - forbidden_columns(graph, {t}, y)
    near = cut_graph(back_door_graph(member(graph), {t}, y), {t}, y, eligible)
    return graph, t, y, eligible, near


@pytest.mark.parametrize("seed", range(150))
def test_minimal_cuts_are_all_minimal_adjustment_sets(seed):
    graph, t, y, eligible, near = world(seed, 7, 0.5, 0.8)
    valid = [s for s in all_sets(eligible) if is_valid(graph, t, y, s)]
    minimal = {tuple(sorted(s)) for s in valid if not any(other < s for other in valid)}
    found = minimal_cuts(near, y, most=1000)
    assert len(set(found)) == len(found) and set(found) == minimal
    assert [len(cut) for cut in found] == sorted(len(cut) for cut in found)
    assert minimal_cuts(near, y, most=2) == found[:2]


@pytest.mark.parametrize("seed", range(150))
def test_the_nearest_cut_is_there_exactly_when_a_valid_set_is(seed):
    graph, t, y, eligible, near = world(seed, 7, 0.5, 0.6)
    nearest = nearest_to_outcome(near, y)
    assert (nearest is not None) == any(is_valid(graph, t, y, s) for s in all_sets(eligible))
    assert nearest is None or is_valid(graph, t, y, nearest)


@pytest.mark.parametrize("seed", range(120))
def test_of_all_sets_of_logged_causes_the_nearest_leaves_the_smallest_variance(seed):
    graph, t, y, eligible, near = world(seed, 7, 0.5, 0.7)
    nearest = nearest_to_outcome(near, y)
    if nearest is None or graph.possible_path(t, {y}) is None:
        return
    variance = linear_variance(np.random.default_rng(seed), graph, t, y)
    causes = member(graph).ancestors({t, y})
    for columns in all_sets(eligible & causes):
        if is_valid(graph, t, y, columns):
            assert variance(nearest) <= variance(columns) * (1 + 1e-9)


@pytest.mark.parametrize("rule", ["optimal", "causes_of_either"])
def test_a_set_that_is_called_optimal_leaves_the_smallest_variance_of_all_valid_sets(rule):
    called = 0
    for seed in range(150):
        graph, t, y, eligible, _ = world(seed, 7, 0.4, 0.7)
        roles = {t: "treatment", y: "outcome", **dict.fromkeys(eligible, "pre_treatment")}
        found = adjust(Question("q", t, y), graph, roles, {}, "every_impression", rule)
        if found.optimal:
            called += 1
            variance = linear_variance(np.random.default_rng(seed), graph, t, y)
            for columns in all_sets(eligible):
                if is_valid(graph, t, y, columns):
                    assert variance(set(found.columns)) <= variance(columns) * (1 + 1e-9)
    assert called > 20


def test_a_graph_with_very_many_minimal_sets_is_answered_with_the_first_of_them():
    # Twenty chains from t to y: 2^20 minimal sets.
    arrows = {e for k in range(20) for e in ((f"a{k:02}", "t"), (f"a{k:02}", f"b{k:02}"), (f"b{k:02}", "y"))}
    graph = dag(sorted({n for e in arrows for n in e}), arrows | {("t", "y")})
    eligible = set(graph.nodes) - {"t", "y"}
    found = minimal_cuts(cut_graph(back_door_graph(member(graph), {"t"}, "y"), {"t"}, "y", eligible), "y")
    assert len(found) == 20
    assert all(is_valid(graph, "t", "y", set(cut)) for cut in found)
