"""The outcome model's predictions for units it never saw, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.estimators.scores import calibration_curve, calibration_error, log_loss
from causalrec.logs.units.held_out import without_held_out
from causalrec.model.outcome.model import PotentialOutcomes

HEADS = ("click_if_recommended", "click_if_not", "purchase_if_recommended", "purchase_if_not")


@dataclass(frozen=True)
class OutcomeScores:
    """How well the model predicts an outcome on days that it never saw.

    Attributes:
        model, constant: Log loss, nats a unit, of the model and of each arm's mean rate in the training window.
        calibration_error: Of the model, in probability; None where another release has not measured it.
    """

    model: float
    constant: float
    calibration_error: float | None = None


@dataclass(frozen=True)
class OutcomeEvaluation:
    """One outcome on the judgement days, under the arm that was taken.

    Attributes:
        rows: Units judged.
        model, constant: Log loss, nats a unit, of the model and of each arm's mean rate in the training
            window.
        calibration_error: Of the model, in probability.
        curve: (predicted, observed, share of units) by rising prediction.
    """

    outcome: str
    rows: int
    model: float
    constant: float
    calibration_error: float
    curve: list[tuple[float, float, float]]

    @property
    def scores(self) -> OutcomeScores:
        return OutcomeScores(self.model, self.constant, self.calibration_error)

    @property
    def beats_constant(self) -> bool:
        return self.model < self.constant


def prediction_table(units: pl.DataFrame, predicted: PotentialOutcomes) -> pl.DataFrame:
    """The table `outcome_model`: what was seen beside what the model expects in either arm.

    Args:
        units: (n rows) of the judgement days.
        predicted: (n,) each; what the model cannot tell becomes null.
    """
    columns = {head: getattr(predicted, head) for head in HEADS}
    return units.select("unit_id", "policy", "recommended", "click", "purchase").with_columns(
        pl.Series(head, [None] * units.height if values is None else values, dtype=pl.Float64)
        for head, values in columns.items()
    )


def evaluate(
    predictions: pl.DataFrame, training: pl.DataFrame, outcomes: Sequence[str], held_out: Sequence[str]
) -> list[OutcomeEvaluation]:
    """Score the predictions of the arm that was taken against the training window's rate of that arm.

    Rows of held-out policies are an answer sheet, from another policy than the one learned from: they are
    predicted, not judged here. Nor are rows whose outcome was not seen, or whose arm the model cannot tell.

    Args:
        predictions: From `prediction_table`.
        training: The units that were learned from, with `recommended` and the outcomes.
        outcomes: Which outcomes the model learned.
        held_out: Names of logging policies.

    Returns:
        One evaluation an outcome that has rows to judge.
    """
    judged = without_held_out(predictions, held_out)
    evaluations = []
    for outcome in outcomes:
        arm = pl.col("recommended") == 1
        chosen = pl.when(arm).then(f"{outcome}_if_recommended").otherwise(f"{outcome}_if_not")
        rows = judged.select("recommended", outcome, predicted=chosen).drop_nulls()
        rates = rate_by_arm(training, outcome)
        rows = rows.filter(pl.col("recommended").is_in(list(rates)))
        if rows.is_empty():
            continue
        y, p = rows[outcome].to_numpy().astype(np.float64), rows["predicted"].to_numpy()
        constant = rows["recommended"].replace_strict(rates, return_dtype=pl.Float64).to_numpy()
        evaluations.append(
            OutcomeEvaluation(
                outcome,
                rows.height,
                log_loss(y, p),
                log_loss(y, constant),
                calibration_error(y, p),
                calibration_curve(y, p),
            )
        )
    return evaluations


def rate_by_arm(training: pl.DataFrame, outcome: str) -> dict[int, float]:
    """The share of units with the outcome in each arm that training saw: (events + 1/2) / (units + 1)."""
    arms = (
        training.drop_nulls(["recommended", outcome])
        .group_by("recommended")
        .agg(((pl.col(outcome).sum() + 0.5) / (pl.len() + 1)).alias("rate"))
    )
    return {int(t): float(rate) for t, rate in arms.iter_rows()}
