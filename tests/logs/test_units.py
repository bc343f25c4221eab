"""Units and their covariates: what they are, and that nothing of the day itself enters them."""

import re
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from causalrec_assets.answers import InputError
from causalrec_assets.logs.calendar import Calendar, parse_calendar
from causalrec_assets.logs.covariate_settings import OPTIONAL, CovariateSettings, parse_leave_out
from causalrec_assets.logs.covariates import (
    as_of,
    as_of_covariates,
    context_columns,
    context_covariates,
    covariate_names,
    item_covariates,
    pair_covariates,
)
from causalrec_assets.logs.history import advance, empty_history
from causalrec_assets.logs.units import action_context, build_units, cluster_codes, unit_roles, write_units
from tests.logs.worlds import FIRST, ITEMS, SECOND, SETTINGS, at, clean, event, frame, source, without_user

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


# As in `source()`, but a purchase is known at once.
AT_ONCE = {"click": {}, "purchase": {}}


def history(*events, upto=FIRST, of=None):
    """The state at the end of `upto`, the day of the last events; those before are of the days before."""
    days = {upto - timedelta(days=back): rows for back, rows in enumerate(reversed(events))}
    of, states = of or source(outcomes=AT_ONCE, first_day=min(days)), {}
    for day in sorted(days):
        states[day] = advance(states, days, ITEMS, of, day)
    return states[upto]


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
    names = ["user_exposures", "user_clicks", "user_purchases", "user_tenure_days", "item_exposures"]
    assert [never[name] for name in names] == [0] * 5
    assert never["user_recency_days"] == 4  # the window's three days, and one
    assert (never["item_purchase_rate"], never["item_price_change"]) == (None, None)
    assert never["user_category_click_rate"] == pytest.approx(0.1)
    assert never["item_click_rate"] == pytest.approx(0.1)


def test_an_item_that_the_catalogue_lacks_has_nulls_and_the_unit_stays():
    unit = units(clean(frame(event("t", at(SECOND, 9), "scarf")))).row(0, named=True)
    assert (unit["category"], unit["price"], unit["item_age_days"]) == (None, None, None)
    assert unit["item_click_rate"] == pytest.approx(0.1)
    assert unit["unknown_item"] == 1


def test_what_was_seen_of_an_item_counts_whether_the_catalogue_has_it_or_not():
    seen = clean(frame(*(event(f"y{k}", at(FIRST, 9), "scarf", click=1) for k in range(2))))
    unit = units(clean(frame(event("t", at(SECOND, 9), "scarf"))), history(seen)).row(0, named=True)
    assert (unit["item_exposures"], unit["unknown_item"]) == (2, 1)
    assert unit["item_click_rate"] == pytest.approx((2 + 1) / (2 + 10))


def test_items_and_users_that_are_not_listed_are_marked():
    users = pl.DataFrame({"user_id": ["ann"]})
    built = build_units(TODAY, history(YESTERDAY), ITEMS.head(1), source(), SECOND, users)
    assert built.select("unknown_item", "unknown_user").rows() == [(1, 0), (0, 1)]
    assert units()["unknown_user"].to_list() == [None, None]
    nobody = build_units(TODAY, history(YESTERDAY), ITEMS.clear(), source(items=None), SECOND)
    assert nobody["unknown_item"].to_list() == [None, None]
    event_of_nobody = clean(frame(event("t", at(SECOND, 9), "hat", user=None)))
    assert build_units(event_of_nobody, history(YESTERDAY), ITEMS, source(), SECOND, users)[
        "unknown_user"
    ].to_list() == [None]


def test_recency_counts_days_since_a_user_was_last_seen_within_the_window():
    days = [clean(frame(event("1", at(FIRST, 9), "hat"))), *[clean(frame())] * 3]
    today = clean(frame(event("t", at(SECOND, 9), "hat")))
    for back in range(1, 5):
        state = history(*days[:back], upto=FIRST)
        unit = build_units(today, state, ITEMS, source(), SECOND).row(0, named=True)
        assert unit["user_recency_days"] == back, back
        assert unit["user_tenure_days"] == back
    assert unit["user_exposures"] == 0


def test_purchases_and_ratings_are_shrunk_to_the_mean_of_what_the_window_saw():
    columns = SETTINGS["events"]["columns"] | {"rating": "rating"}
    of = source(events={"folder": "events", "columns": columns}, outcomes={**AT_ONCE, "rating": {}})
    rows = [
        event("1", at(FIRST, 9), "hat", click=1, purchase=1),
        *(event(f"{k}", at(FIRST, 9), "shoe") for k in range(3)),
    ]
    seen = clean(frame(*rows)).with_columns(rating=pl.Series([5.0, 2.0, None, None]))
    built = build_units(TODAY, history(seen, of=of), ITEMS, of, SECOND)
    # 1 purchase in 4; the hat has 1 of 1, the shoe 0 of 3. Ratings: 3.5 on the mean.
    assert built["item_purchase_rate"].to_list() == pytest.approx([2.5 / 13, 3.5 / 11])
    assert built["item_mean_rating"].to_list() == pytest.approx([(2 + 35) / 11, (5 + 35) / 11])
    assert built["user_purchases"].to_list() == [1, 0]


