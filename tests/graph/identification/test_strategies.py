"""What `adjust` answers: total and direct effects, front doors and instruments, and nothing that may not enter."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import ANSWERED, Status
from causalrec.graph.identification.criteria import causal_nodes, is_valid, member
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.mpdag import MPDAG, colliders_of, orient
from causalrec.settings.questions import Question
from tests.graph.graphs import all_sets, dag, skeleton_of
from tests.graph.strategies import dags, effects_in, mpdags, some

HIDDEN = {("taste", "t"), ("taste", "y"), ("t", "y")}


def answer(arrows, *, question=None, roles=(), dropped=None, hidden=("taste", "u"), undirected=(), **options):
    nodes = sorted({n for e in (*arrows, *undirected) for n in e} | {"t", "y"})
    known = {"t": "treatment", "y": "outcome"} | {n: "pre_treatment" for n in nodes if n not in ("t", "y", *hidden)}
    graph = MPDAG(tuple(nodes), frozenset(arrows), frozenset(undirected))
    query = question or Question(name="q", treatment="t", outcome="y")
    return adjust(query, graph, LoggedColumns(known | dict(roles), dropped or {}), **options)


def ask(**options) -> Question:
    return Question(name="q", treatment="t", outcome="y", **options)


@pytest.mark.parametrize("rule", ["causes_of_either", "optimal"])
@given(mpdags(7, 0.4), st.data())
def test_no_mediator_descendant_treatment_or_outcome_ever_enters(rule, world, drawn):
    names, graph, every = world.names, world.graph, world.members
    t, y, *others = drawn.draw(st.permutations(names))
    logged = drawn.draw(some(others, 0.8))
    # The roles say that every column is from before the treatment: the graph alone must keep the others out.
    roles = {t: "treatment", y: "outcome", **dict.fromkeys(logged, "pre_treatment")}
    adjustment = adjust(Question(name="q", treatment=t, outcome=y), graph, LoggedColumns(roles), rule)
    for columns in (set(adjustment.columns), *map(set, adjustment.minimal_sets)):
        assert columns <= logged
        assert not columns & {t, y}
        for arrows in every:
            whole = member(dag(names, arrows))
            assert not columns & whole.descendants(causal_nodes(whole, {t}, y))
        assert adjustment.strategy == "back_door" or not columns
    if adjustment.answer.answered:
        assert is_valid(graph, t, y, adjustment.columns)
        assert all(is_valid(graph, t, y, s) for s in adjustment.minimal_sets)
        smaller = [s for s in all_sets(logged) if is_valid(graph, t, y, s)]
        assert {frozenset(s) for s in adjustment.minimal_sets} <= {frozenset(s) for s in smaller}
    else:
        assert not any(is_valid(graph, t, y, s) for s in all_sets(logged))


@pytest.mark.parametrize("rule", ["causes_of_either", "optimal"])
def test_a_collider_of_two_hidden_causes_does_not_enter(rule):
    m_bias = {("u", "t"), ("u", "m"), ("taste", "m"), ("taste", "y"), ("t", "y")}
    assert answer(m_bias, rule=rule).columns == ()


def test_a_logged_parent_that_would_open_a_path_does_not_enter():
    # m causes the treatment too, so it must be blocked; given m, only c closes what that opens.
    arrows = {("c", "t"), ("c", "m"), ("taste", "m"), ("taste", "y"), ("m", "t"), ("t", "y")}
    assert set(answer(arrows).columns) == {"c", "m"}


def test_a_descendant_of_the_treatment_that_is_not_on_the_way_does_not_enter():
    assert answer({("t", "y"), ("t", "d"), ("c", "t"), ("c", "y")}).columns == ("c",)


def test_a_declared_instrument_stays_out_under_the_cautious_rule():
    arrows = {("z", "t"), ("c", "t"), ("c", "y"), ("t", "y")}
    assert answer(arrows).columns == ("c", "z")
    adjustment = answer(arrows, question=ask(instruments=("z",)))
    assert (adjustment.columns, adjustment.strategy, adjustment.optimal) == (("c",), "back_door", True)
    assert adjustment.answer == ANSWERED


def test_a_declared_instrument_that_the_graph_needs_stays_in_and_it_is_said():
    adjustment = answer({("z", "t"), ("z", "y"), ("t", "y")}, question=ask(instruments=("z",)))
    assert adjustment.columns == ("z",)
    assert adjustment.answer.answered and "`z` is declared an instrument" in adjustment.answer.reason


def test_a_declared_instrument_that_nobody_knows_is_said():
    adjustment = answer({("c", "t"), ("c", "y"), ("t", "y")}, question=ask(instruments=("rafle",)))
    assert (
        adjustment.columns == ("c",) and "`rafle` is declared an instrument, but is no node" in adjustment.answer.reason
    )


def test_the_optimal_set_is_called_so_and_a_larger_one_is_not():
    arrows = {("i", "t"), ("c", "t"), ("c", "y"), ("t", "y"), ("p", "y")}
    assert answer(arrows, rule="optimal").optimal
    cautious = answer(arrows)
    assert (cautious.columns, cautious.optimal) == (("c", "i", "p"), False)
    assert cautious.minimal_sets == (("c",),)


def test_with_a_hidden_member_of_the_optimal_set_the_best_of_what_is_logged_is_taken():
    # taste -> y is hidden but blocked behind c; p is logged and precise.
    arrows = {("taste", "c"), ("taste", "y"), ("c", "t"), ("t", "y"), ("p", "y")}
    adjustment = answer(arrows, rule="optimal")
    assert (adjustment.columns, adjustment.optimal) == (("c", "p"), True)


def test_minimal_sets_are_at_most_twenty():
    arrows = {("t", "y")} | {e for k in range(8) for e in ((f"a{k}", "t"), (f"a{k}", f"b{k}"), (f"b{k}", "y"))}
    assert len(answer(arrows).minimal_sets) == 20


def test_a_front_door_is_used_once_people_vouch_for_it():
    arrows = {("taste", "t"), ("taste", "y"), ("t", "m"), ("m", "y")}
    roles = {"m": "mediator"}
    refused = answer(arrows, roles=roles)
    assert refused.answer.status is Status.NOT_IDENTIFIABLE
    assert "through: [m]" in refused.answer.reason
    for adjustment in (
        answer(arrows, roles=roles, question=ask(through=("m",))),
        answer(arrows, roles=roles, strategies="graph"),
    ):
        assert (adjustment.strategy, adjustment.mediators, adjustment.columns) == ("front_door", ("m",), ())
        assert "all of the effect passes through `m`" in adjustment.answer.reason


def test_a_mediator_that_exists_in_one_arm_only_is_no_front_door():
    arrows = {("taste", "t"), ("taste", "y"), ("t", "m"), ("m", "y")}
    dropped = {"m": "exists on a part of the rows only; left to the expert graph"}
    adjustment = answer(
        arrows, roles={"m": "mediator"}, dropped=dropped, question=ask(through=("m",)), strategies="graph"
    )
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE
    assert "`m` cannot be the front door: not logged in every unit" in adjustment.answer.reason


def test_an_instrument_is_used_once_people_vouch_for_it():
    arrows = {*HIDDEN, ("z", "t"), ("w", "z"), ("w", "y")}
    refused = answer(arrows)
    assert refused.answer.status is Status.NOT_IDENTIFIABLE and refused.strategy is None
    assert "instruments: [z]" in refused.answer.reason
    adjustment = answer(arrows, question=ask(instruments=("z",)))
    assert (adjustment.strategy, adjustment.instrument, adjustment.columns) == ("instrument", "z", ("w",))
    assert "among the units whose `t` it decides" in adjustment.answer.reason


@pytest.mark.parametrize(
    ("arrows", "says"),
    [
        ({("z", "t"), ("z", "y")}, "`z - y` goes past `t`"),
        ({("c", "z"), ("c", "t")}, "no arrow by which it moves `t`"),
        ({("z", "t"), ("taste", "z")}, "shares a cause"),
    ],
)
def test_a_declared_instrument_that_the_graph_refutes_is_not_used(arrows, says):
    adjustment = answer(HIDDEN | arrows, question=ask(instruments=("z",)))
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE and says in adjustment.answer.reason


def test_an_instrument_that_is_not_logged_is_refused_in_words():
    adjustment = answer(HIDDEN | {("u", "t")}, question=ask(instruments=("u",)))
    assert "`u` cannot be the instrument: it is no logged column" in adjustment.answer.reason


CHAIN = {("t", "m"), ("m", "y"), ("t", "y"), ("c", "t"), ("c", "y"), ("k", "m"), ("k", "y")}


def test_a_direct_effect_holds_its_mediator_apart_from_the_columns():
    adjustment = answer(CHAIN, roles={"m": "mediator"}, question=ask(effect="direct", held=("m",)), rule="optimal")
    assert (adjustment.columns, adjustment.held, adjustment.strategy) == (("c", "k"), ("m",), "back_door")
    assert answer(CHAIN, roles={"m": "mediator"}, rule="optimal").columns == ("c", "k")


def test_a_hidden_cause_of_mediator_and_outcome_spoils_the_direct_effect_only():
    arrows = {("t", "m"), ("m", "y"), ("t", "y"), ("u", "m"), ("u", "y")}
    assert answer(arrows, roles={"m": "mediator"}).answer.answered
    adjustment = answer(arrows, roles={"m": "mediator"}, question=ask(effect="direct", held=("m",)))
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE
    assert "m <- u -> y" in adjustment.answer.reason and "log `u`" in adjustment.answer.reason
    assert adjustment.answer.reason.endswith("or randomise `m` and `t` together for a share of the units")


def test_a_mediator_of_one_arm_cannot_be_held_and_one_that_is_missing_neither():
    dropped = {"m": "exists on a part of the rows only; left to the expert graph"}
    adjustment = answer(CHAIN, roles={"m": "mediator"}, dropped=dropped, question=ask(effect="direct", held=("m",)))
    assert adjustment.answer.status is Status.NOT_IDENTIFIABLE and "`m` cannot be held" in adjustment.answer.reason
    gone = answer(CHAIN, question=ask(effect="direct", held=("basket",)))
    assert gone.answer.status is Status.NOT_AVAILABLE and "`basket` cannot be held" in gone.answer.reason


def test_what_choose_nodes_says_of_such_a_mediator_is_what_is_looked_for():
    import polars as pl

    from causalrec.graph.discovery.nodes import choose_nodes
    from causalrec.graph.identification.explanations import PART_OF_THE_ROWS

    units = pl.DataFrame({"t": [0, 1] * 20, "position": [None, 1, None, 2] * 10, "y": [0, 1, 1, 0] * 10})
    _, dropped, *_ = choose_nodes(units, {"t": "treatment", "position": "mediator", "y": "outcome"}, ["y"])
    assert [PART_OF_THE_ROWS in d.reason for d in dropped if d.column == "position"] == [True]


def test_forty_nodes_and_a_hundred_and_fifty_edges_take_less_than_a_second():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        names = [f"v{k:02}" for k in range(40)]
        pairs = list(itertools.combinations(names, 2))
        arrows = {pairs[k] for k in rng.choice(len(pairs), 150, replace=False)}
        graph, _ = orient(names, skeleton_of(arrows), set(), sorted(colliders_of(arrows)))
        hidden = set(rng.choice(names, 3 * (seed % 4), replace=False).tolist())
        roles = {n: "pre_treatment" for n in names if n not in hidden} | {"v05": "treatment", "v35": "outcome"}
        start = time.process_time()
        adjust(Question(name="q", treatment="v05", outcome="v35"), graph, LoggedColumns(roles), strategies="graph")
        assert time.process_time() - start < 1, seed


def test_a_class_of_very_many_dags_takes_no_longer():
    """Two cliques of twelve open nodes that share the treatment: 132 open edges, more than 10^15 DAGs."""
    left, right = [f"a{k:02}" for k in range(11)], [f"b{k:02}" for k in range(11)]
    cliques = [{frozenset(e) for e in itertools.combinations([*side, "t"], 2)} for side in (left, right)]
    undirected = {tuple(sorted(e)) for clique in cliques for e in clique}
    start = time.process_time()
    adjustment = answer({("t", "y"), ("a00", "y")}, undirected=undirected)
    assert time.process_time() - start < 1
    assert "the direction of" in adjustment.answer.reason and "`a00 - t`" in adjustment.answer.reason


@given(dags(6, 0.5, least=3), st.data())
def test_a_direct_effect_is_answered_exactly_when_some_set_serves_both(world, drawn):
    graph = world.graph
    t, y, m, *others = drawn.draw(effects_in(graph))
    roles = {t: "treatment", m: "mediator", y: "outcome", **dict.fromkeys(others, "pre_treatment")}
    adjustment = adjust(
        Question(name="q", treatment=t, outcome=y, effect="direct", held=(m,)), graph, LoggedColumns(roles)
    )
    assert adjustment.answer.answered == any(is_valid(graph, {t, m}, y, s) for s in all_sets(others))
    assert not adjustment.answer.answered or is_valid(graph, {t, m}, y, adjustment.columns)
