"""What the off-policy report says to a look: the rows that decide, as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from causalrec.answers import ANSWERED, Answer, Status, insufficient_evidence, not_available
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.rounds import EVERYONE, METRICS
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.policy.policies import CHALLENGER

RAW = "raw"
NOTHING_JUDGED = "no judged round has a logged action propensity and an outcome; log both"
NO_REVENUE = "there is no revenue to compare"


def headline(report: pl.DataFrame, estimand: str = RAW) -> pl.DataFrame:
    """The rows that decide: of the challenger, for everyone, by the estimator and the estimand that the verdict reads.

    Args:
        report: The table `off_policy_report`, or `trial_report`.

    Returns:
        Its rows of them, one a metric.
    """
    return of_estimand(report.filter(policy=CHALLENGER, segment=EVERYONE, estimator=deciding().name), estimand)


def of_estimand(report: pl.DataFrame, estimand: str) -> pl.DataFrame:
    """A report's rows of one estimand; that of another release knows only the raw one."""
    if "estimand" in report.columns:
        return report.filter(estimand=estimand)
    return report if estimand == RAW else report.clear()


def evidence_of(report: pl.DataFrame, estimand: str) -> Evidence:
    """What a look at a report is shown: the challenger's difference in satisfaction and in revenue.

    Args:
        report: The table `off_policy_report` of the days of the look.
        estimand: The value that decides.

    Returns:
        The evidence; what the report cannot tell is not trusted, with its reason.
    """
    by_metric = {row["metric"]: row for row in headline(report, estimand).iter_rows(named=True)}
    raw = {row["metric"]: row for row in headline(report).iter_rows(named=True)}
    satisfaction, revenue = (by_metric.get(metric) for metric in METRICS)
    return Evidence(
        _difference(satisfaction, raw.get(METRICS[0])),
        not_available(NOTHING_JUDGED) if satisfaction is None else _trust(satisfaction),
        _difference(revenue, raw.get(METRICS[1])),
        not_available(NO_REVENUE) if revenue is None else _revenue_trust(revenue),
    )


def never_told(report: pl.DataFrame, estimand: str) -> Answer | None:
    """Why no look at logs like these can ever tell the value that decides; None where one may.

    Args:
        report: The table `off_policy_report` of a challenger's own judgement days.
    """
    trusted = evidence_of(report, estimand).trusted
    return trusted if trusted.status is Status.NOT_AVAILABLE else None


def _difference(row: Mapping[str, Any] | None, raw: Mapping[str, Any] | None) -> Difference | None:
    """The decided difference; shares are of what the baseline brings in its own slots, whatever decides."""
    if row is None or row["difference"] is None or row.get("difference_std_error") is None:
        return None
    of_slots = row if raw is None or raw["difference"] is None else raw
    clusters = row.get("effective_clusters") or row["clusters"]
    # Of fewer than two effective clusters no standard error says anything; the gate of trust keeps them out.
    return Difference(
        row["difference"],
        row["difference_std_error"],
        degrees=max(clusters - 1.0, 1.0),
        base=of_slots["estimate"] - of_slots["difference"],
        rounds=row["rounds"],
    )


def _trust(row: Mapping[str, Any]) -> Answer:
    """Whether a difference carries a decision: what the row says of its value, then of the difference."""
    if row["status"] != Status.ANSWERED:
        return Answer(Status(row["status"]), row["reason"])
    if row.get("difference_std_error") is None and row.get("decision_status") is None:
        return not_available("this report has no standard error of the difference; another release has made it")
    status = row.get("decision_status")
    return ANSWERED if status is None else Answer(Status(status), row["decision_reason"])


def _revenue_trust(row: Mapping[str, Any]) -> Answer:
    answer = _trust(row)
    if answer.status is Status.NOT_AVAILABLE:
        # Revenue that the source has and nobody can tell is not revenue that there is none of.
        return insufficient_evidence(answer.reason)
    return answer
