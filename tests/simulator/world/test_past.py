from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import yaml

from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.landing.files import snapshot_files
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.history import advance, empty_history
from causalrec.logs.units.units import build_units
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import parse_source
from causalrec.simulator.traffic.policy_value import past_before
from causalrec.simulator.traffic.traffic import Past
from causalrec.simulator.world.world import World
from tests.simulator.conftest import SMALL, write


def units_of_last_day(written, tmp_path, history_days):
    settings = yaml.safe_load((TEMPLATE / "demos/simulated/sources.yaml").read_text()) | {"history_days": history_days}
    source = parse_source(settings)
    zone = LandingZone(Home(tmp_path), source, CleaningRules(), written.landing)
    before, states, logged = empty_history(), {}, {}
    path = tmp_path / "clean_events.parquet"
    for day in written.days:
        items = item_snapshot(snapshot_files(written.landing / "items", day), source)
        logged[day] = clean_day(zone.landed_day(day), source, zone.rules, path, tmp_path / "aside.parquet").events
        units = build_units(logged[day], before, items, source, day)
        before = states[day] = advance(states, logged, items, source, day)
    return units


@pytest.mark.parametrize("history_days", [28, 2])
def test_the_policy_reads_exactly_the_covariates_of_the_units(history_days, tmp_path):
    written = write(replace(SMALL, history_days=history_days), tmp_path / "world")
    units = units_of_last_day(written, tmp_path, history_days)
    past = past_before(written.world, written.landing, written.days[-1])
    user = units["user_id"].str.slice(5).cast(pl.Int64).to_numpy()
    item = units["item_id"].str.slice(5).cast(pl.Int64).to_numpy()
    category = written.world.catalogue.category[item]
    np.testing.assert_allclose(units["user_category_click_rate"], past.user_category_rate[user, category], rtol=1e-12)
    np.testing.assert_allclose(units["item_click_rate"], past.item_rate[item], rtol=1e-12)


def test_a_day_that_falls_out_of_the_window_is_forgotten():
    past = Past(World(replace(SMALL, history_days=2)))
    user, item = np.array([3]), np.array([5])
    past.add(user, item, np.array([1]))
    learned = past.item_rate[5]
    past.add(user[:0], item[:0], user[:0])
    assert past.item_rate[5] == learned
    past.add(user[:0], item[:0], user[:0])
    assert past.item_rate[5] == pytest.approx(SMALL.prior_rate)
