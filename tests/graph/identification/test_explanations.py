"""Why there is no answer, in words: the path, and the edge, measurement or experiment that would settle it."""

import pytest

from causalrec.answers import Status
from causalrec.graph.identification.explanations import Scale, listed, units_to_randomise
from tests.graph.identification.test_strategies import HIDDEN, answer, ask


def reason(*args, **options) -> str:
    found = answer(*args, **options)
    assert found.answer.status is Status.NOT_IDENTIFIABLE
    assert (found.columns, found.strategy, found.minimal_sets) == ((), None, ())
    return found.answer.reason


def test_an_open_edge_says_what_each_direction_would_give():
    said = reason({("t", "y"), ("v", "y")}, undirected={("t", "v")})
    assert "the direction of `t - v` is open" in said and "expert_graph.yaml" in said
    assert "if `t` causes `v`, nothing needs to be adjusted for" in said
    assert "if `v` causes `t`, adjust for `v`" in said
    assert said.endswith("or randomise `t` for a share of the units")


def test_all_open_edges_that_decide_are_named():
    undirected = {("t", "v"), ("t", "w"), ("v", "w")}
    said = reason({("t", "y"), ("v", "y"), ("w", "y")}, undirected=undirected)
    assert "`t - v` and `t - w`" in said
    assert "if `t` causes `v`, the question stays open" in said


def test_the_open_path_the_hidden_node_and_what_it_causes():
    said = reason(HIDDEN | {("c", "t"), ("c", "y")})
    assert "t <- taste -> y" in said
    assert "log `taste` (a common cause of `t` and `y`)" in said


def test_of_two_hidden_nodes_on_a_path_either_will_do():
    said = reason({("taste", "t"), ("taste", "u"), ("u", "y"), ("t", "y")})
    assert "log `taste` (a common cause of `t` and `u`), or `u`" in said


def test_two_hidden_paths_need_both_measurements():
    said = reason({*HIDDEN, ("u", "t"), ("u", "y")})
    assert "log `taste` (a common cause of `t` and `y`) and `u` (a common cause of `t` and `y`)" in said


def test_three_hidden_paths_need_all_three_and_a_hidden_mediator_is_no_measurement():
    arrows = {("t", "m"), ("m", "y")} | {e for u in ("taste", "u", "v") for e in ((u, "t"), (u, "y"))}
    said = reason(arrows, hidden=("taste", "u", "v", "m"))
    assert said.count("(a common cause of `t` and `y`)") == 3 and "`m`" not in said


def test_an_outcome_that_causes_the_treatment_is_said_to():
    assert "`y` causes `t`" in reason({("y", "t")})


def test_a_column_from_after_the_treatment_on_the_path_is_named():
    said = reason({("t", "y"), ("click", "t"), ("click", "y")}, roles={"click": "outcome"})
    assert "`click` (outcome) on it is no column from before the treatment" in said


def test_the_experiment_has_a_share_where_the_number_of_units_is_known():
    said = reason(HIDDEN, scale=Scale(200_000, {"y": 0.2}))
    assert "randomise `t` for 6.28% of the units: about 12,559 show a change of a tenth of the rate of `y`" in said
    small = reason(HIDDEN, scale=Scale(5_000, {"y": 0.2}))
    assert "about 12,559 units, 2.5 times what this window has" in small


def test_the_number_of_units_is_that_of_the_textbook():
    # Two rates of 0.2 and 0.22 at 5 % and 80 %: 6,510 an arm with both variances (R's power.prop.test); here one rate.
    assert 2 * 6_000 < units_to_randomise(0.2) < 2 * 6_510


def test_names_are_listed_as_a_person_would():
    assert [listed([]), listed("a"), listed("ba"), listed("cab")] == ["", "`a`", "`a` and `b`", "`a`, `b` and `c`"]


@pytest.mark.parametrize("question", [ask(), ask(instruments=("z",)), ask(through=("m",))])
def test_every_refusal_ends_with_the_experiment(question):
    assert reason({*HIDDEN, ("t", "m"), ("m", "y")}, question=question).endswith("a share of the units")
