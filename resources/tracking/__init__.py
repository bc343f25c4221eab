"""Experiment tracking: who is told of a training. One more tracker is a file here, and a line in `TRACKERS`."""

from resources.tracking.mlflow_tracker import MlflowTracker
from resources.tracking.tensorboard import TensorBoardTracker
from resources.tracking.tracker import Tracker
from resources.tracking.wandb import WandbTracker

TRACKERS: dict[str, type[Tracker]] = {
    # First: it mirrors the release log as well.
    MlflowTracker.name: MlflowTracker,
    TensorBoardTracker.name: TensorBoardTracker,
    WandbTracker.name: WandbTracker,
}
