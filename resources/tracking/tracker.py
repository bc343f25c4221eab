"""What a tracker is: something outside that is told of a training while it runs, and that no training depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, runtime_checkable

from causalrec.home import Home
from causalrec.settings.deployment.tracking import TrackingSettings
from resources.tracking.troubles import Troubles

PARTITION, DAGSTER_RUN = "partition", "dagster_run"
"""What every tracker calls the two things that a person finds a training by."""
CurveRow = tuple[int, float, float]
"""(epoch from 0, training loss, validation loss)."""


@dataclass(frozen=True)
class Attempt:
    """What is known when a training begins.

    Attributes:
        params: Settings, columns, days, seed, compute.
        inputs: Tables, settings and code that it is made from -> hash.
    """

    partition: date
    dagster_run: str
    params: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What came of a training.

    Attributes:
        curve: Of each epoch.
        metrics: Best epoch, held-out scores.
        files: The model's (safetensors and JSON; nothing is pickled).
        inputs: All that was read by now -> hash.
    """

    curve: Sequence[CurveRow]
    metrics: Mapping[str, float]
    files: Mapping[str, bytes]
    inputs: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """An attempt, and what its tracking needs of the deployment.

    Attributes:
        home: Where a tracker keeps what it keeps on this machine.
        settings: `data/tracking.yaml`.
        troubles: Where it tells what went wrong; its `log` is the step's.
    """

    home: Home
    settings: TrackingSettings
    attempt: Attempt
    troubles: Troubles


@runtime_checkable
class Tracker(Protocol):
    """The tracking of one attempt. Made when the attempt begins; what it raises is told, and the training goes on.

    Attributes:
        name: In the registry.
        label: For people.
    """

    name: str
    label: str

    def __init__(self, run: Run) -> None: ...

    def begin(self) -> None:
        """Before the training."""

    def loggers(self) -> Sequence[Any]:
        """Lightning's loggers, which are given the curve as it grows; none where this tracker is not configured."""

    def complete(self, result: Result) -> None:
        """The training has its result; the step is not over yet."""

    def end(self, status: str) -> None:
        """The step is over: FINISHED, FAILED (an exception) or KILLED (an interrupt)."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """For the materialisation, after `end`: links to what a person can see."""
