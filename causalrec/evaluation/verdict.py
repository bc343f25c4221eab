"""The verdict on a challenger: better, not better, or why it cannot be told; with the numbers that decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from causalrec.answers import Answer, Status, not_available
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.needed import rounds_for_width
from causalrec.evaluation.rounds import EVERYONE
from causalrec.policy.policies import CHALLENGER
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
    """A trial is running, and no look at it is due."""


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
    """

    decision: Decision
    reason: str
    next_step: str = ""

    def __post_init__(self) -> None:
        if not self.next_step:
            object.__setattr__(self, "next_step", NEXT_STEPS[self.decision])


def headline(report: pl.DataFrame) -> pl.DataFrame:
    """The rows that decide: of the challenger, for everyone, by the estimator that the verdict reads.

    Args:
        report: The table `off_policy_report`.

    Returns:
        Its rows of them, one a metric.
    """
    return report.filter(policy=CHALLENGER, segment=EVERYONE, estimator=deciding().name)


def decide(report: pl.DataFrame, rule: ReleaseRule, unanswered: Answer | None = None) -> Verdict:
    """Apply the release rule to the `headline` of the off-policy report, where weights and outcomes carry it.

    Let [l, u] be the 95 % interval of the challenger's difference from what serves (the champion's policy, or
    the logging policy's mean), b the baseline's revenue and m `revenue_margin`.

    - `not_better`: l <= 0 for satisfaction, whether or not its revenue can be told.
    - `not_available`, `not_identifiable`, `insufficient_evidence`: there is no challenger, or its satisfaction
      or revenue cannot be told; the answer is that of what is lacking, with its reason.
    - `insufficient_evidence` too where satisfaction is better, but the revenue's interval holds 0 and a loss of
      more than m b, so that a loss cannot be ruled out.
    - `better`: l > 0 for satisfaction, and for revenue, where there is any, u >= 0 and l >= -m b.
    - `not_better`: all else.

    Args:
        report: The table `off_policy_report`.
        unanswered: Why there is no challenger at all.
    """
    rows = {row["metric"]: row for row in headline(report).iter_rows(named=True)}
    if "satisfaction" not in rows:
        answer = unanswered or not_available("no judged round has a logged action propensity and an outcome; log both")
        return Verdict(Decision(answer.status.value), f"There is no challenger to judge: {answer.reason}.")
    satisfaction = rows["satisfaction"]
    if satisfaction["status"] == Status.ANSWERED and satisfaction["difference_lower"] <= 0:
        # Whatever its revenue: both are needed.
        decision, why = _compare(satisfaction, None, rule)
        return Verdict(decision, f"{_words(satisfaction)} {why}")
    for row in rows.values():
        if row["status"] != Status.ANSWERED:
            return Verdict(
                Decision(row["status"]),
                f"The {row['metric']} of the challenger cannot be told: {row['reason']}.",
            )
    decision, why = _compare(rows["satisfaction"], rows.get("revenue"), rule)
    return Verdict(decision, " ".join([*(_words(row) for row in rows.values()), why]))


def _compare(
    satisfaction: Mapping[str, Any], revenue: Mapping[str, Any] | None, rule: ReleaseRule
) -> tuple[Decision, str]:
    if satisfaction["difference_lower"] <= 0:
        shown = "is worse" if satisfaction["difference_upper"] < 0 else "is not shown to be better"
        return Decision.NOT_BETTER, f"Satisfaction {shown}."
    if revenue is None:
        return Decision.BETTER, "Satisfaction is better; there is no revenue to compare."
    if revenue["difference_upper"] < 0:
        return Decision.NOT_BETTER, "Satisfaction is better, but revenue is worse."
    lost, allowed = -revenue["difference_lower"], _allowed(revenue, rule)
    if lost > allowed:
        return Decision.INSUFFICIENT_EVIDENCE, (
            f"Satisfaction is better, but a loss of revenue of up to {lost:.4f} cannot be ruled out, and at "
            f"most {allowed:.4f} ({rule.revenue_margin:.0%} of today's) is allowed; {_settled_by(revenue, allowed)}."
        )
    return (
        Decision.BETTER,
        f"Satisfaction is better, and a loss of more than {rule.revenue_margin:.0%} of revenue is ruled out.",
    )


def _allowed(revenue: Mapping[str, Any], rule: ReleaseRule) -> float:
    """The largest loss of revenue that the rule lets pass: `revenue_margin` of the baseline's."""
    allowed: float = rule.revenue_margin * abs(revenue["estimate"] - revenue["difference"])
    return allowed


def guardrail_words(revenue: Mapping[str, Any], rule: ReleaseRule) -> str:
    """What is asked of revenue, and whether it is met.

    Args:
        revenue: The challenger's row, answered.
    """
    asked = f"Asked: a loss of more than {rule.revenue_margin:.0%} of today's revenue is ruled out."
    if revenue["difference_upper"] < 0:
        return f"{asked} Not met: revenue is worse."
    if -revenue["difference_lower"] > _allowed(revenue, rule):
        return f"{asked} Not met: {_settled_by(revenue, _allowed(revenue, rule))}."
    return f"{asked} Met."


def _settled_by(revenue: Mapping[str, Any], allowed: float) -> str:
    """How many more judged rounds would rule the loss out, or show it, if the difference stays what it is.

    The interval narrows with the root of the rounds: the lower limit d - h reaches -a when the half width h is d + a.
    Where d is a larger loss than a, the interval comes to exclude 0 instead, when h is below |d|.
    """
    difference, rounds = float(revenue["difference"]), int(revenue["rounds"])
    half_width = (revenue["difference_upper"] - revenue["difference_lower"]) / 2
    room = difference + allowed
    if room > 0:
        more, settled = rounds_for_width(rounds, half_width, room), "rule it out"
    elif difference < 0:
        more, settled = rounds_for_width(rounds, half_width, -difference), "show the loss that is estimated now"
    else:
        return "no number of rounds would rule it out while no loss is allowed and no change is estimated"
    days = (revenue["last_day"] - revenue["first_day"]).days + 1
    longer = days + math.ceil(round(max(more, 0) * days / rounds, 6))
    return (
        f"about {max(more, 0):,} more judged rounds would {settled}, if the difference stays what it is: that is "
        f"{longer:,} judgement days like these {days:,} (learning.yaml: judgement_days)"
    )


def _words(row: Mapping[str, Any]) -> str:
    """One metric's change in one sentence."""
    percent = row["metric"] == "satisfaction"

    def number(x: float, sign: str = "") -> str:
        return f"{100 * x:{sign}.2f}" if percent else f"{x:{sign}.4f}"

    name, unit, points = (
        ("The satisfaction rate", " %", " points") if percent else ("Revenue per recommendation", "", "")
    )
    base = row["estimate"] - row["difference"]
    return (
        f"{name} would go from {number(base)}{unit} ({row['baseline']}) to {number(row['estimate'])}{unit}: "
        f"{number(row['difference'], '+')}{points} (95 % interval {number(row['difference_lower'], '+')} to "
        f"{number(row['difference_upper'], '+')})."
    )
