"""Adjustment sets against brute force, the textbook cases, and what is said when there is none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import Status
from causalrec.graph.identification.criteria import is_valid, optimal_set
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.questions import Question
from tests.graph.graphs import brute_force_valid, dag
from tests.graph.strategies import dags, effects_in, mpdags

ASK = Question(name="q", treatment="t", outcome="y")


def answer(arrows, *, roles=None, rule="optimal", undirected=(), twins=None, **options):
    nodes = sorted({n for e in (*arrows, *undirected) for n in e} | {"t", "y"})
    roles = roles or {"t": "treatment", "y": "outcome", **{n: "pre_treatment" for n in nodes if n not in ("t", "y")}}
    graph = MPDAG(tuple(nodes), frozenset(arrows), frozenset(undirected))
    return adjust(ASK, graph, LoggedColumns(roles, twins=twins or {}), rule, **options)


@given(dags(6, 0.4), st.data())
def test_validity_agrees_with_a_reading_of_every_path(world, drawn):
    nodes, arrows = world
    t, y, *others = drawn.draw(st.permutations(nodes))
    for size in range(len(others) + 1):
        for columns in itertools.combinations(others, size):
            assert is_valid(dag(nodes, arrows), t, y, set(columns)) == brute_force_valid(
                nodes, arrows, t, y, set(columns)
            )


@given(mpdags(5, 0.5), st.data())
def test_a_graphs_set_is_valid_in_every_member_and_a_refusal_means_that_none_is(world, drawn):
    nodes, graph, every = world.names, world.graph, world.members
    t, y, *others = drawn.draw(effects_in(graph))
    roles = {t: "treatment", y: "outcome", **dict.fromkeys(others, "pre_treatment")}
    adjustment = adjust(Question(name="q", treatment=t, outcome=y), graph, LoggedColumns(roles), "optimal")
    if adjustment.answer.answered:
        assert all(brute_force_valid(nodes, member, t, y, set(adjustment.columns)) for member in every)
        assert all(optimal_set(dag(nodes, member), t, y) == set(adjustment.columns) for member in every)
    else:
        sets = (set(s) for size in range(len(others) + 1) for s in itertools.combinations(others, size))
        assert not any(all(brute_force_valid(nodes, member, t, y, s) for member in every) for s in sets)


@given(dags(6, 0.5), st.data())
def test_with_hidden_nodes_a_set_is_found_exactly_when_there_is_one(world, drawn):
    nodes, arrows = world
    t, y, *others = drawn.draw(effects_in(world.graph))
    seen = others[:2]
    roles = {t: "treatment", y: "outcome", **dict.fromkeys(seen, "pre_treatment")}
    adjustment = adjust(Question(name="q", treatment=t, outcome=y), dag(nodes, arrows), LoggedColumns(roles))
    sets = [set(s) for size in range(len(seen) + 1) for s in itertools.combinations(seen, size)]
    assert adjustment.answer.answered == any(brute_force_valid(nodes, arrows, t, y, s) for s in sets)
    assert not adjustment.answer.answered or brute_force_valid(nodes, arrows, t, y, set(adjustment.columns))


def test_a_confounder_enters():
    assert answer({("c", "t"), ("c", "y"), ("t", "y")}).columns == ("c",)


def test_a_mediator_does_not_enter():
    assert answer({("t", "m"), ("m", "y"), ("t", "y")}).columns == ()


def test_a_descendant_of_the_mediator_does_not_enter():
    assert answer({("t", "m"), ("m", "y"), ("m", "d")}).columns == ()


def test_a_collider_does_not_enter():
    assert answer({("t", "y"), ("t", "k"), ("y", "k")}).columns == ()


def test_the_middle_of_an_m_does_not_enter():
    assert answer({("a", "m"), ("b", "m"), ("a", "t"), ("b", "y"), ("t", "y")}).columns == ("b",)


def test_an_instrument_does_not_enter_the_optimal_set():
    assert answer({("i", "t"), ("c", "t"), ("c", "y"), ("t", "y")}).columns == ("c",)


def test_all_causes_of_the_treatment_enter_under_the_cautious_rule():
    adjustment = answer({("i", "t"), ("c", "t"), ("c", "y"), ("t", "y")}, rule="causes_of_either")
    assert adjustment.columns == ("c", "i")


def test_click_mediates_a_purchase_and_does_not_enter():
    roles = {"t": "treatment", "click": "outcome", "y": "outcome", "c": "pre_treatment"}
    arrows = {("t", "click"), ("click", "y"), ("t", "y"), ("c", "t"), ("c", "click")}
    assert answer(arrows, roles=roles).columns == ("c",)


def test_click_does_not_enter_though_the_edge_from_the_treatment_stayed_below_the_floor():
    roles = {"t": "treatment", "click": "outcome", "y": "outcome", "c": "pre_treatment"}
    arrows = {("click", "y"), ("t", "y"), ("c", "t"), ("c", "click")}
    assert answer(arrows, roles=roles).columns == ("c",)


def test_a_hidden_common_cause_is_not_identifiable_and_the_open_path_is_said():
    roles = {"t": "treatment", "y": "outcome", "c": "pre_treatment"}
    adjustment = answer({("taste", "t"), ("taste", "y"), ("c", "t"), ("c", "y"), ("t", "y")}, roles=roles)
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE
    assert "t <- taste -> y" in adjustment.answer.reason and "log `taste`" in adjustment.answer.reason


def test_a_hidden_cause_behind_a_logged_one_is_blocked():
    roles = {"t": "treatment", "y": "outcome", "c": "pre_treatment"}
    assert answer({("taste", "c"), ("taste", "y"), ("c", "t"), ("t", "y")}, roles=roles).columns == ("c",)


def test_an_open_direction_at_the_treatment_is_not_identifiable_and_names_the_edge():
    adjustment = answer({("t", "y"), ("v", "y")}, undirected={("t", "v")})
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE and "t - v" in adjustment.answer.reason


def test_a_covariate_that_equals_the_treatment_leaves_no_overlap():
    adjustment = answer({("t", "y")}, twins={"flag": "t"})
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE and "flag" in adjustment.answer.reason


@pytest.mark.parametrize(("organic", "word"), [("none", "nothing to compare"), ("interactions_only", "selection")])
def test_logs_without_every_organic_impression_cannot_answer_about_recommended(organic, word):
    graph = dag(("recommended", "click"), {("recommended", "click")})
    adjustment = adjust(
        Question(name="q", treatment="recommended", outcome="click"), graph, LoggedColumns({}, organic_rows=organic)
    )
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE and word in adjustment.answer.reason


def test_logs_that_do_not_say_what_was_recommended_are_not_called_recommended_impressions():
    graph = dag(("recommended", "click"), {("recommended", "click")})
    dropped = {"recommended": "the source does not have it"}
    adjustment = adjust(
        Question(name="q", treatment="recommended", outcome="click"),
        graph,
        LoggedColumns({}, dropped, organic_rows="none"),
    )
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE
    assert "do not say what was recommended" in adjustment.answer.reason


def test_a_constant_treatment_and_a_constant_outcome_are_answered():
    graph = dag(("t", "c"), ())
    assert (
        adjust(
            Question(name="q", treatment="x", outcome="t"),
            graph,
            LoggedColumns({}, {"x": "constant: every unit has 1"}),
        ).answer.status
        is Status.NOT_IDENTIFIABLE
    )
    assert (
        adjust(
            Question(name="q", treatment="t", outcome="y"),
            graph,
            LoggedColumns({}, {"y": "constant: every unit has 0"}),
        ).answer.status
        is Status.INSUFFICIENT_EVIDENCE
    )
