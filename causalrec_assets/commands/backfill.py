"""Bring a range of days up to date without the UI; the runs are in the Dagster instance like any other.

    python -m causalrec_assets.commands.backfill 2026-03-02 2026-03-15           log assets, then learning
    python -m causalrec_assets.commands.backfill 2026-03-02 2026-03-15 --logs    log assets only

What is current is not built again, so a range that failed half-way goes on with the days that failed. What only reads
landed files is built side by side (`--workers`), `history` and `units` in the order of the days, and so is learning: an
older day writes the decision that it would have made against the champion of that day, and never moves the champion.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import FrameType

from causalrec.answers import InputError
from causalrec.durable import clear_drafts
from causalrec.engine.full_disk import cannot_write
from causalrec.home import Home
from causalrec_assets.lake.store import open_store
from causalrec_assets.operate.asked_days import require_partitions
from causalrec_assets.operate.leftovers import clear_leftovers, tags_of
from causalrec_assets.operate.planning import Request
from causalrec_assets.running.progress import Progress
from causalrec_assets.running.runs import Ran, Run, run_here
from causalrec_assets.running.workers import Workers

INTERRUPTED = 130
"""What a process ends with that was told to stop."""


@dataclass
class Built:
    """What a backfill did.

    Attributes:
        partitions: How many asset partitions were built.
        failed: What each failed run said; it was said once already, when the run had ended.
        waits: What could not be built, and why.
        passed_over: What lies in the landing zone and is nobody's rows; nothing waits for it.
        stopped: What was running when somebody stopped it; None: nobody did.
    """

    partitions: int = 0
    failed: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    stopped: list[str] | None = None

    @property
    def whole(self) -> bool:
        return not self.failed and not self.waits and self.stopped is None

    def last_words(self) -> Iterator[str]:
        """What is to be said at the end of what was not built, and how to go on."""
        yield from (f"warning: {warning}" for warning in self.passed_over)
        yield from self.waits
        if self.stopped is not None:
            running = f"; {', '.join(self.stopped)} was running and is not done" if self.stopped else ""
            yield (
                f"Stopped. {self.partitions} asset partitions were built and stay{running}. The same command goes on "
                "from there."
            )


Runner = Callable[[Sequence[Run]], Iterable[tuple[Run, Ran]]]


def bring_up_to_date(
    home: Home,
    log_days: Sequence[date],
    learning_days: Sequence[date],
    say: Callable[[str], None],
    workers: int = 0,
    command: str = "backfill",
) -> Built:
    """Build what is not current: the log assets of some days, then the learning assets of some, in order.

    A KeyboardInterrupt ends what is running and is answered with what was built until then.

    Args:
        log_days: Ascending, without a hole.
        say: Is told each run when it has ended, and what is running in between.
        workers: Processes for runs, which may go side by side; 0: all runs happen in this process, one by one.
        command: Names the runs in Dagster.

    Raises:
        InputError: A setting is wrong, a day has no partition, a store does not answer, or a place cannot be written.
    """
    require_partitions(home, [*log_days, *learning_days])
    try:
        return _bring_up_to_date(home, log_days, learning_days, say, workers, command)
    except Exception as error:
        if isinstance(error, InputError) or (sentence := cannot_write(error)) is None:
            raise
        raise InputError(sentence) from error


def _bring_up_to_date(
    home: Home,
    log_days: Sequence[date],
    learning_days: Sequence[date],
    say: Callable[[str], None],
    workers: int,
    command: str,
) -> Built:
    built, progress = Built(), Progress(say)
    try:
        cleared = clear_leftovers(home)
        left = open_store(home).clear_left_behind() + len(clear_drafts(home.work / "landing_index"))
        if left:
            say(f"{left} draft(s) that a killed process had left are removed.")
        if cleared:
            say(f"{len(cleared)} run(s) that a killed command had left running are marked as failed.")
        with _runner(home, workers, progress, say) as run:
            _Backfill(home, built, progress, run, tags_of(command)).build(log_days, learning_days, workers)
    except KeyboardInterrupt:
        progress.clear()
        built.stopped = progress.running
    return built


@dataclass
class _Backfill:
    """Plans, runs what is planned, and notes what came of it."""

    home: Home
    built: Built
    progress: Progress
    run: Runner
    tags: dict[str, str]

    def build(self, log_days: Sequence[date], learning_days: Sequence[date], workers: int) -> None:
        from causalrec_assets.definitions import defs
        from causalrec_assets.operate.automation import learning_parents, planner

        tried = set[str]()
        while True:
            plan = planner(self.home, data_only=False, tried=tried).logs(log_days)
            if not plan.requests:
                break
            # The first unsettled day is asked for whole: one at a time, each day is one run.
            requests = plan.requests if workers > 1 else plan.requests[:1]
            titled = [(f"logs {r.day} ({log_days.index(r.day) + 1} of {len(log_days)})", r) for r in requests]
            for request, _ in self._run(titled):
                tried.add(request.key)
        self.built.waits.extend(plan.waits)
        self.built.passed_over.extend(plan.passed_over)
        parents = learning_parents(defs.get_repository_def())
        for day in learning_days:
            plan = planner(self.home, data_only=False).learning(day, parents)
            self.built.waits.extend(plan.waits)
            names = [name for request in plan.requests for name in request.assets]
            for number, name in enumerate(names, start=1):
                # Asked again before each: what comes out as it was leaves what follows it current.
                if planner(self.home, data_only=False).stale(name, day) is None:
                    continue
                title = f"{name} {day} ({number} of {len(names)})"
                if any(ran.error for _, ran in self._run([(title, Request(day, (name,), "", ""))])):
                    break

    def _run(self, titled: Sequence[tuple[str, Request]]) -> Iterator[tuple[Request, Ran]]:
        """Run what may go side by side."""
        runs = [Run(request, self.tags, title) for title, request in titled]
        for run, ran in self.run(runs):
            self._note(run, ran)
            yield run.request, ran

    def _note(self, run: Run, ran: Ran) -> None:
        if ran.error:
            self.built.failed.append(ran.error)
            self.progress.ends(run.title, f"{run.title:<46} failed\n{ran.error}")
            return
        self.built.partitions += len(run.request.assets)
        self.progress.ends(run.title, f"{run.title:<46} {ran.seconds:5.1f} s  {ran.warnings}".rstrip())


@contextmanager
def _runner(home: Home, workers: int, progress: Progress, say: Callable[[str], None]) -> Iterator[Runner]:
    """What runs a few requests: side by side in processes of their own, or one by one in this one."""

    def begins(run: Run, step: str) -> None:
        progress.begins(run.title, step)

    if workers:
        with Workers(home, workers, begins, progress.look) as pool:
            try:
                yield pool.run
            except KeyboardInterrupt:
                progress.clear()
                say("Stopping ...")
                raise
        return

    def one_by_one(runs: Sequence[Run]) -> Iterator[tuple[Run, Ran]]:
        for run in runs:
            begins(run, "")
            yield run, run_here(home, run, lambda step, run=run: begins(run, step))  # type: ignore[misc]

    yield one_by_one


def stop_like_ctrl_c(number: int, frame: FrameType | None) -> None:
    """What a service manager sends (SIGTERM) stops a command as a person does."""
    raise KeyboardInterrupt


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.backfill",
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
        command = f"python -m causalrec_assets.commands.home {home.root}"
        sys.exit(f"there is no home at {home.root}: make one with `{command}`")
    if given.last < given.first:
        sys.exit(f"the range is empty: {given.last} is before {given.first}")
    if given.workers < 1:
        sys.exit(f"--workers must be at least 1, got {given.workers}")
    days = [given.first + timedelta(days=k) for k in range((given.last - given.first).days + 1)]
    signal.signal(signal.SIGTERM, stop_like_ctrl_c)
    try:
        built = bring_up_to_date(home, days, [] if given.logs else days, say, given.workers)
    except InputError as error:
        sys.exit(str(error))
    for line in built.last_words():
        say(line)
    if built.stopped is not None:
        return INTERRUPTED
    say(f"{built.partitions} asset partitions were built, {len(built.failed)} run(s) failed.")
    return 0 if built.whole else 1


if __name__ == "__main__":
    sys.exit(main())
