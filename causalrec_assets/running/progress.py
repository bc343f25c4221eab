"""What a long command says while it works: which of how many, what is running, since when."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 60
"""Where lines cannot be written over, what is running is said again after so long."""


class Progress:
    """Says what is running: over and over in one line of a terminal, else once in a while in a line of its own."""

    def __init__(self, say: Callable[[str], None], live: bool | None = None) -> None:
        """Args:
        say: Writes a line.
        live: Whether lines can be written over; None: if the output is a terminal.
        """
        self._say = say
        self._live = sys.stdout.isatty() if live is None else live
        self._running: dict[str, tuple[str, float]] = {}
        self._said = time.monotonic()

    def begins(self, title: str, step: str = "") -> None:
        """A run begins, or a step of it."""
        since = self._running[title][1] if title in self._running else time.monotonic()
        self._running[title] = step, since
        self.look()

    def ends(self, title: str, line: str) -> None:
        """A run is over."""
        self._running.pop(title, None)
        self.clear()
        self._say(line)
        self._said = time.monotonic()

    def look(self) -> None:
        """Say what is running, if it is time to."""
        now = time.monotonic()
        if not self._running or not (self._live or now - self._said >= QUIET_SECONDS):
            return
        words = "; ".join(_words(title, step, now - since) for title, (step, since) in self._running.items())
        self._said = now
        if self._live:
            print(f"\r\033[K{words[:110]}", end="", flush=True)
        else:
            self._say(f"... {words}")

    def clear(self) -> None:
        """Make place for a line."""
        if self._live:
            print("\r\033[K", end="", flush=True)

    @property
    def running(self) -> list[str]:
        """What is not over."""
        return list(self._running)


def _words(title: str, step: str, seconds: float) -> str:
    return f"{title}: {step or 'begins'}, {seconds:.0f} s"
