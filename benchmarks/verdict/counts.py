"""Days of logs as counts by cell, and the evidence that the verdict's doubly robust difference makes of them.

Everything that it needs are sums over rounds of D = sum_a (pi_c - pi_0)(a) q(a) + (w_c - w_0)(r - q) and of its square,
and both are linear in a cell's count, rewards and squared rewards. Rounds are their own clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.worlds import BUYS, GROUPS, MARGIN, SIZE, TYPES, Shop
from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available
from causalrec.arrays import Floats
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.settings.release import ReleaseRule

NO_REVENUE = not_available("no margin is stated")
ORGANIC, DISPLACED = 0.2, 0.3
"""Organic clicks a request, as a share of the rate; the share of them that a click on the recommendation takes."""


@dataclass(frozen=True)
class Days:
    """Counts of days, (days, cells) each: rounds, and sums of rewards and squared rewards of a metric.

    Attributes:
        clicks: Of clicks and their squares.
        total: The same with the organic clicks of the request.
        money: Of what was earned.
    """

    rounds: Floats
    clicks: tuple[Floats, Floats]
    total: tuple[Floats, Floats]
    money: tuple[Floats, Floats]


def cells(table: Floats) -> Floats:
    """(types, groups) -> (cells,)."""
    return np.repeat(table, SIZE, axis=1).ravel()


def draw_days(shop: Shop, days: int, rates: Floats | None = None, organic: bool = False, money: bool = True) -> Days:
    """Draw days of the logging policy's rounds.

    Args:
        rates: (days, types, groups) click rates, where they are not the shop's on every day.
        organic: Whether requests have organic clicks beside the recommendation; else the total is the click.
        money: Whether anything is bought.
    """
    draw, world = shop.draw, shop.world
    chance = np.repeat(shop.types, GROUPS * SIZE) * shop.logging
    rounds = draw.multinomial(world.rounds, chance / chance.sum(), size=days)
    by_day = cells(shop.rates) if rates is None else np.stack([cells(each) for each in rates])
    clicks = draw.binomial(rounds, by_day)
    bought = draw.binomial(clicks, BUYS).astype(float) if money else np.zeros(clicks.shape)
    earned = MARGIN * np.tile(np.repeat(shop.price, SIZE), TYPES)
    total = (clicks.astype(float), clicks.astype(float))
    if organic:
        met = ORGANIC * world.base
        beside = draw.binomial(clicks, met * (1 - DISPLACED)).astype(float)
        alone = draw.binomial(rounds - clicks, met).astype(float)
        # A click with an organic one beside it counts 2, squared 4.
        total = (clicks + beside + alone, clicks + 3 * beside + alone)
    counted = clicks.astype(float)
    return Days(rounds.astype(float), (counted, counted), total, (bought * earned, bought * earned**2))


def evidence(
    shop: Shop,
    challenger: Floats,
    champion: Floats,
    days: Days,
    read: slice,
    rule: ReleaseRule,
    *,
    total: bool = False,
    money: bool = False,
) -> Evidence:
    """What is known of a challenger on some of the days.

    Args:
        read: Which days.
        total: Whether the request's clicks decide; else the recommendation's own.
        money: Whether there is revenue.
    """
    met = ORGANIC * shop.world.base
    model = cells(shop.clicks_model)
    if total:
        model = model * (1 - DISPLACED * met) + met
    clicks, trusted = _difference(
        shop, challenger, champion, days.rounds[read], _sums(days.total if total else days.clicks, read), model, rule
    )
    if not money:
        return Evidence(clicks, trusted, None, NO_REVENUE)
    earned, told = _difference(
        shop, challenger, champion, days.rounds[read], _sums(days.money, read), cells(shop.money_model), rule
    )
    return Evidence(clicks, trusted, earned, told)


def _sums(rewards: tuple[Floats, Floats], read: slice) -> tuple[Floats, Floats]:
    return rewards[0][read].sum(0), rewards[1][read].sum(0)


def _difference(
    shop: Shop,
    challenger: Floats,
    champion: Floats,
    rounds_by_day: Floats,
    rewards: tuple[Floats, Floats],
    model: Floats,
    rule: ReleaseRule,
) -> tuple[Difference, Answer]:
    rounds, (reward, squared) = rounds_by_day.sum(0), rewards
    n = float(rounds.sum())

    def mean(policy: Floats) -> tuple[Floats, Floats]:
        """The score of a round without a reward, and what one adds."""
        weight = policy / shop.logging
        expected = np.repeat((policy * model).reshape(TYPES, -1).sum(1), GROUPS * SIZE)
        return expected - weight * model, weight

    nothing, adds = mean(challenger)
    nothing_base, adds_base = mean(champion)
    base = float(rounds @ nothing_base + reward @ adds_base) / n
    nothing, adds = nothing - nothing_base, adds - adds_base
    value = float(rounds @ nothing + reward @ adds) / n
    square = float(rounds @ nothing**2 + 2 * reward @ (nothing * adds) + squared @ adds**2) / n
    std_error = float(np.sqrt(max(square - value**2, 0.0) / (n - 1)))
    effective = _outcomes(np.abs(adds), rounds, reward, squared)
    least = rule.min_difference_outcomes
    trusted = ANSWERED if effective >= least else insufficient_evidence(f"{effective:.0f} of {least:.0f} outcomes")
    return Difference(value, std_error, n - 1, base, int(n)), trusted


def _outcomes(apart: Floats, rounds: Floats, reward: Floats, squared: Floats) -> float:
    """`outcomes_apart` from sums by cell, of outcomes that are rare: their mean is hardly above 0."""
    capped = np.minimum(apart, np.sqrt(rounds @ apart**2 / rounds.sum()))
    heavy = float(squared @ capped**2)
    if heavy == 0:
        return 0.0
    cost = (rounds @ apart) ** 2 / (rounds @ apart**2) / ((rounds @ capped) ** 2 / (rounds @ capped**2))
    return float(reward @ capped) ** 2 / heavy * float(cost)
