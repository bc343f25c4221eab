"""Means and their intervals when rows come in clusters (a user's rows are not independent)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class TooFewClusters(ValueError):
    """An interval needs at least two clusters."""


@dataclass(frozen=True)
class Estimate:
    """A value with its clustered standard error and interval.

    Attributes:
        influence: The estimate's influence value of each row, (n,), with mean 0: differences of two estimates on the same
            rows get their interval from the difference of these.
    """

    value: float
    std_error: float
    lower: float
    upper: float
    rows: int
    clusters: int
    influence: Floats


def from_influence(value: float, influence: Floats, clusters: Codes, level: float = 0.95) -> Estimate:
    """An estimate from its influence values, clustered.

    se^2 = G / (G - 1) / n^2 * sum over clusters of (sum of the cluster's influence values)^2, with a t quantile of G - 1
    degrees of freedom.

    Args:
        value: The point estimate.
        influence: (n,) influence values, mean about 0.
        clusters: (n,) integer codes.
        level: Of the interval, in (0, 1).

    Raises:
        TooFewClusters: Fewer than two clusters.
        ValueError: Lengths differ, or a value is not finite.

    Source:
        Liang and Zeger (1986), Biometrika 73(1), the sandwich of independent clusters; the factor G / (G - 1) and the t
        quantile as in Cameron and Miller (2015), J. Human Resources 50(2), section VI.

    Not for:
        A handful of clusters of very different sizes: the interval is then too short.
    """
    from scipy.stats import t

    influence = np.asarray(influence, dtype=np.float64)
    clusters = np.asarray(clusters)
    if influence.shape != clusters.shape:
        raise ValueError(f"{influence.shape[0]} influence values but {clusters.shape[0]} cluster codes")
    if not np.isfinite(influence).all() or not np.isfinite(value):
        raise ValueError("an influence value is not finite: a weight or a prediction is NaN or infinite")
    _, code = np.unique(clusters, return_inverse=True)
    sums = np.bincount(code, weights=influence)
    groups = len(sums)
    if groups < 2:
        raise TooFewClusters(f"an interval needs at least two clusters, got {groups}")
    std_error = float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / len(influence))
    half = float(t.ppf(0.5 + level / 2, groups - 1)) * std_error
    return Estimate(float(value), std_error, value - half, value + half, len(influence), groups, influence)


def clustered_mean(values: Floats, clusters: Codes, level: float = 0.95) -> Estimate:
    """The mean of `values` (n,) with its clustered interval; see `from_influence`."""
    values = np.asarray(values, dtype=np.float64)
    mean = float(values.mean())
    return from_influence(mean, values - mean, clusters, level)


def clustered_ratio(numerator: Floats, denominator: Floats, clusters: Codes, level: float = 0.95) -> Estimate:
    """mean(numerator) / mean(denominator), linearised: influence (a_i - r b_i) / mean(b).

    Raises:
        ZeroDivisionError: The denominator has mean 0.

    Source:
        The delta method for a ratio (Owen 2013, "Monte Carlo theory, methods and examples", section 9.2, for SNIPS).
    """
    numerator, denominator = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    scale = float(denominator.mean())
    if scale == 0:
        raise ZeroDivisionError("the weights sum to 0: no row supports this estimate")
    ratio = float(numerator.mean()) / scale
    return from_influence(ratio, (numerator - ratio * denominator) / scale, clusters, level)


def contrast(first: Estimate, second: Estimate, clusters: Codes, level: float = 0.95) -> Estimate:
    """first - second of two estimates on the same rows, clustered on the difference of their influence values."""
    return from_influence(first.value - second.value, first.influence - second.influence, clusters, level)
