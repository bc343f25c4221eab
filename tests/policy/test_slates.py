"""Which rows of a request form one slate, by hand, and the laws of it on random requests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.policy.plackett_luce import in_slot
from causalrec.policy.slates import (
    LOADED_AGAIN,
    NO_ONE_DRAW,
    NO_POSITION,
    NO_REQUEST,
    SHOWN_AGAIN,
    SLOT_MISSING,
)
from causalrec.policy.slots import NO_CANDIDATE, UNLISTED, judged_slots

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
NAMES = [f"item-{k}" for k in range(8)]
ITEMS = pl.DataFrame({"item_id": NAMES, "section": ["men"] * 6 + ["women", None]})
P = np.array([[0.6, 0.2, 0.1, 0.04, 0.03, 0.02, 0.006, 0.004]])


def units(*rows: tuple[object, ...], section: str = "men") -> pl.DataFrame:
    """Rows of (item number, request, position, seconds[, recommended])."""
    found = [
        {
            "unit_id": f"u{k}",
            "time": START + timedelta(seconds=row[3]),
            "user_id": "ann",
            "item_id": f"item-{row[0]}",
            "request_id": row[1],
            "position": row[2],
            "policy": "log",
            "action_propensity": 0.5 if (row[4] if len(row) > 4 else 1) else None,
            "recommended": row[4] if len(row) > 4 else 1,
            "section": section,
        }
        for k, row in enumerate(rows)
    ]
    types = {
        "request_id": pl.String,
        "position": pl.Int64,
        "action_propensity": pl.Float64,
        "time": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(found, schema_overrides=types)


def judged(rows: pl.DataFrame) -> tuple[list[str], dict[str, int]]:
    slots = judged_slots(rows, ITEMS, [], [])
    return slots.frame["unit_id"].to_list(), dict(slots.not_judged)


def page(request: str, items: list[int], seconds: int, apart: int = 0) -> list[tuple[object, ...]]:
    return [(item, request, k, seconds + apart * k) for k, item in enumerate(items, start=1)]


@pytest.mark.parametrize("seconds", [0, 40])
def test_a_page_loaded_twice_is_judged_once_with_the_probabilities_of_one_draw(seconds: int) -> None:
    slots = judged_slots(units(*page("r", [0, 1, 2], 0), *page("r", [0, 1, 2], seconds)), ITEMS, [], [])
    assert slots.frame["unit_id"].to_list() == ["u0", "u1", "u2"]
    assert slots.not_judged == {SHOWN_AGAIN: 3}
    probability, _ = in_slot(P, slots.row, slots.shown, slots.above)
    assert probability == pytest.approx([0.6, 0.2 / 0.4, 0.1 / 0.2])


def test_of_a_page_drawn_again_the_first_load_is_judged() -> None:
    assert judged(units(*page("r", [0, 1, 2], 0), *page("r", [3, 0, 4], 40))) == (
        ["u0", "u1", "u2"],
        {LOADED_AGAIN: 3},
    )


def test_of_an_endless_page_whose_positions_begin_anew_the_first_part_is_judged() -> None:
    assert judged(units(*page("r", [0, 1], 0), *page("r", [2, 3], 9), *page("r", [4, 5], 20))) == (
        ["u0", "u1"],
        {LOADED_AGAIN: 4},
    )


def test_an_endless_page_that_counts_on_is_one_slate() -> None:
    rows = [(0, "r", 1, 0), (1, "r", 2, 0), (2, "r", 3, 9), (3, "r", 4, 9), (4, "r", 5, 30)]
    assert judged(units(*rows)) == (["u0", "u1", "u2", "u3", "u4"], {})


def test_two_carousels_at_once_are_no_one_draw() -> None:
    assert judged(units(*page("r", [0, 1], 0), *page("r", [2, 3], 0))) == ([], {NO_ONE_DRAW: 4})


def test_two_carousels_whose_rows_alternate_in_time_are_not_told_apart() -> None:
    rows = [(0, "r", 1, 0), (1, "r", 2, 2), (2, "r", 1, 3), (3, "r", 3, 4), (4, "r", 2, 5)]
    assert judged(units(*rows)) == ([], {NO_ONE_DRAW: 5})


def test_an_item_twice_in_a_slate_is_no_draw_without_replacement() -> None:
    assert judged(units(*page("r", [0, 1, 0], 0), *page("s", [0, 1], 0))) == (["u3", "u4"], {NO_ONE_DRAW: 3})


def test_below_a_missing_slot_it_is_not_known_what_stood_above() -> None:
    rows = [(0, "r", 1, 0), (1, "r", 3, 0), (2, "r", 4, 0), (3, "s", 2, 0)]
    assert judged(units(*rows)) == (["u0"], {SLOT_MISSING: 3})


def test_a_slot_that_holds_what_nobody_recommended_is_not_missing() -> None:
    rows = [(0, "r", 1, 0), (5, "r", 2, 0, 0), (1, "r", 3, 0)]
    slots = judged_slots(units(*rows), ITEMS, [], [])
    assert slots.frame["unit_id"].to_list() == ["u0", "u2"]
    assert slots.above.lists() == [[], [0]]


def test_without_a_request_only_the_first_slot_is_known_and_without_a_position_a_row_alone() -> None:
    rows = [(0, None, 1, 0), (1, None, 2, 0), (2, "r", None, 0), (3, "s", 1, 0), (4, "s", None, 0)]
    assert judged(units(*rows)) == (["u0", "u2", "u3"], {NO_POSITION: 1, NO_REQUEST: 1})


def test_a_source_that_logs_no_slates_is_judged_row_by_row() -> None:
    rows = units((0, None, 3, 0), (0, None, None, 0), (1, None, 2, 0))
    slots = judged_slots(rows, ITEMS, [], [], slates=False)
    assert (slots.frame.height, slots.above.lists(), slots.not_judged) == (3, [[], [], []], {})


def test_an_item_of_another_section_or_of_none_is_no_candidate_and_takes_nothing_from_those_below() -> None:
    rows = units((0, "r", 1, 0), (6, "r", 2, 0), (7, "r", 3, 0), (1, "r", 4, 0), (9, "s", 1, 0))
    slots = judged_slots(rows, ITEMS, ["section"], [], [("section",)])
    assert slots.frame["unit_id"].to_list() == ["u0", "u3"]
    assert slots.not_judged == {NO_CANDIDATE: 2, UNLISTED: 1}
    p = np.array([[0.6, 0.4, 0, 0, 0, 0, 0, 0]])
    assert in_slot(p, slots.row, slots.shown, slots.above)[0] == pytest.approx([0.6, 1.0])


def test_one_deep_slate_does_not_widen_the_others() -> None:
    rows = [(k % 8, f"r{k}", 1, 0) for k in range(50)] + [(k, "deep", k + 1, 0) for k in range(8)]
    above = judged_slots(units(*rows), ITEMS, [], []).above
    assert (len(above.items), above.counts.sum()) == (28, 28)


ROW = st.tuples(
    st.integers(0, 9),  # 8 and 9 are in no catalogue
    st.sampled_from(["r1", "r2", "r3", None]),
    st.one_of(st.none(), st.integers(1, 5)),
    st.integers(0, 60),
    st.sampled_from([1, 1, 1, 0]),
)


def probabilities(rows: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Of each judged unit: the probability of its item, and the sum over all that could have stood there."""
    slots = judged_slots(rows, ITEMS, [], [])
    found, _ = in_slot(P, slots.row, slots.shown, slots.above)
    total = np.zeros(len(found))
    taken = [set(items) for items in slots.above.lists()]
    for item in range(len(NAMES)):
        free = np.array([k for k, items in enumerate(taken) if item not in items], dtype=np.int64)
        total[free] += in_slot(P, slots.row[free], np.full(len(free), item), slots.above.take(free))[0]
    return {unit: (p, t) for unit, p, t in zip(slots.frame["unit_id"], found, total, strict=True)}


@given(st.lists(ROW, max_size=18))
def test_every_action_probability_lies_in_0_1_and_those_of_a_slot_sum_to_one(rows: list[tuple[object, ...]]) -> None:
    frame = units(*rows) if rows else units((0, "r", 1, 0)).clear()
    found = probabilities(frame)
    for p, total in found.values():
        assert 0 < p <= 1
        assert total == pytest.approx(1.0)
    slots = judged_slots(frame, ITEMS, [], [])
    weighable = frame.filter((pl.col("recommended") == 1) & pl.col("action_propensity").is_not_null()).height
    assert slots.frame.height + sum(slots.not_judged.values()) == weighable


@given(st.lists(ROW, min_size=1, max_size=12), st.lists(ROW, max_size=8))
def test_odd_rows_of_other_requests_change_no_probability(
    rows: list[tuple[object, ...]], odd: list[tuple[object, ...]]
) -> None:
    # A row without a request is one of its own.
    other = [(item, None if r is None else f"other-{r}", *rest) for item, r, *rest in odd]
    alone, among = probabilities(units(*rows)), probabilities(units(*rows, *other))
    assert {unit: among.get(unit) for unit in alone} == alone
    assert not {f"u{k}" for k in range(len(rows))} & (among.keys() - alone.keys())
