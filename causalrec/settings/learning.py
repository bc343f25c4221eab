"""`learning.yaml`: the days that a partition learns from, and those on which it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from causalrec.answers import InputError


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


def parse_learning(learning: Mapping[str, object], sources: Mapping[str, object]) -> LearningSettings:
    """Read the two settings files.

    Raises:
        InputError: An unknown or missing key, or a value that is not a whole number of at least 1.
    """
    known = {"window_days", "judgement_days", "min_days", "seed"}
    if unknown := set(learning) - known:
        raise InputError(f"learning.yaml: unknown key {sorted(unknown)}; known are {sorted(known)}")
    numbers = {}
    for key in sorted(known):
        value = learning.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < (0 if key == "seed" else 1):
            raise InputError(f"learning.yaml: `{key}` must be a whole number of at least 1, got {value!r}")
        numbers[key] = value
    if numbers["min_days"] > numbers["window_days"]:
        raise InputError(
            f"learning.yaml: `min_days` is {numbers['min_days']} and a window holds {numbers['window_days']} "
            "(window_days), so no number of days would ever be enough; make the window longer, or ask for fewer days"
        )
    first = sources.get("first_day")
    if not isinstance(first, date) or isinstance(first, datetime):
        raise InputError(f"sources.yaml: `first_day` must be a date such as 2026-03-02, got {first!r}")
    outcomes = sources.get("outcomes") or {}
    if not isinstance(outcomes, Mapping):
        raise InputError(
            "sources.yaml: `outcomes` must map each outcome to its settings, e.g. click: {maturity_days: 0}"
        )
    maturity = max((_maturity(name, settings) for name, settings in outcomes.items()), default=0)
    return LearningSettings(
        numbers["window_days"],
        numbers["judgement_days"],
        numbers["min_days"],
        maturity,
        first,
        numbers["seed"],
        sources.get("sparse") is True,
    )


def _maturity(outcome: object, settings: object) -> int:
    days = settings.get("maturity_days", 0) if isinstance(settings, Mapping) else 0 if settings is None else settings
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise InputError(
            f"sources.yaml: `outcomes.{outcome}` must be such as {{maturity_days: 0}}, in whole days, got {days!r}"
        )
    return days
