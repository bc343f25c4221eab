"""Column lineage: complete, naming columns that exist, and true: what is not named changes nothing."""

from datetime import timedelta
from functools import lru_cache

import numpy as np
import polars as pl
import pytest

from causalrec.logs.cleaning.clean import event_types
from causalrec.logs.landing.snapshots import ITEM_TYPES, item_snapshot, user_snapshot
from causalrec.logs.units.history import SCHEMA, advance
from causalrec.logs.units.lineage import (
    clean_events_lineage,
    history_lineage,
    items_lineage,
    units_lineage,
    users_lineage,
)
from causalrec.logs.units.units import build_units
from causalrec.settings.logs.calendar import Calendar
from causalrec.settings.logs.covariates import CovariateSettings
from tests.logs.worlds import (
    FIRST,
    ITEMS,
    SECOND,
    SETTINGS,
    at,
    clean,
    cleaned,
    event,
    frame,
    land,
    source,
)

COLUMNS = SETTINGS["events"]["columns"]
ITEM_COLUMNS = SETTINGS["items"]["columns"]
UPSTREAM = {
    "items": {"landed_items"},
    "users": {"landed_users"},
    "clean_events": {"landed_events"},
    "history": {"clean_events", "items", "history"},
    "units": {"clean_events", "items", "users", "history"},
}
MAKERS = {
    "items": items_lineage,
    "users": users_lineage,
    "clean_events": clean_events_lineage,
    "history": history_lineage,
    "units": units_lineage,
}


def events_with(**changes):
    columns = {k: v for k, v in (COLUMNS | changes).items() if v is not None}
    return {"folder": "events", "columns": columns}


SOURCES = {
    name: source(**{"outcomes": {"click": {}, "purchase": {}}} | changes)
    for name, changes in {
        "whole": {"users": {"columns": {"user_id": "uid", "region": "where"}}},
        "rated_and_timed": {
            "events": events_with(
                rating="stars", rating_time="rated_at", click_time="clicked_at", campaign_id="campaign"
            ),
            "outcomes": {"click": {"maturity_days": 2}, "purchase": {}, "rating": {}},
        },
        "without_user": {"events": events_with(user_id=None)},
        "logged_price": {"events": events_with(price="paid"), "items": {"columns": {"item_id": "item_id"}}},
        "both_prices": {"events": events_with(price="paid")},
        "item_extra": {"items": {"columns": {**ITEM_COLUMNS, "brand": "maker"}, "extra": {"brand": "text"}}},
        "category_of_the_event": {
            "events": events_with(category="section"),
            "context": {"device": "text", "category": "text"},
        },
        "extra_of_both": {
            "items": {"columns": {**ITEM_COLUMNS, "device": "for_device"}, "extra": {"device": "text"}},
        },
        "without_items": {"items": None},
        "without_event_id": {"events": events_with(event_id=None)},
        "constant": {
            "events": {**events_with(recommended=None), "constants": {"recommended": 1}},
            "organic_rows": "none",
        },
    }.items()
}
of_each_source = pytest.mark.parametrize("name", sorted(SOURCES))
# The other two differ in `clean_events` only.
of_each_history = pytest.mark.parametrize("name", sorted(SOURCES.keys() - {"without_event_id", "constant"}))


# -- a world that every source can read ----------------------------------------------------------------------------

SETTINGS_OF = CovariateSettings(Calendar(holidays={SECOND: "a holiday"}))
USERS = pl.DataFrame({"user_id": ["ann", "bob"], "region": ["north", "south"]})
CATALOGUE = ITEMS.with_columns(
    brand=pl.Series(["a", "b", "c"]), price=pl.Series([20.0, 50.0, None]), device=pl.Series(["phone", "desk", "desk"])
)


