"""`data/operations.yaml`: when the deployment looks, retrains, and expects to be fresh."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from causalrec.answers import InputError


@dataclass(frozen=True)
class Operations:
    """How a deployment is run day by day. Times are UTC.

    Attributes:
        retrain_at: (hour, minute) of the daily retrain.
        fresh_by: (hour, minute) by which the last complete day's recommendations and report must be there.
        look_every_seconds: How often the sensor compares landing zone and lake.
        settle_seconds: A file that was written to more recently may not be whole yet.
        retrain_on_new_data: Whether new data also build the newest day's learning assets at once.
        runs_per_look: At most so many runs are requested at a time.
    """

    retrain_at: tuple[int, int]
    fresh_by: tuple[int, int]
    look_every_seconds: int
    settle_seconds: float
    retrain_on_new_data: bool
    runs_per_look: int

    @property
    def retrain_cron(self) -> str:
        hour, minute = self.retrain_at
        return f"{minute} {hour} * * *"


def parse_operations(settings: Mapping[str, object]) -> Operations:
    """Read `data/operations.yaml`; its `alerts` belong to the alerts.

    Raises:
        InputError: An unknown or missing key, or a value of another kind than expected.
    """
    _known("operations.yaml", settings, {"retrain", "new_data", "alerts"})
    retrain = _section(settings, "retrain", {"at", "fresh_by"})
    looks = _section(settings, "new_data", {"look_every_seconds", "settle_seconds", "retrain", "runs_per_look"})
    if not isinstance(looks["retrain"], bool):
        raise InputError(f"operations.yaml: `new_data.retrain` must be true or false, got {looks['retrain']!r}")
    return Operations(
        retrain_at=_clock("retrain.at", retrain["at"]),
        fresh_by=_clock("retrain.fresh_by", retrain["fresh_by"]),
        look_every_seconds=_whole("new_data.look_every_seconds", looks["look_every_seconds"], 1),
        settle_seconds=_whole("new_data.settle_seconds", looks["settle_seconds"], 0),
        retrain_on_new_data=looks["retrain"],
        runs_per_look=_whole("new_data.runs_per_look", looks["runs_per_look"], 1),
    )


def _section(settings: Mapping[str, object], name: str, keys: set[str]) -> Mapping[str, object]:
    section = settings.get(name)
    if not isinstance(section, Mapping):
        raise InputError(f"operations.yaml: `{name}` must map {sorted(keys)} to values, got {section!r}")
    _known(f"operations.yaml: `{name}`", section, keys)
    if missing := keys - set(section):
        raise InputError(f"operations.yaml: `{name}` lacks {sorted(missing)}")
    return section


def _known(where: str, found: Mapping[str, object], keys: set[str]) -> None:
    if unknown := set(found) - keys:
        raise InputError(f"{where}: unknown key {sorted(unknown)}; known are {sorted(keys)}")


def _clock(key: str, value: object) -> tuple[int, int]:
    # Without quotes, YAML 1.1 reads 03:30 as the number 210.
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if found is None:
        raise InputError(f'operations.yaml: `{key}` must be a time of day in quotes, such as "03:30", got {value!r}')
    return int(found[1]), int(found[2])


def _whole(key: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"operations.yaml: `{key}` must be a whole number of at least {least}, got {value!r}")
    return value
