"""How far importance weights can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def effective_sample_size(weights: Floats) -> float:
    """How many equally weighted rows these are worth: (sum w)^2 / sum w^2, at most n; 0 when all weights are 0.

    Source:
        Kish (1965), "Survey Sampling", section 11.7.
    """
    weights = np.asarray(weights, dtype=np.float64)
    square = float((weights**2).sum())
    return 0.0 if square == 0 else float(weights.sum() ** 2 / square)


@dataclass(frozen=True)
class WeightSummary:
    """The tails of a set of weights.

    Attributes:
        effective_rows: Kish's effective sample size.
        largest_share: The largest weight's share of the sum.
    """

    rows: int
    effective_rows: float
    mean: float
    largest: float
    largest_share: float


def summarise_weights(weights: Floats) -> WeightSummary:
    """Summarise weights (n,), n >= 1, none negative.

    Raises:
        ValueError: There are none, or one is negative or not finite.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.size == 0 or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be finite, not negative, and at least one")
    total = float(weights.sum())
    share = float(weights.max()) / total if total > 0 else 0.0
    return WeightSummary(len(weights), effective_sample_size(weights), float(weights.mean()), float(weights.max()), share)


def clip_level(weights: Floats, quantile: float) -> float:
    """The weight above which weights are cut, learned on the training window: a quantile in (0, 1] of its weights."""
    if not 0 < quantile <= 1:
        raise ValueError(f"a quantile is in (0, 1], got {quantile}")
    return float(np.quantile(np.asarray(weights, dtype=np.float64), quantile))