def some_events(day, count, rng, of, users=("ann", "bob", "eve")):
    """Clean events of random users and items, one of which the catalogue does not have."""
    rows = clean(
        frame(
            *(
                event(
                    f"{day}-{k}",
                    at(day, int(rng.integers(19))),
                    str(rng.choice(["hat", "shoe", "sock", "scarf"])),
                    user=str(rng.choice(users)),
                    click=int(rng.integers(2)),
                    purchase=int(rng.integers(2)),
                )
                for k in range(count)
            )
        )
    )
    hours, stars = rng.integers(0, 3, count), rng.integers(1, 6, count)
    rows = rows.with_columns(
        rating=pl.Series([float(n) if n > 1 else None for n in stars], dtype=pl.Float64),
        price=pl.Series([float(n) if n > 1 and of.has("price") else None for n in stars], dtype=pl.Float64),
        rating_time=pl.col("time") + pl.duration(hours=pl.Series(hours)),
        click_time=pl.col("time") + pl.duration(hours=pl.Series(hours)),
    )
    extra = {"category": rng.choice(["feet", "head"], count)} if "category" in of.context else {}
    return rows.with_columns(pl.Series(name, values.tolist()) for name, values in extra.items())


WINDOW = [SECOND - timedelta(days=k) for k in (2, 1, 0)]


def in_order(name):
    """The source, with a first day that leaves room for the days before, and a window of two days."""
    return SOURCES[name].model_copy(update={"first_day": WINDOW[0], "history_days": 2})


@lru_cache
def upstream_of_a_day(name, seed):
    """The tables that `history` and `units` of a day are made from."""
    of, rng = in_order(name), np.random.default_rng(seed)
    # Not everybody is first seen on the same day, nor last.
    users = [("ann", "bob"), ("bob", "eve"), ("ann", "eve")]
    events = {day: some_events(day, 10, rng, of, who) for day, who in zip(WINDOW, users, strict=True)}
    states = {}
    if of.has("user_id"):
        for day in WINDOW[:-1]:
            states[day] = advance(states, events, CATALOGUE, of, day)
    return {
        "clean_events": events[SECOND],
        "items": CATALOGUE,
        "users": USERS,
        "history": states.get(WINDOW[1]),
        "earlier": (states, events),
    }


def changed(rows, column, by):
    """The column with other values of its type; what was equal stays equal, so that a key stays a key."""
    values, dtype = rows[column], rows.schema[column]
    if column == "entity":
        # Another kind would break the state (who is first seen twice?): a kind that nobody sums.
        gone = pl.int_range(pl.len()) % 3 == by % 3
        return rows.with_columns(entity=pl.when(gone).then(pl.lit("-")).otherwise("entity"))
    if dtype == pl.String:
        known = values.drop_nulls().unique().sort().to_list()
        # Every other time all become one another, else the first becomes one that nobody has heard of.
        others = known[1:] + known[:1] if by % 2 and len(known) > 1 else ["another", *known[1:]]
        return rows.with_columns(
            values.fill_null("") if not known else values.replace(dict(zip(known, others, strict=True)))
        )
    if dtype == pl.Date:
        return rows.with_columns(pl.col(column) - pl.duration(days=by + 1))
    if isinstance(dtype, pl.Datetime):
        values = pl.col(column).fill_null(at(SECOND, 3))
        return rows.with_columns(values + pl.duration(hours=29 + 24 * 31 * by))
    return rows.with_columns((pl.col(column).fill_null(0) + 1 + by).cast(dtype))


def differing(one, other):
    return {column for column in one.columns if not one[column].equals(other[column], null_equal=True)}


SEEDS = range(4)


def named(made, table, column):
    return {of for of, upstream in made.items() if (table, column) in upstream}


def units_of(upstream, of):
    before = upstream["history"] if of.has("user_id") else None
    users = upstream["users"] if of.user_columns else None
    return build_units(upstream["clean_events"], before, upstream["items"], of, SECOND, users, SETTINGS_OF)


