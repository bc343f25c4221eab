"""How large a trial has to be: from the variance that was seen and the looks' own bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.sequential.bounds import bounds, crossing_probabilities
from causalrec.settings.release import ReleaseRule

POWER = 0.8


@dataclass(frozen=True)
class Asked:
    """What a trial asks for.

    Attributes:
        error: One-sided, of each look.
        least: The estimate that a release needs, in the units of the gain.
        futility: Whether the trial ends early once such a gain has become unlikely.
    """

    error: float
    least: float = 0.0
    futility: bool = True

    @classmethod
    def of(cls, rule: ReleaseRule, base: float, champion_logs: bool) -> Asked:
        """Of a rule, in the units of what the champion has.

        Args:
            base: The champion's own value.
            champion_logs: Whether the policy that the challenger is held against made the logs.
        """
        of_trials = rule.model_copy(update={"retrospective": None})
        return cls(of_trials.error_a_look(champion_logs), rule.min_gain * abs(base), rule.futility)


def release_chance(gain: float, std_error: float, looks: int, asked: Asked) -> float:
    """The chance that one of the looks releases, with equal rounds a look; the guardrails let it pass.

    Args:
        gain: The true one.
        std_error: Of the estimated gain at the last look.
        looks: How many there are.
    """
    share = np.arange(1.0, looks + 1) / looks
    # In standard errors of each look: the least estimate, and one standard error below it, where hope is given up.
    least = asked.least / std_error * np.sqrt(share)
    limits = np.maximum(_bounds(looks, asked.error), least)
    floors = np.where(np.arange(looks) >= 1, least - 1.0, -np.inf) if asked.futility else None
    return float(crossing_probabilities(share.tolist(), limits, gain / std_error, floors).sum())


def gain_found(std_error: float, looks: int, asked: Asked, power: float = POWER) -> float:
    """The gain that a trial finds with a chance of `power`.

    Args:
        std_error, looks: As in `release_chance`.
    """
    from scipy.optimize import brentq

    def lacking(gain: float) -> float:
        return release_chance(gain, std_error, looks, asked) - power

    high = asked.least + 8.0 * std_error
    return float(brentq(lacking, 0.0, high, xtol=1e-7 * high))


def rounds_needed(gain: float, deviation: float, looks: int, asked: Asked, power: float = POWER) -> float:
    """Judged rounds of a trial that finds a gain with a chance of `power`: four looks take 1.1 times what one would.

    Args:
        gain: The true one, a round, above 0.
        deviation: sigma, of one round's score: std_error x sqrt(rounds) of a look's difference, clusters and all.
        looks: Of the trial.

    Returns:
        n over the whole trial; infinite where the least is not below the gain.
    """
    from scipy.optimize import brentq

    if asked.least >= gain:
        return float("inf")

    def lacking(log_error: float) -> float:
        return release_chance(gain, float(np.exp(log_error)), looks, asked) - power

    # At a standard error of the gain itself hardly a look releases; at a thousandth of what it is above the least, all.
    low, high = np.log(1e-3 * (gain - asked.least)), np.log(gain)
    return (deviation / float(np.exp(brentq(lacking, low, high, xtol=1e-8)))) ** 2


def weeks_needed(
    gain: float, deviation: float, rounds_a_week: float, most: int, asked: Asked, power: float = POWER
) -> int | None:
    """The length of the shortest trial that finds a gain, each week with a look; None: none of at most `most` weeks."""
    for weeks in range(1, most + 1):
        std_error = deviation / float(np.sqrt(rounds_a_week * weeks))
        if release_chance(gain, std_error, weeks, asked) >= power:
            return weeks
    return None


def rounds_to_rule_out(loss: float, deviation: float, looks: int, error: float, power: float = POWER) -> float:
    """Judged rounds of a trial whose last look rules a loss out with a chance of `power`, if there is none.

    n = ((b + z) sigma / loss)^2 with the last look's bound b and the normal quantile z of the power.

    Args:
        loss: A round, above 0.
        deviation, looks: As in `rounds_needed`.
        error: One-sided, of each look.
    """
    return (_reach(looks, error, power) * deviation / loss) ** 2


def loss_ruled_out(std_error: float, looks: int, error: float, power: float = POWER) -> float:
    """The loss that the last look of a trial rules out with a chance of `power`, if there is none."""
    return _reach(looks, error, power) * std_error


@dataclass(frozen=True)
class Size:
    """What a trial of some length tells.

    Attributes:
        weeks: Its looks.
        rounds: Over all of them.
        gains: The gain that is found, a round, for each power that was asked for.
        losses: The loss that is ruled out where there is none, a round, likewise.
    """

    weeks: int
    rounds: float
    gains: tuple[float, ...]
    losses: tuple[float, ...]


def sizes(
    weeks: Sequence[int], rounds_a_week: float, deviation: float, asked: Asked, powers: Sequence[float] = (POWER,)
) -> tuple[Size, ...]:
    """What longer trials tell: each week brings rounds, and a look with its own error.

    Args:
        weeks: Lengths of trials.
        rounds_a_week: Judged rounds; twice as many is what twice the traffic, or half the variance, buys.
        deviation: sigma; see `rounds_needed`.
    """
    found = []
    for each in weeks:
        rounds = rounds_a_week * each
        std_error = deviation / float(np.sqrt(rounds))
        gains = tuple(gain_found(std_error, each, asked, power) for power in powers)
        losses = tuple(loss_ruled_out(std_error, each, asked.error, power) for power in powers)
        found.append(Size(each, rounds, gains, losses))
    return tuple(found)


def _reach(looks: int, error: float, power: float) -> float:
    from scipy.special import ndtri

    return float(_bounds(looks, error)[-1] + ndtri(power))


@cache
def _bounds(looks: int, error: float) -> Floats:
    return bounds((np.arange(1.0, looks + 1) / looks).tolist(), [error] * looks)
