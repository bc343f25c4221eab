"""Orientation: knowledge first, then colliders, then what follows from both; checked against the whole class."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.graph.mpdag import close, extend, orient
from tests.graph.graphs import dag, skeleton_of
from tests.graph.strategies import mpdags, some


@given(mpdags(6, 0.5))
def test_true_colliders_and_knowledge_give_exactly_the_arrows_that_all_members_share(world):
    assert set(world.graph.directed) == set.intersection(*world.members)


@given(mpdags(7, 0.5), st.data())
def test_contradictory_colliders_still_give_a_graph_with_a_member_that_keeps_all_knowledge(world, data):
    nodes, arrows, known = world.names, world.arrows, world.known
    triples = {(a, c, b) for a, c, b in itertools.permutations(nodes, 3) if a < b}
    wrong = data.draw(st.permutations(sorted(data.draw(some(triples, 0.3)))))
    graph, _ = orient(nodes, skeleton_of(arrows), known, wrong)
    member = extend(graph)
    assert member is not None and known <= graph.directed <= member
    assert skeleton_of(graph.directed | graph.undirected) == skeleton_of(arrows)


def test_an_undirected_square_has_no_member_and_is_settled():
    square = {("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")}
    assert extend(close("abcd", (), square)) is None
    graph, _ = orient("abcd", square, (), ())
    assert extend(graph) is not None


def test_knowledge_that_closes_a_cycle_is_an_error():
    with pytest.raises(InputError, match="cycle"):
        orient("abc", {("a", "b"), ("b", "c"), ("a", "c")}, {("a", "b"), ("b", "c"), ("c", "a")}, ())


def test_meeks_four_rules():
    assert ("b", "c") in close("abc", {("a", "b")}, {("b", "c")}).directed
    assert ("a", "c") in close("abc", {("a", "b"), ("b", "c")}, {("a", "c")}).directed
    assert ("a", "b") in close("abcd", {("c", "b"), ("d", "b")}, {("a", "b"), ("a", "c"), ("a", "d")}).directed
    fourth = close("abcd", {("d", "c"), ("c", "b")}, {("a", "b"), ("a", "c"), ("a", "d")})
    assert ("a", "b") in fourth.directed


def test_a_dag_is_its_own_extension():
    arrows = {("a", "b"), ("c", "b"), ("b", "d")}
    assert extend(dag("abcd", arrows)) == arrows
