import os
import stat
import subprocess
import sys

import pytest

from causalrec.answers import InputError
from causalrec.durable import create_exclusively, one_at_a_time, write_whole


def test_a_write_that_fails_leaves_the_old_content_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "list.yaml"
    write_whole(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["list.yaml"]


def test_permissions_are_kept_and_a_secret_is_never_open(tmp_path, monkeypatch):
    seen, replaced = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(stat.S_IMODE(os.fstat(fd).st_mode)), replaced(fd))[1])
    key = tmp_path / "key"
    create_exclusively(key, b"secret", mode=0o600)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert seen[0] == 0o600
    key.chmod(0o640)
    write_whole(key, b"other")
    assert stat.S_IMODE(key.stat().st_mode) == 0o640


def test_a_name_is_made_once(tmp_path):
    create_exclusively(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        create_exclusively(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_a_lock_is_held_by_one_and_let_go_of_by_a_kill(tmp_path):
    lock = tmp_path / "lock"
    holder = (
        "import sys, time, pathlib; from causalrec.durable import one_at_a_time\n"
        "with one_at_a_time(pathlib.Path(sys.argv[1]), 'another'):\n    print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another is at work"), one_at_a_time(lock, "another"):
            pass
    finally:
        process.kill()
        process.wait()
    with one_at_a_time(lock, "another"):
        pass
