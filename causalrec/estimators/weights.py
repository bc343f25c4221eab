"""How far importance weights can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats


def effective_sample_size(weights: Floats) -> float:
    """How many equally weighted rows weighted rows are worth.

    (sum w)^2 / sum w^2

    Args:
        weights: (n,), finite and not negative.

    Returns:
        Rows, in [1, n]; 0 when all weights are 0 (or there are none), for then no row speaks.

    Raises:
        ValueError: A weight is negative or not finite.

    Source:
        Kish (1965), "Survey Sampling", section 11.7.

    Not for:
        Clustered rows: a thousand rows of one user are not worth a thousand.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be finite and not negative")
    # Divided by the largest first: the squares of tiny or huge weights would leave the range of floats.
    largest = float(weights.max()) if weights.size else 0.0
    if largest == 0:
        return 0.0
    scaled = weights / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())


@dataclass(frozen=True)
class WeightSummary:
    """The size and the tail of a set of weights.

    Attributes:
        rows: n.
        effective_rows: Kish's effective sample size, in rows.
        mean: About 1 when importance weights are right and cover the target.
        largest: The largest weight.
        largest_share: The largest weight's share of the sum, in [0, 1].
    """

    rows: int
    effective_rows: float
    mean: float
    largest: float
    largest_share: float


def summarise_weights(weights: Floats) -> WeightSummary:
    """Count, effective count, mean and largest of a set of weights.

    Args:
        weights: (n,), n >= 1, finite and not negative.

    Returns:
        The summary; with all weights 0 the largest share is 0.

    Raises:
        ValueError: There are none, or one is negative or not finite.

    Source:
        The diagnostics of Owen (2013), "Monte Carlo theory, methods and examples", section 9.3.

    Not for:
        Proof of overlap: weights look harmless where the logs never show what the target would do.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.size == 0:
        raise ValueError("weights must be at least one: there is no row to weigh")
    effective = effective_sample_size(weights)
    total, largest = float(weights.sum()), float(weights.max())
    share = largest / total if total > 0 else 0.0
    return WeightSummary(len(weights), effective, float(weights.mean()), largest, share)


def clip_level(weights: Floats, quantile: float) -> float:
    """The level above which weights are cut: a quantile of the training window's weights.

    Args:
        weights: (n,), n >= 1, of the training window only.
        quantile: In (0, 1]; 1 cuts nothing of the training window.

    Returns:
        A weight; use it as `np.minimum(weights, level)`.

    Raises:
        ValueError: There are no weights, or the quantile is not in (0, 1].

    Source:
        Truncated importance weights: Ionides (2008), J. Comp. Graph. Stat. 17(2).

    Not for:
        Weights of an estimate that is reported: cutting them moves it. It is for a training loss.
    """
    if not 0 < quantile <= 1:
        raise ValueError(f"a quantile is in (0, 1], got {quantile}")
    weights = np.asarray(weights, dtype=np.float64)
    if weights.size == 0:
        raise ValueError("weights must be at least one: there is no row to weigh")
    return float(np.quantile(weights, quantile))
