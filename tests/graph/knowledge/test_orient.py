"""What experts know is a guarantee; data that disagree are reported and yield."""

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.knowledge.conflicts import conflict_table
from causalrec.graph.knowledge.edge_table import SCHEMA, graph_of
from causalrec.graph.knowledge.entries import parse_knowledge
from causalrec.graph.knowledge.orient import orient_with_knowledge
from causalrec.graph.mpdag import MPDAG

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
EDGES = pl.DataFrame(
    {
        "source": ["b", "a"],
        "target": ["a", "c"],
        "mark": ["directed", "undirected"],
        "p_value": [0.001, 0.01],
        "strength": [0.2, 0.1],
        "confidence": [0.9, 0.6],
        "direction_confidence": [0.8, 0.5],
    }
)


def says(cause, effect):
    return {"cause": cause, "effect": effect, "who": "Ada", "why": "she built it", "when": "2026-01-01"}


def oriented(directed=(), undirected=(), *, nodes=("a", "b", "c"), separations=None, **said):
    graph = MPDAG(tuple(nodes), frozenset(directed), frozenset(undirected))
    discovery = Discovery(graph, ROLES, separations=separations or {}, edges=EDGES.clear())
    return orient_with_knowledge(discovery, parse_knowledge(said))


def parts(*args, **said):
    """Graph, table and conflicts."""
    result = oriented(*args, **said)
    return result.graph, result.table, result.conflicts


def test_a_required_edge_that_data_call_independent_stays_and_is_a_conflict_with_its_p_value():
    graph, table, conflicts = parts(separations={("a", "b"): (0.4, 0.003)}, required=[says("a", "b")])
    assert ("a", "b") in graph.directed
    assert table.row(0, named=True)["provenance"] == "conflict"
    assert (conflicts[0].p_value, conflicts[0].who, conflicts[0].when) == (0.4, "Ada", "2026-01-01")


def test_a_required_edge_turns_what_only_data_directed():
    graph, _, conflicts = parts({("b", "a")}, required=[says("a", "b")])
    assert graph.directed == {("a", "b")} and "opposite" in conflicts[0].says


def test_arrows_of_the_data_yield_where_a_required_edge_would_close_a_cycle_with_them():
    graph, _, _ = parts({("b", "c"), ("c", "a")}, required=[says("a", "b")])
    assert ("a", "b") in graph.directed


def test_a_forbidden_direction_leaves_the_other_one():
    graph, _, conflicts = parts({("a", "b")}, forbidden=[says("a", "b")])
    assert graph.directed == {("b", "a")} and len(conflicts) == 1


def test_forbidden_both_ways_is_no_edge():
    graph, _, _ = parts((), {("a", "b")}, forbidden=[says("a", "b"), says("b", "a")])
    assert not graph.adjacent("a", "b")


def test_forbidden_along_time_is_no_edge():
    graph, _, conflicts = parts({("a", "click")}, nodes=("a", "click"), forbidden=[says("a", "click")])
    assert not graph.adjacent("a", "click") and len(conflicts) == 1


def test_a_column_that_the_source_does_not_have_is_said_and_no_error():
    result = oriented(required=[says("weather", "a")])
    assert "weather is no causal column" in result.unused[0].why_not and not result.conflicts


def test_a_mediator_that_data_could_not_place_is_placed():
    edges = [says("recommended", "position"), says("position", "click")]
    graph, _, _ = parts({("recommended", "click")}, nodes=("recommended", "click"), required=edges)
    assert {("recommended", "position"), ("position", "click")} <= graph.directed


def test_a_hidden_cause_is_a_node():
    hidden = [{"name": "taste", "who": "Ada", "why": "nobody logs it", "when": "2026-01-01"}]
    graph, _, _ = parts(
        nodes=("recommended", "click"), hidden=hidden, required=[says("taste", "recommended"), says("taste", "click")]
    )
    assert graph.parents("click") == {"taste"}


def test_a_logged_column_cannot_be_declared_hidden():
    with pytest.raises(InputError, match="declared hidden"):
        oriented(hidden=[{"name": "a", "who": "Ada", "why": "x", "when": "2026-01-01"}])


def test_a_required_edge_against_time_is_an_error():
    with pytest.raises(InputError, match="runs against time"):
        oriented(nodes=("a", "click"), required=[says("click", "a")])


def test_a_published_table_gives_the_graph_back():
    graph, table, _ = parts({("a", "b")}, {("b", "c")})
    assert graph_of(table, list(graph.nodes)) == graph


def with_evidence(separations=None, shares=None, **said):
    data = MPDAG(("a", "b", "c"), frozenset({("b", "a")}), frozenset({("a", "c")}))
    discovery = Discovery(data, ROLES, separations=separations or {}, edges=EDGES, shares=shares or {})
    return orient_with_knowledge(discovery, parse_knowledge(said))


