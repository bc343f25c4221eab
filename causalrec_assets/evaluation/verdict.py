"""The verdict on a challenger: better, not better, or too little evidence; with the numbers that decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from causalrec_assets.answers import Answer, Status
from causalrec_assets.evaluation.rule import ReleaseRule


class Decision(StrEnum):
    BETTER = "better"
    NOT_BETTER = "not_better"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


@dataclass(frozen=True)
class Verdict:
    decision: Decision
    reason: str


def judge(report: pl.DataFrame, rule: ReleaseRule, unanswered: Answer | None = None) -> Verdict:
    """Apply the release rule to the off-policy report.

    `better`: on the judgement days, the doubly robust difference of the satisfaction has its lower limit above 0, and the
    lower limit of the revenue's difference is not below -revenue_margin of the baseline's revenue. Trust comes first: where
    the weights do not carry the estimate there is no verdict on the policy, only on the evidence.

    Args:
        report: The table `off_policy_report`.
        unanswered: Why there is no challenger at all.
    """
    rows = {
        row["metric"]: row
        for row in report.filter(
            (pl.col("policy") == "challenger") & (pl.col("segment") == "everyone") & (pl.col("estimator") == "dr")
        ).iter_rows(named=True)
    }
    if "satisfaction" not in rows:
        why = unanswered.reason if unanswered and unanswered.reason else "no judged round has a logged action propensity"
        return Verdict(Decision.INSUFFICIENT_EVIDENCE, f"There is no challenger to judge: {why}.")
    satisfaction, revenue = rows["satisfaction"], rows.get("revenue")
    for row in (satisfaction, revenue):
        if row is not None and row["status"] != Status.ANSWERED:
            return Verdict(Decision.INSUFFICIENT_EVIDENCE, f"The {row['metric']} of the challenger cannot be told: {row['reason']}.")
    words = [_words(satisfaction)]
    better = satisfaction["difference_lower"] > 0
    if revenue is not None:
        words.append(_words(revenue))
        allowed = -rule.revenue_margin * abs(revenue["estimate"] - revenue["difference"])
        better = better and revenue["difference_lower"] >= allowed
    decision = Decision.BETTER if better else Decision.NOT_BETTER
    return Verdict(decision, "; ".join(words) + ".")


def _words(row: Mapping[str, Any]) -> str:
    base = row["estimate"] - row["difference"]
    percent = row["metric"] == "satisfaction"

    def number(x: float, sign: str = "") -> str:
        return f"{100 * x:{sign}.2f}" if percent else f"{x:{sign}.4f}"

    unit = " points of satisfaction rate" if percent else " revenue per recommendation"
    return (
        f"{number(row['difference'], '+')}{unit} (95 % interval {number(row['difference_lower'], '+')} to "
        f"{number(row['difference_upper'], '+')}) against the {row['baseline']}, {number(base)}{' %' if percent else ''} to "
        f"{number(row['estimate'])}{' %' if percent else ''}"
    )
