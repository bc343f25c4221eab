"""Learning is as of a day and judged on days that it never saw: which days those are."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from causalrec.hashing import canonical, sha256
from causalrec.settings.learning import LearningSettings


@dataclass(frozen=True)
class LearningWindow:
    """The days of partition d: trained on (d-m-h-w, d-m-h], judged on (d-m-h, d-m], cut off at the first day."""

    train_days: tuple[date, ...]
    judge_days: tuple[date, ...]
    enough: bool
    reason: str

    @property
    def days(self) -> tuple[date, ...]:
        return self.train_days + self.judge_days


def days_hash(days: Iterable[date]) -> str:
    """Changes when a window's days change; recorded as the input `days:units` where the source is sparse."""
    return sha256(canonical([day.isoformat() for day in days]))


def learning_window(day: date, settings: LearningSettings, present: Container[date] | None = None) -> LearningWindow:
    """The training and judgement days of partition `day`.

    Args:
        present: The days that have tables, or will have them: of a sparse source, the window's others are passed over.
            None: none is.
    """
    end = day - timedelta(days=settings.maturity_days)
    cut = end - timedelta(days=settings.judgement_days)

    def span(after: date, last: date) -> tuple[date, ...]:
        days = (after + timedelta(days=k + 1) for k in range((last - after).days))
        passed_over = present if settings.sparse else None
        return tuple(d for d in days if d >= settings.first_day and (passed_over is None or d in passed_over))

    train = span(cut - timedelta(days=settings.window_days), cut)
    judge = span(cut, end)
    enough, short = len(train) >= settings.min_days, settings.min_days - len(train)
    reason = (
        ""
        if enough
        else (
            f"{len(train)} training days before {cut + timedelta(days=1)}, at least {settings.min_days} are needed "
            f"(learning.yaml: min_days), {short} more would do; the logs begin on {settings.first_day}"
            + (", and days for which nothing was landed do not count (sources.yaml: sparse)" if settings.sparse else "")
        )
    )
    return LearningWindow(train, judge, enough, reason)
