"""Calling a function where its death harms nothing: in a process of its own, with a limit on memory and time.

What reads Parquet, CSV and JSON is native code, and a damaged or hostile file can end the process that reads it: an
abort at a failed allocation, a crash, an allocation that the machine cannot bear, a loop without end. One warm process
serves all calls of this one, and is replaced when it dies. It is started afresh and not forked, so that neither threads
nor locks of this process matter to it.

On Linux the limit counts what the process itself allocates; elsewhere the system may not keep it.
"""

from __future__ import annotations

import atexit
import os
import pickle
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from causalrec.answers import InputError

T = TypeVar("T")
LENGTH = 8
MOST_THREADS = 8
FOLDER = "CAUSALREC_ISOLATED_FOLDER"
CAUSE = re.compile("panicked at|memory allocation|terminate called|Fatal|Error|error")
START = "from causalrec.logs.reading.isolated import serve; serve()"


class Died(Exception):
    """The called function ended its process, or failed in native code; the message says how.

    Attributes:
        certain: It would again, here as elsewhere; else the machine may have had its part.
    """

    def __init__(self, message: str, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


@dataclass(frozen=True)
class Bounds:
    """What a call may take: bytes of memory, seconds."""

    memory: int
    seconds: float


def isolated(function: Callable[..., T], *arguments: object, bounds: Bounds) -> T:
    """What the function returns, called in another process.

    Args:
        function: One of a module's own; it, its arguments and its result are pickled.

    Raises:
        Died: It did not survive, did not keep the bounds, or panicked.
        Exception: What it raised itself.
    """
    with _lock:
        while True:
            warm = _worker is not None and _worker.pid == os.getpid()
            worker = _worker if warm and _worker is not None else _start()
            try:
                answer: T = _answer(worker.call((function, arguments, bounds), bounds.seconds))
                return answer
            except _Ended as end:
                _discard(worker)
                # What earlier calls have left in its memory is not this one's fault.
                if not warm or not end.again:
                    raise Died(end.said, end.certain) from None
            except BaseException:
                if worker.busy:
                    _discard(worker)
                raise


class _Ended(Exception):
    def __init__(self, message: str, certain: bool, again: bool = True) -> None:
        super().__init__(message)
        self.said, self.certain, self.again = message, certain, again


def _answer(reply: tuple[str, Any]) -> Any:
    kind, content = reply
    if kind == "returned":
        return content
    if kind == "died":
        raise _Ended(content, True, again="memory" in content)
    if kind == "raised":
        raise content
    raise RuntimeError(f"a call in a process of its own failed:\n{content}")


class _Worker:
    """The other process, seen from here."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.busy = False
        self.folder = tempfile.TemporaryDirectory(prefix="causalrec-")
        self.said = Path(self.folder.name) / "stderr"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
            "TMPDIR": self.folder.name,
            FOLDER: self.folder.name,
            "RUST_BACKTRACE": "0",
        }
        # Each thread's stack counts as memory, used or not: on a machine of many cores they would be most of it.
        environment.setdefault("POLARS_MAX_THREADS", str(min(os.cpu_count() or 1, MOST_THREADS)))
        with self.said.open("wb") as stderr_file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr_file,
                env=environment,
                # Ctrl-C at a terminal goes to this process, which ends the other one.
                start_new_session=True,
            )

    def call(self, request: object, seconds: float) -> tuple[str, Any]:
        self.busy = True
        assert self.process.stdin is not None
        try:
            _send(self.process.stdin, request)
        except BrokenPipeError:
            raise self._ended() from None
        reply = self._receive(time.monotonic() + seconds, seconds)
        self.busy = False
        return reply

    def _receive(self, until: float, seconds: float) -> tuple[str, Any]:
        length = int.from_bytes(self._bytes(LENGTH, until, seconds), "big")
        reply: tuple[str, Any] = pickle.loads(self._bytes(length, until, seconds))
        return reply

    def _bytes(self, count: int, until: float, seconds: float) -> bytes:
        assert self.process.stdout is not None
        received = bytearray()
        while len(received) < count:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], min(left, 3600))[0]:
                if time.monotonic() < until:
                    continue
                raise _Ended(f"reading it did not end within {seconds:,.0f} seconds", False, again=False)
            part = os.read(self.process.stdout.fileno(), min(count - len(received), 1024**2))
            if not part:
                raise self._ended()
            received += part
        return bytes(received)

    def _ended(self) -> _Ended:
        code = self.process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        with suppress(OSError):
            lines = self.said.read_text(errors="replace").splitlines()
            how += "".join(f": {line.strip()[:200]}" for line in [line for line in lines if CAUSE.search(line)][-1:])
        # SIGKILL is what a machine that has run out of memory sends, to whomever it picks.
        return _Ended(f"reading it ended the process that read it ({how})", code != -signal.SIGKILL)

    def end(self) -> None:
        with suppress(OSError):
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.folder.cleanup()


_lock = threading.RLock()
_worker: _Worker | None = None


def _start() -> _Worker:
    global _worker
    _worker = _Worker()
    return _worker


def _discard(worker: _Worker) -> None:
    global _worker
    _worker = None
    worker.end()


def _end_at_exit() -> None:
    if _worker is not None and _worker.pid == os.getpid():
        _discard(_worker)


def _forget_after_fork() -> None:
    # The process of the one that was forked from is not this one's; its pipes would be two masters'.
    global _lock, _worker
    _lock, inherited, _worker = threading.RLock(), _worker, None
    if inherited is not None:
        inherited.folder._finalizer.detach()  # type: ignore[attr-defined]
        for pipe in (inherited.process.stdin, inherited.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    os.close(pipe.fileno())


atexit.register(_end_at_exit)
os.register_at_fork(after_in_child=_forget_after_fork)


def _send(pipe: IO[bytes], content: object) -> None:
    data = pickle.dumps(content)
    pipe.write(len(data).to_bytes(LENGTH, "big") + data)
    pipe.flush()


# -- in the other process --------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer calls until the one who asks is gone."""
    calls = sys.stdin.buffer
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while header := calls.read(LENGTH):
        data = calls.read(int.from_bytes(header, "big"))
        try:
            function, arguments, bounds = pickle.loads(data)
            _limit_memory(bounds.memory)
            reply: tuple[str, Any] = ("returned", function(*arguments))
        except InputError as error:
            reply = ("raised", InputError(str(error)))
            if error.__cause__ is not None and not isinstance(error.__cause__, Exception):
                reply = ("died", _panicked(error.__cause__))
        except (MemoryError, RecursionError) as error:
            words = "it takes more memory than it may" if isinstance(error, MemoryError) else "it is nested too deeply"
            reply = ("died", words)
        except Exception as error:
            reply = _raised(error)
        except BaseException as error:  # Rust's panics are no Exceptions.
            reply = ("died", _panicked(error))
        with suppress(BrokenPipeError):
            _send(answers, reply)
    # The one who asked may have been killed, and then removes nothing.
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def _panicked(error: BaseException) -> str:
    # What a panic has left behind is not relied on: who asked ends this process, as if it had died.
    return f"its reader panicked ({str(error).partition(chr(10))[0][:200] or type(error).__name__})"


def _raised(error: Exception) -> tuple[str, Any]:
    import traceback

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return "failed", traceback.format_exc()
    return "raised", error


def _limit_memory(size: int) -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (size if hard < 0 else min(size, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