def test_rows_and_conflicts_say_how_sure_the_data_are_of_the_direction_that_they_speak_of():
    result = with_evidence(required=[says("a", "b")])
    row = result.table.row(by_predicate=pl.col("target") == "b", named=True)
    assert list(row) == list(SCHEMA)
    assert (row["provenance"], row["confidence"], row["who"]) == ("conflict", 0.9, "Ada")
    assert row["direction_confidence"] == pytest.approx(0.2)
    (conflict,) = result.conflicts
    assert (conflict.p_value, conflict.strength, conflict.confidence) == (0.001, 0.2, 0.9)
    assert conflict.direction_confidence == pytest.approx(0.2) and conflict.line > 0
    assert conflict_table(result.conflicts).row(0, named=True)["edge"] == "a -> b"
    assert conflict_table([]).columns == conflict_table(result.conflicts).columns


def test_a_pair_without_an_edge_says_in_how_many_draws_it_had_one():
    result = with_evidence({("b", "c"): (0.4, 0.003)}, {("b", "c"): 0.1}, required=[says("b", "c")])
    (conflict,) = result.conflicts
    assert (conflict.p_value, conflict.strength, conflict.confidence) == (0.4, 0.003, 0.1)


def test_a_settled_pair_is_directed_where_data_join_it_and_makes_no_edge_where_they_do_not():
    data = MPDAG(("a", "b", "c"), frozenset(), frozenset({("a", "b"), ("a", "c")}))
    result = orient_with_knowledge(
        Discovery(data, ROLES), parse_knowledge({"settled": [says("c", "a"), says("b", "c")]})
    )
    assert ("c", "a") in result.graph.directed and not result.graph.adjacent("b", "c")
    assert result.table.row(by_predicate=pl.col("source") == "c", named=True)["provenance"] == "both"
    assert result.conflicts == []


def test_a_settled_direction_against_the_data_is_a_conflict():
    result = with_evidence(settled=[says("a", "b")])
    assert ("a", "b") in result.graph.directed and "settled, but the data find the opposite" in result.conflicts[0].says


def test_a_place_in_the_tiers_directs_and_signs():
    place = {"columns": "c", "tier": "history", "who": "Ada", "why": "it is", "when": "2026-01-01"}
    result = with_evidence(tiers=[place])
    assert ("a", "c") in result.graph.directed and result.tiers == {"a": 0, "b": 0, "c": 1}
    row = result.table.row(by_predicate=pl.col("target") == "c", named=True)
    assert (row["provenance"], row["who"]) == ("both", "Ada")
    against = with_evidence(tiers=[place | {"columns": "b"}])
    assert ("a", "b") in against.graph.directed and "placed in tiers, but" in against.conflicts[0].says


def test_a_direction_that_only_follows_from_an_entry_is_a_conflict_of_that_entry():
    """The data say a -> x <- b -> y <- c. With x -> b required, b - y follows, and so may c."""
    names = ("a", "b", "c", "x", "y")
    roles = dict.fromkeys(names, "pre_treatment")
    data = MPDAG(names, frozenset({("a", "x"), ("b", "x"), ("c", "b")}), frozenset())
    knowledge = parse_knowledge({"required": [says("x", "b"), says("a", "x")], "forbidden": [says("c", "b")]})
    discovery = Discovery(data, roles, (("a", "x", "b"),), edges=EDGES.clear())
    result = orient_with_knowledge(discovery, knowledge)
    assert result.graph.directed == {("a", "x"), ("x", "b"), ("b", "c")}
    assert {c.edge for c in result.conflicts} == {"x -> b", "c -> b"}
    knowledge = parse_knowledge({"required": [says("x", "b")]})
    result = orient_with_knowledge(discovery, knowledge)
    # No collider x -> b <- c that nobody has seen: b -> c follows from x -> b.
    (follows,) = [c for c in result.conflicts if c.edge == "b -> c"]
    assert ("b", "c") in result.graph.directed and "follows from `required: x -> b`" in follows.says
    assert result.table.row(by_predicate=pl.col("target") == "c", named=True)["provenance"] == "conflict"


def test_the_verdict_names_the_person_and_the_line():
    agreed = oriented({("a", "b")}, required=[says("a", "b")])
    assert agreed.verdict()[0] and not agreed.blocks
    result = oriented({("b", "a")}, conflicts="block", required=[says("a", "b")])
    passed, words = result.verdict()
    assert not passed and result.blocks and "a -> b (Ada, line" in words


def test_what_is_not_asked_for_is_not_in_the_table():
    data = MPDAG(("a", "b"), frozenset({("b", "a")}), frozenset())
    table = orient_with_knowledge(Discovery(data, ROLES), parse_knowledge({"required": [says("a", "b")]})).table
    assert "confidence" not in table.columns and table["provenance"].to_list() == ["conflict"]
