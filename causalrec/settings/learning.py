"""`learning.yaml`: the days that a partition learns from, and those on which it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Day, Wrong, whole


class Learning(Settings):
    """The days that a challenger learns from, and those on which it is judged.

    Attributes:
        window_days: w, the days that a challenger is trained on.
        judgement_days: h, the days after them that judge it.
        min_days: With fewer training days the learning assets publish `insufficient_evidence`.
        seed: The seed of every random choice of the learning assets.
    """

    FILE = "learning.yaml"

    window_days: Annotated[int, whole(1)]
    judgement_days: Annotated[int, whole(1)]
    min_days: Annotated[int, whole(1)]
    seed: Annotated[int, whole(0)]

    @model_validator(mode="after")
    def _a_window_can_be_enough(self) -> Self:
        if self.min_days > self.window_days:
            raise Conflict(
                "min_days",
                f"`min_days` is {self.min_days} and a window holds {self.window_days} (window_days), so no number of "
                "days would ever be enough; make the window longer, or ask for fewer days",
            )
        return self


def _maturities(outcomes: object) -> dict[str, int]:
    """Outcome -> days."""
    if not isinstance(outcomes, Mapping | None):
        raise Wrong("", "a mapping of each outcome to its settings, e.g. click: {maturity_days: 0}", outcomes)
    return {str(name): _maturity(name, settings) for name, settings in (outcomes or {}).items()}


def _maturity(outcome: object, settings: object) -> int:
    days = settings.get("maturity_days", 0) if isinstance(settings, Mapping) else 0 if settings is None else settings
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise Wrong(str(outcome), "such as {maturity_days: 0}, in whole days", days)
    return days


class _SourceDays(Settings):
    """What of `data/sources.yaml` says which days there are; the whole of it is read where logs are."""

    model_config = ConfigDict(extra="ignore")
    FILE = "sources.yaml"

    first_day: Day
    outcomes: Annotated[dict[str, int], BeforeValidator(_maturities)] = Field(default_factory=dict)
    sparse: Any = False


@dataclass(frozen=True)
class LearningSettings:
    """`data/learning.yaml` and what it needs of `data/sources.yaml`.

    Attributes:
        window_days: w, the days that a challenger is trained on.
        judgement_days: h, the days after them that judge it.
        min_days: With fewer training days the learning assets publish `insufficient_evidence`.
        maturity_days: m, the largest maturity of the source's outcomes.
        first_day: The source's first day; there are no logs before it.
        seed: The seed of every random choice of the learning assets.
        sparse: Days for which nothing was landed have no tables, and a window passes them over.
    """

    window_days: int
    judgement_days: int
    min_days: int
    maturity_days: int
    first_day: date
    seed: int
    sparse: bool = False


def parse_learning(learning: Mapping[str, Any], sources: Mapping[str, Any]) -> LearningSettings:
    """Read the two settings files.

    Raises:
        InputError: An unknown or missing key, or a value that is not accepted.
    """
    own, days = Learning.parse(learning), _SourceDays.parse(sources)
    return LearningSettings(
        window_days=own.window_days,
        judgement_days=own.judgement_days,
        min_days=own.min_days,
        maturity_days=max(days.outcomes.values(), default=0),
        first_day=days.first_day,
        seed=own.seed,
        sparse=days.sparse is True,
    )
