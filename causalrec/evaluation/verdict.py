"""The verdict on a challenger: better, not better, wait, or why it cannot be told; with the look that decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import polars as pl

from causalrec.answers import Answer, Status
from causalrec.evaluation.deciding_rows import RAW, evidence_of, headline
from causalrec.evaluation.rounds import METRICS
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.trial import Look, LookDecision, Trial
from causalrec.settings.release import ReleaseRule


class Decision(StrEnum):
    BETTER = "better"
    NOT_BETTER = "not_better"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """More events of the same kind would do; the reason says how many."""
    NOT_AVAILABLE = "not_available"
    NOT_IDENTIFIABLE = "not_identifiable"
    """No number of events like these would do; the reason says what to log."""
    WAIT = "wait"
    """Trials are on, and no look has ended one: none is due, or the last one goes on."""


METRIC_WORDS = {
    "satisfaction": "Satisfying outcomes per 100 slots",
    "revenue": "Revenue per recommendation",
    "objective": "The objective per slot",
}
NEXT_STEPS = {
    Decision.BETTER: "The release of this day lets the new policy serve. Nothing is left to do.",
    Decision.NOT_BETTER: "Nothing changes. The next training makes the next challenger.",
    Decision.INSUFFICIENT_EVIDENCE: "Nothing changes. Judge on more days, as the reason says; or let the policy that "
    "serves explore more.",
    Decision.NOT_AVAILABLE: "Nothing changes, and waiting would not help: log what the reason names.",
    Decision.NOT_IDENTIFIABLE: "Nothing changes, and waiting would not help: change how the logs are made, as the "
    "reason says.",
    Decision.WAIT: "Nothing changes until the next look.",
}


@dataclass(frozen=True)
class Verdict:
    """A decision and the numbers that made it, in words.

    Attributes:
        next_step: What happens now, or what somebody should do.
        look: The look that decided; None where none was made.
    """

    decision: Decision
    reason: str
    next_step: str = ""
    look: Look | None = None

    def __post_init__(self) -> None:
        if not self.next_step:
            object.__setattr__(self, "next_step", NEXT_STEPS[self.decision])


def look_back(report: pl.DataFrame, rule: ReleaseRule, estimand: str, unanswered: Answer | None = None) -> Verdict:
    """The verdict of the one look at logs that have ended: at the challenger's own judgement days.

    Args:
        report: The table `off_policy_report`.
        rule: Of a home with `retrospective`.
        estimand: Which value decides.
        unanswered: Why there is no challenger at all.
    """
    rows = {row["metric"]: row for row in headline(report, estimand).iter_rows(named=True)}
    evidence = evidence_of(report, estimand)
    if "satisfaction" not in rows:
        answer = unanswered or evidence.trusted
        return Verdict(Decision(answer.status.value), f"There is no challenger to judge: {answer.reason}.")
    row = rows["satisfaction"]
    days = [row["first_day"] + timedelta(days=k) for k in range((row["last_day"] - row["first_day"]).days + 1)]
    look = decide_look(1, days, evidence, (), rule.error_a_look(champion_logs=False), rule)
    seen = [value_words(rows[metric]) for metric in METRICS if _told(rows.get(metric))]
    return _of_look(look, evidence.trusted, " ".join(seen))


def at_look(trial: Trial, look: Look, report: pl.DataFrame) -> Verdict:
    """The verdict of a look at a trial.

    Args:
        trial: Before the look.
        report: The table `trial_report` that the look was made on.
    """
    rows = {row["metric"]: row for row in headline(report, trial.estimand).iter_rows(named=True)}
    seen = [value_words(rows[metric]) for metric in METRICS if _told(rows.get(metric))]
    trusted = evidence_of(report, trial.estimand).trusted
    after = trial.after(look)
    words = f"Look {look.number} of {trial.weeks}. {' '.join(seen)}"
    decided = _of_look(look, trusted, words)
    if look.decision.ends:
        return decided
    step = f"Nothing changes; the trial goes on. The next look comes once the outcomes of {after.next_look()} are in."
    return Verdict(Decision.WAIT if look.trusted else decided.decision, decided.reason, step, look)


def between_looks(trial: Trial | None, why: str, unanswered: Answer | None = None) -> Verdict:
    """The verdict on a day on which no look is due.

    Args:
        trial: The one that runs; None: none does.
        why: No look is due, in words.
        unanswered: Why there is nothing that could be enrolled, if so.
    """
    if trial is not None:
        coming = trial.next_look()
        return Verdict(
            Decision.WAIT,
            f"{why.removesuffix('.')}.",
            f"Nothing changes. The next look comes once the outcomes of {coming} are in.",
        )
    if unanswered is not None:
        return Verdict(Decision(unanswered.status.value), f"No trial can be opened: {unanswered.reason}.")
    return Verdict(
        Decision.WAIT,
        f"{why.removesuffix('.')}.",
        "Nothing changes. The release of this day enrols the newest bundle, if its recipe is not the one that serves.",
    )


def _of_look(look: Look, trusted: Answer, seen: str) -> Verdict:
    reason = f"{seen} {look.reason}".strip()
    if look.decision is LookDecision.RELEASE:
        return Verdict(Decision.BETTER, reason, look=look)
    if not look.trusted:
        status = Status.INSUFFICIENT_EVIDENCE if trusted.answered else trusted.status
        return Verdict(Decision(status.value), reason, look=look)
    return Verdict(Decision.NOT_BETTER, reason, look=look)


def _told(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["status"] == Status.ANSWERED and row["difference"] is not None


def value_words(row: Mapping[str, Any]) -> str:
    """One metric's change in one sentence.

    Args:
        row: Of the report, answered.
    """
    percent = row["metric"] == "satisfaction"

    def number(x: float, sign: str = "") -> str:
        return f"{100 * x:{sign}.2f}" if percent else f"{x:{sign}.4f}"

    estimand = row.get("estimand", RAW)
    if percent and estimand == RAW:
        name, unit, points = "The satisfaction rate", " %", " points"
    else:
        of = {} if estimand == RAW else {"of": f" ({estimand.replace('_', ' ')})"}
        counted = METRIC_WORDS[row["metric"]]
        name, unit, points = f"{counted}{of.get('of', '')}", "", ""
    base = row["estimate"] - row["difference"]
    return (
        f"{name} would go from {number(base)}{unit} ({row['baseline']}) to {number(row['estimate'])}{unit}: "
        f"{number(row['difference'], '+')}{points} (95 % interval {number(row['difference_lower'], '+')} to "
        f"{number(row['difference_upper'], '+')})."
    )
