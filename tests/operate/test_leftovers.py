"""Runs of killed commands are ended by the next command, and those of living ones are left alone."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from causalrec.home import Home
from causalrec_assets.operate.leftovers import PROCESS, clear_leftovers, command_is_gone, tags_of


@dg.op
def nop():
    pass


@dg.job
def noop():
    nop()


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.dagster.mkdir()
    return home


def of_a_process_that_has_ended():
    code = "from causalrec_assets.operate.leftovers import tags_of; print(tags_of('demo')['causalrec/process'], end='')"
    return {PROCESS: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout}


def test_a_living_command_is_not_gone():
    assert not command_is_gone(tags_of("backfill"))


def test_a_command_that_has_ended_is_gone():
    assert command_is_gone(of_a_process_that_has_ended())


def test_another_process_that_has_got_the_number_is_not_the_command():
    machine, number, _ = tags_of("backfill")[PROCESS].split(" ")
    assert command_is_gone({PROCESS: f"{machine} {number} 12345"})


@pytest.mark.parametrize("process", ["", "elsewhere/boot 1 2", "nonsense", f"{os.uname().nodename} x y"])
def test_of_what_cannot_be_told_nothing_is_said(process):
    assert not command_is_gone({PROCESS: process})


def test_the_next_command_ends_what_a_killed_one_left_running(home, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    with dg.DagsterInstance.get() as instance:
        left = instance.create_run_for_job(noop, status=dg.DagsterRunStatus.STARTED, tags=of_a_process_that_has_ended())
        own = instance.create_run_for_job(noop, status=dg.DagsterRunStatus.STARTED, tags=tags_of("backfill"))
        others = instance.create_run_for_job(noop, status=dg.DagsterRunStatus.STARTED)
        assert clear_leftovers(home) == [left.run_id]
        status = {run.run_id: instance.get_run_by_id(run.run_id).status for run in (left, own, others)}
    assert status == {
        left.run_id: dg.DagsterRunStatus.FAILURE,
        own.run_id: dg.DagsterRunStatus.STARTED,
        others.run_id: dg.DagsterRunStatus.STARTED,
    }
