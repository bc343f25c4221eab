"""The state that is carried from day to day: exact, finite, and the same however it was come by."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.logs.units.day_counts import SCALE, days_read, reach, too_late
from causalrec.logs.units.history import SCHEMA, advance, empty_history, leaving_days, states_read, within_window
from tests.examples import a_quarter
from tests.logs.worlds import FIRST, ITEMS, SETTINGS, at, clean, event, frame, source

DAYS = [FIRST + timedelta(days=k) for k in range(9)]
KEEP = 3
MATURE = 2
COUNTS = ["exposures", "clicks", "purchases", "ratings", "rating_sum", "priced", "price_sum"]
COLUMNS = SETTINGS["events"]["columns"] | {"rating": "rating", "price": "price"}
AT_ONCE = {name: {"maturity_days": 0} for name in ("click", "purchase", "rating")}
SLOW = {name: {"maturity_days": MATURE} for name in ("click", "purchase", "rating")}
TIMES = {f"{name}_time": f"{name}_time" for name in ("click", "purchase")}


def shop(outcomes=AT_ONCE, times=False, **changes):
    columns = COLUMNS | (TIMES if times else {})
    return source(events={"folder": "events", "columns": columns}, outcomes=outcomes, history_days=KEEP, **changes)


WORLDS = {"at_once": shop(), "slow": shop(SLOW), "timed": shop(SLOW, times=True)}
of_each_world = pytest.mark.parametrize("world", sorted(WORLDS))


def random_day(day, rng, count):
    """Events of a day: a few users and items, and outcomes some of which come on later days."""
    rows = clean(
        frame(
            *(
                event(
                    f"{day}-{k}",
                    at(day, int(rng.integers(24))),
                    str(rng.choice([*ITEMS["item_id"].to_list(), "scarf"])),
                    user=[None, "ann", "bob", "eve"][int(rng.integers(4))],
                    click=int(rng.integers(2)),
                    purchase=int(rng.integers(2)),
                )
                for k in range(count)
            )
        )
    )
    late = pl.Series(rng.integers(0, MATURE + 1, count), dtype=pl.Int64)
    rated, paid = rng.integers(0, 6, count), rng.integers(1, 4, count)
    return rows.with_columns(
        (pl.when(pl.col(name) == 1).then(pl.col("time") + pl.duration(days=late))).alias(f"{name}_time")
        for name in ("click", "purchase")
    ).with_columns(
        rating=pl.Series([float(r) if r else None for r in rated], dtype=pl.Float64),
        price=pl.Series([10.1 * p if p > 1 else None for p in paid], dtype=pl.Float64),
    )


def random_days(seed):
    rng = np.random.default_rng(seed)
    return {day: random_day(day, rng, int(rng.integers(0, 12))) for day in DAYS}


def carried(days, of, upto=None, states=None):
    """The state at the end of each day, in order; `states`: of the days that are done already."""
    states = dict(states or {})
    for day in DAYS[: DAYS.index(upto) + 1] if upto else DAYS:
        if day not in states:
            states[day] = advance(states, days, ITEMS, of, day)
    return states


def sums(state):
    return state.filter(~pl.col("entity").str.ends_with("_today"))


def of_a_day(*rows, of=None, day=FIRST):
    return advance({}, {day: clean(frame(*rows))}, ITEMS, of or shop(), day)


# -- what is counted ---------------------------------------------------------------------------------------------------


def test_a_day_is_counted_per_user_item_and_category():
    state = of_a_day(
        event("1", at(FIRST, 9), "shoe", click=1, purchase=1),
        event("2", at(FIRST, 10), "sock"),
        event("3", at(FIRST, 11), "hat", user="bob"),
    )
    expected = [
        ("item", None, "hat", None, 1, 0, 0),
        ("item", None, "shoe", None, 1, 1, 1),
        ("item", None, "sock", None, 1, 0, 0),
        ("user", "ann", None, None, 2, 1, 1),
        ("user", "bob", None, None, 1, 0, 0),
        ("user_category", "ann", None, "feet", 2, 1, None),
        ("user_category", "bob", None, "head", 1, 0, None),
    ]
    columns = ["entity", "user_id", "item_id", "category", "exposures", "clicks", "purchases"]
    assert sums(state).select(columns).rows() == expected
    today = state.filter(pl.col("entity").str.ends_with("_today"))
    assert today.select(columns).rows() == [(f"{row[0]}_today", *row[1:]) for row in expected]


def test_ratings_and_the_prices_shown_are_summed_exactly():
    rows = clean(
        frame(event("1", at(FIRST, 9), "shoe"), event("2", at(FIRST, 9), "shoe"), event("3", at(FIRST, 9), "scarf"))
    )
    rows = rows.with_columns(price=pl.Series([0.1, None, None]), rating=pl.Series([4.5, None, 3.0]))
    state = advance({}, {FIRST: rows}, ITEMS, shop(), FIRST).filter(pl.col("entity") == "item")
    assert state.select("item_id", "ratings", "rating_sum", "priced", "price_sum").rows() == [
        ("scarf", 1, 3 * SCALE, 0, 0),
        # the logged price, and the catalogue's 50 where none was logged
        ("shoe", 1, int(4.5 * SCALE), 2, 1_000 + 50 * SCALE),
    ]


def test_first_seen_stays_when_the_sums_have_fallen_out_and_last_seen_does_not():
    days = dict.fromkeys(DAYS, clean(frame())) | {FIRST: clean(frame(event("1", at(FIRST, 9), "hat", click=1)))}
    states = carried(days, shop())
    full = states[DAYS[KEEP - 1]].filter(pl.col("entity") == "user")
    assert full.select("user_id", "exposures", "first_seen", "last_seen").rows() == [("ann", 1, FIRST, FIRST)]
    assert states[DAYS[-1]].select("entity", "user_id", "item_id", "exposures", "first_seen", "last_seen").rows() == [
        ("item", None, "hat", 0, FIRST, None),
        ("user", "ann", None, 0, FIRST, None),
    ]


def test_an_event_of_nobody_counts_for_its_item_only():
    assert of_a_day(event("1", at(FIRST, 9), "hat", user=None))["entity"].to_list() == ["item", "item_today"]


def test_an_item_that_the_catalogue_lacks_counts_in_no_category():
    state = of_a_day(event("1", at(FIRST, 9), "scarf"))
    assert state.filter(pl.col("entity").str.starts_with("user_category")).height == 0
    assert state.filter(pl.col("entity") == "item")["item_id"].to_list() == ["scarf"]


def test_a_day_without_events_keeps_the_sums():
    rows = {FIRST: clean(frame(event("1", at(FIRST, 9), "hat"))), DAYS[1]: clean(frame())}
    states = carried(rows, shop(), upto=DAYS[1])
    assert states[DAYS[1]].equals(sums(states[FIRST]))
    assert empty_history().schema == SCHEMA


# -- when an outcome counts --------------------------------------------------------------------------------------------


def clicks_by_day(rows, of, entity="user_today"):
    states = carried(dict.fromkeys(DAYS, clean(frame())) | {FIRST: rows}, of)
    counts = {day: state.filter(pl.col("entity") == entity)["clicks"].sum() for day, state in states.items()}
    return [day for day, count in counts.items() if count]


def clicked(time, value=1):
    rows = clean(frame(event("1", at(FIRST, 9), "hat", click=value)))
    return rows.with_columns(click_time=pl.lit(time, pl.Datetime("us", "UTC")))


def test_an_outcome_counts_on_the_day_of_its_own_time():
    assert clicks_by_day(clicked(at(DAYS[1], 8)), WORLDS["timed"]) == [DAYS[1]]
    # It is known to have happened although its value is not final.
    assert clicks_by_day(clicked(at(DAYS[1], 8), value=None), WORLDS["timed"]) == [DAYS[1]]
    # A clock that is wrong makes nothing known before its event.
    assert clicks_by_day(clicked(at(FIRST - timedelta(days=1), 8)), WORLDS["timed"]) == [FIRST]


def test_an_outcome_without_a_time_counts_when_it_is_final():
    assert clicks_by_day(clicked(None), WORLDS["timed"]) == [DAYS[MATURE]]
    assert clicks_by_day(clicked(at(FIRST, 10)), WORLDS["slow"]) == [DAYS[MATURE]]
    assert clicks_by_day(clicked(None), WORLDS["at_once"]) == [FIRST]
    assert clicks_by_day(clicked(None, value=None), WORLDS["slow"]) == []


def test_a_rating_counts_when_its_value_is_final():
    columns = COLUMNS | {"rating_time": "rating_time"}
    of = source(events={"folder": "e", "columns": columns}, outcomes=SLOW, history_days=KEEP)
    rows = clean(frame(event("1", at(FIRST, 9), "hat"))).with_columns(
        rating=pl.lit(4.0), rating_time=pl.lit(at(FIRST, 12), pl.Datetime("us", "UTC"))
    )
    states = carried(dict.fromkeys(DAYS, clean(frame())) | {FIRST: rows}, of)
    assert [d for d, s in states.items() if s.filter(pl.col("entity") == "item_today")["ratings"].sum()] == [
        DAYS[MATURE]
    ]


def test_an_outcome_that_comes_after_all_that_is_looked_at_is_named():
    assert reach(WORLDS["timed"]) == MATURE
    assert days_read(WORLDS["timed"], DAYS[1]) == DAYS[:2]
    assert days_read(WORLDS["timed"], DAYS[4]) == DAYS[2:5]
    assert too_late(clicked(at(DAYS[MATURE + 1], 1)), WORLDS["timed"], FIRST) == 1
    assert too_late(clicked(at(DAYS[MATURE], 1)), WORLDS["timed"], FIRST) == 0
    assert clicks_by_day(clicked(at(DAYS[MATURE + 1], 1)), WORLDS["timed"]) == []


@pytest.mark.train
@a_quarter
@given(st.integers(0, 10_000), st.integers(0, len(DAYS) - 2))
def test_what_becomes_known_later_changes_no_earlier_state(seed, k):
    """Events of earlier days are cleaned again as their outcomes come: the states of before then stay."""
    of, days, today = WORLDS["timed"], random_days(seed), DAYS[k]
    end = pl.lit(at(today, 0) + timedelta(days=1))

    def as_seen_on_the_day(rows, event_day):
        # What lies ahead has no time; a value is null until it is final.
        final = event_day + timedelta(days=MATURE) <= today
        ahead = {c: pl.col(c) >= end for c in ("click_time", "purchase_time")}
        rows = rows.with_columns(
            pl.when(pl.lit(final)).then(pl.when(~ahead[f"{c}_time"].fill_null(False)).then(c)).alias(c)
            for c in ("click", "purchase")
        )
        rows = rows.with_columns(rating=pl.when(pl.lit(final)).then("rating"))
        return rows.with_columns(pl.when(~late).then(c).alias(c) for c, late in ahead.items())

    then = {day: as_seen_on_the_day(rows, day) for day, rows in days.items() if day <= today}
    # A click that came after `today` is no click as of today, and its count is not yet there.
    assert carried(then, of, upto=today)[today].equals(carried(days, of, upto=today)[today])


# -- how it is carried -------------------------------------------------------------------------------------------------


@pytest.mark.train
@a_quarter
@of_each_world
@given(seed=st.integers(0, 10_000))
def test_the_sums_are_those_of_the_days_own_counts_within_the_window(world, seed):
    states = carried(random_days(seed), WORLDS[world])
    for k, day in enumerate(DAYS):
        window = pl.concat([states[d] for d in DAYS[max(0, k - KEEP + 1) : k + 1]])
        today = window.filter(pl.col("entity").str.ends_with("_today"))
        keys = ["entity", "user_id", "item_id", "category"]
        again = today.with_columns(pl.col("entity").str.strip_suffix("_today")).group_by(keys).agg(pl.col(COUNTS).sum())
        counted = pl.any_horizontal(pl.col(COUNTS) != 0)
        have = sums(states[day]).select(*keys, pl.col(COUNTS).fill_null(0)).filter(counted)
        assert have.sort(keys).equals(again.filter(counted).sort(keys).select(have.columns))


@pytest.mark.train
@a_quarter
@of_each_world
@given(seed=st.integers(0, 10_000), stop=st.integers(1, 7), data=st.data())
def test_stopping_a_late_row_and_going_on_end_in_the_bytes_of_a_build_from_nothing(world, seed, stop, data):
    of, days = WORLDS[world], random_days(seed)
    before = carried(days, of)
    rng = np.random.default_rng(seed + 1)
    changed = DAYS[data.draw(st.integers(0, 8))]
    late = days | {changed: pl.concat([days[changed], random_day(changed, rng, 1)])}
    fresh = carried(late, of)
    # Days before the late row's stay; from there on they are built again in order.
    assert all(fresh[day].equals(before[day]) for day in DAYS if day < changed)
    kept = {day: state for day, state in before.items() if day < changed}
    again = carried(late, of, states=kept)
    assert all(again[day].equals(fresh[day]) for day in DAYS)
    assert carried(days, of, states={d: before[d] for d in DAYS[:stop]})[DAYS[-1]].equals(before[DAYS[-1]])


@of_each_world
@pytest.mark.parametrize("seed", range(4))
def test_the_influence_of_a_late_event_ends(world, seed):
    """Of a user and an item that are known already: when its last outcome leaves, nothing tells the two pasts apart."""
    of, days = WORLDS[world], random_days(seed)
    everybody = (event(f"{u}{i}", at(FIRST, 1), i, user=u) for u in ("ann", "bob") for i in ITEMS["item_id"])
    days[FIRST] = clean(frame(*everybody))
    late = days | {FIRST: pl.concat([days[FIRST], clean(frame(event("late", at(FIRST, 2), "hat", click=1)))])}
    one, other = carried(days, of), carried(late, of)
    ends = KEEP + reach(of)
    assert not one[DAYS[KEEP - 1]].equals(other[DAYS[KEEP - 1]])
    assert all(one[day].equals(other[day]) for day in DAYS[ends:])


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_events_does_not_matter(seed):
    days = random_days(seed)
    reversed_days = {day: rows.reverse() for day, rows in days.items()}
    assert all(
        one.equals(other)
        for one, other in zip(carried(days, shop()).values(), carried(reversed_days, shop()).values(), strict=True)
    )


def test_a_state_is_read_of_the_day_before_and_of_the_day_that_leaves_and_of_no_other():
    of, days = shop(), random_days(1)
    states = carried(days, of)
    assert [leaving_days(of, day) for day in DAYS[:5]] == [[], [], [], [DAYS[0]], [DAYS[1]]]
    assert states_read(of, DAYS[5]) == [DAYS[2], DAYS[4]]
    two = {DAYS[5]: states[DAYS[5]], DAYS[3]: states[DAYS[3]]}
    assert advance(two, {DAYS[6]: days[DAYS[6]]}, ITEMS, of, DAYS[6]).equals(states[DAYS[6]])
    with pytest.raises(KeyError):
        advance({DAYS[5]: states[DAYS[5]]}, days, ITEMS, of, DAYS[6])


@pytest.mark.train
@a_quarter
@of_each_world
@given(seed=st.integers(0, 10_000), gaps=st.sets(st.integers(0, 8), max_size=7))
def test_days_without_tables_are_as_days_without_events_to_the_last_that_has_some(world, seed, gaps):
    """What became known on a day without tables counts on the next that has some; what leaves then leaves later."""
    of, days = WORLDS[world], random_days(seed)
    gone = {DAYS[k] for k in gaps}
    days = {day: clean(frame()) if day in gone else rows for day, rows in days.items()}
    dense, sparse = carried(days, of), {}
    there = [day for day in DAYS if day not in gone]
    for day in there:
        needed = {d: sparse[d] for d in states_read(of, day, there.__contains__)}
        given_events = {d: days[d] for d in days_read(of, day, there.__contains__)}
        assert set(given_events) <= set(there)
        sparse[day] = advance(needed, given_events, ITEMS, of, day, there.__contains__)
        columns = ["entity", "user_id", "item_id", "exposures", "first_seen", "last_seen"]
        known = (pl.col("exposures") > 0) | pl.col("first_seen").is_not_null()
        one, other = (sums(states[day]).select(columns).filter(known) for states in (dense, sparse))
        assert one.equals(other)
        if reach(of) == 0:
            assert sums(dense[day]).equals(sums(sparse[day]))


def test_a_window_of_one_day_is_that_day():
    of, days = source(history_days=1, outcomes={"click": {}}), random_days(2)
    states = {}
    for day in DAYS:
        states[day] = advance(states, days, ITEMS, of, day)
    for state in states.values():
        today = state.filter(pl.col("entity") == "user_category_today").drop("entity")
        assert state.filter(pl.col("entity") == "user_category").drop("entity").equals(today)


def test_a_state_is_within_its_window_or_is_not():
    state = of_a_day(event("1", at(FIRST, 9), "hat"))
    assert within_window(empty_history(), FIRST, KEEP)
    assert within_window(state, DAYS[KEEP - 1], KEEP)
    assert not within_window(state, DAYS[KEEP], KEEP)
    assert not within_window(state, FIRST - timedelta(days=1), KEEP)
