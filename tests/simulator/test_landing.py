from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.landing import simulate
from causalrec.simulator.traffic.logging_policy import item_distribution
from causalrec.simulator.traffic.policy_value import load_world, past_before
from causalrec.simulator.world.world import WorldConfig
from tests.simulator.conftest import SMALL, write


def contents(written, days=None):
    roots = [written.landing, written.truth]
    files = sorted(p for root in roots for p in root.rglob("*") if p.is_file())
    kept = [p for p in files if days is None or any(str(day) in str(p) for day in days)]
    return {(p.parent.name, p.name): p.read_bytes() for p in kept}


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    assert contents(write(SMALL, tmp_path)) == contents(small)


def test_another_seed_gives_other_logs(small, tmp_path):
    other = write(replace(SMALL, seed=SMALL.seed + 1), tmp_path)
    assert not other.events()["item_id"].equals(small.events()["item_id"])


def test_one_more_day_leaves_the_earlier_days_and_the_catalogue_as_they_are(small, tmp_path):
    longer = write(replace(SMALL, days=SMALL.days + 1), tmp_path)
    assert contents(longer, small.days) == contents(small, small.days)
    for file in ("items/items.parquet", "users/users.parquet"):
        assert (longer.landing / file).read_bytes() == (small.landing / file).read_bytes()


def test_the_world_is_regenerated_from_its_truth(small):
    assert load_world(small.truth).config == SMALL


def test_no_draft_of_a_file_stays(small):
    assert [p for root in (small.landing, small.truth) for p in root.rglob("*.part")] == []


def test_every_title_is_different_and_every_event_has_an_item_and_a_user(small):
    items = pl.read_parquet(small.landing / "items" / "items.parquet")
    users = pl.read_parquet(small.landing / "users" / "users.parquet")
    assert items["title"].n_unique() == SMALL.items
    assert items["category"].n_unique() == 10
    assert small.events()["item_id"].is_in(items["item_id"].implode()).all()
    assert small.events()["user_id"].is_in(users["user_id"].implode()).all()


def test_every_request_has_a_whole_slate_and_organic_rows_of_other_items(small):
    requests = (
        small.events()
        .group_by("request_id")
        .agg(
            pl.len(),
            pl.col("item_id").n_unique().alias("items"),
            pl.col("position").drop_nulls().sort().alias("positions"),
            pl.col("recommended").sum(),
        )
    )
    assert requests.select("len", "items", "recommended").unique().rows() == [(10, 10, 5)]
    assert requests["positions"].unique().to_list() == [[1, 2, 3, 4, 5]]


def test_organic_rows_have_no_slot_policy_or_action_propensity(small):
    organic, shown = (small.events().filter(pl.col("recommended") == arm) for arm in (0, 1))
    logging = ["position", "policy", "action_propensity"]
    assert organic.select(pl.col(logging).is_null().all()).row(0) == (True, True, True)
    assert shown.select(pl.col(logging).is_not_null().all()).row(0) == (True, True, True)
    assert shown["action_propensity"].is_between(0, 1, closed="right").all()


def test_organic_rows_say_how_likely_the_policy_puts_their_item_first(small):
    day = small.days[-1]
    past, number = past_before(small.world, small.landing, day), len(small.days) - 1
    rows, today, shop = small.events(day), small.world.on(number), small.world.catalogue
    user, item = (rows[c].str.extract(r"(\d+)").cast(pl.Int64).to_numpy() for c in ("user_id", "item_id"))
    p = item_distribution(
        past.user_category_rate[user], shop.category, past.item_rate, today.price, SMALL, today.age_days
    )[np.arange(len(item)), item]
    organic, first = (rows["recommended"] == 0).to_numpy(), (rows["position"] == 1).fill_null(False).to_numpy()
    logged = rows["first_slot_propensity"].to_numpy()
    np.testing.assert_allclose(logged[organic], p[organic], rtol=1e-9)
    assert np.isnan(logged[~organic]).all()
    np.testing.assert_allclose(rows["action_propensity"].to_numpy()[first], p[first], rtol=1e-9)


def test_a_line_a_day_is_said(tmp_path):
    said: list[str] = []
    simulate(replace(SMALL, days=2), tmp_path / "landing", tmp_path / "truth", said.append)
    assert said == ["2026-03-02: 3,000 events", "2026-03-03: 3,000 events"]


@pytest.mark.parametrize(
    ("dials", "words"),
    [
        ({"exploration": 0.0}, "no overlap"),
        ({"items": 9}, "shows 10 items, the shop has 9"),
        ({"events_per_day": 9}, "one request alone is 10 events"),
        ({"days": 0}, "days must be at least 1"),
        ({"prior_exposures": 0.0}, "past click rates would be 0"),
    ],
)
def test_a_world_that_cannot_be_is_refused_with_the_reason(dials, words):
    with pytest.raises(ValueError, match=words):
        WorldConfig(**dials)
