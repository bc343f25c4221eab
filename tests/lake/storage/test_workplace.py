"""What a killed process leaves behind is cleared by the next; what a process that lives is at stays."""

import os
import signal
import subprocess
import sys
from datetime import date

import pytest

from causalrec.durable import clear_drafts, create_exclusively, open_draft
from causalrec_assets.lake.storage.workplace import clear_workplaces, workplace
from causalrec_assets.lake.store import Store

DAY = date(2026, 3, 2)
STAGES = """
import sys, time
from datetime import date
from pathlib import Path
from causalrec.durable import open_draft
from causalrec_assets.lake.store import Store
store = Store(Path(sys.argv[1]))
store.staging("sales", date(2026, 3, 2), "run").write_bytes(b"rows")
with open_draft(Path(sys.argv[1]) / "sales" / "pointers"):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def at_work(tmp_path):
    """A process in the middle of a publication."""
    process = subprocess.Popen([sys.executable, "-c", STAGES, tmp_path / "lake"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_a_process_that_lives_is_at_stays_and_is_gone_after_it_was_killed(at_work, tmp_path):
    store = Store(tmp_path / "lake")
    assert len(files(store.root)) == 2
    assert store.clear_left_behind() == 0
    assert len(files(store.root)) == 2
    os.kill(at_work.pid, signal.SIGKILL)
    at_work.wait()
    assert store.clear_left_behind() == 2
    assert files(store.root) == []


def test_the_next_process_that_stages_clears_what_a_killed_one_had_staged(at_work, tmp_path):
    os.kill(at_work.pid, signal.SIGKILL)
    at_work.wait()
    store = Store(tmp_path / "lake")
    staged = store.staging("sales", DAY, "run-2")
    staged.write_bytes(b"rows")
    assert files(store.staging_folder) == [staged]
    assert clear_workplaces(store.staging_folder) == []


def test_a_workplace_that_was_removed_is_made_again(tmp_path):
    first = workplace(tmp_path)
    assert workplace(tmp_path) == first
    first.rmdir()
    again = workplace(tmp_path)
    assert again.is_dir()
    assert clear_workplaces(tmp_path) == []


def test_only_drafts_that_nobody_writes_to_are_cleared(tmp_path):
    create_exclusively(tmp_path / "a.json", b"{}")
    (tmp_path / ".mine.tmp").touch()
    left = tmp_path / "below" / f".{'0' * 32}.tmp"
    left.parent.mkdir()
    left.touch()
    with open_draft(tmp_path) as (draft, _):
        assert clear_drafts(tmp_path) == [left]
        assert draft.exists()
    assert sorted(path.name for path in files(tmp_path)) == [".mine.tmp", "a.json"]


def test_a_draft_that_was_cleared_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    import fcntl

    lock, cleared = fcntl.flock, []

    def too_late(descriptor, how):
        if not cleared:
            (draft,) = tmp_path.iterdir()
            cleared.append(draft)
            draft.unlink()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", too_late)
    with open_draft(tmp_path) as (draft, _):
        assert draft.exists()
        assert draft not in cleared
