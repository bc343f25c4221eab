"""The trial log: entries under the next number, one writer each, read as of the partitions before a day."""

from datetime import date
from threading import Barrier, Thread

import pytest

from causalrec_assets.lake.trials import FOLDER, Kind, TrialConflict, TrialLog

D1, D2, D3 = date(2026, 3, 14), date(2026, 3, 15), date(2026, 3, 16)
BUNDLE = {"tables": {"outcome_model": {"day": "2026-03-14", "pointer": 2, "hash": "h"}}}


@pytest.fixture
def log(store):
    return TrialLog(store)


def test_a_lake_without_the_folder_has_had_no_trial(log):
    assert log.entries() == []
    assert log.hash_before(D3) == "none"


def test_entries_come_back_as_they_were_written_and_in_order(log):
    log.add(Kind.OPENED, D1, {"bundle": BUNDLE}, 0)
    log.add(Kind.LOOK, D2, {"trial": 1, "look": 1}, 1)
    assert [(one.entry, one.kind, one.partition) for one in log.entries()] == [
        (1, Kind.OPENED, D1),
        (2, Kind.LOOK, D2),
    ]
    assert log.entries()[0].record == {"bundle": BUNDLE}


def test_a_day_starts_from_what_earlier_partitions_wrote_however_often_it_runs(log):
    log.add(Kind.OPENED, D1, {"bundle": BUNDLE}, 0)
    before = log.hash_before(D2)
    log.add(Kind.LOOK, D2, {"trial": 1, "look": 1}, 1)
    assert log.hash_before(D2) == before != log.hash_before(D3)
    assert [one.entry for one in log.before(D2)] == [1]


def test_who_read_an_older_state_writes_nothing_and_is_told_what_to_do(log):
    log.add(Kind.OPENED, D1, {"bundle": BUNDLE}, 0)
    with pytest.raises(TrialConflict, match=r"entry 1 of the trial log.*materialise `release` again"):
        log.add(Kind.OPENED, D1, {"bundle": {}}, 0)
    assert len(log.entries()) == 1


def test_an_earlier_partition_does_not_write_after_a_later_one(log):
    log.add(Kind.OPENED, D2, {"bundle": BUNDLE}, 0)
    with pytest.raises(TrialConflict, match=f"carried on by {D2} since"):
        log.add(Kind.CLOSED, D1, {"trial": 1}, 1)


def test_of_many_at_once_one_takes_the_entry(log):
    start, ends = Barrier(8), []

    def write(k):
        start.wait()
        try:
            ends.append(log.add(Kind.LOOK, D1, {"by": k}, 0).record["by"])
        except TrialConflict:
            ends.append(None)

    threads = [Thread(target=write, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [k for k in ends if k is not None]
    assert [one.record for one in log.entries()] == [{"by": winner}]


def test_open_trials_name_their_bundles_and_closed_ones_do_not(log):
    log.add(Kind.OPENED, D1, {"bundle": BUNDLE}, 0)
    assert list(log.bundles()) == [BUNDLE]
    log.add(Kind.CLOSED, D2, {"trial": 1}, 1)
    assert list(log.bundles()) == []


def test_other_files_in_the_folder_are_not_read(log, store):
    store.objects.create(f"{FOLDER}/notes.txt", b"hello")
    assert log.entries() == []
