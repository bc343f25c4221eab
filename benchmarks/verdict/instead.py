"""What other rules would do on the same days as the trials: false releases in 90 days, and a gain of 5 % in 28.

python -m benchmarks.verdict instead --histories 400

CPU budget at full size: 3 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.counts import Days as Logged
from benchmarks.verdict.counts import draw_days, evidence
from benchmarks.verdict.histories import BETTER, DAYS, Reads, rules, run_history
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.arrays import Floats
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule

TRIAL = 28


@dataclass(frozen=True)
class Days:
    """A history.

    Attributes:
        reads: The evidence of a challenger on a slice of days.
        made: The challenger that each day's training makes, on average as good as all others.
        days: How many there are.
        rule: The revenue's margin is its own.
    """

    reads: Reads
    made: Sequence[Floats]
    days: int
    rule: ReleaseRule

    def gain(self, challenger: int, taken: slice) -> Difference:
        difference = self.reads(self.made[challenger], taken).satisfaction
        if difference is None:
            raise ValueError(f"days {taken} have no estimate")
        return difference

    def loss_is_ruled_out(self, challenger: int, taken: slice, z: float) -> bool:
        money = self.reads(self.made[challenger], taken).revenue
        return money is not None and money.value - z * money.std_error >= -self.rule.revenue_margin * abs(money.base)


Design = Callable[[Days], bool]


def fresh(error: float, revenue: bool = False) -> Design:
    """Each day's own challenger on the last seven days, each time with this one-sided error."""
    from scipy.special import ndtri

    z = -float(ndtri(error))

    def released(of: Days) -> bool:
        for day in range(DAYS_A_LOOK, of.days + 1):
            week = slice(day - DAYS_A_LOOK, day)
            gain = of.gain(day - DAYS_A_LOOK, week)
            if gain.value >= z * gain.std_error and (not revenue or of.loss_is_ruled_out(day - DAYS_A_LOOK, week, z)):
                return True
        return False

    return released


def lord(share: float) -> Design:
    """A fresh challenger each week, and errors by LORD++, which before a first release are gamma_j share / 2.

    Source:
        Ramdas, Yang, Wainwright and Jordan (2017), NeurIPS 30, "Online control of the false discovery rate with
        decaying memory".
    """
    from scipy.special import ndtr

    j = np.arange(1.0, 2000.0)
    gamma = np.log(np.maximum(j, 2)) / (j * np.exp(np.sqrt(np.log(j))))
    errors = gamma / gamma.sum() * share / 2

    def released(of: Days) -> bool:
        for week, first in enumerate(range(0, of.days - DAYS_A_LOOK + 1, DAYS_A_LOOK)):
            gain = of.gain(first, slice(first, first + DAYS_A_LOOK))
            if ndtr(-gain.value / gain.std_error) <= errors[week]:
                return True
        return False

    return released


def confidence_sequence(error: float) -> Design:
    """One challenger for 28 days and a look each day, by a one-sided normal mixture that is tightest after 14 days.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52(6), section 2.
    """
    from scipy.special import log_ndtr

    tight = -2 * np.log(2 * error)

    def released(of: Days) -> bool:
        for first in range(0, of.days - DAYS_A_LOOK, TRIAL):
            rho = 0.0
            for day in range(first + 1, min(first + TRIAL, of.days) + 1):
                gain = of.gain(first, slice(first, day))
                total, variance = gain.value * gain.rounds, (gain.std_error * gain.rounds) ** 2
                rho = rho or 14 * variance / (tight + np.log(tight + 1))
                spread = rho + variance
                log_e = np.log(2) + 0.5 * np.log(rho / spread) + total**2 / (2 * spread)
                if total > 0 and log_e + log_ndtr(total / np.sqrt(spread)) >= -np.log(error):
                    return True
        return False

    return released


def designs(rule: ReleaseRule) -> dict[str, Design]:
    """The other rules, each with the errors that it would be given."""
    share, trial = rule.false_release_share, rule.error_a_look(True) * TRIAL / DAYS_A_LOOK
    return {
        "a fresh challenger each day, the last 7 days, a 95 % interval": fresh(0.025),
        "the same, and a loss of 2 % of revenue ruled out": fresh(0.025, revenue=True),
        "the same as the first, error / 90": fresh(share / DAYS),
        "a fresh challenger each week, LORD++": lord(share),
        "one challenger for 28 days, an asymptotic confidence sequence daily": confidence_sequence(trial),
    }


TRIALS = "one challenger for 28 days, four looks, error by the calendar"


def counted(name: str, histories: int, days: int, gain: float, rule: ReleaseRule) -> dict[str, float]:
    """The share of histories in which each rule releases; last, that of trials, which asks no more of revenue."""
    others = designs(rule)
    counts = dict.fromkeys((*others, TRIALS), 0)
    for seed in range(histories):
        shop = Shop(WORLDS[name], seed)
        logged = draw_days(shop, days)
        made = [shop.challenger(gain, 1) for _ in range(days)]

        def reads(challenger: Floats, taken: slice, shop: Shop = shop, logged: Logged = logged) -> Evidence:
            return evidence(shop, challenger, shop.champion, logged, taken, rule, money=True)

        for label, design in others.items():
            counts[label] += design(Days(reads, made, days, rule))
        counts[TRIALS] += run_history(name, seed, gain, rule, days=days).released is not None
    return {label: count / histories for label, count in counts.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict instead", description=__doc__)
    parser.add_argument("--histories", type=int, default=400)
    parser.add_argument("--worlds", default="AB", help="of A, B, E and F, in which the champion logs")
    given = parser.parse_args(arguments)
    if any(WORLDS[name].third for name in given.worlds):
        parser.error(f"the champion logs in A, B, E and F, not in all of {given.worlds}")
    started, (rule, _) = time.process_time(), rules()
    better = max(given.histories // 4, 1)
    out: dict[str, dict[str, float]] = {}
    for name in given.worlds:
        for what, histories, days, gain in (("false", given.histories, DAYS, 0.0), ("found", better, TRIAL, BETTER)):
            out[f"{name} {what}"] = counted(name, histories, days, gain, rule)
    print(f"\n## {given.histories} histories of equal policies, 90 days; {better} of better ones, 28 days")
    print(f"| design | {' | '.join(out)} |\n|---|{'---|' * len(out)}")
    for label in (*designs(rule), TRIALS):
        print(f"| {label} | {' | '.join(f'{shares[label]:.1%}' for shares in out.values())} |")
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "instead", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


if __name__ == "__main__":
    main()
