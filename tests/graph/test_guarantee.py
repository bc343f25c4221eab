"""Whatever data say, the bound graph holds what is known, on random graphs and random knowledge."""

import itertools

import networkx as nx
import numpy as np
import polars as pl
import pytest

from causalrec.graph.knowledge.entries import Knowledge, Placement, Statement
from causalrec.graph.knowledge.orient import bind
from causalrec.graph.knowledge.resolve import resolve
from causalrec.graph.mpdag import MPDAG, close, colliders_of, extend, orient, pair
from tests.graph.graphs import members, random_dag, skeleton_of

PLACES = (("context and item", -1), ("context and item", 0), ("history", 0), ("history", 1))


def said(kind, edge, line):
    return Statement(
        who="Ada", why="she built it", when="2026-01-01", line=line, kind=kind, cause=edge[0], effect=edge[1]
    )


def what_data_say(rng, nodes):
    """A graph from a skeleton and colliders that need not fit each other, as finite data give it."""
    names, arrows = random_dag(rng, nodes, rng.uniform(0.2, 0.9))
    skeleton, colliders = skeleton_of(arrows), sorted(colliders_of(arrows))
    if rng.random() < 0.5:
        colliders = [c for c in colliders if rng.random() < 0.7]
        _, wrong = random_dag(rng, nodes, 0.5)
        colliders += sorted(c for c in colliders_of(wrong) if pair(c[0], c[2]) not in skeleton)
        rng.shuffle(colliders)
        colliders = [tuple(c) for c in colliders]
    graph, _ = orient(names, skeleton, (), colliders)
    return graph, colliders


def what_experts_say(rng, names):
    """Consistent: required and settled arrows follow one random order, tiers too, and nothing of it is forbidden."""
    order = [str(n) for n in rng.permutation(names)]
    places = np.sort(rng.integers(0, len(PLACES), len(names))) if rng.random() < 0.4 else None
    lines = itertools.count(100)
    tiers = ()
    if places is not None:
        tiers = tuple(
            Placement(
                who="Ada", why="w", when="2026-01-01", line=k, columns=(n,), tier=PLACES[p][0], beside=PLACES[p][1]
            )
            for k, (n, p) in enumerate(zip(order, places, strict=True), start=1)
        )
    kinds = {}
    for a, b in itertools.combinations(order, 2):
        kinds[a, b] = rng.choice(["required", "settled", "forbidden", "nothing"], p=[0.15, 0.15, 0.1, 0.6])
        kinds[b, a] = "forbidden" if rng.random() < 0.15 else "nothing"
    statements = [said(kind, edge, next(lines)) for edge, kind in kinds.items() if kind != "nothing"]
    by_kind = {k: tuple(s for s in statements if s.kind == k) for k in ("required", "settled", "forbidden")}
    return Knowledge(**by_kind, tiers=tiers)


@pytest.mark.parametrize("seed", range(300))
def test_knowledge_is_a_guarantee(seed):
    rng = np.random.default_rng(seed)
    data, colliders = what_data_say(rng, int(rng.integers(2, 9)))
    roles = dict.fromkeys(data.nodes, "pre_treatment")
    known = what_experts_say(rng, list(data.nodes))
    nothing = pl.DataFrame(schema=["source", "target"])
    bound = bind(data, colliders, {}, known, roles, nothing)
    graph, tiers = bound.graph, bound.order.of
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
    against = bound.table.filter(bound.table["provenance"] == "conflict")
    told = {c.edge for c in bound.conflicts}
    told |= {
        " -> ".join(c.edge.split(" -> ")[::-1]) for c in bound.conflicts if c.says == "forbidden, but the data find it"
    }
    assert {f"{a} -> {b}" for a, b in against.select("source", "target").iter_rows()} <= told
    turned = {(b, a) for a, b in data.directed} & graph.directed
    assert {f"{a} -> {b}" for a, b in turned} <= told
    assert bound.table.filter(bound.table["provenance"] != "data")["who"].null_count() == 0


@pytest.mark.parametrize("seed", range(150))
def test_no_collider_comes_about_that_neither_data_nor_experts_know_where_that_can_be(seed):
    rng = np.random.default_rng(seed)
    names, arrows = random_dag(rng, 5, rng.uniform(0.3, 0.8))
    suggested = colliders_of(arrows)
    data, _ = orient(names, skeleton_of(arrows), (), sorted(suggested))
    known = what_experts_say(rng, names)
    roles = dict.fromkeys(names, "pre_treatment")
    graph = bind(data, sorted(suggested), {}, known, roles).graph
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
    if members(names, skeleton, fine, sure):
        assert found == fine


def test_a_pair_that_may_not_be_joined_makes_no_collider():
    """Stock PC, given X - Y - Z and X, Z forbidden both ways, says X -> Y <- Z (tests/graph/discovery/test_pc.py)."""
    forbidden = (said("forbidden", ("x", "z"), 1), said("forbidden", ("z", "x"), 2))
    roles = dict.fromkeys("xyz", "pre_treatment")
    for undirected in ({("x", "y"), ("y", "z")}, {("x", "y"), ("y", "z"), ("x", "z")}):
        data = MPDAG(("x", "y", "z"), frozenset(), frozenset(undirected))
        graph = bind(data, (), {}, Knowledge(forbidden=forbidden), roles).graph
        assert graph.undirected == {("x", "y"), ("y", "z")} and not graph.directed


def test_an_edge_that_could_only_close_a_cycle_is_taken_away_and_reported():
    """a -> b -> c is known and a -> c is not there; the data join a and c; c -> a would close a cycle."""
    known = Knowledge(
        required=(said("required", ("a", "b"), 1), said("required", ("b", "c"), 2)),
        forbidden=(said("forbidden", ("a", "c"), 3),),
    )
    data = MPDAG(("a", "b", "c"), frozenset(), frozenset({("a", "b"), ("a", "c"), ("b", "c")}))
    bound = bind(data, (), {}, known, dict.fromkeys("abc", "pre_treatment"))
    assert bound.graph.directed == {("a", "b"), ("b", "c")} and not bound.graph.undirected
    assert [(c.edge, c.line) for c in bound.conflicts] == [("a -> c", 3)]
