"""A command that is stopped or killed leaves nothing that the same command does not put right."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.worlds import FIRST, make_home, tiny

LAST = FIRST + timedelta(days=2)
BACKFILL = [sys.executable, "-W", "ignore", "-m", "causalrec_assets.commands.backfill", str(FIRST), str(LAST), "--logs"]
pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path, monkeypatch):
    home = make_home(tmp_path / "a shop", tiny(days=3, events_per_day=300))
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    return home


def begin_and_send(number, when):
    """Start the command, and send it a signal in its next run after it said something.

    Returns:
        What it said, how it ended, and after how many seconds.
    """
    command = subprocess.Popen(BACKFILL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in command.stdout:
        said.append(line)
        if when in line:
            break
    while dg.DagsterRunStatus.STARTED not in states():
        time.sleep(0.05)
    os.kill(command.pid, number)
    sent = time.monotonic()
    said.append(command.stdout.read())
    return "".join(said), command.wait(), time.monotonic() - sent


def states():
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in instance.get_runs()]


def test_a_stopped_command_says_what_is_done_and_the_same_command_goes_on(shop):
    said, code, seconds = begin_and_send(signal.SIGINT, f"logs {FIRST}")
    assert code == 130
    assert "Stopped. 5 asset partitions were built and stay" in said
    assert "The same command goes on from there." in said
    assert "Traceback" not in said and "failed" not in said
    assert seconds < 60
    assert dg.DagsterRunStatus.STARTED not in states() and dg.DagsterRunStatus.FAILURE not in states()

    again = subprocess.run(BACKFILL, capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"logs {FIRST} " not in again.stdout
    assert "asset partitions were built, 0 run(s) failed." in again.stdout
    assert f"logs {LAST} (3 of 3)" in again.stdout


def test_what_a_killed_command_left_running_is_ended_by_the_next(shop):
    _, code, _ = begin_and_send(signal.SIGKILL, f"logs {FIRST}")
    assert code == -signal.SIGKILL
    time.sleep(2)  # its worker ends with it
    assert states()[0] == dg.DagsterRunStatus.STARTED
    again = subprocess.run(BACKFILL, capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 run(s) that a killed command had left running are marked as failed." in again.stdout
    assert dg.DagsterRunStatus.STARTED not in states()
