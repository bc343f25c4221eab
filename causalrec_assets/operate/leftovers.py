"""Runs that a killed command left behind: Dagster would take them for running for ever, and keep their slot of a pool.

A command names itself in the tags of its runs: machine, process, and since when that process lives. Whoever looks later
on the same machine can tell whether it is gone.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from causalrec.home import Home

if TYPE_CHECKING:
    import dagster as dg

COMMAND, PROCESS = "causalrec/command", "causalrec/process"


def tags_of(command: str) -> dict[str, str]:
    """What the runs of this process's command are tagged with."""
    # The command says what failed and goes on when it is given again: a daemon beside it is not to try again.
    process = f"{_machine()} {os.getpid()} {_alive_since(os.getpid())}"
    return {COMMAND: command, PROCESS: process, "dagster/max_retries": "0"}


def command_is_gone(tags: Mapping[str, str]) -> bool:
    """Whether a run was started by a command on this machine that has ended; False where that cannot be told."""
    machine, _, process = tags.get(PROCESS, "").partition(" ")
    number, _, since = process.partition(" ")
    return machine == _machine() and number.isdigit() and _alive_since(int(number)) != since


def clear_leftovers(home: Home) -> list[str]:
    """End the runs that killed commands left running, free their slots, and end their MLflow runs.

    Returns:
        Their ids.
    """
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    import dagster as dg

    from resources.tracking.resource import Tracking

    with dg.DagsterInstance.get() as instance:
        gone = lost(instance)
        for run in gone:
            end(instance, run, "The command that had started this run was killed, and the run with it.")
            Tracking().end_abandoned(home, run.run_id, "KILLED")
    return [run.run_id for run in gone]


def lost(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """The runs that are not over for Dagster, and whose command is gone."""
    import dagster as dg

    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    return [run for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)) if command_is_gone(run.tags)]


def ask_to_end(run_id: str) -> None:
    """Record that somebody wants a run to end, so that it ends as cancelled and not as failed."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceling(run)


def end_run(run_id: str, why: str) -> None:
    """Record that a run is over, if Dagster takes it for running: as cancelled, if somebody wanted that."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            end(instance, run, why)


def end(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    """Record that a run is over, and free its slots of the pools."""
    import dagster as dg

    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, why)
    else:
        instance.report_run_failed(run, why)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


@cache
def _machine() -> str:
    """The machine and its start: after a restart, numbers of processes mean nothing."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot.read_text().strip() if boot.exists() else ''}"


def _alive_since(process: int) -> str:
    """When a process began, as the system counts; empty when there is none of that number."""
    stat = Path(f"/proc/{process}/stat")
    try:
        # The name of the program, in brackets, may hold blanks.
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "" if Path("/proc/self/stat").exists() else _alive_without_proc(process)
    # A dead process that nobody has waited for is still listed.
    return "" if fields[0] in "ZX" else fields[19]


def _alive_without_proc(process: int) -> str:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
