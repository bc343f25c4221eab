"""Experiment tracking: who is told of a training. One more tracker is a file here, and a line in `TRACKERS`."""

from typing import Any

from causalrec.plugins import plugins
from resources.tracking.mlflow_tracker import MlflowTracker
from resources.tracking.tensorboard import TensorBoardTracker
from resources.tracking.tracker import Tracker
from resources.tracking.wandb import WandbTracker

GROUP = "causalrec.trackers"
"""Entry points of this group are classes of trackers, named as their `name`."""

TRACKERS: dict[str, type[Tracker]] = {
    # First: it mirrors the release log as well.
    MlflowTracker.name: MlflowTracker,
    TensorBoardTracker.name: TensorBoardTracker,
    WandbTracker.name: WandbTracker,
}


def trackers() -> dict[str, type[Tracker]]:
    """`TRACKERS`, and those that installed packages bring.

    Raises:
        InputError: A package's cannot be loaded.
    """
    # The parts are classes, not instances; both have the members that the protocol is asked for at runtime.
    protocol: Any = Tracker
    return TRACKERS | plugins(GROUP, protocol, TRACKERS)
