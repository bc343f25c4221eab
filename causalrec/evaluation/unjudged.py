"""How many recommended slots the policies were not judged on, and why, for the report."""

from __future__ import annotations

from causalrec.evaluation.findings import Diagnostic
from causalrec.policy.left_out import in_words
from causalrec.policy.notes import LeftOutNotes

MANY = 0.05
"""A share of slots that is worth a reader's attention."""


def unjudged_lines(notes: LeftOutNotes) -> list[Diagnostic]:
    """One line, if any slot was left out.

    Args:
        notes: Of the table `target_policy`.
    """
    reasons = notes.not_judged or {}
    left_out = sum(reasons.values())
    if not left_out:
        return []
    judged = notes.judged_slots or 0
    return [
        Diagnostic(
            "Policies",
            "slots that are judged",
            f"{judged:,} of {judged + left_out:,}",
            f"of those with a logged action propensity; left out: {in_words(reasons)}",
            worry=left_out > MANY * (judged + left_out),
        )
    ]
