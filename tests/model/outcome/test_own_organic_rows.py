"""Pairs of a request with an item that its slate does not show."""

import numpy as np
import polars as pl
import pytest

from causalrec.model.outcome.own_organic_rows import DRAWS, ItemsNotShown, own_organic_rows
from tests.model.outcome.test_rest_rows import CATALOGUE, SOURCE, STATE, units


def price(rows: pl.DataFrame) -> np.ndarray:
    return rows.select("price").to_numpy()


DAY = ItemsNotShown(SOURCE, ["position"], price)


def test_all_that_is_met_is_there_and_what_is_neither_shown_nor_met_is_weighed_up():
    day = DAY.of_day(units(), CATALOGUE, STATE, [1])
    # Request r shows a and b and meets c and d; s shows c alone, and meets nothing.
    met = day.pairs.filter(pl.col("request_id") == "r")
    assert met.select("item_id", "click", "purchase", "weight").rows() == [("c", 1.0, 1.0, 1.0), ("d", 1.0, 0.0, 1.0)]
    sampled = day.pairs.filter(pl.col("request_id") == "s")
    assert set(sampled["item_id"]) <= {"a", "b", "d"} and not sampled["click"].sum()
    assert sampled["weight"].unique().to_list() == [len(CATALOGUE) / DRAWS]
    assert day.features[:, 0].tolist() == day.pairs["price"].to_list()
    # In s the weights stand for the three items that it neither shows nor meets.
    many = [DAY.of_day(units(), CATALOGUE, STATE, [k]).pairs for k in range(100)]
    stood_for = [one.filter(pl.col("request_id") == "s")["weight"].sum() for one in many]
    assert np.mean(stood_for) == pytest.approx(3, abs=0.15)


def test_a_shown_item_says_whether_it_was_met_as_well():
    both = units(item_id=["a", "b", "a", "d", "c", "d"])
    day = DAY.of_day(both, CATALOGUE, STATE, [1])
    assert "a" not in day.pairs.filter(pl.col("request_id") == "r")["item_id"]
    assert day.shown[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert day.still["click"].to_list() == [1.0, 0.0, 0.0]


def test_an_unknown_outcome_of_a_request_leaves_its_pairs_unknown_and_days_go_together():
    unknown = DAY.of_day(units(click=[1, 0, None, 1, 1, 1]), CATALOGUE, STATE, [1])
    assert unknown.pairs.filter(pl.col("request_id") == "r")["click"].null_count() == 2
    rows = own_organic_rows([DAY.of_day(units(), CATALOGUE, STATE, [1]), None, unknown], "request_id")
    assert len(rows.features) == len(rows.weight) == len(rows.cluster) == len(rows.outcome["click"])
    assert np.isnan(rows.outcome["click"]).sum() == 2 and not np.isnan(rows.outcome["purchase"]).any()
    assert len(np.unique(rows.cluster)) == 2
    assert len(rows.shown) == len(rows.still["click"]) == 6


def test_a_day_without_slates_has_no_pairs():
    assert DAY.of_day(units().filter(pl.col("recommended") == 0), CATALOGUE, STATE, [1]) is None
    assert own_organic_rows([None], "request_id") is None
