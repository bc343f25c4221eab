"""What the page says of each policy: its values by every estimator, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.policy_value import deciding, in_reading_order, weighting
from causalrec.evaluation.policy_values import HELD_OUT_MEAN, LOGGED_MEAN
from causalrec.evaluation.report.numbers import change, interval, number, span
from causalrec.evaluation.rounds import EVERYONE
from causalrec.policy.policies import CHALLENGER, labels


def policy_rows(report: pl.DataFrame) -> list[dict[str, Any]]:
    """What the page says of each segment, policy and metric.

    Args:
        report: The table `off_policy_report`.

    Returns:
        A row each, challenger first: the values of all estimators as text, empty where there is none, and those of the
        logged mean, of what decides, of the model's own promise and of held-out logs once more by what they are.
    """
    rows: list[dict[str, Any]] = []
    decides, weighs, words = deciding().name, weighting().name, labels()
    promise = next((each.name for each in in_reading_order() if each.on == "unseen"), None)
    for (segment, policy, metric), group in report.group_by(["segment", "policy", "metric"], maintain_order=True):
        by = {row["estimator"]: row for row in group.iter_rows(named=True)}
        values = {
            name: {"value": number(row["estimate"], row["metric"]), "interval": interval(row)}
            for name, row in by.items()
        }
        told = by[decides] if by[decides]["status"] == Status.ANSWERED else by[weighs]
        answered = [row for row in by.values() if row["difference"] is not None]
        rows.append(
            {
                "segment": str(segment),
                "policy": str(policy),
                "metric": str(metric),
                "words": words.get(str(policy), str(policy)),
                "values": values,
                "logged_mean": values[LOGGED_MEAN],
                "decides": values[decides],
                "promise": values[promise] if promise else None,
                "held_out_mean": values.get(HELD_OUT_MEAN),
                "change": change(told) if answered else "",
                "change_interval": span(told["difference_lower"], told["difference_upper"], str(metric), "+")
                if answered
                else "",
                "baseline": told["baseline"],
                "by": told["estimator"].upper(),
                "status": "" if answered else told["status"].replace("_", " "),
                "reason": "" if answered else told["reason"],
                "days": f"{by[weighs]['first_day']} to {by[weighs]['last_day']}",
            }
        )
    first = list(words)
    return sorted(rows, key=lambda row: first.index(row["policy"]) if row["policy"] in first else len(first))


def cards(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The challenger's rows for everyone: what the reader looks at first."""
    return [row for row in policies if row["policy"] == CHALLENGER and row["segment"] == EVERYONE and row["change"]]
