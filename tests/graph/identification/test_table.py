"""The table `adjustment_sets`."""

from causalrec.answers import not_identifiable
from causalrec.graph.identification.adjustment import Adjustment
from causalrec.graph.identification.table import SCHEMA, sets_table, shown
from causalrec.settings.questions import Question
from tests.graph.identification.test_strategies import CHAIN, HIDDEN, answer, ask


def test_every_kind_of_answer_is_a_row():
    found = sets_table(
        [
            answer(CHAIN, roles={"m": "mediator"}, question=ask(effect="direct", held=("m",)), rule="optimal"),
            answer({*HIDDEN, ("z", "t")}, question=ask(instruments=("z",))),
            answer({("taste", "t"), ("taste", "y"), ("t", "m"), ("m", "y")}, question=ask(through=("m",))),
            answer(HIDDEN),
        ]
    )
    assert dict(found.schema) == SCHEMA
    assert found["strategy"].to_list() == ["back_door", "instrument", "front_door", None]
    assert found["effect"].to_list() == ["direct", "total", "total", "total"]
    assert found["held"].to_list() == [["m"], [], [], []]
    assert found["mediators"].to_list() == [[], [], ["m"], []]
    assert found["instrument"].to_list() == [None, "z", None, None]
    assert found["minimal_sets"].to_list() == [[["c", "k"]], [], [], []]


def test_questions_that_nothing_was_learned_about_are_rows_too():
    rows = sets_table(
        [Adjustment(Question(name="q", treatment="t", outcome="y"), not_identifiable("too few days"), ())]
    )
    assert rows.select("status", "reason", "strategy").row(0) == ("not_identifiable", "too few days", None)
    assert dict(sets_table([]).schema) == SCHEMA


def test_people_read_lists_as_text():
    arrows = {("t", "y"), ("a", "t"), ("a", "b"), ("b", "y")}
    text = shown(sets_table([answer(arrows)])).row(0, named=True)
    assert (text["columns"], text["minimal_sets"]) == ("a, b", "{a} {b}")
