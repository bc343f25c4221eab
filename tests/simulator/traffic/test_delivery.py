"""Rows that come late or twice, purchases that come on their own, and bytes that no number of threads changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.simulator.conftest import SMALL, write
from tests.simulator.test_landing import contents

UNTIDY = replace(SMALL, duplicate_share=0.1, late_share=0.2, late_days=2)


@pytest.fixture(scope="module")
def untidy(tmp_path_factory):
    return write(UNTIDY, tmp_path_factory.mktemp("untidy"))


def arrived(written):
    """Every landed row with the day it arrived on."""
    return pl.concat(
        [
            pl.read_parquet(path, hive_partitioning=False).with_columns(
                pl.lit(path.parent.name[4:]).str.to_date().alias("arrived")
            )
            for path in sorted((written.landing / "events").rglob("*.parquet"))
        ]
    )


def test_deduplicated_by_id_it_is_exactly_the_tidy_worlds_events(untidy, small):
    rows = arrived(untidy)
    assert rows.height > small.events().height
    deduplicated = rows.drop("arrived").unique("event_id").sort("event_id")
    assert deduplicated.equals(small.events().sort("event_id"))
    assert untidy.events().equals(small.events())


def test_the_stated_shares_come_late_and_twice_and_never_twice_on_one_day(untidy):
    rows = arrived(untidy).with_columns(
        (pl.col("arrived") - pl.col("timestamp").dt.date()).dt.total_days().alias("days")
    )
    first = rows.group_by("event_id").agg(pl.len(), pl.col("days").min(), pl.col("days").n_unique().alias("times"))
    assert (first["len"] > 1).mean() == pytest.approx(0.1, abs=0.01)
    assert (first["days"] > 0).mean() == pytest.approx(0.2, abs=0.01)
    assert first["days"].max() == 2
    assert (first["len"] == first["times"]).all()


def test_a_longer_run_leaves_what_arrived_of_earlier_days_as_it_is(untidy, tmp_path):
    longer = contents(write(replace(UNTIDY, days=UNTIDY.days + 1), tmp_path))
    shorter = contents(untidy)
    assert {name for name in shorter if longer[name] != shorter[name]} <= {(p, "world.json") for p, _ in shorter}


def test_purchases_are_a_stream_of_their_own_on_the_day_they_happen(tmp_path):
    delayed = write(replace(SMALL, delay_days=1.5), tmp_path)
    known = delayed.known()
    assert {"purchase", "revenue"}.isdisjoint(delayed.events().columns)
    parts = []
    for day in delayed.days:
        part = pl.read_parquet(delayed.landing / "orders" / f"day={day}" / "orders.parquet", hive_partitioning=False)
        assert part["ordered_at"].dt.date().unique().to_list() == [day]
        assert part["ordered_at"].is_sorted()
        parts.append(part)
    orders = pl.concat(parts)
    assert orders.columns == ["order_id", "ordered_at", "user_id", "item_id", "request_id", "revenue"]
    assert orders["order_id"].n_unique() == orders.height

    bought = pl.when(pl.col("recommended") == 1).then("purchase_1").otherwise("purchase_0") == 1
    end = delayed.days[-1] + timedelta(days=1)
    happened = known.filter(bought & (pl.col("ordered_at").dt.date() < end))
    assert known.filter(bought).height > happened.height
    joined = orders.join(happened, on=["request_id", "item_id"], suffix="_of_event", validate="1:1")
    assert joined.height == orders.height == happened.height
    assert (joined["ordered_at"] == joined["ordered_at_of_event"]).all()
    assert (joined["revenue"] == joined["price"]).all()
    waited = (known.filter(bought)["ordered_at"] - known.filter(bought)["timestamp"]).dt.total_seconds() / 86_400
    assert waited.min() > 0
    assert waited.mean() == pytest.approx(1.5, rel=0.2)


def test_without_purchases_of_their_own_a_delay_changes_nothing_else(small, tmp_path):
    delayed = write(replace(SMALL, delay_days=1.5), tmp_path)
    assert delayed.events().equals(small.events().drop("purchase", "revenue"))


CHILD = """
import hashlib, json, os, sys
from pathlib import Path
os.cpu_count = lambda: int(sys.argv[2])
from causalrec.simulator.landing import simulate
from causalrec.simulator.world.world import WorldConfig
root = Path(sys.argv[1])
dials = dict(
    days=2, users=300, items=80, events_per_day=80_000, hidden_gamma=2.0, hidden_on_click=1.0, rating_rate=0.3,
    new_items=0.2, new_users=0.2, taste_drift=0.1, quality_drift=0.1, campaign_share=0.2, campaign_boost=0.2,
    experiment_share=0.5, experiment_lift=0.2, delay_days=1.0, duplicate_share=0.1, late_share=0.1, lift_spread=0.3,
    lift_by_price=0.1, lift_by_mobile=0.1, policy_on_newness=0.3,
    go_anyway=0.3, displacement_organic=0.3, displacement_slots=0.2, holdout_share=0.1,
)
simulate(WorldConfig(**dials), root / "landing", root / "truth")
files = sorted(p for p in root.rglob("*") if p.is_file())
print(json.dumps({str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}))
"""


def test_the_same_bytes_on_any_number_of_threads(tmp_path):
    def hashes(threads):
        limits = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
        folder = tmp_path / str(threads)
        said = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder), str(threads)],
            env={**os.environ, **limits},
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(said.stdout)

    one, four = hashes(1), hashes(4)
    assert one == four
    assert len(one) > 10
    file = tmp_path / "1" / "truth" / "world.json"
    assert one["truth/world.json"] == hashlib.sha256(Path(file).read_bytes()).hexdigest()
