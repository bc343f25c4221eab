"""Where trials are recorded: an append-only log, and one in memory for simulated histories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from causalrec.evaluation.trials.trial import Look, Refresh, Trial


class TrialLog(Protocol):
    """What a trial log offers. Nothing that was recorded is ever changed."""

    def running(self) -> Trial | None:
        """The trial that runs, with the looks that were made at it."""
        ...

    def open(self, trial: Trial) -> None:
        """Enrol a challenger.

        Raises:
            ValueError: A trial runs.
        """
        ...

    def look(self, look: Look) -> Trial:
        """Record a look at the running trial, which one that ends it closes.

        Raises:
            ValueError: No trial runs, or the look is not its next one.
        """
        ...

    def close(self, reason: str) -> None:
        """End the running trial for a reason that is no look's, e.g. that the champion has moved.

        Raises:
            ValueError: No trial runs.
        """
        ...

    def refresh(self, attempt: Refresh) -> None:
        """Record an attempt at a refresh."""
        ...


@dataclass
class TrialsInMemory:
    """A trial log that is not kept.

    Attributes:
        trials: All of them, oldest first; the last one may still run.
        refreshes: All attempts, oldest first.
    """

    trials: list[Trial] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)

    def running(self) -> Trial | None:
        return self.trials[-1] if self.trials and self.trials[-1].closed is None else None

    def open(self, trial: Trial) -> None:
        if self.running() is not None:
            raise ValueError("a trial runs; it ends before another one opens")
        self.trials.append(trial)

    def look(self, look: Look) -> Trial:
        self.trials[-1] = self._running().after(look)
        return self.trials[-1]

    def close(self, reason: str) -> None:
        self.trials[-1] = self._running().ended(reason)

    def refresh(self, attempt: Refresh) -> None:
        self.refreshes.append(attempt)

    def _running(self) -> Trial:
        trial = self.running()
        if trial is None:
            raise ValueError("no trial runs")
        return trial
