"""The curve of a training for TensorBoard, in the home's folder `tensorboard`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from resources.tracking.tracker import Result, Run


class TensorBoardTracker:
    """The curve alone, into `tensorboard/PARTITION/DAGSTER_RUN`."""

    name, label = "tensorboard", "TensorBoard"

    def __init__(self, run: Run) -> None:
        self._run = run
        self._curve: Any = None

    def begin(self) -> None:
        """Nothing: its files begin with the curve."""

    def loggers(self) -> Sequence[Any]:
        from resources.tracking.curves import SurvivingLogger

        root, attempt = self._run.home.root / "tensorboard", self._run.attempt

        def make() -> Any:
            from lightning.pytorch.loggers import TensorBoardLogger

            # A step that is tried again in the same Dagster run writes the whole curve anew: readers drop the older
            # one.
            where = {"name": attempt.partition.isoformat(), "version": attempt.dagster_run}
            return TensorBoardLogger(root, **where, default_hp_metric=False, purge_step=0)

        self._curve = SurvivingLogger(self.label, make, self._run.troubles)
        return (self._curve,)

    def complete(self, result: Result) -> None:
        """Nothing: it has the curve."""

    def end(self, status: str) -> None:
        if self._curve is not None and self._curve.inner is not None:
            self._curve.attempt(lambda inner: inner.finalize("finished"), "the curve")

    @property
    def metadata(self) -> Mapping[str, Any]:
        if self._curve is None:
            return {}
        attempt = self._run.attempt
        folder = self._run.home.root / "tensorboard" / attempt.partition.isoformat() / attempt.dagster_run
        return {"tensorboard": dg.MetadataValue.path(str(folder))}
