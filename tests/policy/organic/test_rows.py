"""A request with two slots and three organic rows, weighed by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from causalrec.policy.grid import Scored
from causalrec.policy.organic.rates import MetCounts
from causalrec.policy.organic.rows import LeftOutOfSlate, OrganicRows, organic_rows, slot_numbers
from causalrec.policy.policies import named_policies
from causalrec.policy.policies.judged import ORGANIC, SCHEMA, SLOT, evaluate_slots
from causalrec.policy.slots import Slots, judged_slots
from causalrec.settings.objective import Objective

ITEMS = pl.DataFrame({"item_id": ["a", "b", "c", "d"]})
UNITS = pl.DataFrame(
    {
        "unit_id": ["u1", "u2", "o1", "o2", "o3", "o4", "o5"],
        "time": [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 7,
        "user_id": ["x"] * 7,
        # o3 is not in the catalogue; o4 is of a request without a judged slot; o5 stood in the first slot as well.
        "item_id": ["b", "a", "c", "d", "z", "c", "b"],
        "request_id": ["r", "r", "r", "r", "r", "q", "r"],
        "position": [1, 2, None, None, None, None, None],
        "policy": ["shop", "shop", None, None, None, None, None],
        "action_propensity": [0.5, 0.5, None, None, None, None, None],
        "recommended": [1, 1, 0, 0, 0, 0, 0],
    },
    schema_overrides={"time": pl.Datetime("us", "UTC")},
)
CLICK, NOT = np.array([[0.1, 0.4, 0.2, 0.3]]), np.array([[0.05, 0.2, 0.15, 0.1]])
PRICE = np.array([10.0, 20.0, 5.0, 1.0])
OBJECTIVE = Objective.parse({"satisfying": "click", "margin": 0.5})


def day() -> tuple[Slots, OrganicRows]:
    slots = judged_slots(UNITS, ITEMS, [], [])
    return slots, organic_rows(UNITS, ITEMS, slots)


def judged(organic: OrganicRows, slots: Slots) -> pl.DataFrame:
    scored = Scored(slice(0, 1), np.ones((1, 4), dtype=bool), CLICK, CLICK / 2, PRICE, NOT, NOT / 2)
    return evaluate_slots(slots, [scored], named_policies(["uniform"]), OBJECTIVE, organic)


def test_organic_rows_are_those_of_judged_requests_with_an_item_of_the_catalogue() -> None:
    _, organic = day()
    assert organic.frame["unit_id"].to_list() == ["o1", "o2", "o5"]
    assert list(zip(organic.row.tolist(), organic.slot.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1),
    ]  # fmt: skip


def test_the_slots_that_would_show_an_item_are_counted_each_given_those_above() -> None:
    slots, organic = day()
    frame = judged(organic, slots)
    assert frame.schema == SCHEMA
    assert frame["kind"].to_list() == [SLOT, SLOT, ORGANIC, ORGANIC, ORGANIC]
    shown = frame.filter(kind=ORGANIC)["shown_probability"].to_list()
    # b stands above the second slot and cannot be shown there again.
    assert shown == pytest.approx([1 / 4 + 1 / 3, 1 / 4 + 1 / 3, 1 / 4])


def test_slots_say_how_many_could_stand_there_and_what_is_expected_of_items_that_are_not_recommended() -> None:
    slots, organic = day()
    frame = judged(organic, slots)
    own = frame.filter(kind=SLOT)
    assert own["candidates"].to_list() == [4, 3]
    assert own["in_lump"].to_list() == [False, False]
    assert own["model_click_if_not"].to_list() == pytest.approx([0.125, (0.05 + 0.15 + 0.1) / 3])
    assert own["model_revenue_if_not"][0] == pytest.approx((NOT[0] / 2 * PRICE * 0.5).mean())
    assert own["shown_click_if_not"].to_list() == pytest.approx([0.2, 0.05])
    met = frame.filter(kind=ORGANIC)
    assert met["shown_click_if_not"].to_list() == pytest.approx([0.15, 0.1, 0.2])
    assert met["shown_purchase_if_not"].to_list() == pytest.approx([0.075, 0.05, 0.1])
    assert met["action_probability"].null_count() == met["shown_click"].null_count() == 3


def test_where_not_every_impression_is_logged_nothing_is_weighed_by_being_met() -> None:
    slots, organic = day()
    frame = judged(organic, slots).filter(kind=ORGANIC)
    assert frame["met_weight"].null_count() == frame["not_shown_weight"].null_count() == 3


def test_each_slots_probability_is_divided_by_how_often_the_item_is_met() -> None:
    slots, organic = day()
    before = pl.DataFrame(
        {
            "request_id": [f"r{k}" for k in range(4)] * 2,
            "item_id": ["c", "c", "c", "d", "c", "b", "a", "a"],
            "position": [None, None, None, None, 1, 1, 1, 1],
            "recommended": [0, 0, 0, 0, 1, 1, 1, 1],
        }
    )
    rates = MetCounts.of([(before, ITEMS)]).rates(ITEMS)
    alone = replace(rates, mean=np.zeros(4), strength=np.zeros(4))
    met = judged(organic.with_met(alone, slot_numbers(slots)), slots).filter(kind=ORGANIC)["met_weight"].to_list()
    # c was met in 3 of 4 requests, and stood above the second slot in one of them; d in 1 of 4; b never.
    assert met[:2] == pytest.approx([(1 / 4) / (3 / 4) + (1 / 3) / (3 / 3), (1 / 4) / (1 / 4) + (1 / 3) / (1 / 4)])
    assert met[2] is None


def test_the_logging_policys_own_weight_is_divided_by_how_often_the_item_is_met() -> None:
    slots, organic = day()
    here = np.full(len(organic.row), 0.2)
    out = LeftOutOfSlate(np.full(len(here), 0.5), np.zeros(len(here), dtype=bool), here)
    met = replace(organic, met=np.full(len(here), 0.5), out=out)
    frame = judged(met, slots).filter(kind=ORGANIC)
    pairs = np.bincount(organic.row)
    assert frame["logging_met_weight"].to_list() == pytest.approx(list(pairs * 0.2 / 0.5))
    assert frame["logging_not_shown_weight"].to_list() == pytest.approx(list(pairs * 0.2 / 0.5))
    unknown = replace(met, out=replace(out, here=np.full(len(here), np.nan)))
    assert judged(unknown, slots)["logging_met_weight"].null_count() == judged(unknown, slots).height


def test_a_day_without_organic_rows_has_none() -> None:
    recommended = UNITS.filter(recommended=1)
    slots = judged_slots(recommended, ITEMS, [], [])
    assert judged(organic_rows(recommended, ITEMS, slots), slots)["kind"].to_list() == [SLOT, SLOT]
