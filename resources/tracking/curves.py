"""Loggers for the curve of a training, where their failure does not end it.

Imported inside the functions that need it only: Lightning costs seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lightning.pytorch.loggers import Logger  # noqa: TID253

from resources.tracking.troubles import Troubles


class SurvivingLogger(Logger):  # type: ignore[misc]
    """A logger that is made when it is first needed, and left alone after it has failed.

    It is not ended by the trainer, for the step has more to say after the training: `close` ends it.

    Args:
        name: For messages.
        make: Makes the logger that it passes on to.
        aside: Work in a thread, and wait for it. Interrupts reach the main thread only: one that tore a write of
            MLflow's apart would leave SQLite's transaction open, and the store locked when the run is to be ended.
    """

    def __init__(self, name: str, make: Callable[[], Any], troubles: Troubles, aside: bool = False) -> None:
        super().__init__()
        self._name, self._make, self._troubles = name, make, troubles
        self._thread = ThreadPoolExecutor(1) if aside else None
        self.inner: Any = None
        self.failed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> None:
        return None

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Pass metrics on."""
        self.attempt(lambda inner: (inner.log_metrics(dict(metrics), step), inner.save()), "the curve")

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: parameters are logged when the run is opened."""

    def attempt(self, do: Callable[[Any], object], what: str) -> None:
        """Do something with the logger, unless it has failed before."""
        if self.failed:
            return
        try:
            self.inner = self.inner or self._make()
            if self._thread is None:
                do(self.inner)
            else:
                self._thread.submit(do, self.inner).result()
        except Exception as error:
            self.failed = True
            self._troubles.tell(f"{self._name} has {what} in part only; the training goes on", error)

    def wait(self) -> None:
        """Until what was begun is done; nothing can be logged after it."""
        if self._thread is not None:
            self._thread.shutdown()
