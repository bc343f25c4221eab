"""The state that is carried from day to day: exact, finite, and the same however it was come by."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from causalrec_assets.logs.history import SCHEMA, advance, empty_history, within_window
from tests.logs.worlds import FIRST, ITEMS, at, clean, event, frame

DAYS = [FIRST + timedelta(days=k) for k in range(9)]
KEEP = 3


def random_days(seed):
    """Events of each day of `DAYS`: a few users and items, some days without any."""
    rng = np.random.default_rng(seed)
    days = []
    for day in DAYS:
        rows = [
            event(
                f"{day}-{k}",
                at(day, int(rng.integers(24))),
                str(rng.choice(ITEMS["item_id"].to_list())),
                user=str(rng.choice(["ann", "bob", "eve"])),
                click=int(rng.integers(2)),
            )
            for k in range(int(rng.integers(0, 12)))
        ]
        days.append(clean(frame(*rows)))
    return days


def carried(days, upto=9, start=0):
    state = empty_history()
    for day, events in list(zip(DAYS, days, strict=True))[start:upto]:
        state = advance(state, events, ITEMS, day, KEEP)
    return state


def counts(state):
    return state.filter(~pl.col("entity").str.ends_with("first_seen"))


def test_a_day_is_counted_per_user_item_and_category():
    events = clean(
        frame(
            event("1", at(FIRST, 9), "shoe", click=1, purchase=1),
            event("2", at(FIRST, 10), "sock"),
            event("3", at(FIRST, 11), "hat", user="bob"),
        )
    )
    state = counts(advance(empty_history(), events, ITEMS, FIRST, KEEP))
    assert state.select("entity", "user_id", "item_id", "category", "exposures", "clicks", "purchases").rows() == [
        ("item", None, "hat", None, 1, 0, 0),
        ("item", None, "shoe", None, 1, 1, 1),
        ("item", None, "sock", None, 1, 0, 0),
        ("user", "ann", None, None, 2, 1, 1),
        ("user", "bob", None, None, 1, 0, 0),
        ("user_category", "ann", None, "feet", 2, 1, 1),
        ("user_category", "bob", None, "head", 1, 0, 0),
    ]


def test_first_seen_stays_when_the_counts_have_fallen_out():
    days = [clean(frame())] * len(DAYS)
    days[0] = clean(frame(event("1", at(FIRST, 9), "hat", click=1)))
    state = carried(days)
    assert state.select("entity", "user_id", "item_id", "day").rows() == [
        ("item_first_seen", None, "hat", FIRST),
        ("user_first_seen", "ann", None, FIRST),
    ]


def test_an_event_of_nobody_counts_for_its_item_only():
    state = advance(empty_history(), clean(frame(event("1", at(FIRST, 9), "hat", user=None))), ITEMS, FIRST, KEEP)
    assert state["entity"].to_list() == ["item", "item_first_seen"]


def test_an_item_that_the_catalogue_lacks_counts_in_no_category():
    state = advance(empty_history(), clean(frame(event("1", at(FIRST, 9), "scarf"))), ITEMS, FIRST, KEEP)
    assert state.filter(pl.col("entity") == "user_category").height == 0
    assert state.filter(pl.col("entity") == "item")["item_id"].to_list() == ["scarf"]


def test_a_day_without_events_changes_nothing_but_what_falls_out():
    first = advance(empty_history(), clean(frame(event("1", at(FIRST, 9), "hat"))), ITEMS, FIRST, KEEP)
    assert advance(first, clean(frame()), ITEMS, DAYS[1], KEEP).equals(first)
    assert empty_history().schema == SCHEMA


@pytest.mark.parametrize("seed", range(8))
def test_carrying_the_state_gives_the_counts_of_the_last_days_from_nothing(seed):
    days = random_days(seed)
    fresh = carried(days, start=len(DAYS) - KEEP)
    assert counts(carried(days)).equals(counts(fresh))


@pytest.mark.parametrize("seed", range(4))
def test_stopping_and_going_on_gives_the_same_bytes(seed):
    days = random_days(seed)
    half = carried(days, upto=4)
    for day, events in list(zip(DAYS, days, strict=True))[4:]:
        half = advance(half, events, ITEMS, day, KEEP)
    assert half.equals(carried(days))


@pytest.mark.parametrize("seed", range(4))
def test_the_influence_of_a_late_event_ends(seed):
    """Of a user and an item that are known already: after `KEEP` days nothing tells the two pasts apart."""
    days = random_days(seed)
    days[0] = clean(frame(*(event(f"k{i}", at(FIRST, 1), item, user="ann") for i, item in enumerate(ITEMS["item_id"]))))
    late = list(days)
    late[0] = pl.concat([days[0], clean(frame(event("late", at(FIRST, 2), "hat", click=1)))])
    assert not carried(late, upto=KEEP).equals(carried(days, upto=KEEP))
    assert carried(late, upto=KEEP + 1).equals(carried(days, upto=KEEP + 1))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_events_does_not_matter(seed):
    days = random_days(seed)
    assert carried([day.reverse() for day in days]).equals(carried(days))


def test_a_state_is_within_its_window_or_is_not():
    state = advance(empty_history(), clean(frame(event("1", at(FIRST, 9), "hat"))), ITEMS, FIRST, KEEP)
    assert within_window(empty_history(), FIRST, KEEP)
    assert within_window(state, FIRST + timedelta(days=KEEP - 1), KEEP)
    assert not within_window(state, FIRST + timedelta(days=KEEP), KEEP)
    assert not within_window(state, FIRST - timedelta(days=1), KEEP)
