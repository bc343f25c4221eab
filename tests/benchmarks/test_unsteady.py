"""Worlds that move: the gains they are made to have, and the table at its smallest."""

import json

import numpy as np
import pytest

from benchmarks.verdict.unsteady import DRIFT, Moving, by_weekday, drifting, falling, main
from benchmarks.verdict.worlds import WORLDS


def test_a_challengers_gain_is_what_the_day_says_and_the_champions_value_stays():
    shop, gains = Moving(WORLDS["B"], 3), np.array([0.0, 0.06, -0.15])
    rates = shop.rates_on(gains)
    champion = np.array([shop.value(shop.mass, each) for each in rates])
    challenger = np.array([shop.value(shop.better(0.05), each) for each in rates])
    assert champion == pytest.approx(np.full(3, champion[0]), rel=1e-9)
    assert challenger / champion - 1 == pytest.approx(gains, abs=1e-9)
    with pytest.raises(ValueError, match="no rates give gains"):
        shop.rates_on(np.array([50.0]))


def test_what_the_weekdays_gain_the_weekend_takes():
    for seed in range(7):
        gains = by_weekday(0.03, seed, 28)
        for week in range(4):
            assert gains[7 * week : 7 * week + 7].sum() == pytest.approx(0.0)
    assert {by_weekday(0.03, seed)[0] for seed in range(7)} == {0.03, -2.5 * 0.03}


def test_tastes_come_round_and_rates_fall_by_half():
    shop = Moving(WORLDS["A"], 0)
    turned = drifting(shop.rates, 0, 4, drift=np.pi / 2)
    logit = np.log(turned / (1 - turned))
    assert turned[3] == pytest.approx(shop.rates)
    assert logit[1] + logit[3] == pytest.approx(np.full_like(logit[1], 2 * logit[3].mean()))
    assert not np.allclose(drifting(shop.rates, 0, 1, DRIFT)[0], shop.rates, rtol=1e-3)
    assert falling(60, 28)[[27, 59], 0, 0] == pytest.approx([0.5, 0.5])


def test_the_table_at_its_smallest(capsys):
    main(["--histories", "2", "--worlds", "A"])
    printed = capsys.readouterr().out
    rows = json.loads(printed.splitlines()[-1])["rows"]
    assert "released no more often than an equal one holds: A 6% yes" in printed
    assert set(rows) == {"weekdays", "equals", "finds"}
    # 20,000 rounds a day find 5 % at the first look; where outcomes take a week, a week later.
    found = rows["finds"]
    assert found["A nothing"]["released"] == 1.0 and found["A nothing"]["day"] == 7
    assert found["A outcomes after 7 days"]["day"] == 14
    # A gain that falls is overstated for what comes: it is the mean of the days that were read.
    falls = found["A the gain falls to 0"]
    assert falls["after"] < falls["then"] < falls["before"] == pytest.approx(0.05 * (1 - 4 / 28))


def test_worlds_that_another_policy_logs_are_refused():
    with pytest.raises(SystemExit):
        main(["--worlds", "AC"])
