"""What the page says of each policy: its values by every estimator, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.policy_value import deciding, in_reading_order, weighting
from causalrec.evaluation.deciding_rows import RAW, of_estimand
from causalrec.evaluation.policy_values import HELD_OUT_MEAN, LOGGED_MEAN
from causalrec.evaluation.report.numbers import change, interval, number, span
from causalrec.evaluation.rounds import EVERYONE, METRICS
from causalrec.policy.policies import CHALLENGER, labels


def policy_rows(report: pl.DataFrame, estimand: str = RAW) -> list[dict[str, Any]]:
    """What the page says of each segment, policy and metric, by one estimand.

    Args:
        report: Raw values of the table `off_policy_report`.

    Returns:
        A row each, challenger first: the values of all estimators as text, empty where there is none, and those of the
        logged mean, of what decides, of the model's own promise and of held-out logs once more by what they are.
    """
    rows: list[dict[str, Any]] = []
    report = of_estimand(report, estimand)
    decides, weighs, words = deciding().name, weighting().name, labels()
    promise = next((each.name for each in in_reading_order() if each.on == "unseen"), None)
    for (segment, policy, metric), group in report.group_by(["segment", "policy", "metric"], maintain_order=True):
        by = {row["estimator"]: row for row in group.iter_rows(named=True)}
        values = {
            name: {"value": number(row["estimate"], row["metric"], estimand == RAW), "interval": interval(row)}
            for name, row in by.items()
        }
        # Where the estimand is not estimated by weighing alone, there is the row that decides.
        weighed = by.get(weighs, by[decides])
        told = by[decides] if by[decides]["status"] == Status.ANSWERED else weighed
        answered = [row for row in by.values() if row["difference"] is not None]
        rows.append(
            {
                "segment": str(segment),
                "policy": str(policy),
                "metric": str(metric),
                "words": words.get(str(policy), str(policy)),
                "values": values,
                "estimand": estimand,
                "logged_mean": values.get(LOGGED_MEAN),
                "decides": values[decides],
                "promise": values.get(promise) if promise else None,
                "held_out_mean": values.get(HELD_OUT_MEAN),
                "change": change(told, estimand == RAW) if answered else "",
                "change_interval": span(told["difference_lower"], told["difference_upper"], str(metric), "+")
                if answered
                else "",
                "baseline": told["baseline"],
                "by": told["estimator"].upper(),
                "status": "" if answered else told["status"].replace("_", " "),
                "reason": "" if answered else told["reason"],
                "days": f"{weighed['first_day']} to {weighed['last_day']}",
            }
        )
    first = list(words)
    return sorted(rows, key=lambda row: first.index(row["policy"]) if row["policy"] in first else len(first))


def cards(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The challenger's rows for everyone: what the reader looks at first."""
    own = [row for row in policies if row["policy"] == CHALLENGER and row["segment"] == EVERYONE]
    return [row for row in own if row["change"] and row["metric"] in METRICS]
