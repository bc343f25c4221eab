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
from causalrec.evaluation.report.numbers import count, number, share, span
from causalrec.evaluation.report.trial_lines import TrialStory
from causalrec.evaluation.rounds import EVERYONE
from causalrec.evaluation.verdict import Verdict, guardrail_words, headline
from causalrec.policy.policies import CHALLENGER
from causalrec.settings.release import ReleaseRule

NEXT, FAR, SURE, MONEY_RISK, A_WEEK, ANYWAY, ADDS = (
    "Next step",
    "How far it is",
    "How sure it is",
    "Revenue",
    "What it means a week",
    "What would happen anyway",
    "What recommending adds",
)
RATE = "satisfaction"
GIVEN = {
    "given_met": "Of items that people meet by themselves too (given met)",
    "given_not_shown": "With the item not in the slate (given not shown)",
}
"""Estimand -> against what, for a person."""
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
        report: The table whose rows decide.
        rule: By which they do.
        satisfying: The outcome S.
        slots: Recommended slots of the days that were judged; None where they were not counted.
        no_revenue: Why no policy has a revenue, in words, if none has.
        adds: What the whole recommender adds, in words.
        estimand: Which value decides.
        trial: The trial that is told; None where the report is one look back.
    """

    verdict: Verdict
    report: pl.DataFrame
    rule: ReleaseRule
    satisfying: str
    slots: int | None = None
    no_revenue: str = ""
    adds: Answer | str = NO_HOLDOUT
    estimand: str = "raw"
    trial: TrialStory | None = None


def first_lines(judged: Judged) -> list[Line]:
    """The lines below the decision, in the order in which a person asks."""
    rows = {row["metric"]: row for row in headline(judged.report).iter_rows(named=True)}
    satisfaction, revenue = rows.get("satisfaction"), rows.get("revenue")
    return [
        Line(NEXT, judged.verdict.next_step),
        Line(FAR, judged.trial.far()) if judged.trial else _far(satisfaction),
        Line(SURE, *judged.trial.sure()) if judged.trial else _sure(satisfaction),
        _money_risk(revenue, judged),
        _a_week(satisfaction, revenue, judged),
        Line(ANYWAY, DECIDES[judged.estimand]),
        *_anyway(judged.report),
        _said(ADDS, judged.adds),
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


def _far(row: Mapping[str, Any] | None) -> Line:
    lacking = _lacking(FAR, row) if row is None else None
    if lacking or row is None:
        return lacking or Line(FAR, "")
    days = _days(row)
    return Line(
        FAR,
        f"Judged once, on {days:,} day{'s' if days > 1 else ''} ({row['first_day']} to {row['last_day']}, "
        f"{row['rounds']:,} recommended slots) that no fit has read.",
    )


def _sure(row: Mapping[str, Any] | None) -> Line:
    lacking = _lacking(SURE, row)
    if lacking or row is None:
        return lacking or Line(SURE, "")
    return Line(
        SURE,
        f"The gain is {_points(row['difference'])}, and lies between {_points(row['difference_lower'])} and "
        f"{_points(row['difference_upper'])} in 95 of 100 reports like this one. One look is wrong in the new policy's "
        "favour in 2.5 of 100; many looks, one a day, err more often together.",
    )


def _money_risk(row: Mapping[str, Any] | None, judged: Judged) -> Line:
    if row is None:
        why = judged.no_revenue or "no purchase or price is logged, or no margin is stated in objective.yaml"
        return _said(MONEY_RISK, not_available(why))
    lacking = _lacking(MONEY_RISK, row)
    return lacking or Line(MONEY_RISK, guardrail_words(row, judged.rule))


def _a_week(satisfaction: Mapping[str, Any] | None, revenue: Mapping[str, Any] | None, judged: Judged) -> Line:
    lacking = _lacking(A_WEEK, satisfaction)
    if lacking or satisfaction is None:
        return lacking or Line(A_WEEK, "")
    slots = 7 * (judged.slots or satisfaction["rounds"]) / _days(satisfaction)
    words = f"At {count(slots)} recommended slots a week, like on these days: {_weekly(satisfaction, slots)}"
    outcome = "clicks" if judged.satisfying == "click" else f"{judged.satisfying}s"
    words = f"{words} {outcome} a week"
    if revenue is not None and revenue["status"] == Status.ANSWERED:
        return Line(A_WEEK, f"{words}, and {_weekly(revenue, slots)} of revenue (the currency of the prices).")
    why = revenue["reason"] if revenue is not None else judged.no_revenue or "there is no revenue to compare"
    return Line(A_WEEK, f"{words}. In money it is not known: {why}.")


def _weekly(row: Mapping[str, Any], slots: float) -> str:
    middle, low, high = (count(slots * row[f"difference{part}"], "+") for part in ("", "_lower", "_upper"))
    return f"{middle} ({low} to {high})"


def _anyway(report: pl.DataFrame) -> Iterator[Line]:
    """What share of the raw rate would have been there without the recommendation: given met, given not shown."""
    raw = _decided(report, "raw")
    for estimand, given in GIVEN.items():
        row = _decided(report, estimand) if "estimand" in report.columns else None
        if row is None:
            yield Line(ANYWAY, f"{given}: not known, {NO_ESTIMATE.reason}.", NO_ESTIMATE.status.value)
        elif row["status"] != Status.ANSWERED:
            yield Line(ANYWAY, f"{given}: not known. {_sentence(row['reason'])}{_bounds(row)}", row["status"])
        elif raw is None or not raw["estimate"]:
            yield Line(
                ANYWAY,
                f"{given}: not known, for the raw rate of the new policy cannot be told.",
                Status.INSUFFICIENT_EVIDENCE.value,
            )
        else:
            base = raw["estimate"]
            shares = " to ".join(share(row[f"anyway_{end}"] / base) for end in ("lower", "upper"))
            yield Line(
                ANYWAY,
                f"{given}: {share(row['anyway'] / base)} ({shares}) of the new policy's {number(base, RATE)}, which is "
                f"{number(row['anyway'], RATE)} ({span(row['anyway_lower'], row['anyway_upper'], RATE)}).",
            )


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _bounds(row: Mapping[str, Any]) -> str:
    if row["anyway_lower"] is None or row["anyway_upper"] is None:
        return ""
    return f" It lies between {number(row['anyway_lower'], RATE)} and {number(row['anyway_upper'], RATE)}."


def _decided(report: pl.DataFrame, estimand: str) -> Mapping[str, Any] | None:
    """The challenger's row of an estimand's satisfaction, for everyone, by what decides."""
    own = report.filter(policy=CHALLENGER, segment=EVERYONE, estimator=deciding().name, metric="satisfaction")
    if "estimand" in own.columns:
        own = own.filter(estimand=estimand)
    return next(own.iter_rows(named=True), None)


def _days(row: Mapping[str, Any]) -> int:
    days: int = (row["last_day"] - row["first_day"]).days + 1
    return days


def _points(x: float) -> str:
    return f"{100 * x:+.2f} points"
