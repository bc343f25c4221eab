"""All assets of a day, as the UI runs them (each step a process, forked from a warm server) against one process.

    python -m benchmarks.steps            the demo's shop
    python -m benchmarks.steps --rows 2000 --repeat 3

Both arms begin with a copy of the same home, its other days built, and end with the whole graph of the last day; their
processes' own start is counted. Prints the seconds of each run and the ratio of the medians; last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from causalrec.home import Home
from causalrec.simulator.landing import simulate
from causalrec.simulator.world.world import WorldConfig
from causalrec_assets.commands.home import create_home

ONE_PROCESS = """
import dagster as dg
from causalrec_assets.definitions import defs
with dg.DagsterInstance.get() as instance:
    result = defs.resolve_job_def("daily_retrain").execute_in_process(partition_key={day!r}, instance=instance)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=WorldConfig().events_per_day, help="events a day")
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args(arguments)
    world = WorldConfig(events_per_day=given.rows)
    with tempfile.TemporaryDirectory() as folder:
        home = create_home(Path(folder) / "home", "simulated")
        simulate(world, home.landing, home.truth)
        last = world.first_day + timedelta(days=world.days - 1)
        span = [str(world.first_day), str(last)]
        _run([sys.executable, "-m", "causalrec_assets.commands.backfill", *span, "--logs"], home)
        tags = json.dumps({"dagster/partition": str(last)})
        dagster = str(Path(sys.executable).parent / "dagster")
        forked = [
            dagster,
            "job",
            "execute",
            "-m",
            "causalrec_assets.definitions",
            "-j",
            "daily_retrain",
            "--tags",
            tags,
        ]
        arms = {"one process": [sys.executable, "-c", ONE_PROCESS.format(day=str(last))], "forked steps": forked}
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for _ in range(given.repeat):
            for name, command in arms.items():
                copy = Path(folder) / "copy"
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(home.root, copy)
                seconds[name].append(_run(command, Home(copy)))
                print(f"{name:<14}{seconds[name][-1]:8.1f} s", flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["forked steps"] / medians["one process"]
    print(f"\nforked steps / one process: {ratio:.2f} (of the medians of {given.repeat})")
    print(json.dumps({"benchmark": "steps", "rows": given.rows, "seconds": seconds, "ratio": round(ratio, 3)}))


def _run(command: list[str], home: Home) -> float:
    environment = {**os.environ, "CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)}
    environment |= {"PYTHONWARNINGS": "ignore", "GX_ANALYTICS_ENABLED": "false"}
    started = time.perf_counter()
    # In the home's folder: Dagster reads a `.env` of its folder before the environment.
    done = subprocess.run(command, cwd=home.root, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
