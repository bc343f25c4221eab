"""A planned chance against the decisions at looks of a simulated shop's days."""

import numpy as np
import pytest

from benchmarks.verdict.counts import draw_days, evidence
from benchmarks.verdict.histories import history, rules
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.evaluation.trials.planning import Asked, gain_found, release_chance

DRAWS = 120


def test_trials_of_a_shop_release_as_often_as_planned():
    rule = rules()[0]
    shop = Shop(WORLDS["F"], 0)
    champion, logs = shop.champion, draw_days(shop, 28 * 20)
    challenger = shop.challenger(0.05)
    seen = evidence(shop, challenger, champion, logs, slice(None), rule).satisfaction
    deviation = seen.std_error * np.sqrt(seen.rounds)
    asked = Asked.of(rule, shop.world.base, champion_logs=True)
    std_error = float(deviation / np.sqrt(28 * shop.world.rounds))
    gain = gain_found(std_error, 4, asked, 0.6)
    better = shop.policy(shop.better(gain / shop.world.base), shop.latent)
    shop.challenger = lambda *_: better  # The same one at each history.
    seen = evidence(shop, better, champion, logs, slice(None), rule).satisfaction
    std_error = float(seen.std_error * np.sqrt(seen.rounds / (28 * shop.world.rounds)))
    planned = release_chance(gain, std_error, 4, asked)
    released = 0
    for _ in range(DRAWS):
        days = draw_days(shop, 28)
        ended = history(
            shop,
            28,
            0.0,
            lambda each, taken, days=days: evidence(shop, each, champion, days, taken, rule),
            rule,
            asked.error,
        )
        released += ended.released is not None
    assert 0.3 < planned < 0.8
    assert released / DRAWS == pytest.approx(planned, abs=3 * np.sqrt(planned * (1 - planned) / DRAWS))
