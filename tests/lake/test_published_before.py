"""A lake that an earlier release published is read with today's code: rows, notes, files, champion, log, refusals.

`published_before.tar.xz` is the lake of a simulated shop, as the commit 08402f1 published it: `build(home, 6)` of a
`tests.worlds.make_home` with `tiny(users=20, items=12, events_per_day=80)`, its verdict set to `better` so that
something is released; then a late row on the last day and `clean_events` again, and `users` under a contract that takes
nobody.
"""

import tarfile
from datetime import timedelta
from pathlib import Path

import pytest

from causalrec.home import Home
from causalrec_assets.common.bundles import load_champion
from causalrec_assets.gate.refused import OFFENDING
from causalrec_assets.lake.currentness import stale_because
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.notes import from_json, to_json
from causalrec_assets.lake.releases import ReleaseLog
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


@pytest.mark.parametrize(("table", "folder"), [("units", "logs"), ("effects", "model"), ("release", "serving")])
def test_its_versions_are_stale_for_their_code_was_hashed_by_folder(home, store, table, folder):
    look = {"code": lambda asset, _: CODE_VERSIONS.get(asset, "none")}
    why = stale_because(home, Snapshot(store), table, LAST, look, only={"code"})
    assert why == f"its input `code:{folder}` has changed"
