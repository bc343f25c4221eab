"""Covariates: what each of them is, and where it is none."""

from datetime import date

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.logs.units.covariates import (
    as_of,
    context_columns,
    covariate_names,
    item_covariates,
)
from causalrec.logs.units.history import empty_history
from causalrec.logs.units.units import build_units, unit_roles
from causalrec.settings.logs.calendar import Calendar, parse_calendar
from causalrec.settings.logs.covariates import OPTIONAL, CovariateSettings, parse_leave_out
from tests.logs.two_days import AT_ONCE, TODAY, YESTERDAY, history, units
from tests.logs.worlds import FIRST, ITEMS, SECOND, SETTINGS, at, clean, event, frame, source


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
    feast, other = (CovariateSettings(Calendar(holidays={day: "Feast"})) for day in (SECOND, date(2027, 1, 1)))
    one_month, open_end = source(last_day=date(2026, 3, 31)), source()
    assert names & set(covariate_names(one_month)) == set()
    assert names & set(covariate_names(one_month, other)) == set()
    assert names & set(covariate_names(open_end)) == {"month"}
    assert names & set(covariate_names(source(last_day=SECOND), feast)) == {"holiday"}
    built = build_units(TODAY, history(YESTERDAY), ITEMS, open_end, SECOND, settings=feast)
    assert built.select("month", "holiday").rows() == [(3, 1), (3, 1)]
    assert build_units(TODAY, history(YESTERDAY), ITEMS, open_end, SECOND, settings=other)["holiday"].sum() == 0


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


PEOPLE = {
    "columns": {"user_id": "id", "plan": "plan", "age": "age", "region": "where"},
    "kinds": {"age": "number"},
    "sensitive": ["age"],
}


def test_what_is_known_of_users_is_a_covariate_of_their_units_with_its_declared_kind():
    users = pl.DataFrame({"user_id": ["ann", "eve"], "plan": ["gold", None], "age": [41.0, 20.0], "region": ["n", "s"]})
    today = clean(frame(*(event(user, at(SECOND, 9), "hat", user) for user in ("ann", "bob", "eve"))))
    unknown = today.head(1).with_columns(pl.lit(None, pl.String).alias("user_id"), event_id=pl.lit("nobody"))
    of = source(users=PEOPLE)
    built = build_units(pl.concat([today, unknown]), history(YESTERDAY), ITEMS, of, SECOND, users)
    # Whoever has no row, and whoever is not named, has nulls; nothing is made up for them.
    assert built["plan"].to_list() == ["gold", None, None, None]
    assert built["age"].to_list() == [41.0, None, 20.0, None]
    assert built.schema["age"] == pl.Float64 and built.schema["plan"] == pl.String
    assert built["unknown_user"].to_list() == [0, 1, 0, None]
    roles = unit_roles(of)
    # A sensitive one may be adjusted for; no policy reads it.
    assert {roles[name] for name in ("plan", "age", "region")} == {"pre_treatment"}


def test_a_day_without_a_list_of_users_has_the_same_columns():
    built = build_units(TODAY, history(YESTERDAY), ITEMS, source(users=PEOPLE), SECOND)
    assert built.select("plan", "age", "region").null_count().row(0) == (TODAY.height,) * 3
    assert built.schema["age"] == pl.Float64


def test_an_attribute_can_be_left_out_by_name():
    of = source(users=PEOPLE)
    settings = CovariateSettings(leave_out=parse_leave_out({"leave_out": ["plan"]}, of.user_attributes))
    assert "plan" not in covariate_names(of, settings) and "region" in covariate_names(of, settings)
    with pytest.raises(InputError, match=r"these can: .*'plan', 'age', 'region'"):
        parse_leave_out({"leave_out": ["shoe_size"]}, of.user_attributes)


def test_without_a_user_id_on_the_events_nothing_of_users_is_a_covariate():
    events = {"folder": "events", "columns": {k: v for k, v in SETTINGS["events"]["columns"].items() if k != "user_id"}}
    assert source(events=events, users=PEOPLE).user_attributes == ()
