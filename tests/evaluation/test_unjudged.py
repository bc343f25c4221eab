import pytest

from causalrec.evaluation.unjudged import unjudged_lines
from causalrec.policy.notes import LeftOutNotes


@pytest.mark.parametrize("notes", [LeftOutNotes(), LeftOutNotes(5, {})])
def test_where_every_slot_is_judged_nothing_is_said(notes):
    assert unjudged_lines(notes) == []


def test_what_was_left_out_is_said_with_its_number_and_its_reasons():
    (line,) = unjudged_lines(LeftOutNotes(1494, {"it was loaded again": 5, "its item is unknown": 1}))
    assert (line.number, line.worry) == ("1,494 of 1,500", False)
    assert line.words.endswith("left out: 5 because it was loaded again; 1 because its item is unknown")


def test_many_are_a_worry():
    assert unjudged_lines(LeftOutNotes(90, {"it was loaded again": 10}))[0].worry
