"""Units and their covariates: what they are, and that nothing of the day itself enters them."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from causalrec_assets.logs.covariates import (
    as_of,
    as_of_covariates,
    context_covariates,
    covariate_names,
    item_covariates,
    pair_covariates,
)
from causalrec_assets.logs.history import advance, empty_history
from causalrec_assets.logs.units import action_context, build_units, cluster_codes, unit_roles
from tests.logs.worlds import FIRST, ITEMS, SECOND, at, clean, event, frame, source, without_user

OUTCOMES = ["click", "purchase", "rating", "revenue"]
YESTERDAY = clean(
    frame(
        event("y1", at(FIRST, 9), "shoe", click=1),
        event("y2", at(FIRST, 10), "sock"),
        event("y3", at(FIRST, 11), "hat", user="bob"),
    )
)
TODAY = clean(
    frame(
        event("t1", at(SECOND, 9), "shoe", click=1, purchase=1),
        event("t2", at(SECOND, 22), "hat", user="eve"),
    )
)


def history(*events, upto=FIRST):
    """The state at the end of each day's events, the last of which is `upto`."""
    state = empty_history()
    for back, rows in enumerate(reversed(events)):
        state = advance(state, rows, ITEMS, upto - timedelta(days=len(events) - 1 - back), 3)
    return state


def units(events=TODAY, before=None, of=None):
    of = of or source()
    state = history(YESTERDAY) if before is None else before
    return build_units(events, state if of.has("user_id") else None, ITEMS, of, SECOND)


def test_covariates_are_what_was_known_at_the_end_of_the_day_before():
    first = units().row(0, named=True)
    assert {name: first[name] for name in ("user_exposures", "user_clicks", "user_tenure_days", "item_exposures")} == {
        "user_exposures": 2,
        "user_clicks": 1,
        "user_tenure_days": 1,
        "item_exposures": 1,
    }
    # (1 click + 0.1 x 10) / (2 exposures + 10) in the category, (1 + 1) / (1 + 10) of the item
    assert first["user_category_click_rate"] == pytest.approx(2 / 12)
    assert first["item_click_rate"] == pytest.approx(2 / 11)
    assert (first["hour"], first["weekday"], first["device"]) == (9, 2, "phone")
    assert (first["category"], first["price"], first["item_age_days"]) == ("feet", 50.0, 2)


def test_a_user_and_an_item_that_were_never_seen_have_zeros_and_the_priors_rate():
    never = units(before=empty_history()).row(1, named=True)
    assert (
        never["user_exposures"],
        never["user_clicks"],
        never["user_tenure_days"],
        never["item_exposures"],
    ) == (0, 0, 0, 0)
    assert never["user_category_click_rate"] == pytest.approx(0.1)
    assert never["item_click_rate"] == pytest.approx(0.1)


def test_an_item_that_the_catalogue_lacks_has_nulls_and_the_unit_stays():
    unit = units(clean(frame(event("t", at(SECOND, 9), "scarf")))).row(0, named=True)
    assert (unit["category"], unit["price"], unit["item_age_days"]) == (None, None, None)
    assert unit["item_click_rate"] == pytest.approx(0.1)


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
    carried = advance(advance(before, today, ITEMS, SECOND, 3), later, ITEMS, SECOND + timedelta(days=1), 3)
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
    assert {roles[name] for name in OUTCOMES} == {"outcome"}
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
