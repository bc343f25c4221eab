"""One policy's value in one metric, in one segment, under one name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from causalrec.answers import Answer
from causalrec.estimators.weights import WeightSummary
from causalrec.evaluation.estimands import Columns, Estimand
from causalrec.evaluation.trust.needed import pace_of
from causalrec.policy.policies import CHAMPION

LOGGING_POLICY = "logging policy"
Cell = str | float | int | date | None
Row = dict[str, Cell]


@dataclass(frozen=True)
class PolicyQuestion:
    """One policy's value in one metric, in one segment.

    Attributes:
        rounds: The policy's.
        champion: The champion's, row by row the same rounds; None: compared with the logging policy.
        estimand: Which value.
    """

    segment: str
    policy: str
    metric: str
    rounds: pl.DataFrame
    champion: pl.DataFrame | None
    estimand: Estimand

    @property
    def columns(self) -> Columns:
        return self.estimand.reads(self.metric)

    @property
    def pace(self) -> float | None:
        """How many such rounds a week the logs bring."""
        return pace_of(self.rounds)

    def where(self, keep: pl.Expr) -> PolicyQuestion:
        """The same question on some rounds only, which are the same for both policies."""
        kept = self.rounds.select(keep).to_series()
        champion = None if self.champion is None else self.champion.filter(kept)
        return replace(self, rounds=self.rounds.filter(kept), champion=champion)

    def row(self, estimator: str, answer: Answer, weights: WeightSummary | None) -> Row:
        """A row of the report without its numbers."""
        return {
            "segment": self.segment,
            "policy": self.policy,
            "estimand": self.estimand.name,
            "metric": self.metric,
            "estimator": estimator,
            "baseline": LOGGING_POLICY if self.champion is None else CHAMPION,
            "rounds": self.rounds.height,
            "effective_rounds": weights.effective_rows if weights else None,
            "mean_weight": weights.mean if weights else None,
            "max_weight": weights.largest if weights else None,
            "first_day": _day(self.rounds["day"].min()),
            "last_day": _day(self.rounds["day"].max()),
            "status": answer.status.value,
            "reason": answer.reason,
        }


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
