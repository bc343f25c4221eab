"""The typed answers: what a stage says when the data cannot say more.

A rule about *wrong* data refuses a table. A gap in what the data *can say* does not: it becomes an `Answer` that
travels with the table, and every later stage accepts it and answers in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What kind of answer a table, a question or a report row carries."""

    ANSWERED = "answered"
    NOT_IDENTIFIABLE = "not_identifiable"
    """The causal graph, or the way the logs were made, leaves no way to tell cause from correlation."""
    NOT_AVAILABLE = "not_available"
    """The source has no such column (no user id, no item text, no logged action propensities)."""
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """The question has an answer, but these data are too few or too one-sided to give it."""


@dataclass(frozen=True)
class Answer:
    """A status and, unless it is plainly answered, the reason in words for the person who reads the report."""

    status: Status
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status is not Status.ANSWERED and not self.reason.strip():
            raise ValueError(f"an answer of `{self.status}` needs a reason in words")

    @property
    def answered(self) -> bool:
        return self.status is Status.ANSWERED


ANSWERED = Answer(Status.ANSWERED)


def not_identifiable(reason: str) -> Answer:
    return Answer(Status.NOT_IDENTIFIABLE, reason)


def not_available(reason: str) -> Answer:
    return Answer(Status.NOT_AVAILABLE, reason)


def insufficient_evidence(reason: str) -> Answer:
    return Answer(Status.INSUFFICIENT_EVIDENCE, reason)


class InputError(ValueError):
    """Bad input. The message names the file, row or column, what was expected and what to do; it is not retried."""
