"""What a person reads first: the next step, how far and how sure it is, what it means a week, what would happen anyway.

Every line is said, also where there is no number for it: then it says why, and what would give one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from causalrec.answers import Answer, Status, not_available
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.deciding_rows import headline
from causalrec.evaluation.report.numbers import count, number, share, span
from causalrec.evaluation.report.trial_lines import far, far_back, sure
from causalrec.evaluation.rounds import EVERYONE
from causalrec.evaluation.trials.trial import Look, Trial
from causalrec.evaluation.verdict import Verdict
from causalrec.policy.policies import CHALLENGER
from causalrec.settings.release import ReleaseRule

NEXT, FAR, SURE, A_WEEK, ANYWAY, ADDS, MONEY_RISK, TRUST = (
    "Next step",
    "How far it is",
    "How sure it is",
    "What it means a week",
    "What would happen anyway",
    "What recommending adds",
    "Revenue",
    "What it rests on",
)
RATE = "satisfaction"
ADDED_UP = "if what single slots gain adds up"
"""Each value is of one slot changed."""
GIVEN = {
    "given_met": "If people met the same items without a recommendation",
    "given_not_shown": "If the items were not in the slate, found otherwise or not",
}
"""Estimand -> instead of what, for a person."""
DECIDES = {
    "raw": "What decides is the raw rate: outcomes in its slots, whether or not they would have come anyway.",
    "given_met": "What decides is what recommending adds to meeting the item.",
    "given_not_shown": "What decides is what recommending adds to the item not being in the slate.",
    "own_and_organic": "What decides is the slot's outcomes together with the request's organic ones.",
    "total": "What decides is the total: all outcomes of the request, with one slot changed. What only moves from one "
    "item of the request to another is no gain in it.",
}
NO_ESTIMATE = not_available("there is no estimate of it")
NO_HOLDOUT = not_available(
    "no random share of requests goes without recommendations; a holdout, declared in sources.yaml, would tell"
)


@dataclass(frozen=True)
class Line:
    """One of the first lines.

    Attributes:
        name: What it is about.
        words: In a sentence or two.
        status: A `Status`: whether it has an answer.
    """

    name: str
    words: str
    status: str = Status.ANSWERED.value


@dataclass(frozen=True)
class Judged:
    """What the first lines are made from.

    Attributes:
        verdict: The decision.
        report: The table whose rows decide, or would.
        rule: By which they do.
        satisfying: The outcome S.
        estimand: Which value decides.
        trial: The trial that is told; None where there is none, or the report is one look back.
        days: How many of the trial's days are judged by now.
        slots: Recommended slots of the days that were judged; None where they were not counted.
        no_revenue: Why no policy has a revenue, in words, if none has.
        adds: What the whole recommender adds, in words.
        cluster: What intervals are clustered by.
    """

    verdict: Verdict
    report: pl.DataFrame
    rule: ReleaseRule
    satisfying: str
    estimand: str
    trial: Trial | None = None
    days: int = 0
    slots: int | None = None
    no_revenue: str = ""
    adds: Answer | str = NO_HOLDOUT
    cluster: str = "user_id"

    @property
    def look(self) -> Look | None:
        """The look that was made last."""
        if self.verdict.look is not None or self.trial is None or not self.trial.looks:
            return self.verdict.look
        return self.trial.looks[-1]


def first_lines(judged: Judged) -> list[Line]:
    """The lines below the decision, in the order in which a person asks."""
    rows = {row["metric"]: row for row in headline(judged.report, judged.estimand).iter_rows(named=True)}
    satisfaction, revenue = rows.get("satisfaction"), rows.get("revenue")
    return [
        Line(NEXT, judged.verdict.next_step),
        _far(satisfaction, judged),
        _sure(satisfaction, judged),
        _a_week(satisfaction, revenue, judged),
        Line(ANYWAY, DECIDES[judged.estimand]),
        *_anyway(judged.report),
        _said(ADDS, judged.adds),
        _money_risk(judged),
        _trust(satisfaction, judged),
    ]


def _said(name: str, what: Answer | str) -> Line:
    if isinstance(what, str):
        return Line(name, what)
    return Line(name, f"Not known: {what.reason.removesuffix('.')}.", what.status.value)


def _lacking(name: str, row: Mapping[str, Any] | None) -> Line | None:
    """The line where there is nothing to say, with the reason; None where there is."""
    if row is None:
        return _said(name, not_available("there is no challenger to judge"))
    if row["status"] != Status.ANSWERED:
        return _said(name, Answer(Status(row["status"]), row["reason"]))
    return None


def _far(row: Mapping[str, Any] | None, judged: Judged) -> Line:
    if judged.trial is not None:
        return Line(FAR, far(judged.trial, judged.days))
    if row is None:
        return _said(FAR, not_available("there is no challenger to judge"))
    return Line(FAR, far_back(judged.look, row["first_day"], row["last_day"], row["rounds"]))


def _sure(row: Mapping[str, Any] | None, judged: Judged) -> Line:
    if judged.look is None and judged.trial is None and (lacking := _lacking(SURE, row)):
        return lacking
    unit = "points" if judged.estimand == "raw" else "per 100 slots"
    return Line(SURE, *sure(judged.look, judged.trial, judged.rule, unit))


def _trust(row: Mapping[str, Any] | None, judged: Judged) -> Line:
    """What a decision rests on; what it lacks, in rounds and weeks."""
    look = judged.look
    if look is not None and not look.trusted:
        return Line(TRUST, look.reason, Status.INSUFFICIENT_EVIDENCE.value)
    if judged.trial is not None and judged.verdict.look is None:
        if look is None or look.decided is None:
            return Line(TRUST, "No look was made yet.", Status.INSUFFICIENT_EVIDENCE.value)
        return Line(TRUST, f"{look.decided.rounds:,} recommended slots of {look.first_day} to {look.last_day}.")
    lacking = _lacking(TRUST, row)
    if lacking or row is None:
        return lacking or Line(TRUST, "")
    parts = [f"{row['rounds']:,} recommended slots"]
    if row["clusters"] is not None:
        parts.append(f"{row['clusters']:,} independent {judged.cluster.removesuffix('_id')}s")
    if row["difference_outcomes"] is not None:
        parts.append(f"{row['difference_outcomes']:,.0f} effective outcomes of the difference")
    return Line(TRUST, f"The evidence can be trusted: {', '.join(parts)}.")


def _money_risk(judged: Judged) -> Line:
    asked = {
        "no_sign_of_harm": "Asked: no sign that it falls.",
        "rule_out_loss": f"Asked: a loss of more than {judged.rule.revenue_margin:.0%} of today's is ruled out.",
    }[judged.rule.revenue]
    if judged.look is not None:
        said = next((each for each in judged.look.conditions if each.name == "revenue"), None)
        if said is not None:
            return Line(MONEY_RISK, said.words)
    if judged.no_revenue:
        return _said(MONEY_RISK, not_available(judged.no_revenue))
    if judged.look is not None and judged.look.trusted:
        return _said(MONEY_RISK, not_available("there is no revenue to compare"))
    return Line(MONEY_RISK, f"{asked} No look has told yet.", Status.INSUFFICIENT_EVIDENCE.value)


def _a_week(satisfaction: Mapping[str, Any] | None, revenue: Mapping[str, Any] | None, judged: Judged) -> Line:
    """The gain in outcomes and money a week, at as many slots as on the judged days."""
    outcome = "clicks" if judged.satisfying == "click" else f"{judged.satisfying}s"
    if judged.trial is not None and judged.verdict.look is None:
        return _week_of_the_trial(judged.look, outcome)
    lacking = _lacking(A_WEEK, satisfaction)
    if lacking or satisfaction is None:
        return lacking or Line(A_WEEK, "")
    slots = 7 * (judged.slots or satisfaction["rounds"]) / _days(satisfaction)
    words = f"{_at(slots)} {_weekly(satisfaction, slots)} {outcome} a week"
    users = _for_each_user(satisfaction, outcome, judged.cluster)
    if revenue is not None and revenue["status"] == Status.ANSWERED:
        words += f", and {_weekly(revenue, slots)} of revenue, in the currency of the prices"
        return Line(A_WEEK, f"{words}, {ADDED_UP}.{users}")
    why = revenue["reason"] if revenue is not None else judged.no_revenue or "there is no revenue to compare"
    return Line(A_WEEK, f"{words}, {ADDED_UP}.{users} In money it is not known: {why.removesuffix('.')}.")


def _for_each_user(row: Mapping[str, Any], outcome: str, cluster: str) -> str:
    """The gain of the judged days over their users; nothing where nobody knows who asked."""
    users = row["clusters"]
    if cluster != "user_id" or not users:
        return ""
    gain = count(row["rounds"] * row["difference"] / users, "+")
    return f" On the judged days that is {gain} {outcome} for each of {users:,} users."


def _week_of_the_trial(look: Look | None, outcome: str) -> Line:
    """Between looks: as the last one saw it."""
    if look is None or look.decided is None or look.lower is None or look.upper is None:
        return Line(A_WEEK, "Not known yet: no look has told.", Status.INSUFFICIENT_EVIDENCE.value)
    slots = look.decided.rounds / look.number
    middle, low, high = (count(slots * each, "+") for each in (look.decided.value, look.lower, look.upper))
    return Line(
        A_WEEK,
        f"{_at(slots)} {middle} ({low} to {high}) {outcome} a week, {ADDED_UP}, as the last look saw it. "
        "Money is told at looks.",
    )


def _at(slots: float) -> str:
    return f"At {count(slots)} recommended slots a week, like on these days:"


def _weekly(row: Mapping[str, Any], slots: float) -> str:
    middle, low, high = (count(slots * row[f"difference{part}"], "+") for part in ("", "_lower", "_upper"))
    return f"{middle} ({low} to {high})"


def _anyway(report: pl.DataFrame) -> Iterator[Line]:
    """What share of the raw rate would have been there without the recommendation: given met, given not shown."""
    raw = _decided(report, "raw")
    for estimand, instead in GIVEN.items():
        row = _decided(report, estimand) if "estimand" in report.columns else None
        known = raw is not None and bool(raw["estimate"])
        yield _anyway_line(estimand, instead, row, raw["estimate"] if raw is not None and known else None)


def _anyway_line(estimand: str, instead: str, row: Mapping[str, Any] | None, rate: float | None) -> Line:
    """What would be there anyway, instead of the raw rate of the new policy."""
    named = f"({estimand.replace('_', ' ')})"
    unknown = f"{instead}, it is not known what would happen anyway {named}"
    if row is None:
        return Line(ANYWAY, f"{unknown}: {NO_ESTIMATE.reason}.", NO_ESTIMATE.status.value)
    if row["status"] != Status.ANSWERED:
        return Line(ANYWAY, f"{unknown}: {_short(row)}", row["status"])
    if rate is None:
        words = f"{unknown}, for the raw rate of the new policy cannot be told."
        return Line(ANYWAY, words, Status.INSUFFICIENT_EVIDENCE.value)
    shares = " to ".join(share(row[f"anyway_{end}"] / rate) for end in ("lower", "upper"))
    limits = span(row["anyway_lower"], row["anyway_upper"], RATE)
    return Line(
        ANYWAY,
        f"{instead}, they would still bring {number(row['anyway'], RATE)} ({limits}) instead of {number(rate, RATE)}: "
        f"{share(row['anyway'] / rate)} ({shares}) would happen anyway {named}.{_rests_on(row)}",
    )


def _rests_on(row: Mapping[str, Any]) -> str:
    """What a value that is told rests on, as a sentence of its own."""
    words = row["reason"] or ""
    return f" {words[:1].upper()}{words[1:]}." if words else ""


def _short(row: Mapping[str, Any]) -> str:
    """Why there is no value; with bounds, what they are and what would have to be assumed."""
    if row["anyway_lower"] is None or row["anyway_upper"] is None:
        return f"{row['reason'].removesuffix('.')}."
    low, high = number(row["anyway_lower"], RATE), number(row["anyway_upper"], RATE)
    return (
        f"{row['reason'].split('. ')[0].removesuffix('.')}. Between {low} and {high} would, if no recommendation keeps "
        "anybody from an item; without that assumption, between 0 % and 100 %."
    )


def _decided(report: pl.DataFrame, estimand: str) -> Mapping[str, Any] | None:
    """The challenger's row of an estimand's satisfaction, for everyone, by what decides."""
    own = report.filter(policy=CHALLENGER, segment=EVERYONE, estimator=deciding().name, metric="satisfaction")
    if "estimand" in own.columns:
        own = own.filter(estimand=estimand)
    return next(own.iter_rows(named=True), None)


def _days(row: Mapping[str, Any]) -> int:
    days: int = (row["last_day"] - row["first_day"]).days + 1
    return days
