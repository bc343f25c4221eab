"""Processes for runs: they end with the command, and a death ends one run only."""

import os
import signal
import threading
import time
from datetime import date

import dagster as dg
import pytest

from causalrec.home import Home
from causalrec_assets.operate.planning import Request
from causalrec_assets.running.runs import Ran, Run
from causalrec_assets.running.workers import Workers

DAY = date(2026, 3, 2)


def task(home, run, begins):
    """What the request's reason says."""
    begins("first step")
    what = run.request.why
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "stays":
        (home.root / f"pid-{os.getpid()}").touch()
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:  # as native code that hears nothing
                continue
    return Ran("", what, 0.0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = Home(tmp_path)
    home.dagster.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    return home


def runs(*whys):
    return [Run(Request(DAY, ("clean_events",), why, ""), {}, why) for why in whys]


def nothing(*_):
    pass


def test_all_runs_are_run_and_their_steps_are_told(home):
    heard = []
    with Workers(home, 2, lambda run, step: heard.append((run.title, step)), nothing, task) as workers:
        ended = {run.title: ran for run, ran in workers.run(runs("a", "b", "c"))}
    assert {title: ran.warnings for title, ran in ended.items()} == {"a": "a", "b": "b", "c": "c"}
    assert set(heard) == {(title, step) for title in "abc" for step in ("", "first step")}


def test_a_worker_that_dies_fails_its_run_and_no_other(home):
    with Workers(home, 1, nothing, nothing, task) as workers:
        ended = {run.title: ran for run, ran in workers.run(runs("dies", "next"))}
    assert "SIGKILL" in ended["dies"].error and "clean_events of 2026-03-02" in ended["dies"].error
    assert ended["next"] == Ran("", "next", 0.0)


def test_an_interrupt_ends_a_run_that_hears_nothing_within_seconds(home):
    def interrupt():
        while not list(home.root.glob("pid-*")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt), Workers(home, 1, nothing, nothing, task) as workers:
        list(workers.run(runs("stays")))
    worker = int(next(home.root.glob("pid-*")).name.removeprefix("pid-"))
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_the_run_of_a_stopped_command_is_cancelled(home):
    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(noop, status=dg.DagsterRunStatus.STARTED)
        mine = Run(Request(DAY, ("clean_events",), "stays", ""), {}, "stays", run.run_id)
        workers = Workers(home, 1, nothing, nothing, task)
        running = workers.run([mine])
        thread = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            list(running)
        workers.stop()
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.CANCELED


@dg.op
def nop():
    pass


@dg.job
def noop():
    nop()
