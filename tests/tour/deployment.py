"""A small shop with a running UI, as a user has it, and what its lake and its runs say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from causalrec.home import CHECKOUT, Home
from causalrec_assets.lake.storage.pointer import Pointer
from causalrec_assets.lake.store import Store, open_store
from tests.worlds import make_home, tiny

SENSOR_TICKS = """query($name: String!) {
  sensorOrError(sensorSelector: {
    repositoryName: "__repository__", repositoryLocationName: "causalrec", sensorName: $name
  }) { ... on Sensor { sensorState { ticks(limit: 1) { status timestamp skipReason error { message } } } } }
}"""
RUNS = """query {
  runsOrError(limit: 200) { ... on Runs { results {
    runId jobName status creationTime assetSelection { path } tags { key value }
  } } }
}"""
UNFINISHED = ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")
T = TypeVar("T")
LAKE_IS_WHOLE = "The lake is what the landed files say."


@dataclass(frozen=True)
class Run:
    """A run as the UI's own interface tells of it; `assets` is empty where the whole job was run."""

    id: str
    job: str
    status: str
    created: float
    day: str
    backfill: str
    assets: frozenset[str]


@dataclass(frozen=True)
class Deployment:
    """A home and the address of its UI."""

    home: Home
    address: str

    @property
    def store(self) -> Store:
        return open_store(self.home)

    def current(self, table: str, day: date) -> Pointer:
        """The version that readers see."""
        pointer = self.store.pointer(table, day)
        assert pointer is not None, f"nothing of `{table}` of {day} is published"
        return pointer

    def events_folder(self, day: date) -> Path:
        return self.home.landing / "events" / f"day={day}"

    # -- what the UI's own interface says ------------------------------------------------------------------------------

    def ask(self, query: str, **variables: object) -> Mapping[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "errors" not in said, said["errors"]
        data: Mapping[str, Any] = said["data"]
        return data

    def runs(self, since: float = 0.0) -> list[Run]:
        """The runs that were asked for since a moment, the first first."""
        found = []
        for raw in self.ask(RUNS)["runsOrError"]["results"]:
            tags = {tag["key"]: tag["value"] for tag in raw["tags"]}
            assets = frozenset(key["path"][-1] for key in raw["assetSelection"] or ())
            day, backfill = tags.get("dagster/partition", ""), tags.get("dagster/backfill", "")
            run = Run(raw["runId"], raw["jobName"], raw["status"], raw["creationTime"], day, backfill, assets)
            if run.created >= since:
                found.append(run)
        return sorted(found, key=lambda run: run.created)

    def wait_for_run(self, fits: Callable[[Run], bool], since: float, seconds: float = 300) -> Run:
        """The first run that fits and has ended."""

        def ended() -> Run | None:
            return next((r for r in self.runs(since) if fits(r) and r.status not in UNFINISHED), None)

        return until(ended, seconds, "the run did not end")

    def wait_for_sensor(self, says: str, since: float, seconds: float = 600) -> str:
        """Wait for a look of the sensor `new_data` that asks for nothing and says a thing; what it says."""

        def said() -> str | None:
            ticks = self.ask(SENSOR_TICKS, name="new_data")["sensorOrError"]["sensorState"]["ticks"]
            if not ticks or ticks[0]["timestamp"] < since:
                return None
            assert ticks[0]["error"] is None, ticks[0]["error"]["message"]
            busy = any(run.status in UNFINISHED for run in self.runs())
            reason = ticks[0]["skipReason"] or ""
            return reason if says in reason and not busy else None

        return until(said, seconds, f"the sensor never said {says!r}")


def until(look: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    """What a look finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(1)
    raise AssertionError(f"{otherwise} within {seconds:.0f} s")


@contextmanager
def running(root: Path) -> Iterator[Deployment]:
    """Make a shop of six landed days, start its UI and daemon, and stop them in the end whatever happened."""
    home = make_home(root, tiny(days=6, events_per_day=600))
    _look_often(home)
    port = _free_port()
    command = [sys.executable, "-m", "causalrec_assets.commands.ui", "--port", str(port)]
    environment = {**os.environ, "CAUSALREC_HOME": str(home.root), "PYTHONPATH": str(CHECKOUT)}
    log = root / "ui.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deployment = Deployment(home, f"http://127.0.0.1:{port}")

        def answers() -> bool | None:
            assert process.poll() is None, f"the UI ended: see {log}"
            try:
                return bool(deployment.ask("{ version }")) or None
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                return None

        until(answers, 120, "the UI did not answer")
        yield deployment
    finally:
        _stop(process)


def _look_often(home: Home) -> None:
    path = home.data / "operations.yaml"
    text = path.read_text()
    for old, new in (("look_every_seconds: 30", "look_every_seconds: 5"), ("settle_seconds: 60", "settle_seconds: 2")):
        assert old in text, f"operations.yaml no longer says `{old}`"
        text = text.replace(old, new)
    path.write_text(text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the UI, then whatever of its process group is left."""
    for sign, seconds in ((signal.SIGINT, 20), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
