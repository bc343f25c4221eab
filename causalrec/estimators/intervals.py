"""Means and their intervals when rows come in clusters (a user's rows are not independent)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.clusters import unequal_degrees, unequal_factor


class TooFewClusters(ValueError):
    """An interval needs at least two clusters."""


@dataclass(frozen=True)
class Estimate:
    """A value with its clustered standard error and interval.

    Attributes:
        value: The point estimate, in the units of the outcome.
        std_error: Clustered standard error, not negative, in the same units.
        lower, upper: The interval's limits, lower <= value <= upper.
        rows: n, how many rows it was made from.
        clusters: G, how many clusters they came in.
        influence: The estimate's influence value of each row, (n,), with mean 0. The difference of two
            estimates on the same rows gets its interval from the difference of these; see `contrast`.
        degrees: Degrees of freedom of the standard error; Student's quantile of them made the limits.
    """

    value: float
    std_error: float
    lower: float
    upper: float
    rows: int
    clusters: int
    influence: Floats
    degrees: float


def from_influence(
    value: float, influence: Floats, clusters: Codes, level: float = 0.95, unequal: bool = False
) -> Estimate:
    """An estimate from its influence values, clustered.

    se^2 = G / (G - 1) / n^2 * sum over clusters of (sum of the cluster's influence values)^2

    and the interval is value -+ t(G - 1) * se, with Student's quantile of G - 1 degrees of freedom. With `unequal` the
    factor is 1 / (1 - sum p_g^2) and the degrees are Satterthwaite's, of the clusters' shares p_g of the rows; both are
    what they were where the clusters have one size.

    Args:
        value: The point estimate.
        influence: (n,) influence values, mean about 0.
        clusters: (n,) integer codes; equal codes are one cluster.
        level: Of the interval, in (0, 1).
        unequal: Whether the clusters' sizes count: for intervals that a decision rests on, of a mean over the rows.

    Returns:
        The estimate, in the units of `value`.

    Raises:
        TooFewClusters: Fewer than two clusters.
        ValueError: Lengths differ, a value is not finite, or the level is not in (0, 1).

    Source:
        Liang and Zeger (1986), Biometrika 73(1), the sandwich of independent clusters; the factor G / (G - 1)
        and the t quantile as in Cameron and Miller (2015), J. Human Resources 50(2), section VI. Unequal sizes: Bell
        and McCaffrey (2002), Survey Methodology 28(2); see `unequal_degrees`.

    Not for:
        A handful of clusters of very different sizes without `unequal`: the interval is then too short.
    """
    from scipy.special import stdtrit

    influence, clusters = np.asarray(influence, dtype=np.float64), np.asarray(clusters)
    if not 0 < level < 1:
        raise ValueError(f"an interval's level is in (0, 1), got {level}")
    if influence.ndim != 1 or influence.shape != clusters.shape:
        raise ValueError(f"{influence.shape} influence values but {clusters.shape} cluster codes")
    if not np.isfinite(influence).all() or not np.isfinite(value):
        raise ValueError("an influence value is not finite: an outcome, weight or prediction is NaN")
    _, code, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    sums = np.bincount(code, weights=influence)
    groups = len(sums)
    if groups < 2:
        raise TooFewClusters(f"an interval needs at least two clusters, got {groups}")
    factor, degrees = groups / (groups - 1), float(groups - 1)
    if unequal:
        rows = sizes.astype(np.float64)
        factor, degrees = unequal_factor(rows), unequal_degrees(rows)
    std_error = float(np.sqrt(factor * (sums**2).sum()) / len(influence))
    half = float(stdtrit(degrees, 0.5 + level / 2)) * std_error
    limits = value - half, value + half
    return Estimate(float(value), std_error, *limits, len(influence), groups, influence, degrees)


def clustered_mean(values: Floats, clusters: Codes, level: float = 0.95) -> Estimate:
    """The mean of the values, with its clustered interval.

    mean(v), with influence v_i - mean(v)

    Args:
        values: (n,), finite.
        clusters: (n,) codes.
        level: Of the interval, in (0, 1).

    Returns:
        The estimate, in the units of the values.

    Raises:
        TooFewClusters, ValueError: See `from_influence`.

    Source:
        See `from_influence`.

    Not for:
        Rows that depend on each other across clusters, e.g. users who see the same stock run out.
    """
    values = np.asarray(values, dtype=np.float64)
    mean = float(values.mean()) if values.size else float("nan")
    return from_influence(mean, values - mean, clusters, level)


def clustered_ratio(numerator: Floats, denominator: Floats, clusters: Codes, level: float = 0.95) -> Estimate:
    """The ratio of two means, with its clustered interval by linearisation.

    r = mean(a) / mean(b), with influence (a_i - r b_i) / mean(b)

    Args:
        numerator: a, (n,), finite.
        denominator: b, (n,), finite, with a mean that is not 0.
        clusters: (n,) codes.
        level: Of the interval, in (0, 1).

    Returns:
        The estimate, in units of a per b.

    Raises:
        ZeroDivisionError: The denominator has mean 0.
        TooFewClusters, ValueError: See `from_influence`.

    Source:
        The delta method for a ratio; for self-normalised weights, Owen (2013), "Monte Carlo theory, methods
        and examples", section 9.2.

    Not for:
        A denominator whose own relative error is large: the ratio is then far from linear.
    """
    numerator = np.asarray(numerator, dtype=np.float64)
    denominator = np.asarray(denominator, dtype=np.float64)
    if numerator.shape != denominator.shape:
        raise ValueError(f"{numerator.shape} numerators but {denominator.shape} denominators")
    scale = float(denominator.mean()) if denominator.size else float("nan")
    if scale == 0:
        raise ZeroDivisionError("the weights sum to 0: no row supports this estimate")
    ratio = float(numerator.mean()) / scale
    return from_influence(ratio, (numerator - ratio * denominator) / scale, clusters, level)


def contrast(
    first: Estimate, second: Estimate, clusters: Codes, level: float = 0.95, unequal: bool = False
) -> Estimate:
    """The difference of two estimates on the same rows, with the interval of the difference.

    first - second, with influence psi_first - psi_second: what both share cancels.

    Args:
        first, second: Estimates on the same n rows in the same order.
        clusters: (n,) codes of those rows.
        level: Of the interval, in (0, 1).
        unequal: Whether the clusters' sizes count; see `from_influence`.

    Returns:
        The estimate of the difference.

    Raises:
        ValueError: The two were made from different numbers of rows.
        TooFewClusters: See `from_influence`.

    Source:
        See `from_influence`; influence functions are linear.

    Not for:
        Estimates on different rows, such as two weeks: their errors do not share rows, and do not cancel.
    """
    if first.rows != second.rows:
        raise ValueError(f"a contrast needs the same rows, got estimates from {first.rows} and {second.rows}")
    difference = first.influence - second.influence
    return from_influence(first.value - second.value, difference, clusters, level, unequal)
