"""Shown slots with the rest of their requests, and items that might have stood there."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from causalrec.logs.units.covariates import as_of, as_of_covariates
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.outcome.model import OutcomeModel, PotentialOutcomes
from causalrec.model.outcome.rest_rows import InTheirPlaces, rest_of_requests, rest_rows
from causalrec.settings.logs.sources import parse_source

DAY = date(2026, 3, 2)
SOURCE = parse_source(
    {
        "first_day": DAY,
        "events": {
            "folder": "events",
            "columns": {
                "time": "t",
                "item_id": "i",
                "recommended": "r",
                "click": "c",
                "purchase": "p",
                "request_id": "q",
                "position": "k",
                "action_propensity": "a",
                "shelf": "s",
            },
        },
        "items": {
            "folder": "items",
            "columns": {"item_id": "i", "price": "price", "shelf": "s"},
            "extra": {"shelf": "text"},
        },
        "context": {"shelf": "text"},
        "outcomes": {"click": {}, "purchase": {}},
        "organic_rows": "every_impression",
    }
)
CATALOGUE = pl.DataFrame(
    {"item_id": ["a", "b", "c", "d"], "price": [1.0, 2.0, 3.0, 4.0], "shelf": ["x", "x", "y", "y"]}
)
STATE = as_of(None, DAY, SOURCE)


def units(**changes: list[object]) -> pl.DataFrame:
    """A request of two slots and two organic rows, and one of a single slot."""
    columns = {
        "request_id": ["r", "r", "r", "r", "s", None],
        "item_id": ["a", "b", "c", "d", "c", "d"],
        "position": [1, 2, None, None, 1, 1],
        "recommended": [1, 1, 0, 0, 1, 1],
        "action_propensity": [0.5, 0.25, None, None, 0.5, 0.5],
        "click": [1, 0, 1, 1, 1, 1],
        "purchase": [1, 0, 1, 0, 0, 0],
        "price": [1.0, 2.0, 3.0, 4.0, 3.0, 4.0],
        "shelf": ["x", "x", "x", "x", "y", "y"],
    } | changes
    frame = pl.DataFrame(columns).with_columns(
        pl.lit(datetime(2026, 3, 2, 9, tzinfo=UTC)).alias("time"), pl.lit(None, pl.String).alias("user_id")
    )
    return as_of_covariates(frame, STATE, CATALOGUE, SOURCE)


class Reader(OutcomeModel):
    """Expects the price as clicks, so that features can be told by eye."""

    def predict_matrix(self, x, items, vectors):
        return PotentialOutcomes(x[:, 0].astype(float), None, None, None)


@pytest.fixture
def places():
    design = DesignMatrix.fit(CATALOGUE, ["price"])
    return InTheirPlaces(SOURCE, Reader(None, design, "shown", False), None)


def test_the_rest_is_what_all_other_rows_of_the_request_came_to():
    slots = rest_of_requests(units(), price=True)
    assert slots.select("item_id", "rest_click", "rest_purchase", "rest_sales").rows() == [
        ("a", 2.0, 1.0, 3.0),
        ("b", 3.0, 2.0, 4.0),
        ("c", 0.0, 0.0, 0.0),
    ]


def test_a_rest_with_an_unknown_outcome_is_unknown_and_so_are_sales_without_prices():
    slots = rest_of_requests(units(click=[1, 0, None, 1, 1, 1]), price=True)
    assert slots["rest_click"].to_list() == [None, None, 0.0]
    assert slots["rest_purchase"].to_list() == [1.0, 2.0, 0.0]
    assert rest_of_requests(units(), price=False)["rest_sales"].null_count() == 3


def test_requests_whose_slots_are_no_one_draw_are_left_out():
    again = units(position=[1, 1, None, None, 1, 1])
    assert rest_of_requests(again, price=True)["request_id"].to_list() == ["s"]


def test_items_are_drawn_as_often_as_they_were_shown_and_never_from_above(places):
    day = places.of_day(rest_of_requests(units(), price=True), CATALOGUE, STATE, [1])
    assert day.slots["item_id"].to_list() == ["a", "b", "c"]
    # Each of a, b and c was shown once; below a, a is drawn no more.
    assert day.weight == pytest.approx(np.array([2, 4, 2]) / np.mean([2, 4, 2]))
    of = dict(zip("abc", places.features(units().head(3))[:, 0], strict=True))
    assert (day.drawn[1, 0] >= min(of["b"], of["c"])) and (day.drawn[1, 0] <= max(of["b"], of["c"]))
    assert day.shown[:, 0].tolist() == [of["a"], of["b"], of["c"]]
    many = [places.of_day(rest_of_requests(units(), price=True), CATALOGUE, STATE, [k]) for k in range(200)]
    assert np.mean([one.drawn[0, 0] for one in many]) == pytest.approx(np.mean(list(of.values())), abs=0.05)
    assert np.mean([one.drawn[1, 0] for one in many]) == pytest.approx((of["b"] + of["c"]) / 2, abs=0.05)


def test_only_candidates_of_the_context_are_drawn(places):
    rows = rest_of_requests(units(), price=True)
    matched = InTheirPlaces(SOURCE, places.model, None, match=("shelf",))
    many = [matched.of_day(rows, CATALOGUE, STATE, [k]) for k in range(50)]
    of = dict(zip("abc", places.features(units().head(3))[:, 0], strict=True))
    # Of the items that were shown a and b are on shelf x, and c alone on y; below a only b is left.
    drawn = {
        slot: [one.drawn[items.index(slot), 0] for one in many if slot in (items := one.slots["item_id"].to_list())]
        for slot in "abc"
    }
    assert all(drawn.values())
    assert of["a"] <= min(drawn["a"]) < max(drawn["a"]) <= of["b"]
    assert drawn["b"] == pytest.approx([of["b"]] * len(drawn["b"]))
    assert drawn["c"] == pytest.approx([of["c"]] * len(drawn["c"]))


def test_of_many_slots_some_are_drawn_and_days_go_together(places):
    few = InTheirPlaces(SOURCE, places.model, None, most=1)
    slots = rest_of_requests(units(), price=True)
    day, none = few.of_day(slots, CATALOGUE, STATE, [1]), few.of_day(slots.clear(), CATALOGUE, STATE, [1])
    assert (day.slots.height, none.slots.height) == (1, 0)
    assert rest_rows([none], "request_id") is None
    rows = rest_rows([day, none, day], "request_id")
    assert rows is not None and rows.features.shape == (2, 2)
    assert set(rows.rest) == {"click", "purchase", "sales"}
    assert len(np.unique(rows.cluster)) == 1
