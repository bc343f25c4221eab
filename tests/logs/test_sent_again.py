"""Idempotent cleaning: the same rows in any order, once or thrice, give the same bytes."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalrec.engine import slices
from causalrec.logs.cleaning import clean as cleaning
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, SECOND, SETTINGS, at, cleaned, event, frame, land, source

EVENTS = SETTINGS["events"]
NO_EVENT_ID = EVENTS | {"columns": {k: v for k, v in EVENTS["columns"].items() if k != "event_id"}}


def a_day(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return frame(
        *(
            event(f"e{k}", at(FIRST, int(rng.integers(24)), int(rng.integers(60))), f"item-{rng.integers(5)}")
            for k in range(rows)
        )
    )


def of_bytes(root, of=None):
    return cleaned(root, of=of).path.read_bytes()


@pytest.mark.train
@pytest.mark.parametrize("with_id", [True, False])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_rows_in_any_order_once_or_thrice_give_the_same_bytes(tmp_path_factory, with_id, data):
    rows, of = a_day(), None if with_id else source(events=NO_EVENT_ID)
    one, many = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("many")
    land(one, "a.parquet", rows)
    for number in range(data.draw(st.integers(1, 4))):
        part = data.draw(st.lists(st.integers(0, rows.height - 1), max_size=30, unique=True))
        if part:
            ending = data.draw(st.sampled_from(["csv", "jsonl", "parquet"]))
            land(many, f"{data.draw(st.sampled_from('xyz'))}-{number}.{ending}", rows[part])
    order = data.draw(st.permutations(range(rows.height)))
    land(many, "whole.csv", rows[order])
    assert of_bytes(one, of) == of_bytes(many, of)


def test_the_bytes_do_not_depend_on_the_slices(tmp_path, monkeypatch):
    land(tmp_path, "a.parquet", a_day(500))
    whole = of_bytes(tmp_path)
    monkeypatch.setattr(cleaning, "Slices", lambda folder, bins, minutes: slices.Slices(folder, bins, minutes, rows=20))
    assert of_bytes(tmp_path) == whole


@pytest.mark.parametrize("few", [20, 1_000_000])
def test_of_one_id_at_two_times_the_earlier_is_the_event_in_one_slice_or_two(tmp_path, monkeypatch, few):
    monkeypatch.setattr(cleaning, "Slices", lambda folder, bins, minutes: slices.Slices(folder, bins, minutes, few))
    land(tmp_path, "a.parquet", pl.concat([a_day(), frame(event("twice", at(FIRST, 20), "hat"))]))
    land(tmp_path, "b.parquet", frame(event("twice", at(FIRST, 2), "shoe")))
    day = cleaned(tmp_path)
    assert day.events.filter(pl.col("event_id") == "twice")["item_id"].to_list() == ["shoe"]
    assert day.set_aside.select("kind", "item_id").rows() == [("repeated id", "hat")]


def test_rows_of_one_id_and_time_that_say_different_things_have_one_winner_whatever_the_order(tmp_path):
    said = [event("x", at(FIRST, 9), "hat", click=click) for click in (0, 1)]
    for folder, rows in (("a", said), ("b", said[::-1])):
        land(tmp_path / folder, "a.csv", frame(rows[0], event("y", at(FIRST, 9), "hat")))
        land(tmp_path / folder, "b.csv", frame(rows[1]))
    first, second = cleaned(tmp_path / "a"), cleaned(tmp_path / "b")
    assert first.events.equals(second.events)
    assert first.events.height == 2
    assert first.set_aside["kind"].to_list() == ["repeated id"]


def test_an_id_of_the_day_before_is_that_event_again_within_the_look_back(tmp_path):
    rows = [event(f"e{k}", at(SECOND, 9, k), "hat") for k in range(5)]
    land(tmp_path, f"day={FIRST}/a.parquet", frame(event("e3", at(FIRST, 9), "hat")))
    land(tmp_path, f"day={SECOND}/a.parquet", frame(*rows))
    day = cleaned(tmp_path, SECOND)
    assert day.events["event_id"].to_list() == ["e0", "e1", "e2", "e4"]
    assert day.set_aside["reason"].to_list() == ["the event of its id was at 2026-03-02 09:00:00"]
    assert cleaned(tmp_path, SECOND, rules=CleaningRules(duplicates={"look_back_days": 0})).events.height == 5


def test_ids_that_begin_anew_each_day_are_no_ids_and_said(tmp_path):
    for day in (FIRST, SECOND):
        land(tmp_path, f"day={day}/a.parquet", frame(*(event(f"e{k}", at(day, 9, k), "hat") for k in range(5))))
    said = cleaning.too_many_wrong(cleaned(tmp_path, SECOND), CleaningRules())
    assert "5 of the day's 5 rows are wrong (5 repeated id)" in said
    assert "ids begin anew each day" in said


def test_without_an_id_equal_rows_of_nobody_are_events_of_their_own_and_the_fullest_file_counts(tmp_path):
    of = source(events=NO_EVENT_ID)
    row = event("", at(FIRST, 9), "hat", user=None)
    land(tmp_path, "a.parquet", frame(row, row, row))
    land(tmp_path, "b.parquet", frame(row, row, event("", at(FIRST, 10), "hat", user=None)))
    day = cleaned(tmp_path, of=of)
    assert day.events.height == 4
    assert day.aside == {"sent again": 2}


def test_a_row_that_comes_days_late_is_of_its_own_day_until_it_is_too_late(tmp_path):
    folder = FIRST + timedelta(days=40)
    rows = frame(event("old", at(FIRST, 9), "hat"), event("new", at(folder, 9), "hat"))
    land(tmp_path, f"day={folder}/a.parquet", rows)
    day = cleaned(tmp_path, folder)
    assert day.events["event_id"].to_list() == ["new"]
    assert day.set_aside["reason"].to_list() == ["it was sent too long after its day"]
    patient = CleaningRules(late={"days": 40})
    assert cleaned(tmp_path, FIRST, rules=patient).events["event_id"].to_list() == ["old"]


def test_a_clock_may_be_a_little_ahead_of_the_day_and_no_more(tmp_path):
    rows = frame(event("1", at(SECOND, 0, 5), "hat"), event("2", at(SECOND, 3), "hat"), event("3", at(FIRST, 9), "hat"))
    land(tmp_path, f"day={FIRST}/a.parquet", rows)
    assert cleaned(tmp_path).events["event_id"].to_list() == ["3"]
    assert cleaned(tmp_path).set_aside["reason"].to_list() == ["its time is after the day that it was sent for"]
    assert cleaned(tmp_path, SECOND).events["event_id"].to_list() == ["1"]


def test_a_bot_is_set_aside_for_the_day_and_rows_sent_again_make_nobody_a_bot(tmp_path):
    busy = frame(*(event(f"b{k}", at(FIRST, 9, k), "hat", user="bot") for k in range(30)))
    calm = frame(*(event(f"c{k}", at(FIRST, 9, k), "hat", user="calm") for k in range(10)))
    land(tmp_path, "a.parquet", pl.concat([busy, calm, frame(event("night", at(FIRST, 2), "hat", user="bot"))]))
    for number in range(3):
        land(tmp_path, f"again-{number}.csv", calm.reverse() if number else calm)
    day = cleaned(tmp_path, rules=CleaningRules(bots={"events_an_hour": 20}))
    assert set(day.events["user_id"]) == {"calm"}
    assert day.events.height == 10
    # Two of the three were the same file.
    assert day.aside == {"bot": 31, "sent again": 20}


def test_one_page_loaded_over_and_over_is_no_person_whatever_the_hour(tmp_path):
    def load(k, user, request):
        where = {"user": user, "request_id": request, "recommended": 1, "action_propensity": 0.5}
        return [
            event(f"{user}-{request}-{k}-{p}", at(FIRST, k % 20), item, position=p, **where)
            for p, item in enumerate(("hat", "shoe"), start=1)
        ]

    bot = [row for k in range(6) for row in load(k, "bot", "one")]
    # Six requests of one user, and one request that six users share, are people's.
    calm = [row for k in range(6) for row in (*load(k, "ann", f"r{k}"), *load(k, f"user{k}", "shared"))]
    land(tmp_path, "a.parquet", frame(*bot, *calm))
    day = cleaned(tmp_path, rules=CleaningRules(bots={"loads_a_request": 5}))
    assert day.aside == {"bot": 12}
    assert day.events.height == 24
    assert "loads of one page" in day.set_aside["reason"][0]
    assert cleaned(tmp_path, rules=CleaningRules(bots={"loads_a_request": 6})).aside == {}
    assert cleaned(tmp_path).aside == {}


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ({"action_propensity": 0.5}, "contradiction", "nobody chose an organic row"),
        ({"purchase": 1}, "contradiction", "a purchase without a click"),
        ({"click": 2}, "impossible", "`click` is 2, which is neither 0 nor 1"),
        ({"recommended": None}, "impossible", "`recommended` is missing"),
        ({"recommended": 1, "action_propensity": 0.0}, "impossible", "an action propensity of 0"),
        ({"recommended": 1, "action_propensity": 1.5}, "impossible", "`action_propensity` is 1.5"),
        ({"position": 0}, "impossible", "`position` is 0, which is not from 1 to 100"),
    ],
)
def test_impossible_and_contradicting_rows_are_set_aside(tmp_path, values, kind, reason):
    land(tmp_path, "a.parquet", frame(event("good", at(FIRST, 9), "hat"), event("bad", at(FIRST, 9), "hat", **values)))
    rules = CleaningRules(wrong={"share": 0.5}, bounds={"position": (1, 100), "action_propensity": (0, 1)})
    day = cleaned(tmp_path, rules=rules)
    assert day.events["event_id"].to_list() == ["good"]
    assert day.set_aside["kind"].to_list() == [kind]
    assert reason in day.set_aside["reason"][0]


@pytest.mark.parametrize(
    ("recommended", "first", "reason"),
    [
        (1, 0.5, "an organic row's first-slot propensity"),
        (0, 0.0, "its first-slot propensity is not in (0, 1]"),
        (0, 1.5, "its first-slot propensity is not in (0, 1]"),
    ],
)
def test_a_first_slot_propensity_is_a_probability_of_an_organic_row(tmp_path, recommended, first, reason):
    columns = SETTINGS["events"]["columns"] | {"first_slot_propensity": "first"}
    rows = frame(event("good", at(FIRST, 9), "hat"), event("bad", at(FIRST, 9), "hat", recommended=recommended))
    land(tmp_path, "a.parquet", rows.with_columns(first=pl.Series([0.25, first])))
    of = source(events={"folder": "events", "columns": columns})
    day = cleaned(tmp_path, of=of, rules=CleaningRules(wrong={"share": 0.5}))
    assert day.events.select("event_id", "first_slot_propensity").rows() == [("good", 0.25)]
    assert reason in day.set_aside["reason"][0]


def test_a_number_of_the_context_can_be_bounded_like_any_other(tmp_path):
    rows = frame(
        event("good", at(FIRST, 9), "hat"), event("bad", at(FIRST, 9), "hat"), event("none", at(FIRST, 9), "hat")
    )
    land(tmp_path, "a.parquet", rows.with_columns(basket=pl.Series([12.5, 1e12, None])))
    columns = SETTINGS["events"]["columns"] | {"basket": "basket"}
    of = source(events={"folder": "events", "columns": columns}, context={"device": "text", "basket": "number"})
    day = cleaned(tmp_path, of=of, rules=CleaningRules(wrong={"share": 0.5}, bounds={"basket": (0, 1e6)}))
    assert day.events["basket"].to_list() == [12.5, None]
    assert day.set_aside["reason"][0] == "`basket` is 1000000000000.0, which is not from 0 to 1e+06"