@of_each_history
@pytest.mark.parametrize("table", ["clean_events", "items", "users", "history"])
def test_a_units_column_changes_with_what_its_lineage_names_and_with_nothing_else(name, table):
    of, made = SOURCES[name], units_lineage(SOURCES[name], SETTINGS_OF)
    if table == "history" and not of.has("user_id"):
        assert not any(named(made, table, column) for column in SCHEMA)
        return
    whole = [upstream_of_a_day(name, seed) for seed in SEEDS]
    before = [units_of(upstream, of) for upstream in whole]
    for column in whole[0][table].columns:
        found = set()
        for seed in SEEDS:
            other = {**whole[seed], table: changed(whole[seed][table], column, seed)}
            found |= differing(before[seed], units_of(other, of))
        assert found == named(made, table, column), (
            table,
            column,
            sorted(found - named(made, table, column)),
            sorted(named(made, table, column) - found),
        )


KEY_COLUMNS = ("entity", "user_id", "item_id", "category")


def columns_of(state):
    """Each column of a state with who or what it is of: a key by how often it is counted today, a value by its keys."""
    keys = {"user_id": "user", "item_id": "item", "category": "user_category"}
    parts = {}
    for key, entity in keys.items():
        parts[key] = state.filter(pl.col("entity") == f"{entity}_today").group_by(key).agg(pl.col("exposures").sum())
    for column in [c for c in SCHEMA if c not in (*parts, "entity")]:
        known = state.filter(pl.col(column).is_not_null() & (pl.col(column).cast(pl.Int64) != 0))
        parts[column] = known.select("entity", *keys, column)
    return {c: rows.sort(pl.all()) for c, rows in parts.items()}


def state_of(upstream, of):
    states, events = upstream["earlier"]
    earlier = states | {WINDOW[1]: upstream["history"]}
    return advance(earlier, events | {SECOND: upstream["clean_events"]}, upstream["items"], of, SECOND)


@of_each_history
@pytest.mark.parametrize("table", ["clean_events", "items", "history"])
def test_a_historys_column_changes_with_what_its_lineage_names_and_with_nothing_else(name, table):
    of, made = in_order(name), history_lineage(SOURCES[name])
    if not of.has("user_id"):
        assert set(made.values()) == {()}
        return
    for column in upstream_of_a_day(name, 0)[table].columns:
        found = set()
        for seed in SEEDS:
            upstream = upstream_of_a_day(name, seed)
            one = columns_of(state_of(upstream, of))
            other = columns_of(state_of({**upstream, table: changed(upstream[table], column, seed)}, of))
            found |= {c for c in one if not one[c].equals(other[c])}
        # Who was there before stays: what becomes of an entity is seen in its values.
        found |= named(made, table, column) & set(KEY_COLUMNS) if table == "history" else set()
        assert found == named(made, table, column), (
            table,
            column,
            sorted(found - named(made, table, column)),
            sorted(named(made, table, column) - found),
        )


# -- landed files --------------------------------------------------------------------------------------------------


def landed(of, rows=4):
    """A landed file for a source: its own names, a value in every column."""
    made = {"not_mapped": list(range(rows))}
    for ours, theirs in of.columns.items():
        dtype = event_types(of)[ours]
        if isinstance(dtype, pl.Datetime):
            # An outcome comes after its event.
            made[theirs] = [at(SECOND, (9 if ours == "time" else 19) + k) for k in range(rows)]
            continue
        number = [1.5 + k for k in range(rows)] if dtype.is_float() else [k % 2 for k in range(rows)]
        made[theirs] = number if dtype.is_numeric() else [f"{theirs}{k}" for k in range(rows)]
    if "action_propensity" in made and "recommended" in made:
        # Nobody chose an organic row.
        made["action_propensity"] = [p if r else None for p, r in zip(*(made[c] for c in CHOICE), strict=True)]
    return pl.DataFrame(made)


CHOICE = ("action_propensity", "recommended")