def test_a_price_change_is_against_the_mean_price_at_which_the_item_was_shown():
    seen = clean(frame(*(event(f"{k}", at(FIRST, 9), "shoe") for k in range(3)))).with_columns(
        price=pl.Series([40.0, 50.0, 60.0])
    )
    today = clean(
        frame(event("1", at(SECOND, 9), "shoe"), event("2", at(SECOND, 9), "shoe"), event("3", at(SECOND, 9), "hat"))
    )
    today = today.with_columns(price=pl.Series([55.0, None, 20.0]))
    assert units(today, history(seen))["item_price_change"].to_list() == [pytest.approx(0.1), 0.0, None]


def test_a_rate_is_at_most_1_although_a_late_outcome_outlives_its_exposure():
    state = history(YESTERDAY).with_columns(clicks=pl.col("clicks") * 500, exposures=pl.lit(0, pl.Int64))
    assert units(before=state)["item_click_rate"].max() == 1.0


def test_a_month_and_a_holiday_are_covariates_where_they_can_differ():
    names = {"month", "holiday"}
    feast, other = (CovariateSettings(Calendar({day: "Feast"})) for day in (SECOND, date(2027, 1, 1)))
    one_month, open_end = source(last_day=date(2026, 3, 31)), source()
    assert names & set(covariate_names(one_month)) == set()
    assert names & set(covariate_names(one_month, other)) == set()
    assert names & set(covariate_names(open_end)) == {"month"}
    assert names & set(covariate_names(source(last_day=SECOND), feast)) == {"holiday"}
    built = build_units(TODAY, history(YESTERDAY), ITEMS, open_end, SECOND, settings=feast)
    assert built.select("month", "holiday").rows() == [(3, 1), (3, 1)]
    assert build_units(TODAY, history(YESTERDAY), ITEMS, open_end, SECOND, settings=other)["holiday"].sum() == 0


@pytest.mark.parametrize(
    ("parse", "given", "said"),
    [
        (parse_calendar, {"feasts": {}}, "unknown ['feasts']"),
        (parse_calendar, {"holidays": ["2026-12-25"]}, "must map dates to names"),
        (parse_calendar, {"holidays": {"christmas": "Christmas"}}, "'christmas' is not a date"),
        (parse_calendar, {"holidays": {date(2026, 12, 25): ""}}, "needs a name"),
        (parse_leave_out, {"keep": []}, "unknown ['keep']"),
        (parse_leave_out, {"leave_out": "month"}, "must be a list"),
        (parse_leave_out, {"leave_out": ["price", "month"]}, "['price'] cannot be left out"),
    ],
)
def test_wrong_settings_of_covariates_are_told(parse, given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        parse(given)


def test_what_is_left_out_is_no_column_of_the_units_and_candidates_still_have_it():
    """A champion that was fitted with it goes on serving."""
    assert parse_leave_out({}) == frozenset()
    assert parse_calendar({"holidays": {SECOND: "Feast"}}).holidays == {SECOND: "Feast"}
    out = CovariateSettings(leave_out=parse_leave_out({"leave_out": list(OPTIONAL)}))
    left = build_units(TODAY, history(YESTERDAY), ITEMS, source(), SECOND, settings=out)
    assert set(units().columns) - set(left.columns) == set(covariate_names(source())) & set(OPTIONAL)
    state = as_of(history(YESTERDAY), SECOND, source(), out)
    assert "item_purchase_rate" in item_covariates(ITEMS, state, source()).columns


def test_a_campaign_is_context_where_it_is_mapped_and_an_empty_column_where_it_is_not():
    of = source(events={"folder": "events", "columns": SETTINGS["events"]["columns"] | {"campaign_id": "campaign"}})
    assert unit_roles(of)["campaign_id"] == "pre_treatment"
    assert context_columns(of) == ["device", "campaign_id"]
    assert units(TODAY.with_columns(campaign_id=pl.lit("spring")), of=of)["campaign_id"].to_list() == ["spring"] * 2
    assert unit_roles(source())["campaign_id"] == "logging"
    assert "campaign_id" not in covariate_names(source())


def test_what_is_not_logged_has_no_covariate():
    columns = {
        k: v for k, v in (SETTINGS["events"]["columns"] | {"rating": "r"}).items() if k not in ("click", "purchase")
    }
    of = source(events={"folder": "e", "columns": columns}, outcomes={"rating": {}}, purchase_needs_click=False)
    assert [c for c in covariate_names(of) if "click" in c or "purchase" in c] == []
    assert "item_mean_rating" in covariate_names(of)


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


@examples(max_examples=30, deadline=None)
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


@examples(max_examples=30, deadline=None)
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
