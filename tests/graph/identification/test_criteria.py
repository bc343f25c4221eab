"""The criterion, asked of a class at once, against every path of every DAG in the class."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from causalrec.graph.identification.criteria import (
    first_causal,
    forbidden_columns,
    is_valid,
    member,
    optimal_set,
    unsettled_paths,
)
from causalrec.graph.mpdag import MPDAG
from tests.graph.graphs import all_sets, brute_force_valid_jointly, dag, possibly_causal_paths
from tests.graph.strategies import dags, effects_in, mpdags


@given(mpdags(6, 0.5))
def test_reachability_agrees_with_a_list_of_all_paths(world):
    names, graph = world.names, world.graph
    for a in names:
        listed = {path[-1] for path in possibly_causal_paths(graph, a)} | {a}
        assert graph.possible_descendants({a}) == listed
        for b in set(names) - {a}:
            paths = list(possibly_causal_paths(graph, a, {b}))
            found = graph.possible_path(a, {b})
            assert (found is not None) == bool(paths) and (found is None or found in paths)
            opened = {path[1] for path in paths if (path[0], path[1]) not in graph.directed}
            assert {path[1] for path in unsettled_paths(graph, {a}, b)} == opened
            if not opened:
                assert first_causal(graph, {a}, b) == {path[1] for path in paths}
                nodes = {node for path in paths for node in path[1:]}
                below = {end[-1] for node in nodes for end in possibly_causal_paths(graph, node)}
                assert forbidden_columns(graph, {a}, b) == nodes | below | {a}


@given(mpdags(5, 0.5), st.data())
def test_a_set_is_valid_exactly_where_it_is_in_every_dag_of_the_class(world, drawn):
    names, graph = world.names, world.graph
    t, y, *others = drawn.draw(effects_in(graph))
    for columns in all_sets(others):
        expected = all(brute_force_valid_jointly(names, arrows, {t}, y, columns) for arrows in world.members)
        assert is_valid(graph, t, y, columns) == expected


@given(mpdags(6, 0.5, least=3), st.data())
def test_two_treatments_at_once(world, drawn):
    names, graph, every = world.names, world.graph, world.members
    t, m, y, *others = drawn.draw(st.permutations(names))
    assume(first_causal(graph, {t, m}, y) or unsettled_paths(graph, {t, m}, y))
    for columns in all_sets(others):
        expected = all(brute_force_valid_jointly(names, arrows, {t, m}, y, columns) for arrows in every)
        assert is_valid(graph, {t, m}, y, columns) == expected
    if not unsettled_paths(graph, {t, m}, y):
        assert len({frozenset(optimal_set(dag(names, arrows), {t, m}, y)) for arrows in every}) == 1


@given(dags(8, 0.4), st.data())
def test_open_paths_are_simple_and_separation_is_that_of_networkx(world, drawn):
    import networkx as nx

    whole, checked = member(world.graph), nx.DiGraph(list(world.arrows))
    checked.add_nodes_from(world.names)
    a, b, *others = drawn.draw(st.permutations(world.names))
    for columns in all_sets(others[:4]):
        path = whole.open_path({a}, {b}, columns)
        assert (path is None) == nx.is_d_separator(checked, {a}, {b}, columns)
        if path is not None:
            assert (path[0], path[-1], len(set(path))) == (a, b, len(path))
            below = {n: nx.descendants(checked, n) | {n} for n in path}
            for x, mid, z in zip(path, path[1:], path[2:], strict=False):
                collider = checked.has_edge(x, mid) and checked.has_edge(z, mid)
                assert bool(below[mid] & columns) if collider else mid not in columns


def test_a_graph_without_a_member_is_no_graph_of_ours():
    square = frozenset({("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")})
    with pytest.raises(ValueError, match="no DAG in its class"):
        member(MPDAG(tuple("abcd"), frozenset(), square))
