"""A lake in a folder and a lake in a bucket: what is current, what stands refused, and who wins a race."""

import json
import multiprocessing
import threading
from datetime import date, timedelta

import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError
from causalrec.home import Home
from causalrec_assets.lake.releases import ChampionConflict, ReleaseLog
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import PublishRace, Store, open_store

DAY = date(2026, 3, 2)
ROWS = pl.DataFrame({"id": ["a", "b"]})


def publish(store, table="sales", day=DAY, after=0, rows=ROWS, run_id="run-1", files=None):
    staged = store.staging(table, day, run_id)
    rows.write_parquet(staged)
    return store.publish(staged, Version(table, day, rows.height, ANSWERED, {}, files or {}, {}, run_id), after)


def publish_in_a_process(root: str, run_id: str, ready, answers) -> None:
    """One of two processes that publish at once."""
    store = open_store(Home(root))
    ready.wait()
    try:
        answers.put((run_id, publish(store, run_id=run_id).number))
    except PublishRace:
        answers.put((run_id, None))


def release_in_a_process(root: str, run_id: str, ready, answers) -> None:
    log = ReleaseLog(open_store(Home(root)))
    ready.wait()
    try:
        answers.put((run_id, log.move(DAY, {"by": run_id}, None).entry))
    except ChampionConflict:
        answers.put((run_id, None))


def test_a_version_is_read_back_with_its_files(store):
    made = publish(store, files={"card.json": b"{}"})
    pointer = store.pointer("sales", DAY)
    assert pointer == made
    assert store.read_frame(pointer).equals(ROWS)
    assert store.read_file(pointer, "card.json") == b"{}"
    with pytest.raises(KeyError, match="has no file `other`"):
        store.read_file(pointer, "other")


def test_the_highest_number_is_current_and_older_ones_stay_readable(store):
    first = publish(store)
    publish(store, after=1, rows=ROWS.head(1))
    publish(store, day=DAY + timedelta(days=1))
    assert store.current("sales") == {DAY: 2, DAY + timedelta(days=1): 1}
    assert store.days("sales") == [DAY, DAY + timedelta(days=1)]
    assert store.numbers("sales", DAY) == [1, 2]
    assert store.pointer("sales", DAY).rows == 1
    assert store.read_frame(store.pointer("sales", DAY, 1)).equals(ROWS)
    assert store.pointer("sales", DAY, 1) == first
    assert store.pointer("sales", DAY, 3) is None


def test_what_another_process_publishes_is_seen_at_once(home):
    mine, theirs = open_store(home), open_store(home)
    assert mine.pointer("sales", DAY) is None
    assert mine.current("sales") == {}
    publish(theirs)
    assert mine.current("sales") == {DAY: 1}
    publish(theirs, after=1)
    assert mine.pointer("sales", DAY).number == 2


def test_tables_whose_names_begin_alike_are_kept_apart(store):
    publish(store, "sales_report")
    assert store.current("sales") == {}
    assert store.quarantine.all_standing("sales") == {}


def test_the_newest_refusal_stands_until_a_good_version(store):
    store.quarantine.refuse("sales", DAY, "run-2", 0, ["first"])
    store.quarantine.refuse("sales", DAY, "run-1", 0, ["second"])
    store.quarantine.refuse("sales", DAY + timedelta(days=1), "run-1", 0, ["another day"])
    assert store.quarantine.standing("sales", DAY).reasons == ["second"]
    assert {day: refusal.reasons for day, refusal in store.quarantine.all_standing("sales").items()} == {
        DAY: ["second"],
        DAY + timedelta(days=1): ["another day"],
    }
    publish(store)
    assert store.quarantine.standing("sales", DAY) is None
    assert list(store.quarantine.all_standing("sales")) == [DAY + timedelta(days=1)]


def test_a_refusal_recorded_before_it_had_a_time_is_still_read(store):
    store.objects.write(f"quarantine/sales/day={DAY}/old/refusal.json", b'{"after_pointer": 0, "reasons": ["old"]}')
    assert store.quarantine.standing("sales", DAY).reasons == ["old"]
    assert store.quarantine.all_standing("sales")[DAY].run_id == "old"


def test_of_two_threads_that_publish_at_once_exactly_one_wins(store):
    for k in range(5):
        day, won, lost = DAY + timedelta(days=k), [], []
        ready = threading.Barrier(2)

        def attempt(run_id, day=day, won=won, lost=lost, ready=ready):
            ready.wait()
            try:
                won.append(publish(store, day=day, run_id=run_id))
            except PublishRace:
                lost.append(run_id)

        threads = [threading.Thread(target=attempt, args=(run_id,)) for run_id in ("run-1", "run-2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 1)
        assert store.pointer("sales", day).run_id == won[0].run_id


@pytest.mark.parametrize("work", [publish_in_a_process, release_in_a_process])
def test_of_two_processes_at_once_exactly_one_wins(home, work):
    spawn = multiprocessing.get_context("spawn")
    ready, answers = spawn.Barrier(2), spawn.Queue()
    workers = [spawn.Process(target=work, args=(home.root, run_id, ready, answers)) for run_id in ("run-1", "run-2")]
    for worker in workers:
        worker.start()
    said = dict(answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert sorted(said.values(), key=str) == [1, None]
    winner = next(run_id for run_id, number in said.items() if number)
    store = open_store(home)
    if work is publish_in_a_process:
        assert store.pointer("sales", DAY).run_id == winner
    else:
        assert [move.champion.bundle for move in ReleaseLog(store).moves()] == [{"by": winner}]


def test_a_forked_step_reads_and_creates(store):
    """Dagster may fork a step from a process that has talked to the lake already."""
    publish(store)
    fork = multiprocessing.get_context("fork")
    worker = fork.Process(target=lambda: store.objects.create("forked", str(store.current("sales")[DAY]).encode()))
    worker.start()
    worker.join(30)
    hung = worker.is_alive()
    worker.kill()
    assert not hung
    assert store.objects.read("forked") == b"1"


def test_a_lake_of_one_argument_stages_in_its_own_folder(tmp_path):
    store = Store(tmp_path)
    publish(store, files={"a.txt": b"a"})
    assert pl.read_parquet(store.data_path(store.pointer("sales", DAY))).equals(ROWS)
    assert store.file_path(store.pointer("sales", DAY), "a.txt").read_bytes() == b"a"
    assert store.staging_folder == tmp_path / "staging"


def test_a_path_is_not_promised_where_there_is_none(new_bucket, tmp_path):
    home = Home(tmp_path)
    home.data.mkdir()
    (home.data / "lake.yaml").write_text(json.dumps({"root": new_bucket()}))
    store = open_store(home)
    with pytest.raises(InputError, match=r"read it with Store\.read_frame"):
        store.data_path(publish(store))
    # Drafts are staged in the home's scratch folder, not in the lake.
    assert store.staging_folder == home.work / "staging"
