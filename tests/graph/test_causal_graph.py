"""What experts know is a guarantee; data that disagree are reported and yield."""

import pytest

from causalrec_assets.answers import InputError
from causalrec_assets.graph.causal_graph import bind, graph_of
from causalrec_assets.graph.knowledge import parse_knowledge
from causalrec_assets.graph.mpdag import MPDAG

ROLES = {
    "recommended": "treatment",
    "position": "mediator",
    "click": "outcome",
    "purchase": "outcome",
    "user_id": "identifier",
    "a": "pre_treatment",
    "b": "pre_treatment",
    "c": "pre_treatment",
}


def says(cause, effect):
    return {"cause": cause, "effect": effect, "who": "Ada", "why": "she built it", "when": "2026-01-01"}


def bound(directed=(), undirected=(), *, nodes=("a", "b", "c"), colliders=(), separations=None, **said):
    discovered = MPDAG(tuple(nodes), frozenset(directed), frozenset(undirected))
    return bind(discovered, colliders, separations or {}, parse_knowledge(said), ROLES)


def test_a_required_edge_that_data_call_independent_stays_and_is_a_conflict_with_its_p_value():
    graph, table, conflicts = bound(separations={("a", "b"): (0.4, 0.003)}, required=[says("a", "b")])
    assert ("a", "b") in graph.directed
    assert table.row(0, named=True)["provenance"] == "conflict"
    assert (conflicts[0].p_value, conflicts[0].who, conflicts[0].when) == (0.4, "Ada", "2026-01-01")


def test_a_required_edge_turns_what_only_data_directed():
    graph, _, conflicts = bound({("b", "a")}, required=[says("a", "b")])
    assert graph.directed == {("a", "b")} and "opposite" in conflicts[0].says


def test_arrows_of_the_data_yield_where_a_required_edge_would_close_a_cycle_with_them():
    graph, _, _ = bound({("b", "c"), ("c", "a")}, required=[says("a", "b")])
    assert ("a", "b") in graph.directed


def test_a_forbidden_direction_leaves_the_other_one():
    graph, _, conflicts = bound({("a", "b")}, forbidden=[says("a", "b")])
    assert graph.directed == {("b", "a")} and len(conflicts) == 1


def test_forbidden_both_ways_is_no_edge():
    graph, _, _ = bound((), {("a", "b")}, forbidden=[says("a", "b"), says("b", "a")])
    assert not graph.adjacent("a", "b")


def test_forbidden_along_time_is_no_edge():
    graph, _, conflicts = bound({("a", "click")}, nodes=("a", "click"), forbidden=[says("a", "click")])
    assert not graph.adjacent("a", "click") and len(conflicts) == 1


def test_a_column_that_the_source_does_not_have_is_said_and_no_error():
    result = bound(required=[says("weather", "a")])
    assert "weather is no causal column" in result.unused[0].why_not and not result.conflicts


def test_a_mediator_that_data_could_not_place_is_placed():
    edges = [says("recommended", "position"), says("position", "click")]
    graph, _, _ = bound({("recommended", "click")}, nodes=("recommended", "click"), required=edges)
    assert {("recommended", "position"), ("position", "click")} <= graph.directed


def test_a_hidden_cause_is_a_node():
    hidden = [{"name": "taste", "who": "Ada", "why": "nobody logs it", "when": "2026-01-01"}]
    graph, _, _ = bound(
        nodes=("recommended", "click"), hidden=hidden, required=[says("taste", "recommended"), says("taste", "click")]
    )
    assert graph.parents("click") == {"taste"}


def test_a_logged_column_cannot_be_declared_hidden():
    with pytest.raises(InputError, match="declared hidden"):
        bound(hidden=[{"name": "a", "who": "Ada", "why": "x", "when": "2026-01-01"}])


def test_a_required_edge_against_time_is_an_error():
    with pytest.raises(InputError, match="runs against time"):
        bound(nodes=("a", "click"), required=[says("click", "a")])


def test_a_published_table_gives_the_graph_back():
    graph, table, _ = bound({("a", "b")}, {("b", "c")}, colliders=())
    assert graph_of(table, list(graph.nodes)) == graph
