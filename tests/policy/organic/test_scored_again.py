"""The shop of four items and two slots again: its own policy scored again, another one, and another catalogue."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.arrays import Floats
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import logged_in_slots, whole_slates, with_left_out
from causalrec.policy.organic.rows import OrganicRows, organic_rows
from causalrec.policy.organic.scored_again import (
    CONTRADICTS,
    LOGGED,
    NOT_WHOLE,
    InSlots,
    ScoredAgain,
    Then,
    held_against,
    score_again,
    with_origins,
)
from causalrec.policy.slots import Slots, judged_slots
from tests.policy.organic.test_left_out import ITEMS, Fixed, distribution, logs

P0 = np.array([0.4, 0.3, 0.2, 0.1])
EVERY = np.arange(4)


def day(units: pl.DataFrame) -> tuple[Slots, OrganicRows]:
    items = pl.DataFrame({"item_id": ITEMS})
    slots = judged_slots(units, items, [], [])
    return slots, organic_rows(units, items, slots)


def again(p: Floats, then: Then, slots: Slots, organic: OrganicRows) -> ScoredAgain:
    contexts = int(then.row.max()) + 1
    unknown = np.full((contexts, len(p)), 0.5)
    part = Scored(slice(0, contexts), np.ones_like(unknown, dtype=bool), unknown, None, None, None)
    return score_again([part], Fixed(p).probabilities, then, slots, organic)


def agree(p: Floats, units: pl.DataFrame) -> pl.Series:
    """Of each request whether it agrees."""
    slots, organic = day(units)
    found = again(p, Then(slots.row, EVERY), slots, organic)
    held = held_against(found.shown, slots, np.ones(len(slots.row), dtype=bool))
    return slots.frame.select("request_id", agrees=pl.Series(held.agrees)).unique()["agrees"]


@given(st.integers(0, 10_000))
def test_what_drew_the_slates_gives_what_would_have_been_logged(seed: int) -> None:
    p0 = distribution(np.random.default_rng(seed))
    units = logs(p0)
    slots, organic = day(units)
    found = again(p0, Then(slots.row, EVERY), slots, organic)
    assert found.shown.tolist() == pytest.approx(slots.frame["action_propensity"].to_list(), rel=1e-12)
    assert found.met.tolist() == pytest.approx(logged_in_slots(units, slots, organic).tolist(), rel=1e-12)
    assert held_against(found.shown, slots, np.ones(len(slots.row), dtype=bool)).agrees.all()


def test_the_catalogue_of_then_counts() -> None:
    """In another order, with an item that is no more, and without one that people meet now."""
    shows_d = pl.col("request_id").is_in(logs(P0).filter(item_id="d", recommended=1)["request_id"].implode())
    units = logs(P0).filter(~shows_d)
    slots, organic = day(units)
    found = again(np.array([0.2, 0.3, 0.1, 0.4]), Then(slots.row, np.array([3, 1, 0, -1])), slots, organic)
    assert found.shown.tolist() == pytest.approx(slots.frame["action_propensity"].to_list())
    of_d = organic.item[organic.row] == 3
    assert of_d.any() and (found.met[of_d] == 0).all()
    assert found.met[~of_d].tolist() == pytest.approx(logged_in_slots(units, slots, organic)[~of_d].tolist())


def test_a_slot_of_which_nothing_was_scored_is_not_known() -> None:
    slots, organic = day(logs(P0))
    nobody = again(P0, Then(np.where(slots.shown == 0, -1, slots.row), EVERY), slots, organic)
    assert np.isnan(nobody.shown).tolist() == (slots.shown == 0).tolist()
    assert np.isnan(nobody.met).tolist() == (slots.shown == 0)[organic.slot].tolist()
    # The first item is new since, so neither it nor what stands below it could be shown.
    new = again(P0, Then(slots.row, np.array([-1, 1, 2, 3])), slots, organic)
    below = np.isin(np.arange(len(slots.row)), slots.above.slots[slots.above.items == 0])
    assert np.isnan(new.shown).tolist() == ((slots.shown == 0) | below).tolist()


def test_another_policy_is_found_out_and_by_how_much() -> None:
    slots, organic = day(logs(P0))
    other = np.array([0.4, 0.3, 0.24, 0.06])
    found = again(other, Then(slots.row, EVERY), slots, organic)
    every = np.ones(len(slots.row), dtype=bool)
    held = held_against(found.shown, slots, every)
    off = dict(zip(slots.frame["unit_id"], held.off, strict=True))
    # Slate (a, b) is drawn alike by both; in (a, c) the second slot has 0.24 / 0.6 in the place of 0.2 / 0.6.
    assert off["s01"] == off["s02"] == pytest.approx(0.0)
    assert off["s11"] == pytest.approx(0.0) and off["s12"] == pytest.approx(0.2)
    agrees = dict(zip(slots.frame["unit_id"], held.agrees, strict=True))
    assert agrees["s01"] and agrees["s02"] and not agrees["s11"] and not agrees["s12"]
    # What nobody asks about neither agrees, nor keeps its request from it.
    first = (slots.frame["position"] == 1).to_numpy()
    asked = dict(zip(slots.frame["unit_id"], held_against(found.shown, slots, first).agrees, strict=True))
    assert asked["s11"] and not asked["s12"]


@pytest.mark.parametrize("digits, agrees", [(5, True), (1, False)])
def test_rounding_in_a_file_is_no_other_policy(digits: int, agrees: bool) -> None:
    p0 = np.array([0.4123456, 0.3123456, 0.1876544, 0.0876544])
    assert agree(p0, logs(p0).with_columns(pl.col("action_propensity").round(digits))).to_list() == [agrees] * 12


def test_rows_say_where_their_probabilities_are_from_or_why_nobody_knows_them() -> None:
    units = logs(P0).filter(pl.col("request_id").is_in(["r0", "r1", "r2", "r3"]))
    units = units.with_columns(
        # r1 lacks a slot; in r2 the second slot would show an item more than surely; of r3 nothing was logged.
        position=pl.when(request_id="r1", position=2).then(3).otherwise("position"),
        first_slot_propensity=pl.when(request_id="r2").then(0.9).when(request_id="r3").then(None)
        .otherwise("first_slot_propensity"),
    )  # fmt: skip
    slots, organic = day(units)
    logged = logged_in_slots(units, slots, organic)
    found = InSlots(logged, pl.repeat(LOGGED, len(logged), dtype=pl.String, eager=True))
    found = found.or_else(np.full(len(logged), np.nan), pl.repeat("nobody wrote it down", len(logged), eager=True))
    whole = whole_slates(units, slots)
    with pytest.raises(ValueError, match="asked first"):
        with_origins(organic, found, whole)
    said = with_origins(with_left_out(organic, slots, found.here, whole), found, whole).frame
    told = {
        row["request_id"]: (row["not_shown_from"], row["not_shown_unknown"])
        for row in said.iter_rows(named=True)
    }  # fmt: skip
    assert said.height == organic.frame.height == 8
    assert told == {
        "r0": (LOGGED, None),
        "r1": (None, NOT_WHOLE),
        "r2": (None, CONTRADICTS),
        "r3": (None, "nobody wrote it down"),
    }
