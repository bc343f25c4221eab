"""How large a trial has to be: from the variance that was seen and the looks' own bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.sequential.bounds import bounds, crossing_probabilities

POWER = 0.8


def release_chance(drift: float, looks: int, error: float, least: float = 0.0) -> float:
    """The chance that one of the looks releases, with equal rounds a look.

    Args:
        drift: The true gain over its standard error at the last look.
        looks: How many there are.
        error: One-sided, of each.
        least: The estimate that a release needs, as a share of the true gain.
    """
    information = np.arange(1.0, looks + 1) / looks
    limits = np.maximum(_bounds(looks, error), least * drift * np.sqrt(information))
    return float(crossing_probabilities(information.tolist(), limits, drift).sum())


def drift_for(power: float, looks: int, error: float, least: float = 0.0) -> float:
    """The drift at which the chance of a release is `power`; infinite if there is none.

    Args:
        looks, error, least: As in `release_chance`.
    """
    from scipy.optimize import brentq

    def lacking(drift: float) -> float:
        return release_chance(drift, looks, error, least) - power

    high = 8.0
    while lacking(high) < 0:
        high *= 2
        if high > 1e3:
            return float("inf")
    return float(brentq(lacking, 0.0, high, xtol=1e-6))


def rounds_needed(
    gain: float, deviation: float, looks: int, error: float, least: float = 0.0, power: float = POWER
) -> float:
    """Judged rounds of a trial that finds a gain with a chance of `power`.

    n = drift^2 sigma^2 / gain^2, the drift from the looks' own bounds: four looks take 1.1 times what one would.

    Args:
        gain: The true one, a round, above 0.
        deviation: sigma, of one round's score: std_error x sqrt(rounds) of a look's difference, clusters and all.
        looks, error: Of the trial.
        least: The estimate that a release needs, in the units of the gain.

    Returns:
        n over the whole trial; infinite where the least is not below the gain.
    """
    if least >= gain:
        return float("inf")
    return (drift_for(power, looks, error, least / gain) * deviation / gain) ** 2


@dataclass(frozen=True)
class Size:
    """What a trial of some length finds with a chance of 80 %.

    Attributes:
        weeks: Its looks.
        rounds: Over all of them.
        gain: A round.
    """

    weeks: int
    rounds: float
    gain: float


def sizes(weeks: Sequence[int], rounds_a_week: float, deviation: float, error: float) -> tuple[Size, ...]:
    """What longer trials find: each week brings rounds, and a look with its own error.

    Args:
        weeks: Lengths of trials.
        rounds_a_week: Judged rounds; twice as many is what twice the traffic, or half the variance, buys.
        deviation: sigma; see `rounds_needed`.
        error: One-sided, of each look.
    """
    found = []
    for each in weeks:
        rounds = rounds_a_week * each
        found.append(Size(each, rounds, drift_for(POWER, each, error) * deviation / float(np.sqrt(rounds))))
    return tuple(found)


def _bounds(looks: int, error: float) -> Floats:
    return bounds((np.arange(1.0, looks + 1) / looks).tolist(), [error] * looks)
