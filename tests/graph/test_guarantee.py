"""Whatever data say, the causal graph holds what is known, on random graphs and random knowledge."""

import itertools

import networkx as nx
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from causalrec.graph.discovery.result import Discovery
from causalrec.graph.knowledge.entries import Knowledge
from causalrec.graph.knowledge.orient import graph_with_knowledge, orient_with_knowledge
from causalrec.graph.knowledge.resolve import resolve
from causalrec.graph.mpdag import MPDAG, close, colliders_of, extend, orient, pair
from tests.graph.graphs import members, skeleton_of
from tests.graph.strategies import dags, knowledge, named, said, some, twice_as_many


@st.composite
def what_data_say(draw, most: int):
    """A graph from a skeleton and colliders that need not fit each other, as finite data give it."""
    world = draw(dags(most, draw(st.sampled_from([0.3, 0.5, 0.8]))))
    skeleton, colliders = skeleton_of(world.arrows), sorted(colliders_of(world.arrows))
    if draw(st.booleans()):
        other = draw(st.permutations(world.names))
        wrong = colliders_of(named(other)(draw(some(itertools.combinations(range(len(other)), 2), 0.5))))
        seen = draw(some(colliders, 0.7)) | {c for c in wrong if pair(c[0], c[2]) not in skeleton}
        colliders = draw(st.permutations(sorted(seen)))
    graph, _ = orient(world.names, skeleton, (), colliders)
    roles = dict.fromkeys(world.names, "pre_treatment")
    return Discovery(graph, roles, tuple(colliders), edges=pl.DataFrame(schema=["source", "target"]))


@twice_as_many
@given(what_data_say(8), st.data())
def test_knowledge_is_a_guarantee(discovery, drawn):
    data = discovery.graph
    known = drawn.draw(knowledge(data.nodes))
    oriented = orient_with_knowledge(discovery, known)
    graph, tiers = oriented.graph, oriented.order.of
    in_data = {pair(a, b) for a, b in data.directed | data.undirected}
    forbidden = {s.edge for s in known.forbidden}

    assert {s.edge for s in known.required} <= graph.directed
    assert not forbidden & graph.directed
    assert not {pair(*edge) for edge in forbidden} & graph.undirected
    assert not {s.edge[::-1] for s in known.settled} & graph.directed
    assert not {pair(*s.edge) for s in known.settled} & graph.undirected
    assert all(tiers[a] <= tiers[b] for a, b in graph.directed)
    if known.tiers:
        assert all(tiers[a] == tiers[b] for a, b in graph.undirected)
    # Only required arrows are added, and only pairs that are forbidden somehow are taken away.
    joined = {pair(a, b) for a, b in graph.directed | graph.undirected}
    assert joined - in_data <= {pair(*s.edge) for s in known.required}
    assert in_data - joined <= {pair(*edge) for edge in forbidden}
    assert nx.is_directed_acyclic_graph(nx.DiGraph(list(graph.directed)))
    assert close(graph.nodes, graph.directed, graph.undirected) == graph
    assert extend(graph) is not None
    # Every row says where it comes from, and every one that goes against data is in the report.
    against = oriented.table.filter(oriented.table["provenance"] == "conflict")
    reported = {c.edge for c in oriented.conflicts}
    reported |= {
        " -> ".join(c.edge.split(" -> ")[::-1])
        for c in oriented.conflicts
        if c.says == "forbidden, but the data find it"
    }
    assert {f"{a} -> {b}" for a, b in against.select("source", "target").iter_rows()} <= reported
    turned = {(b, a) for a, b in data.directed} & graph.directed
    assert {f"{a} -> {b}" for a, b in turned} <= reported
    assert oriented.table.filter(oriented.table["provenance"] != "data")["who"].null_count() == 0


@twice_as_many
@given(dags(5), st.data())
def test_no_collider_comes_about_that_neither_data_nor_experts_know_where_that_can_be(world, drawn):
    names, arrows = world
    suggested = colliders_of(arrows)
    data, _ = orient(names, skeleton_of(arrows), (), sorted(suggested))
    known = drawn.draw(knowledge(names))
    roles = dict.fromkeys(names, "pre_treatment")
    graph = graph_with_knowledge(Discovery(data, roles, tuple(sorted(suggested))), known)
    skeleton = {pair(a, b) for a, b in graph.directed | graph.undirected}
    found = colliders_of(extend(graph))
    # Is there a DAG over the same edges that holds what is known and no collider but those that data suggest, that
    # were kept, and those of what is known?
    resolved = resolve(known, names, roles)
    sure = set(resolved.required)
    sure |= {e[::-1] for e in resolved.forbidden if pair(*e) in skeleton} | {
        e for e in resolved.settled if pair(*e) in skeleton
    }
    sure |= {e for e in graph.directed if resolved.order.of[e[0]] < resolved.order.of[e[1]]}
    kept = {c for c in suggested if {(c[0], c[1]), (c[2], c[1])} <= graph.directed and pair(c[0], c[2]) not in skeleton}
    fine = kept | {c for c in colliders_of(sure) if pair(c[0], c[2]) not in skeleton}
    if members(skeleton, fine, sure):
        assert found == fine


def test_a_pair_that_experts_join_makes_no_collider():
    """That b and c are independent is what told b -> e <- c; joined, they tell nothing, and a -> e directs the rest."""
    data = MPDAG(("a", "b", "c", "e"), frozenset({("b", "e"), ("c", "e")}), frozenset())
    discovery = Discovery(data, dict.fromkeys("abce", "pre_treatment"), (("b", "e", "c"),))
    required = (said("required", ("c", "b"), 1), said("required", ("a", "e"), 2))
    graph = graph_with_knowledge(discovery, Knowledge(required=required))
    assert graph.directed == {("c", "b"), ("a", "e"), ("e", "b"), ("e", "c")}


def test_a_pair_that_may_not_be_joined_makes_no_collider():
    """Stock PC, given X - Y - Z and X, Z forbidden both ways, says X -> Y <- Z (tests/graph/discovery/test_pc.py)."""
    forbidden = (said("forbidden", ("x", "z"), 1), said("forbidden", ("z", "x"), 2))
    roles = dict.fromkeys("xyz", "pre_treatment")
    for undirected in ({("x", "y"), ("y", "z")}, {("x", "y"), ("y", "z"), ("x", "z")}):
        data = MPDAG(("x", "y", "z"), frozenset(), frozenset(undirected))
        graph = graph_with_knowledge(Discovery(data, roles), Knowledge(forbidden=forbidden))
        assert graph.undirected == {("x", "y"), ("y", "z")} and not graph.directed


def test_an_edge_that_could_only_close_a_cycle_is_taken_away_and_reported():
    """a -> b -> c is known and a -> c is not there; the data join a and c; c -> a would close a cycle."""
    known = Knowledge(
        required=(said("required", ("a", "b"), 1), said("required", ("b", "c"), 2)),
        forbidden=(said("forbidden", ("a", "c"), 3),),
    )
    data = MPDAG(("a", "b", "c"), frozenset(), frozenset({("a", "b"), ("a", "c"), ("b", "c")}))
    oriented = orient_with_knowledge(Discovery(data, dict.fromkeys("abc", "pre_treatment")), known)
    assert oriented.graph.directed == {("a", "b"), ("b", "c")} and not oriented.graph.undirected
    assert [(c.edge, c.line) for c in oriented.conflicts] == [("a -> c", 3)]
