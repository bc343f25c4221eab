"""A real `dagster dev` on a home: started, asked over GraphQL, its processes found, and ended for certain."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from causalrec.home import CHECKOUT, Home

LAUNCH = """
mutation($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message stack }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(what: str, found: Callable[[], Any], seconds: float) -> Any:
    """The first true answer; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} seconds: {what}")


@dataclass(frozen=True)
class Process:
    pid: int
    group: int
    command: str

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def processes() -> list[Process]:
    """All living processes of this machine."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    found = []
    for line in listed.stdout.splitlines():
        pid, group, state, *command = line.split(None, 3)
        if not state.startswith("Z"):
            found.append(Process(int(pid), int(group), " ".join(command)))
    return found


class Deployment:
    """A home with its Dagster instance and, while it runs, `dagster dev` in a process group of its own."""

    def __init__(self, home: Home) -> None:
        self.home, self.process, self.port = home, None, 0
        # Dagster reads a `.env` of the folder before the environment: not the checkout's.
        shutil.copyfile(CHECKOUT / "workspace.yaml", home.root / "workspace.yaml")
        self.instance = dg.DagsterInstance.from_config(str(home.dagster))
        self.groups: list[int] = []

    def __enter__(self) -> Deployment:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.instance.dispose()

    @property
    def log(self) -> Path:
        return self.home.root / "dagster-dev.log"

    def start(self) -> None:
        self.port = free_port()
        environment = {
            **os.environ,
            "CAUSALREC_HOME": str(self.home.root),
            "DAGSTER_HOME": str(self.home.dagster),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONWARNINGS": "ignore",
            "GX_ANALYTICS_ENABLED": "false",
        }
        dagster = str(Path(sys.executable).parent / "dagster")
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [dagster, "dev", "-w", "workspace.yaml", "--host", "127.0.0.1", "--port", str(self.port)],
                env=environment,
                cwd=self.home.root,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.groups.append(self.process.pid)
        until("dagster dev answers", self.answers, 120)

    def end(self) -> None:
        """Kill whatever is left of all process groups that were started."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait(30)

    def processes(self) -> list[Process]:
        """All living processes of the groups."""
        return [process for process in processes() if process.group in self.groups]

    def named(self, module: str) -> Process:
        """The process that runs a module, e.g. `dagster._daemon`."""
        return next(process for process in self.processes() if f"-m {module} " in process.command)

    # -- over GraphQL --------------------------------------------------------------------------------------------------

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())["data"]
            return found

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            found = self.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return bool(found["repositoriesOrError"].get("nodes"))

    def launch(self, job: str, day: date, *tables: str) -> str:
        """Ask for a run as the UI does; its id."""
        selector: dict[str, Any] = {
            "repositoryLocationName": "causalrec",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        if tables:
            selector["assetSelection"] = [{"path": [name]} for name in tables]
        tags = [{"key": "dagster/partition", "value": day.isoformat()}]
        params = {"selector": selector, "executionMetadata": {"tags": tags}, "runConfigData": {}}
        found = self.ask(LAUNCH, params=params)["launchPipelineExecution"]
        assert found["__typename"] == "LaunchRunSuccess", found
        run_id: str = found["run"]["runId"]
        return run_id

    # -- from the instance ---------------------------------------------------------------------------------------------

    def run(self, run_id: str) -> dg.DagsterRun:
        found = self.instance.get_run_by_id(run_id)
        assert found is not None
        return found

    def finished(self, run_id: str) -> dg.DagsterRun | None:
        run = self.run(run_id)
        return run if run.is_finished else None

    def retry_of(self, run_id: str) -> dg.DagsterRun | None:
        runs = self.instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))
        return runs[0] if runs else None

    def holders(self) -> set[str]:
        """The runs that hold a slot of the pool `gpu`."""
        return set(self.instance.event_log_storage.get_concurrency_info("gpu").active_run_ids)

    def span(self, run_id: str) -> tuple[float, float]:
        """When a finished run started and ended."""
        record = self.instance.get_run_record_by_id(run_id)
        assert record is not None
        assert record.start_time is not None
        assert record.end_time is not None
        return record.start_time, record.end_time

    def worker(self, run_id: str) -> Process:
        """The process of a run, which starts its steps."""
        for entry in self.instance.all_logs(run_id):
            if "parent process (pid: " in entry.user_message:
                pid = int(entry.user_message.partition("(pid: ")[2].partition(")")[0])
                return next(process for process in self.processes() if process.pid == pid)
        raise AssertionError("the run has not said which process it is")
