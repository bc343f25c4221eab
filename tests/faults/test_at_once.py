"""Two real processes at the same point at the same time: one of them wins, and the other says so."""

import shutil
from datetime import timedelta

from causalrec_assets.commands.home import create_home
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.store import Store
from tests.faults.child import end_of, start
from tests.faults.lake import assert_whole
from tests.worlds import FIRST, materialise, words

LAST = FIRST + timedelta(days=5)


def both(home, point, table, days=(LAST, LAST)):
    """Two processes that materialise a table at once; what the winner's and the loser's runs say."""
    children = [start(home, day, point, table) for day in days]
    ends = [end_of(child) for child in children]
    assert sorted(end["success"] for end in ends) == [False, True]
    return sorted(ends, key=lambda end: not end["success"])


def test_of_two_runs_of_one_partition_one_publishes_and_the_other_says_that_it_lost(built, own_home):
    expected = Store(built.lake).pointer("target_policy", LAST)
    _, loser = both(own_home, "wait_at_the_pointer", "target_policy")
    store = Store(own_home.lake)
    assert "another run published version 2 while this one was at work" in loser["said"]
    assert store.numbers("target_policy", LAST) == [1, 2]
    assert store.pointer("target_policy", LAST).hash == expected.hash
    assert store.quarantine.standing("target_policy", LAST) is None
    assert_whole(own_home)


def test_of_two_days_that_release_at_once_one_moves_the_champion(tmp_path):
    home = create_home(tmp_path / "home")
    _, loser = both(home, "wait_at_the_entry", "-", (FIRST, LAST))
    assert "another release took entry 1 of the release log" in loser["said"]
    (move,) = ReleaseLog(Store(home.lake)).moves()
    assert move.entry == 1
    assert move.champion.bundle == {"of": move.partition.isoformat()}


def test_of_two_releases_at_once_one_moves_the_champion_and_the_other_says_so(built, own_home):
    for table in ("release", "release_log", "recommendations"):
        shutil.rmtree(own_home.lake / table)
    _, loser = both(own_home, "wait_at_the_entry", "release")
    assert "another release took entry 1 of the release log" in loser["said"]
    store = Store(own_home.lake)
    log = ReleaseLog(store)
    assert log.moves() == ReleaseLog(Store(built.lake)).moves()
    assert store.numbers("release", LAST) == [1]
    assert store.quarantine.standing("release", LAST) is None
    assert_whole(own_home)
    # Whoever lost is run again, and finds it done.
    result = materialise(own_home, LAST, ["release"])
    assert result.success, words(result)
    assert len(log.moves()) == 1
    assert store.pointer("release", LAST).hash == Store(built.lake).pointer("release", LAST).hash
