"""What the table `trial_report` says beside its rows: the trial, and the looks that are due."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.evaluation.trials.trial import Look, Trial


@dataclass(frozen=True)
class TrialNotes:
    """Of the table `trial_report`, and of `trial_policy` without looks.

    Attributes:
        entry: The entry of the trial log that opened the trial; None: none ran before this day.
        trial: The trial as it was before this day.
        days: How many of its days are judged by now.
        due: The numbers of the looks that are due.
        looks: What the looks that are due say, in order; the last one may end the trial.
        words: How far the trial is, in words.
    """

    entry: int | None
    trial: Trial | None
    days: int
    words: str
    due: tuple[int, ...] = ()
    looks: tuple[Look, ...] = ()
