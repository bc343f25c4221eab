"""One attempt at training, while it runs: every tracker is told, and what went wrong with one ends nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from causalrec.home import Home
from causalrec.settings.deployment.tracking import TrackingSettings
from resources.tracking import TRACKERS, trackers
from resources.tracking.tracker import Attempt, Result, Run, Tracker
from resources.tracking.troubles import Troubles


class TrainingRun:
    """The tracking of one attempt. No method raises: a training of hours is not lost because a server is down.

    Args:
        settings: None where nothing is tracked.
        log: Of the step.
    """

    def __init__(self, home: Home, settings: TrackingSettings | None, attempt: Attempt, log: Any) -> None:
        hide = {settings.uri(home.root): "the MLflow store"} if settings and settings.tracking_uri else {}
        self.troubles = Troubles(log, hide)
        self._run = Run(home, settings, attempt, self.troubles) if settings else None
        self._trackers: list[Tracker] = []

    def open(self) -> None:
        """Begin with every tracker."""
        if self._run is None:
            return
        every = TRACKERS
        with self.troubles.survived("the trackers of other packages do not track this training"):
            every = trackers()
        for name, make in every.items():
            with self.troubles.survived(f"{name} does not track this training"):
                tracker = make(self._run)
                # Before it begins: an interrupt while it does must end it, too.
                self._trackers.append(tracker)
                tracker.begin()

    def loggers(self) -> list[Any]:
        """Lightning's loggers for the trainer, of all trackers."""
        if not self._trackers:
            return []
        from resources.tracking.curves import SurvivingLogger

        made: list[Any] = []

        def take(tracker: Tracker) -> None:
            for logger in tracker.loggers():
                ours = isinstance(logger, SurvivingLogger)
                made.append(logger if ours else SurvivingLogger(tracker.label, partial(_same, logger), self.troubles))

        self._tell(self._trackers, "has no curve", take)
        return made

    def complete(self, result: Result) -> None:
        """Say what came of the training, see `Tracker.complete`."""
        self._tell(self._trackers, "has the training's result in part only", lambda tracker: tracker.complete(result))

    def close(self, status: str) -> None:
        """End everything as FINISHED, FAILED or KILLED; last the run that the others are found by."""
        self._tell(self._trackers[::-1], "could not end its run", lambda tracker: tracker.end(status))

    @property
    def metadata(self) -> dict[str, Any]:
        """For the materialisation, after `close`: links, and what is missing."""
        links: dict[str, Any] = {}
        self._tell(self._trackers, "has no link", lambda tracker: links.update(tracker.metadata))
        return links | self.troubles.metadata

    def _tell(self, trackers: Sequence[Tracker], failed: str, do: Callable[[Tracker], object]) -> None:
        for tracker in trackers:
            with self.troubles.survived(f"{tracker.label} {failed}"):
                do(tracker)


def _same(logger: Any) -> Any:
    return logger
