"""A lake that an earlier release published is read with today's code: rows, notes, files, champion, log, refusals.

`published_before.tar.xz` is the lake of a simulated shop, as the commit 08402f1 published it: `build(home, 6)` of a
`tests.worlds.make_home` with `tiny(users=20, items=12, events_per_day=80)`, its verdict set to `better` so that
something is released; then a late row on the last day and `clean_events` again, and `users` under a contract that takes
nobody.
"""

import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from causalrec.home import CHECKOUT, Home
from causalrec.policy.organic.rows import organic_rows
from causalrec.policy.organic.scored_again import score_again
from causalrec.policy.policies import CHAMPION, FittedPolicy
from causalrec.policy.retrieval import Asked
from causalrec.policy.slots import judged_slots
from causalrec.settings.logs.sources import parse_source
from causalrec_assets.common.bundles import load_champion
from causalrec_assets.decision.logging_policy.tables import DrawnTables
from causalrec_assets.gate.refused import OFFENDING
from causalrec_assets.lake.currentness import stale_because
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.notes import from_json, to_json
from causalrec_assets.lake.releases import DrawnBy, ReleaseLog
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.store import open_store
from causalrec_assets.lake.trials import TrialLog
from causalrec_assets.operate.assets import CODE_VERSIONS
from causalrec_assets.serving.trials import TrialsOfRun
from tests.lake.test_notes import KINDS
from tests.worlds import FIRST, LEARNING, LOGS

LAST = FIRST + timedelta(days=5)
SINCE = ("trial_policy", "trial_report")
"""Tables that a lake of that release does not have."""
BEFORE = Path(__file__).with_name("published_before.tar.xz")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    root = tmp_path_factory.mktemp("before")
    with tarfile.open(BEFORE) as archive:
        # The first releases of Python 3.11 have no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(root)
    return Home(root)


@pytest.fixture(scope="module")
def store(home):
    return open_store(home)


@pytest.mark.parametrize("table", [*LOGS, *LEARNING])
def test_rows_and_files_and_notes_of_every_table_are_read(store, table):
    days = store.days(table)
    if table in SINCE:
        assert days == []
        return
    assert days == ([FIRST + timedelta(days=k) for k in range(6)] if table in LOGS else [LAST])
    for day in days:
        pointer = store.pointer(table, day)
        assert Snapshot(store).lost(table, day) is None
        assert store.read_frame(pointer).height == pointer.rows
        assert all(store.read_file(pointer, name) for name in pointer.files)
        if table in KINDS:
            read = to_json(from_json(KINDS[table], pointer.notes))
            # Fields that have come since have their defaults.
            assert {name: read[name] for name in pointer.notes} == pointer.notes


def test_it_has_had_no_trial(store):
    assert TrialLog(store).entries() == []
    assert TrialsOfRun(TrialLog(store), LAST).current is None


def test_a_second_version_and_the_first_are_read(store):
    assert store.numbers("clean_events", LAST) == [1, 2]
    first, second = (store.read_frame(store.pointer("clean_events", LAST, number)) for number in (1, 2))
    assert second.height == first.height + 1


def test_a_refusal_stands_with_its_rows(store):
    refusal = store.quarantine.standing("users", LAST)
    assert refusal.reasons == ["column_values_to_be_in_set(user_id): 20 row(s)"]
    assert store.quarantine.read(refusal, OFFENDING).height == store.pointer("users", LAST).rows


def test_the_champion_is_loaded_from_the_versions_that_the_release_log_names(home, store):
    (move,) = ReleaseLog(store).moves()
    champion = ReleaseLog(store).current()
    assert champion == move.champion == ReleaseLog(store).champion_before(LAST + timedelta(days=1))
    assert champion.partition == LAST
    bundle = load_champion(Inputs(home, store, "recommendations", "code", LAST, "run"), champion)
    assert bundle.config.slate_size == 5
    assert store.read_frame(store.pointer("recommendations", LAST)).height > 0


def test_its_slates_are_scored_again_as_they_were_drawn(home, store):
    """By today's code, from the versions that their table names: every slot has the propensity that was published."""
    slates, items = (store.read_frame(store.pointer(name, LAST)) for name in ("recommendations", "items"))
    shown = slates.select("user_id", "item_id", "action_propensity", position="rank")
    users = shown.select("user_id").unique(maintain_order=True)
    met = users.join(items.select("item_id"), how="cross")
    units = pl.concat([shown.with_columns(recommended=1), met.with_columns(recommended=0)], how="diagonal")
    units = units.with_row_index("unit_id").with_columns(
        pl.col("unit_id").cast(pl.String), time=pl.lit(datetime(2026, 3, 8, 9, tzinfo=UTC)),
        request_id="user_id", policy=pl.lit(str(DrawnBy(1, LAST))),
    )  # fmt: skip
    slots = judged_slots(units, items, [], [])
    organic = organic_rows(units, items, slots)
    inputs = Inputs(home, store, "target_policy", "code", LAST, "run")
    bundle = load_champion(inputs, ReleaseLog(store).current())
    source = parse_source(yaml.safe_load((CHECKOUT / "data/demos/simulated/sources.yaml").read_text()))
    tables = DrawnTables(inputs, source, 1, LAST)
    ((then, scored),) = tables.scorings(LAST, slots, bundle)
    policy = FittedPolicy(CHAMPION, bundle.config, bundle.objective)
    again = score_again(scored(Asked(*then.asked(slots, organic), [0])), policy.probabilities, then, slots, organic)
    assert slots.frame.height == slates.height > 50
    assert again.shown.tolist() == pytest.approx(slots.frame["action_propensity"].to_list(), rel=1e-5)
    # In every slot something is shown that does not stand above it.
    assert np.bincount(organic.slot, weights=again.met) == pytest.approx(1.0)
    # A slate that this release did not draw stands in no version of the table.
    assert list(replace(tables, entry=2).scorings(LAST, slots, bundle)) == []


@pytest.mark.parametrize(("table", "folder"), [("units", "logs"), ("effects", "model"), ("release", "serving")])
def test_its_versions_are_stale_for_their_code_was_hashed_by_folder(home, store, table, folder):
    look = {"code": lambda asset, _: CODE_VERSIONS.get(asset, "none")}
    why = stale_because(home, Snapshot(store), table, LAST, look, only={"code"})
    assert why == f"its input `code:{folder}` has changed"
