"""Bring a range of days up to date without the UI; the runs are in the Dagster instance like any other.

    python -m causalrec_assets.backfill 2026-03-02 2026-03-15            log assets, then the learning of each day
    python -m causalrec_assets.backfill 2026-03-02 2026-03-15 --logs     log assets only

What is current is not built again, so a range that failed half-way goes on with the days that failed. What only reads
landed files is built side by side (`--workers`), `history` and `units` in the order of the days, and so is learning: an
older day writes the decision that it would have made against the champion of that day, and never moves the champion.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import repeat
from multiprocessing import get_context
from typing import Any

from causalrec_assets.answers import InputError
from causalrec_assets.home import Home
from causalrec_assets.planning import Request
from causalrec_assets.run_words import what_warned

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Built:
    """What a backfill did.

    Attributes:
        partitions: How many asset partitions were built.
        failed: What each failed run said.
        waits: What could not be built, and why.
    """

    partitions: int = 0
    failed: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """One run: what failed (empty: nothing), which checks warned, and how long it took."""

    error: str
    warnings: str
    seconds: float


def bring_up_to_date(
    home: Home,
    log_days: Sequence[date],
    learning_days: Sequence[date],
    say: Callable[[str], None],
    workers: int = 1,
) -> Built:
    """Build what is not current: the log assets of some days, then the learning assets of some, in order.

    Args:
        log_days: Ascending, without a hole.
        say: Is told each run when it has ended.
        workers: Processes for runs that may go side by side.
    """
    from causalrec_assets.automation import learning_parents, planner
    from causalrec_assets.definitions import defs

    built, tried = Built(), set[str]()
    with _runner(home, workers) as run:
        while True:
            plan = planner(home, data_only=False, tried=tried).logs(log_days)
            if not plan.requests:
                break
            for request, ran in run(plan.requests):
                tried.add(request.key)
                _note(built, request, f"logs {request.day}", ran, say)
    built.waits.extend(plan.waits)
    parents = learning_parents(defs.get_repository_def())
    for day in learning_days:
        plan = planner(home, data_only=False).learning(day, parents)
        built.waits.extend(plan.waits)
        for name in [name for request in plan.requests for name in request.assets]:
            # Asked again before each: what comes out as it was leaves what follows it current.
            if planner(home, data_only=False).stale(name, day) is None:
                continue
            alone = Request(day, (name,), "", "")
            ran = run_here(home, alone)
            _note(built, alone, f"{name} {day}", ran, say)
            if ran.error:
                break
    return built


def _note(built: Built, request: Request, title: str, ran: Ran, say: Callable[[str], None]) -> None:
    if ran.error:
        built.failed.append(ran.error)
        say(f"{title:<36} failed")
        return
    built.partitions += len(request.assets)
    say(f"{title:<36} {ran.seconds:5.1f} s  {ran.warnings}".rstrip())


@contextmanager
def _runner(home: Home, workers: int) -> Iterator[Callable[[Sequence[Request]], Iterable[tuple[Request, Ran]]]]:
    """What runs requests that may go side by side: all of them in several processes, or the first alone in this one."""
    if workers == 1:
        # The first unsettled day is asked for whole: one at a time, each day is one run.
        yield lambda requests: [(requests[0], run_here(home, requests[0]))]
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

        def side_by_side(requests: Sequence[Request]) -> Iterable[tuple[Request, Ran]]:
            if len(requests) == 1:
                return [(requests[0], run_here(home, requests[0]))]
            return zip(requests, pool.map(run_here, repeat(home), requests), strict=True)

        yield side_by_side


def run_here(home: Home, request: Request) -> Ran:
    """Run some assets of a day in this process, recorded in the home's Dagster instance."""
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    import dagster as dg

    from causalrec_assets.definitions import defs

    started = time.perf_counter()
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            partition_key=request.day.isoformat(),
            asset_selection=[dg.AssetKey(name) for name in request.assets],
            instance=instance,
            raise_on_error=False,
            run_config=QUIET,
        )
    error = "" if result.success else _what_failed(result)
    return Ran(error, what_warned(result), time.perf_counter() - started)


def _what_failed(result: Any) -> str:
    step = next(event for event in result.all_events if event.is_step_failure)
    error = step.event_specific_data.error
    while error.cause is not None:
        error = error.cause
    return f"FAILED {step.step_key}: {error.message.strip()}"


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.backfill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=date.fromisoformat, metavar="FROM")
    parser.add_argument("last", type=date.fromisoformat, metavar="TO")
    parser.add_argument("--logs", action="store_true", help="log assets only")
    parser.add_argument("--workers", type=int, default=1, help="processes for what may go side by side")
    given = parser.parse_args(arguments)
    home = Home.current()
    if not home.dagster.exists():
        sys.exit(f"there is no home at {home.root}: make one with `python -m causalrec_assets.home {home.root}`")
    if given.last < given.first:
        sys.exit(f"the range is empty: {given.last} is before {given.first}")
    days = [given.first + timedelta(days=k) for k in range((given.last - given.first).days + 1)]
    try:
        built = bring_up_to_date(home, days, [] if given.logs else days, say, given.workers)
    except InputError as error:
        sys.exit(str(error))
    for line in (*built.failed, *built.waits):
        say(line)
    say(f"{built.partitions} asset partitions were built, {len(built.failed)} run(s) failed.")
    return 1 if built.failed or built.waits else 0


if __name__ == "__main__":
    sys.exit(main())
