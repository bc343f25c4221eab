"""How heavy the tail of importance weights is."""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats

FEWEST_OF_TAIL = 5


def pareto_k(weights: Floats) -> float:
    """The shape k of a generalised Pareto distribution of the largest weights.

    The largest M = min(n / 5, 3 sqrt(n)) exceed a threshold by values of density
    (1 + k x / s)^(-1 / k - 1) / s. Above 1/2 the variance of the weights is infinite, above 1 their mean.

    Args:
        weights: (n,), finite and not negative; those of 0 are of no tail.

    Returns:
        k; -inf where the largest weights are all alike, or too few for a tail: then there is none.

    Raises:
        ValueError: A weight is negative or not finite.

    Source:
        Zhang and Stephens (2009), Technometrics 51(3), the estimator; Vehtari et al. (2024), JMLR 25(72), "Pareto
        smoothed importance sampling", the tail, the prior on k and what k says.

    Not for:
        Clustered rows, whose extremes come together.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be finite and not negative")
    n = len(weights)
    tail = int(np.ceil(min(0.2 * n, 3 * np.sqrt(n))))
    if tail < FEWEST_OF_TAIL or n <= tail:
        return -np.inf
    ordered = np.sort(np.partition(weights, n - tail - 1)[-tail - 1 :])
    over = ordered[1:] - ordered[0]
    if over[-1] <= 1e-12 * max(ordered[-1], 1e-300):
        return -np.inf
    over = over[over > 0]
    return _shape(over) if len(over) >= FEWEST_OF_TAIL else -np.inf


def _shape(over: Floats) -> float:
    """k of the excesses, ascending, by the mean over a grid of b = -k / s, weighted by the profile likelihood."""
    n = len(over)
    grid = 30 + int(np.sqrt(n))
    b = 1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    b = b / (3 * over[int(n / 4 + 0.5) - 1]) + 1 / over[-1]
    k = np.log1p(-b[:, None] * over).mean(axis=1)
    profile = n * (np.log(-(b / k)) - k - 1)
    weight = np.exp(profile - profile.max())
    weight /= weight.sum()
    weight = np.where(weight >= 10 * np.finfo(float).eps, weight, 0.0)
    mean_b = float((b * weight).sum() / weight.sum())
    shape = float(np.log1p(-mean_b * over).mean())
    # A weak prior towards 0.5, worth 10 observations, for short tails.
    return shape * n / (n + 10) + 10 * 0.5 / (n + 10)