def land_changed(rows, column):
    """Other values, in rows that are still believed."""
    if column in ("recommended", "click"):
        return rows.with_columns(pl.lit(1).alias(column))
    if column == "purchase":
        return rows.with_columns(pl.lit(0).alias(column))
    if isinstance(rows.schema[column], pl.Datetime):
        return rows.with_columns(pl.col(column) + pl.duration(minutes=7))
    if rows.schema[column] == pl.String:
        return rows.with_columns(pl.col(column) + "'")
    return rows.with_columns(pl.col(column) + 1)


@of_each_source
def test_a_clean_events_column_changes_with_the_landed_one_and_with_nothing_else(name, tmp_path):
    of, rows = SOURCES[name], landed(SOURCES[name])

    def events(rows, folder):
        land(tmp_path / folder, "a.parquet", rows)
        return cleaned(tmp_path / folder, SECOND, of).events

    made, before = clean_events_lineage(of), events(rows, "before")
    assert list(made) == before.columns
    for column in rows.columns:
        after = events(land_changed(rows, column), column)
        assert differing(before, after) == named(made, "landed_events", column), column


@of_each_source
def test_a_snapshots_column_changes_with_the_landed_one_and_with_nothing_else(name, tmp_path):
    of = SOURCES[name]
    for columns, table, make, made in (
        (of.item_columns, "landed_items", item_snapshot, items_lineage(of)),
        (of.user_columns, "landed_users", user_snapshot, users_lineage(of)),
    ):
        if not columns:
            assert set(made.values()) == {()}
            continue
        numbers = {theirs for ours, theirs in columns.items() if ours == "price"}
        dates = {theirs for ours, theirs in columns.items() if ours == "published_at"}
        rows = pl.DataFrame({c: [1.5, 2.5] if c in numbers else [f"{c}1", f"{c}2"] for c in columns.values()})
        rows = rows.with_columns(pl.lit(FIRST).alias(c) for c in dates)

        def snapshot(rows, make=make):
            rows.write_parquet(tmp_path / "rows.parquet")
            return make([tmp_path / "rows.parquet"], of)

        before = snapshot(rows)
        assert list(made) == before.columns
        for column in rows.columns:
            after = snapshot(
                rows.with_columns(pl.lit(SECOND).alias(column)) if column in dates else land_changed(rows, column)
            )
            assert differing(before, after) == named(made, table, column), column


# -- completeness --------------------------------------------------------------------------------------------------


def known_columns(of, table):
    own = {"landed_events": of.columns, "landed_items": of.item_columns, "landed_users": of.user_columns}
    if table in own:
        return set(own[table].values())
    return set(MAKERS[table](of))


@of_each_source
@pytest.mark.parametrize("table", sorted(MAKERS))
def test_every_column_that_is_named_exists_and_is_named_once(name, table):
    of = SOURCES[name]
    for column, upstream in MAKERS[table](of).items():
        assert len(set(upstream)) == len(upstream), column
        for of_table, of_column in upstream:
            assert of_table in UPSTREAM[table]
            assert of_column in known_columns(of, of_table), (column, of_table, of_column)


@of_each_source
def test_every_column_has_an_entry_and_only_what_comes_from_no_column_has_an_empty_one(name):
    of = SOURCES[name]
    upstream = upstream_of_a_day(name, 0)
    made = units_lineage(of, SETTINGS_OF)
    assert list(made) == units_of(upstream, of).columns
    lists = {"unknown_item": of.item_columns, "unknown_user": of.user_columns}
    assert {c for c, by in made.items() if not by} == {"day", *(c for c, listed in lists.items() if not listed)}
    assert list(history_lineage(of)) == list(SCHEMA)
    assert list(items_lineage(of)) == [*ITEM_TYPES, *of.item_extra]
    empty = [c for c, by in clean_events_lineage(of).items() if not by]
    assert empty == [c for c in event_types(of) if c not in of.columns and c != "event_id"]
