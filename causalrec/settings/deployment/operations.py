"""`data/operations.yaml`: when the deployment looks, retrains, and expects to be fresh."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Clock, whole


class Retrain(Settings):
    """The daily retrain. Times are UTC.

    Attributes:
        at: When it begins.
        fresh_by: By when the last complete day's recommendations and report must be there.
    """

    at: Clock
    fresh_by: Clock


class NewData(Settings):
    """What happens when files are landed.

    Attributes:
        look_every_seconds: How often the sensor compares landing zone and lake.
        settle_seconds: A file that was written to more recently may not be whole yet.
        retrain: Whether new data also build the newest day's learning assets at once.
        runs_per_look: At most so many runs are requested at a time.
    """

    look_every_seconds: Annotated[int, whole(1)]
    settle_seconds: Annotated[int, whole(0)]
    retrain: bool
    runs_per_look: Annotated[int, whole(1)]


class Operations(Settings):
    """How a deployment is run day by day.

    Attributes:
        retrain: The daily retrain.
        new_data: What happens when files are landed.
        alerts: Of the alerts (`AlertsFile`), whose faults stop nothing else.
    """

    FILE = "operations.yaml"

    retrain: Retrain
    new_data: NewData
    alerts: Any = Field(None, exclude=True)

    @property
    def retrain_at(self) -> tuple[int, int]:
        """Hour and minute."""
        return self.retrain.at

    @property
    def fresh_by(self) -> tuple[int, int]:
        """Hour and minute."""
        return self.retrain.fresh_by

    @property
    def retrain_cron(self) -> str:
        hour, minute = self.retrain.at
        return f"{minute} {hour} * * *"
