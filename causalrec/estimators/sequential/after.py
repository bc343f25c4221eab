"""What can be said of the gain when a trial has ended at a look: naive estimates are too large, for it ended because of
them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.sequential.bounds import beyond, carry, growing


def at_least_as_extreme(information: Sequence[float] | Floats, limits: Floats, z: float, drift: float) -> float:
    """The chance of a sample at least as extreme as this one, which ended at the last of the given looks.

    Samples are ordered by stage: one that crossed earlier is more extreme, and of the same look one with a larger
    statistic.

    sum_{k < K} P(crosses first at k) + P(crosses at none before K, Z_K >= z)

    Args:
        information: I_1 ... I_K.
        limits: The statistics from which each look before K would have ended the trial; infinite where none would.
            That of K is not read.
        z: The statistic at look K.
        drift: The true gain.

    Source:
        Tsiatis, Rosner and Mehta (1984), Biometrics 40(3); Jennison and Turnbull (2000), section 8.4.
    """
    info, alive, total = growing(information), None, 0.0
    for k in range(len(info) - 1):
        total += beyond(alive, info[k], limits[k], drift)
        alive = carry(alive, info[k], limits[k], drift)
    return total + beyond(alive, info[-1], z, drift)


def gain_at(information: Sequence[float], limits: Floats, z: float, probability: float) -> float:
    """The gain at which such a sample, or a more extreme one, has a given probability.

    Args:
        information, limits, z: As in `at_least_as_extreme`.
        probability: 0.5 for the median-unbiased estimate; alpha for the lower limit of a one-sided 1 - alpha interval.

    Returns:
        In the units whose information is given.

    Raises:
        ValueError: The probability is not in (0, 1).

    Source:
        Jennison and Turnbull (2000), sections 8.3 and 8.5.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    if not 0 < probability < 1:
        raise ValueError(f"a probability is in (0, 1), got {probability}")
    info = growing(information)
    # Without the earlier looks the answer were this; with them it is less. How much less has no bound: a sample that
    # jumped in its last days, after looks that stayed below their bounds, is likely only under a much smaller gain.
    naive = (z + float(ndtri(probability))) / np.sqrt(info[-1])
    step = 1.0 / np.sqrt(info[0])

    def excess(gain: float) -> float:
        return at_least_as_extreme(info, limits, z, gain) - probability

    low, high, reach = naive - 6 * step, naive + 6 * step, 6 * step
    while excess(low) >= 0:
        reach *= 2
        low, high = low - reach, low
    return float(brentq(excess, low, high, xtol=1e-7 * step))


def median_unbiased(information: Sequence[float], limits: Floats, z: float) -> float:
    """The median-unbiased gain: it is too large in half of all trials of the same rule, and too small in half.

    Args:
        information, limits, z: As in `at_least_as_extreme`.
    """
    return gain_at(information, limits, z, 0.5)


def as_normal(t: float, degrees: float) -> float:
    """The normal quantile that leaves the same tail as Student's t with some degrees of freedom."""
    from scipy.special import ndtri, stdtr

    # The smaller tail, for the digits.
    tail = float(stdtr(degrees, -abs(t)))
    return float(np.sign(t)) * -float(ndtri(max(tail, 1e-300)))


def as_student(z: float, degrees: float) -> float:
    """The quantile of Student's t that leaves the same tail as a normal one: the reverse of `as_normal`."""
    from scipy.special import ndtr, stdtrit

    if not np.isfinite(z):
        return z
    return float(np.sign(z)) * -float(stdtrit(degrees, max(float(ndtr(-abs(z))), 1e-300)))
