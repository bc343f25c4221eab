"""What makes a day fast: parts in memory or on disk, times sorted as numbers, bots found by buckets."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalrec.engine import slices
from causalrec.logs.cleaning import bots, set_aside
from causalrec.logs.cleaning import clean as cleaning
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, at, cleaned, event, frame, land

SLOW_TO_MAKE = [HealthCheck.function_scoped_fixture]


def a_day(rows, seed=0):
    rng = np.random.default_rng(seed)
    return frame(*(event(f"e{k}", at(FIRST, int(rng.integers(24)), int(rng.integers(60))), "hat") for k in range(rows)))


@pytest.mark.train
@settings(max_examples=15, suppress_health_check=SLOW_TO_MAKE)
@given(room=st.integers(0, 40_000), few=st.integers(20, 400), order=st.permutations(range(300)))
def test_the_bytes_do_not_depend_on_what_is_held_in_memory_and_what_on_disk(tmp_path_factory, room, few, order):
    rows, folder = a_day(300), tmp_path_factory.mktemp("room")
    land(folder, "a.parquet", rows[order])
    land(folder, "b.csv", rows[order[::3]])
    land(folder, "c.jsonl", frame(event("twice", at(FIRST, 20), "hat"), event("twice", at(FIRST, 2), "shoe")))
    whole = cleaned(folder)
    whole = whole.path.read_bytes(), whole.set_aside
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleaning, "Slices", lambda *asked: slices.Slices(*asked, rows=few, held=room))
        patch.setattr(set_aside, "HELD_ROWS", few)
        parted = cleaned(folder)
    assert parted.path.read_bytes() == whole[0]
    assert parted.set_aside.equals(whole[1])


def test_rows_beyond_what_may_be_held_go_to_disk_and_leave_it_when_they_are_used(tmp_path):
    held = slices.Slices(tmp_path, {0: 2, 1: 2}, 5, rows=2, held=0)
    rows = pl.DataFrame({"time": [at(FIRST, 0, minute) for minute in (6, 1, 7, 2)], "text": ["a", "b", "c", "d"]})
    held.add(rows, held.numbers(rows["time"]))
    assert len(list(tmp_path.iterdir())) == 2
    assert {number: held.read(number)["text"].to_list() for number in held} == {0: ["b", "d"], 1: ["a", "c"]}
    for number in list(held):
        held.forget(number)
    assert list(tmp_path.iterdir()) == []


@given(rows=st.lists(st.tuples(st.integers(0, 5), st.text("ab", max_size=3)), max_size=30), data=st.data())
def test_rows_stand_by_time_then_id_without_those_set_aside(rows, data):
    table = pl.DataFrame(rows, schema={"time": pl.Int64, "event_id": pl.String}, orient="row")
    away = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True)) if rows else []
    order = cleaning._order(table, pl.Series(away, dtype=pl.UInt32))
    stay = table.filter(~pl.int_range(pl.len()).is_in(away))
    assert table[order].equals(stay.sort("time", "event_id"))


@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 3)), max_size=40),
    most=st.integers(1, 8),
    data=st.data(),
)
def test_a_bot_is_who_has_too_many_events_in_an_hour_each_counted_once(rows, most, data):
    table = pl.DataFrame(
        [(user, at(FIRST, hour)) for user, hour in rows],
        schema={"user_id": pl.String, "time": pl.Datetime("us", "UTC")},
        orient="row",
    )
    again = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True)) if rows else []
    watch = bots.BotWatch(most)
    watch.add(table)
    found = watch.bots([(table, pl.DataFrame({"at": again}, schema={"at": pl.UInt32}))]) if watch.suspects else []
    counts = Counter(row for k, row in enumerate(rows) if k not in again and row[0] is not None)
    assert set(found) == {user for (user, _), count in counts.items() if count > most}


def test_the_rows_of_nobody_are_no_bots(tmp_path):
    land(tmp_path, "a.parquet", frame(*(event(f"e{k}", at(FIRST, 9), "hat", user=None) for k in range(9))))
    assert cleaned(tmp_path, rules=CleaningRules(bots={"events_an_hour": 3})).events.height == 9
