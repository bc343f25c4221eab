from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from causalrec.answers import InputError, Status
from causalrec.policy.left_out import LeftOut, nothing_happened
from causalrec.policy.slates import LOADED_AGAIN
from causalrec.policy.slots import NO_CANDIDATE, UNLISTED

DAY = date(2026, 3, 7)


def counted(judged: int, examples: tuple[str, ...] = (), **reasons: int) -> LeftOut:
    names = {"unlisted": UNLISTED, "off": NO_CANDIDATE, "again": LOADED_AGAIN}
    left_out = LeftOut()
    slots = SimpleNamespace(row=[0] * judged, not_judged={names[k]: n for k, n in reasons.items()}, unlisted=examples)
    left_out.add(DAY, slots)  # type: ignore[arg-type]
    return left_out


def test_few_slots_that_show_no_candidate_are_left_out_and_counted() -> None:
    left_out = counted(1499, ("item-9999",), unlisted=1)
    left_out.require_few(0.02)
    assert (left_out.judged, left_out.reasons[UNLISTED], left_out.answer().answered) == (1499, 1, True)


def test_many_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError) as error:
        counted(960, ("item-9999",), unlisted=30, off=10).require_few(0.02)
    for part in (
        "40 of 1,000 recommended slots",
        "30: its item is not in the catalogue of its day",
        "(on 2026-03-07 e.g. ['item-9999'])",
        "At most 2.0% may be left out (policy.yaml: most_left_out)",
        "items files of their day",
    ):
        assert part in str(error.value)


def test_loads_that_are_left_out_refuse_nothing_however_many() -> None:
    left_out = counted(10, again=990)
    left_out.require_few(0.02)
    assert left_out.answer().answered


def test_where_nothing_can_be_judged_the_answer_says_why() -> None:
    answer = counted(0, again=7).answer()
    assert answer.status is Status.NOT_AVAILABLE
    assert f"7 because {LOADED_AGAIN}" in answer.reason
    assert "has a logged action propensity" in counted(0).answer().reason


def test_judgement_days_on_which_nothing_happened_say_so() -> None:
    units = pl.DataFrame({"recommended": [1, 0]}, schema={"recommended": pl.Int8})
    days = [DAY, DAY + timedelta(days=1)]
    empty, organic = nothing_happened(units.clear(), days), nothing_happened(units.tail(1), days)
    assert empty is not None and empty.status is Status.INSUFFICIENT_EVIDENCE
    assert f"nothing happened on the judgement days ({DAY} to {days[1]})" in empty.reason
    assert organic is not None and "nothing was recommended on the judgement days" in organic.reason
    assert nothing_happened(units, days) is None
