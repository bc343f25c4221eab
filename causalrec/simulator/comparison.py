"""What was estimated beside what is true. Only the demo and the tests read this: no asset sees the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

ARMS = (1, 0)


def true_effects(
    truth: Path,
    days: Sequence[date],
    outcomes: Sequence[str] = ("click", "purchase"),
    unit_ids: pl.Series | None = None,
) -> dict[str, float]:
    """Mean of P(Y = 1 | do(1)) - P(Y = 1 | do(0)) over the units of the days, per outcome.

    Args:
        unit_ids: Only these units; None: all of the days.

    Raises:
        ValueError: A unit is not in the truth of the days.
    """
    return _mean_differences(_units_of(truth, days, unit_ids), outcomes, "p_")


def realised_effects(
    truth: Path,
    days: Sequence[date],
    outcomes: Sequence[str] = ("click", "purchase"),
    unit_ids: pl.Series | None = None,
) -> dict[str, float]:
    """Mean of Y(1) - Y(0) as drawn, over the units of the days, per outcome: `true_effects` and its luck.

    Args and Raises as in `true_effects`.
    """
    return _mean_differences(_units_of(truth, days, unit_ids), outcomes, "")


def compare_effects(
    effects: pl.DataFrame, truth: Path, days: Sequence[date], unit_ids: pl.Series | None = None
) -> pl.DataFrame:
    """Each estimate of each question beside the truth over the same units.

    Args:
        effects: The published table `effects`.
        days: The training days it was estimated on.
        unit_ids: The units it was estimated on; None: all of the days.

    Returns:
        A row per row of `effects`: question, estimator, estimate, lower, upper, truth (mean difference of the
        probabilities), truth_realised (of the drawn potential outcomes), covered (whether the interval holds `truth`;
        null without an estimate).
    """
    outcomes = effects["outcome"].unique(maintain_order=True).to_list()
    units = _units_of(truth, days, unit_ids)
    true, realised = _mean_differences(units, outcomes, "p_"), _mean_differences(units, outcomes, "")
    of = pl.col("outcome")
    return effects.select(
        "question",
        "estimator",
        "estimate",
        "lower",
        "upper",
        of.replace_strict(true, return_dtype=pl.Float64).alias("truth"),
        of.replace_strict(realised, return_dtype=pl.Float64).alias("truth_realised"),
    ).with_columns(covered=pl.col("truth").is_between("lower", "upper"))


def _units_of(truth: Path, days: Sequence[date], unit_ids: pl.Series | None) -> pl.DataFrame:
    frame = pl.read_parquet([truth / f"day={day}.parquet" for day in days], glob=False, hive_partitioning=False)
    if unit_ids is None:
        return frame
    known = frame.filter(pl.col("event_id").is_in(unit_ids.implode()))
    if known.height != unit_ids.len():
        raise ValueError(
            f"{unit_ids.len()} units were asked for, {known.height} of them are in {truth} for "
            f"{len(days)} days: give the days that the units are of, and each unit once"
        )
    return known


def _mean_differences(units: pl.DataFrame, outcomes: Sequence[str], prefix: str) -> dict[str, float]:
    def mean(outcome: str) -> float:
        treated, control = (units[f"{prefix}{outcome}_{arm}"].to_numpy().astype(np.float64) for arm in ARMS)
        return float((treated - control).mean())

    return {outcome: mean(outcome) for outcome in outcomes}
