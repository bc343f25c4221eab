"""Processes in which runs happen, so that the one that a person talks to is free to listen.

Each lives in a session of its own: Ctrl-C reaches the command alone, which then ends its workers. A worker that dies
(out of memory, a crash in native code) ends its own run and nothing else; another takes its place.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from causalrec.home import Home
from causalrec_assets.operate.leftovers import ask_to_end, end_run
from causalrec_assets.running.runs import Ran, Run, load_definitions, run_here

GRACE_SECONDS = 3
"""A run that is told to stop has so long to tidy up after itself."""
LOOK_SECONDS = 0.5

Begins = Callable[[Run, str], None]
"""Is told that a run begins (with an empty step), and each step of it."""
Task = Callable[[Home, Run, Callable[[str], None]], Ran]
"""What a worker does with a run; it tells the name of each step."""


class Workers:
    """Runs requests, each in one of a few processes of its own."""

    def __init__(self, home: Home, count: int, begins: Begins, look: Callable[[], None], task: Task = run_here) -> None:
        """Args:
        count: How many runs may go side by side.
        look: Called while waiting, about twice a second.
        """
        self._home, self._begins, self._look, self._task = home, begins, look, task
        # Started before they are needed: each loads the definitions while the command still plans.
        self._workers = [_Worker(home, task) for _ in range(count)]
        self._stopped = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not self._stopped:
            self.stop() if kind is not None else self._let_go()

    def run(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Ran]]:
        """Run all of them, as many side by side as there are workers; gives each when it has ended."""
        waiting = list(runs)
        while waiting or self._busy:
            for k, worker in enumerate(self._workers):
                if waiting and worker.run is None:
                    if not worker.process.is_alive():
                        self._workers[k] = worker = _Worker(self._home, self._task)
                    worker.begin(waiting.pop(0))
                    assert worker.run is not None
                    self._begins(worker.run, "")
            yield from self._listen()

    @property
    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.run is not None]

    def _listen(self) -> Iterator[tuple[Run, Ran]]:
        busy = self._busy
        ready = wait([*(w.connection for w in busy), *(w.process.sentinel for w in busy)], LOOK_SECONDS)
        for worker in busy:
            if worker.connection in ready or worker.process.sentinel in ready:
                run = worker.run
                assert run is not None
                message = worker.hear()
                if isinstance(message, str):
                    self._begins(run, message)
                elif message is not None:
                    yield run, message
        self._look()

    def stop(self) -> None:
        """End what is running, at once: it is told to, and killed when it has not ended in a few seconds."""
        self._stopped = True
        ended = [worker.run for worker in self._busy if worker.run is not None]
        for run in ended:
            ask_to_end(run.id)
        for worker in self._workers:
            worker.interrupt() if worker.run is not None else worker.kill()
        with suppress(KeyboardInterrupt):
            # Whoever asks a second time does not wait.
            give_up = time.monotonic() + GRACE_SECONDS
            while self._busy and time.monotonic() < give_up:
                for _ in self._listen():
                    pass
        for worker in self._workers:
            worker.kill()
        for run in ended:
            end_run(run.id, "The command that had started this run was stopped.")

    def _let_go(self) -> None:
        for worker in self._workers:
            worker.let_go()


class _Worker:
    """One process, and what it is at."""

    def __init__(self, home: Home, task: Task) -> None:
        context = get_context("spawn")
        self.connection, workers_end = context.Pipe()
        self.process = context.Process(target=_work, args=(workers_end, home, task), daemon=False)
        self.process.start()
        workers_end.close()
        self.run: Run | None = None
        self._began = 0.0

    def begin(self, run: Run) -> None:
        self.run, self._began = run, time.monotonic()
        with suppress(BrokenPipeError):  # its death is heard
            self.connection.send(run)

    def hear(self) -> str | Ran | None:
        """The name of a step that begins, or how the run ended; None when there is nothing to hear yet."""
        try:
            if not self.connection.poll():
                self.process.join(LOOK_SECONDS / 10)
                if self.process.is_alive():
                    return None
                raise EOFError
            message: str | Ran = self.connection.recv()
        except (EOFError, ConnectionResetError):
            message = self._died()
        if isinstance(message, Ran):
            self.run = None
        return message

    def _died(self) -> Ran:
        assert self.run is not None
        self.process.join(GRACE_SECONDS)
        why = _how_it_ended(self.process.exitcode)
        end_run(self.run.id, f"The process of this run ended: {why}.")
        names = ", ".join(self.run.request.assets)
        error = f"FAILED {names} of {self.run.request.day}: the process ended: {why}\n  run         {self.run.id}"
        return Ran(error, "", time.monotonic() - self._began)

    def interrupt(self) -> None:
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it, with all that it has started."""
        if self.process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join(GRACE_SECONDS)

    def let_go(self) -> None:
        """Let it end, there is nothing left to do."""
        with suppress(BrokenPipeError):
            self.connection.send(None)
        self.process.join(GRACE_SECONDS)
        self.kill()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"{name}, often for want of memory" if name == "SIGKILL" else name
    return f"exit code {code}"


def _work(connection: Connection[Any, Any], home: Home, task: Task) -> None:
    """What a worker does: one run after the other, until there is none."""
    with suppress(PermissionError):
        os.setsid()
    _end_with_the_command()
    # An interrupt in the middle of a query is no fault of the pool's, and nothing to tell a person who has stopped it.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        if task is run_here:
            load_definitions(home)
        while (run := connection.recv()) is not None:
            connection.send(task(home, run, connection.send))
    except (KeyboardInterrupt, EOFError):
        return


def _end_with_the_command() -> None:
    """When the command is killed, nobody reads what the worker says, and the next one would race against it."""
    command = parent_process()
    assert command is not None

    def watch() -> None:
        command.join()
        # With what it has started itself.
        os.killpg(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="ends-with-the-command", daemon=True).start()
