"""Units: one per event, with roles, and nothing of the day itself in their covariates."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.covariates import (
    as_of,
    as_of_covariates,
    context_covariates,
    covariate_names,
    item_covariates,
    pair_covariates,
)
from causalrec.logs.units.units import action_context, build_units, unit_roles, write_units
from tests.examples import a_quarter
from tests.logs.two_days import OUTCOMES, TODAY, YESTERDAY, history, units
from tests.logs.worlds import FIRST, ITEMS, SECOND, SETTINGS, at, clean, event, frame, source, without_user


def test_slices_do_not_matter(tmp_path):
    past, today = days(3)
    state, path = as_of(history(*past), SECOND, source()), tmp_path / "clean.parquet"
    today.write_parquet(path)
    whole = units(today, history(*past))
    written = set()
    for rows in (1, 7, 1000):
        write_units(pl.scan_parquet(path), state, ITEMS, source(), tmp_path / "units.parquet", slice_rows=rows)
        assert pl.read_parquet(tmp_path / "units.parquet").equals(whole)
        written.add((tmp_path / "units.parquet").read_bytes())
    assert len(written) == 1
    today.clear().write_parquet(path)
    write_units(pl.scan_parquet(path), state, ITEMS, source(), tmp_path / "empty.parquet")
    assert pl.read_parquet_schema(tmp_path / "empty.parquet") == whole.schema


@pytest.mark.train
@a_quarter
@given(st.integers(0, 10_000), st.integers(0, 2))
def test_an_outcome_that_was_not_known_the_day_before_changes_no_covariate(seed, back):
    """Whatever becomes of the past days' events from the unit's day on: their outcomes come, or do not."""
    columns = SETTINGS["events"]["columns"] | {"click_time": "t1", "purchase_time": "t2"}
    of = source(
        events={"folder": "events", "columns": columns},
        outcomes={"click": {"maturity_days": 2}, "purchase": {"maturity_days": 2}},
        first_day=FIRST - timedelta(days=2),
    )
    past, today = days(seed)
    rng = np.random.default_rng(seed)

    def with_outcomes(rows, value, hours):
        time = pl.Series([at(SECOND, 0) + timedelta(hours=int(h)) for h in hours], dtype=pl.Datetime("us", "UTC"))
        return rows.with_columns(
            pl.lit(value, pl.Int8).alias("click"),
            pl.lit(value, pl.Int8).alias("purchase"),
            click_time=time,
            purchase_time=time,
        )

    later = with_outcomes(past[back], 1, rng.integers(0, 40, past[back].height))
    not_yet = past[back].with_columns(click=pl.lit(None, pl.Int8), purchase=pl.lit(None, pl.Int8))
    was, came = [*past], [*past]
    was[back], came[back] = not_yet, later
    if FIRST + timedelta(days=back - 2) + timedelta(days=2) <= FIRST:
        # Final by then: an outcome without a time counts, so what did not happen is 0, not unknown.
        was[back] = past[back].with_columns(click=pl.lit(0, pl.Int8), purchase=pl.lit(0, pl.Int8))
    before, after = history(*was, of=of), history(*came, of=of)
    assert covariates(build_units(today, before, ITEMS, of, SECOND)).equals(
        covariates(build_units(today, after, ITEMS, of, SECOND))
    )


@pytest.mark.train
@a_quarter
@given(st.integers(0, 10_000))
def test_changing_other_units_of_the_day_changes_no_covariate_of_a_unit(seed):
    past, today = days(seed)
    before, rng = history(*past), np.random.default_rng(seed)
    whole = covariates(units(today, before))
    kept = pl.Series(rng.integers(0, 2, today.height).astype(bool))
    others = today.with_columns(
        item_id=pl.when(kept).then("item_id").otherwise(pl.lit("hat")), click=pl.lit(1, pl.Int8)
    )
    assert covariates(units(others, before)).filter(kept).equals(whole.filter(kept))


def test_the_logged_price_goes_before_the_catalogues():
    priced = TODAY.with_columns(price=pl.Series([45.0, None]))
    assert units(priced)["price"].to_list() == [45.0, 20.0]


def test_there_is_one_unit_per_event_in_the_events_order():
    many = clean(
        frame(*(event(f"{k}", at(SECOND, k % 24), ["hat", "shoe", "sock"][k % 3], user=f"u{k % 5}") for k in range(60)))
    )
    built = units(many)
    assert built["unit_id"].to_list() == many["event_id"].to_list()
    assert built.select(OUTCOMES).equals(many.select(OUTCOMES))


def test_a_day_without_events_has_no_units_and_all_columns():
    assert units(TODAY.clear()).height == 0
    assert units(TODAY.clear()).schema == units().schema


def covariates(built):
    return built.select("unit_id", *covariate_names(source()))


def days(seed):
    """Four days of random events; the last is the day of the units."""
    rng = np.random.default_rng(seed)

    def events(day, count):
        return clean(
            frame(
                *(
                    event(
                        f"{day}-{k}",
                        at(day, int(rng.integers(24))),
                        str(rng.choice(["hat", "shoe", "sock", "scarf"])),
                        user=str(rng.choice(["ann", "bob", "eve"])),
                        click=int(rng.integers(2)),
                    )
                    for k in range(count)
                )
            )
        )

    return [events(FIRST + timedelta(days=k - 2), 8) for k in range(3)], events(SECOND, 12)


@pytest.mark.parametrize("seed", range(8))
def test_changing_an_outcome_of_the_day_changes_no_covariate_of_the_day(seed):
    past, today = days(seed)
    before = history(*past)
    rng = np.random.default_rng(seed + 100)
    flipped = today.with_columns(
        click=pl.Series(rng.integers(0, 2, today.height), dtype=pl.Int8),
        purchase=pl.lit(1, pl.Int8),
        rating=pl.lit(5.0),
        revenue=pl.lit(99.0),
    )
    assert covariates(units(flipped, before)).equals(covariates(units(today, before)))


@pytest.mark.parametrize("seed", range(8))
def test_events_of_the_day_or_later_change_no_covariate_of_another_unit(seed):
    """The state of the days before is carried whole; the day's own and a later day's events come after it."""
    past, today = days(seed)
    before = history(*past)
    alone = units(today.head(1), before)
    assert covariates(units(today, before).head(1)).equals(covariates(alone))
    later = clean(frame(event("later", at(SECOND + timedelta(days=1), 0), "hat", user="ann", click=1)))
    carried = history(*past, today, later, upto=SECOND + timedelta(days=1))
    assert not carried.equals(before)
    assert covariates(units(today, before)).equals(covariates(units(today, history(*past))))


@pytest.mark.parametrize("seed", range(4))
def test_an_event_of_the_day_before_does_change_covariates(seed):
    """Else the tests above would hold of covariates that are constant."""
    past, today = days(seed)
    more = [
        *past[:-1],
        pl.concat([past[-1], clean(frame(event("x", at(FIRST, 1), "hat", user="ann", click=1)))]),
    ]
    changed = covariates(units(today, history(*more))) != covariates(units(today, history(*past)))
    assert changed.select(pl.exclude("unit_id")).to_numpy().any()


def test_units_and_candidates_have_the_same_covariates():
    """The policy scores contexts against items piece by piece; the pieces are those of the units."""
    of, state = source(), as_of(history(YESTERDAY), SECOND, source())
    contexts = TODAY.select("time", "user_id", "device").unique(maintain_order=True)
    pairs = contexts.join(ITEMS.select("item_id"), how="cross", maintain_order="left_right")
    whole = as_of_covariates(pairs, state, ITEMS, of)
    pieces = context_covariates(contexts, state).join(
        item_covariates(ITEMS, state, of), how="cross", maintain_order="left_right"
    )
    pieces = pair_covariates(pieces, state)
    names = covariate_names(of)
    assert whole.select(names).equals(pieces.select(names))


def test_as_of_covariates_keep_the_rows_and_their_order():
    pairs = pl.DataFrame(
        {
            "item_id": ["sock", "hat", "sock", "scarf"],
            "user_id": ["bob", "ann", "eve", None],
            "device": "phone",
        }
    )
    rows = as_of_covariates(
        pairs.with_columns(time=pl.lit(at(SECOND, 5))),
        as_of(history(YESTERDAY), SECOND, source()),
        ITEMS,
        source(),
    )
    assert rows.select("item_id", "user_id").equals(pairs.select("item_id", "user_id"))


def test_every_column_has_a_role():
    roles = unit_roles(source())
    assert {column: roles[column] for column in units().columns}.keys() == set(units().columns)
    assert roles["recommended"] == "treatment"
    assert roles["position"] == "mediator"
    assert {roles[name] for name in (*OUTCOMES, "click_time", "purchase_time", "rating_time")} == {"outcome"}
    assert {roles[name] for name in ("experiment_id", "variant", "unknown_item", "unknown_user")} == {"logging"}
    assert {roles[name] for name in ("policy", "action_propensity", "request_id")} == {"logging"}
    assert {roles[name] for name in covariate_names(source())} == {"pre_treatment"}


def test_only_pre_treatment_columns_are_covariates():
    roles = unit_roles(source())
    assert [name for name in units().columns if roles[name] == "pre_treatment"] == covariate_names(source())


def test_a_price_that_nobody_knows_is_no_covariate():
    of = source(items={"columns": {"item_id": "item_id", "category": "category"}})
    assert "price" not in covariate_names(of)
    assert unit_roles(of)["price"] == "logging"
    assert units(of=of)["price"].to_list() == [None, None]


def test_without_a_user_id_there_is_no_history_and_no_column_of_it():
    of = without_user()
    built = units(of=of)
    assert [name for name in built.columns if name.startswith("user_") and name != "user_id"] == []
    assert not {"item_exposures", "item_click_rate"} & set(built.columns)
    assert built["user_id"].to_list() == ["ann", "eve"]


def test_without_categories_there_is_no_click_rate_in_a_category():
    of = source(items={"columns": {"item_id": "item_id"}})
    assert "user_category_click_rate" not in covariate_names(of)
    assert "item_click_rate" in units(of=of).columns


def test_a_column_of_event_and_item_is_the_events():
    of = source(
        context={"device": "text"},
        items={"columns": {"item_id": "item_id", "device": "device"}, "extra": {"device": "text"}},
    )
    catalogue = ITEMS.select("item_id", pl.lit("catalogue").alias("device"))
    assert build_units(TODAY, history(YESTERDAY), catalogue, of, SECOND)["device"].to_list() == [
        "phone",
        "phone",
    ]


def test_the_action_question_asks_with_context_and_position():
    assert action_context(source()) == ["hour", "weekday", "device", "position"]


def test_clusters_are_users_requests_or_wall_clock_hours():
    built = pl.DataFrame(
        {
            "time": [at(SECOND, 9), at(SECOND, 9, 59), at(SECOND, 10), at(date(2026, 3, 4), 9)],
            "user_id": ["b", "a", "b", "c"],
        }
    )
    assert cluster_codes(built, "hour").tolist() == [1, 1, 2, 3]
    assert cluster_codes(built, "user_id").tolist() == [2, 1, 2, 3]
