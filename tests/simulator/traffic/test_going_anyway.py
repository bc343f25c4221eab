"""People who go to an item anyway: what they come for follows its law, and what the slate shows of it is met there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.traffic.going_anyway import came_for_distribution, draw_came_for
from causalrec.simulator.world.world import WorldConfig
from tests.simulator.conftest import SMALL, write
from tests.simulator.traffic.test_sampling import AGE, CATEGORY, ITEM_RATE, RATES, misfit

GOING = replace(SMALL, go_anyway=0.5)


@pytest.fixture(scope="module")
def going(tmp_path_factory):
    return write(GOING, tmp_path_factory.mktemp("going"))


def test_the_first_thing_they_come_for_follows_the_written_out_distribution():
    config = WorldConfig(items=12, slate=1, organic=1, go_anyway=1.0, go_anyway_focus=2.0)
    g = came_for_distribution(RATES[None], CATEGORY, ITEM_RATE, AGE, config)[0]
    weight = np.where(AGE >= 0, (RATES[CATEGORY] * ITEM_RATE) ** 2, 0.0)
    np.testing.assert_allclose(g, 0.99 * weight / weight.sum() + 0.01 * (AGE >= 0) / 5)
    rates = np.tile(RATES, (100_000, 1))
    drawn = draw_came_for(rates, CATEGORY, ITEM_RATE, AGE, config, np.random.default_rng(1))
    assert misfit(drawn, {(int(k),): g[k] for k in np.flatnonzero(g)}) > 1e-4


def test_in_the_stated_share_of_requests_they_come_for_items_and_meet_those_that_the_slate_does_not_show(going, small):
    known = going.known()
    organic = known.filter(pl.col("recommended") == 0)
    requests = organic.group_by("request_id").agg(pl.col("came_for").mean(), pl.len())
    assert set(requests["came_for"].unique()) == {0.0, 1.0}
    all_in_slate = known["request_id"].n_unique() - requests.height
    came = requests["came_for"].sum() + all_in_slate
    assert came / known["request_id"].n_unique() == pytest.approx(0.5, abs=0.06)
    assert requests.filter(pl.col("came_for") == 0)["len"].unique().to_list() == [SMALL.organic]
    assert requests.filter(pl.col("came_for") == 1)["len"].min() < SMALL.organic
    assert known.group_by("request_id").agg(pl.col("item_id").is_duplicated().any())["item_id"].any() is False


def test_slates_of_the_first_day_and_requests_in_which_people_browse_stay_as_they_were(going, small):
    day = small.days[0]
    now, before = going.known(day), small.known(day)
    slates = [x.filter(pl.col("recommended") == 1).drop("came_for", strict=False) for x in (now, before)]
    assert slates[0].equals(slates[1])
    browsing = now.filter((pl.col("recommended") == 0) & (pl.col("came_for") == 0)).drop("came_for")
    assert browsing.equals(before.filter(pl.col("event_id").is_in(browsing["event_id"].implode())))


def test_what_they_come_for_is_clicked_more_than_what_they_browse(tmp_path):
    organic = write(replace(SMALL, days=5, go_anyway=0.5, go_anyway_focus=6.0), tmp_path).known()
    rates = organic.filter(pl.col("recommended") == 0).group_by("came_for").agg(pl.col("p_click_0").mean())
    browsed, came_for = rates.sort("came_for")["p_click_0"]
    assert came_for > 1.3 * browsed


def test_in_the_holdout_there_is_no_slate_and_it_is_marked(tmp_path, small):
    written = write(replace(SMALL, holdout_share=0.2), tmp_path)
    events = written.events()
    marked = (pl.col("policy") == "no_recommendations").fill_null(False)
    held = events.filter(marked.any().over("request_id"))
    assert held["recommended"].sum() == 0
    assert held["first_slot_propensity"].null_count() == held.height
    assert held.select(marked.all()).item()
    assert held.group_by("request_id").len()["len"].unique().to_list() == [SMALL.organic]
    others = events.filter(~marked.any().over("request_id"))
    assert others.group_by("request_id").len()["len"].unique().to_list() == [SMALL.slate + SMALL.organic]
    assert held["request_id"].n_unique() / events["request_id"].n_unique() == pytest.approx(0.2, abs=0.04)
    day = small.days[0]
    left = others.filter(pl.col("timestamp").dt.date() == day)
    assert left.equals(small.events(day).filter(pl.col("event_id").is_in(left["event_id"].implode())))
    with pytest.raises(ValueError, match="holdout_share is a share"):
        replace(SMALL, holdout_share=1.0)
