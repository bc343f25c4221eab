"""The table of what each policy is worth: one column an estimand, by the estimator that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.report.numbers import change, interval, number, share, span
from causalrec.evaluation.rounds import EVERYONE
from causalrec.policy.policies import labels


@dataclass(frozen=True)
class Cell:
    """A policy's value by one estimand, as text.

    Attributes:
        value, interval: Empty where there is none.
        change, change_interval: From the baseline.
        anyway: What share of the raw value would have been there anyway, where the estimand tells.
        status: In words; empty where it is answered.
        reason: Why there is none.
    """

    value: str = ""
    interval: str = ""
    change: str = ""
    change_interval: str = ""
    anyway: str = ""
    status: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ValueRow:
    """A policy in one metric.

    Attributes:
        policy, words: Its name, and what people call it.
        metric: What is counted.
        cells: Estimand -> its value.
    """

    policy: str
    words: str
    metric: str
    cells: Mapping[str, Cell]


def named_values(report: pl.DataFrame) -> list[ValueRow]:
    """Of each policy and metric, for everyone, the value by each estimand.

    Args:
        report: The table `off_policy_report`.

    Returns:
        A row each, challenger first; no row where the report knows no estimands.
    """
    if "estimand" not in report.columns:
        return []
    own = report.filter(segment=EVERYONE, estimator=deciding().name)
    estimands = own["estimand"].unique(maintain_order=True).to_list()
    words, rows = labels(), []
    for (policy, metric), group in own.group_by(["policy", "metric"], maintain_order=True):
        by = {row["estimand"]: row for row in group.iter_rows(named=True)}
        raw = by.get("raw")
        cells = {name: _cell(by[name], raw) if name in by else Cell() for name in estimands}
        rows.append(ValueRow(str(policy), words.get(str(policy), str(policy)), str(metric), cells))
    first = list(words)
    return sorted(rows, key=lambda row: first.index(row.policy) if row.policy in first else len(first))


def _cell(row: Mapping[str, Any], raw: Mapping[str, Any] | None) -> Cell:
    if row["status"] != Status.ANSWERED:
        return Cell(status=row["status"].replace("_", " "), reason=row["reason"])
    told = row["difference"] is not None
    limits = span(row["difference_lower"], row["difference_upper"], row["metric"], "+") if told else ""
    anyway = ""
    if row["anyway"] is not None and raw is not None and raw["estimate"]:
        anyway = share(row["anyway"] / raw["estimate"])
    return Cell(
        number(row["estimate"], row["metric"], rate=False),
        interval(row),
        change(row, rate=False) if told else "",
        limits,
        anyway,
    )
