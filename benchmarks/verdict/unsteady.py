"""Worlds that do not stand still: a gain that goes with the weekday, rates and tastes that drift, late outcomes, decay.

python -m benchmarks.verdict unsteady --histories 1000

Daily cell counts go into the real decision at a look and a trial log in memory. CPU budget at full size: 12 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from benchmarks.verdict.counts import Days, draw_days, evidence
from benchmarks.verdict.histories import BETTER, DAYS, Ended, history, rules
from benchmarks.verdict.holds import Share, hold, holm, no_more_often
from benchmarks.verdict.worlds import GROUPS, WORLDS, Shop
from causalrec.arrays import Floats
from causalrec.estimators.sequential.bounds import bounds
from causalrec.evaluation.trials.evidence import Evidence
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule

TRIAL = 28
FOLLOWED = 3 * TRIAL
PARTS = ("weekdays", "equals", "finds")
WEEKDAY_GAINS = (0.0, 0.06)
DRIFT = 0.02
"""Radians a day, as the simulator's `quality_drift`: what is liked on days k apart correlates with cos(k x drift)."""


@dataclass
class Moving(Shop):
    """A shop whose challengers show other groups than the champion does, so that their gain can move.

    Attributes:
        other: (types, groups) masses of every challenger.
        level: (types, groups) click rates under which it is worth just what the champion is.
        unit: (types, groups) what to add to them for a gain of the champion's whole value, which itself stays.
    """

    other: Floats = field(init=False)
    level: Floats = field(init=False)
    unit: Floats = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        draw = np.random.default_rng([self.seed, 2])
        logit = np.log(self.rates / (1 - self.rates))
        mass = np.exp(0.6 * logit + draw.normal(0, 1.2, logit.shape))
        self.other = 0.8 * mass / mass.sum(1, keepdims=True) + 0.2 / GROUPS
        self.level = self.rates_with(self.other, 0.0)
        base = self.value(self.mass, self.level)
        toward = self.level * (1 - self.level) * np.sign(self.other - self.mass)
        # A share of the level itself is worth the same to both, and takes away what the champion would gain.
        toward -= self.level * self.value(self.mass, toward) / base
        self.unit = toward * base / self.value(self.other, toward)

    def better(self, gain: float) -> Floats:
        """The challengers' masses; the day's rates say by how much they gain."""
        return self.other

    def rates_on(self, gains: Floats) -> Floats:
        """Click rates, (days, types, groups).

        Args:
            gains: (days,) of the challenger, in shares of the champion's value.

        Raises:
            ValueError: No rates between 0 and 1 give such a gain.
        """
        rates = self.level + gains[:, None, None] * self.unit
        if rates.min() <= 0 or rates.max() >= 1:
            raise ValueError(f"seed {self.seed}: no rates give gains of {gains.min():.1%} to {gains.max():.1%}")
        return np.asarray(rates)


def drifting(rates: Floats, seed: int, days: int, drift: float = DRIFT) -> Floats:
    """Click rates of tastes that turn by so many radians a day, (days, types, groups)."""
    logit = np.log(rates / (1 - rates))
    middle = logit.mean()
    other = np.random.default_rng([seed, 3]).normal(0, logit.std(), logit.shape)
    angle = drift * np.arange(1, days + 1)[:, None, None]
    return np.asarray(1 / (1 + np.exp(-(middle + np.cos(angle) * (logit - middle) + np.sin(angle) * other))))


def falling(days: int, over: int) -> Floats:
    """Factors of rates that fall by half over so many days, and stay there, (days, 1, 1)."""
    passed = np.minimum(np.arange(1, days + 1) / over, 1.0)
    return np.asarray(0.5**passed)[:, None, None]


@dataclass
class Reads:
    """The evidence on logged days; it remembers the first challenger."""

    shop: Shop
    logged: Days
    rule: ReleaseRule
    first: Floats | None = None

    def __call__(self, challenger: Floats, taken: slice) -> Evidence:
        self.first = challenger if self.first is None else self.first
        return evidence(self.shop, challenger, self.shop.champion, self.logged, taken, self.rule)


def follow(shop: Shop, rates: Floats, days: int, gain: float, rule: ReleaseRule, delay: int = 0) -> tuple[Ended, Reads]:
    """One history of these rates; by `gain` each challenger is better on the shop's own."""
    reads = Reads(shop, draw_days(shop, days, rates[:days], money=False), rule)
    return history(shop, days, gain, reads, rule, rule.error_a_look(True), delay), reads


def by_weekday(gain: float, seed: int, days: int = DAYS) -> Floats:
    """Gains of each day, (days,): this on five days of seven, -2.5 times as much on two; any may come first."""
    return np.where((np.arange(days) + seed) % DAYS_A_LOOK < 5, gain, -2.5 * gain)


def found_daily(reads: Reads, error: float) -> bool:
    """Whether the first challenger would pass a look on any of 28 days, if those spent what four weekly ones do."""
    if reads.first is None:
        raise ValueError("no look was made")
    limits = _daily_bounds(error)
    for day, bound in enumerate(limits):
        seen = reads(reads.first, slice(0, day + 1))
        gain = seen.satisfaction
        if gain is not None and seen.trusted.answered and gain.value >= bound * gain.std_error:
            return True
    return False


@cache
def _daily_bounds(error: float) -> Floats:
    return bounds(np.arange(1.0, TRIAL + 1).tolist(), [error / DAYS_A_LOOK] * TRIAL)


def weekdays(histories: int, names: Sequence[str], rule: ReleaseRule) -> dict[str, object]:
    """A gain on weekdays that the weekend takes back, against none at all."""
    print(f"\n## A gain on weekdays, and 2.5 times the loss at weekends: none over the week; {histories} histories")
    print("| world | gain on weekdays | released in 90 days | in the first 28 | daily looks would, in 28 |")
    print("|---|---|---|---|---|")
    cells, against = [], []
    for name in names:
        equal = 0
        for gain in WEEKDAY_GAINS:
            count = first = daily = 0
            for seed in range(histories):
                shop = Moving(WORLDS[name], seed)
                ended, reads = follow(shop, shop.rates_on(by_weekday(gain, seed)), DAYS, gain, rule)
                count += ended.released is not None
                first += ended.released is not None and ended.released <= TRIAL
                daily += found_daily(reads, rule.error_a_look(True))
            if gain == 0:
                equal = count
            else:
                against.append(no_more_often(count, histories, equal, histories))
            cells.append(Share(f"{name} {gain:.0%}", count, histories, rule.false_release_share))
            shares = [f"{each / histories:.1%}" for each in (count, first, daily)]
            print(f"| {name} | {gain:.0%} | {' | '.join(shares)} |", flush=True)
    harmful = holm(against)
    moved = [cell for cell in cells if not cell.name.endswith(" 0%")]
    no_more = dict(zip([cell.name for cell in moved], [not each for each in harmful], strict=True))
    at_most = dict(zip([cell.name for cell in cells], hold(cells), strict=True))
    print(f"released no more often than an equal one holds: {_words(no_more)}")
    print(f"at most {rule.false_release_share:.0%} in 90 days holds: {_words(at_most)}")
    return {
        cell.name: {
            "share": cell.share,
            "no_more_than_equal": no_more.get(cell.name),
            "at_most": at_most[cell.name],
        }
        for cell in cells
    }


def equals(histories: int, names: Sequence[str], rule: ReleaseRule) -> dict[str, object]:
    """False releases of equal policies while rates and tastes drift, and where outcomes are late."""
    print(f"\n## A false release in {DAYS} days of equal policies; {histories} histories")
    print("| world | what moves | histories with one |\n|---|---|---|")
    cases: tuple[tuple[str, int, Callable[[Shop], Floats]], ...] = (
        ("rates fall by half", 0, lambda shop: shop.rates * falling(DAYS, DAYS)),
        ("tastes drift", 0, lambda shop: drifting(shop.rates, shop.seed, DAYS)),
        ("outcomes after 7 days", 7, lambda shop: np.repeat(shop.rates[None], DAYS, axis=0)),
    )
    cells = []
    for name in names:
        for what, delay, moves in cases:
            shops = (Shop(WORLDS[name], seed) for seed in range(histories))
            ends = [follow(shop, moves(shop), DAYS, 0.0, rule, delay)[0] for shop in shops]
            count = sum(end.released is not None for end in ends)
            cells.append(Share(f"{name} {what}", count, histories, rule.false_release_share))
            print(f"| {name} | {what} | {cells[-1].share:.1%} |", flush=True)
    held = dict(zip([cell.name for cell in cells], hold(cells), strict=True))
    print(f"at most {rule.false_release_share:.0%} holds: {_words(held)}")
    return {cell.name: {"share": cell.share, "holds": held[cell.name]} for cell in cells}


def decaying(shop: Moving, until: float) -> Floats:
    """Rates under which the gain falls from 5 % to `until` in the trial's 28 days, and stays there."""
    return shop.rates_on(BETTER + (until - BETTER) * np.minimum(np.arange(1, FOLLOWED + 1) / TRIAL, 1.0))


def steady(shop: Moving) -> Floats:
    """Rates under which the gain is 5 % on all days."""
    return shop.rates_on(np.full(FOLLOWED, BETTER))


def finds(histories: int, names: Sequence[str], rule: ReleaseRule) -> dict[str, object]:
    """What the rule does with one challenger that is 5 % better at its enrolment."""
    print(f"\n## One trial of a challenger that is 5 % better when it is enrolled; {histories} histories")
    print("| world | what moves | released | by day 28 | day | stated | true so far | next day | 28 days on | a loss |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    cases: tuple[tuple[str, int, Callable[[Moving], Floats]], ...] = (
        ("nothing", 0, steady),
        ("rates fall by half", 0, lambda shop: steady(shop) * falling(FOLLOWED, TRIAL)),
        ("tastes drift", 0, lambda shop: drifting(steady(shop)[0], shop.seed, FOLLOWED)),
        ("outcomes after 7 days", 7, steady),
        ("outcomes after 14 days", 14, steady),
        ("the gain falls to 0", 0, lambda shop: decaying(shop, 0.0)),
        ("the gain falls to -5 %", 0, lambda shop: decaying(shop, -BETTER)),
    )
    out: dict[str, object] = {}
    for name in names:
        for what, delay, moves in cases:
            released = []
            for seed in range(histories):
                shop = Moving(WORLDS[name], seed)
                rates = moves(shop)
                ended, _ = follow(shop, rates, TRIAL + delay, BETTER, rule, delay)
                if ended.released is not None and ended.trials == 1:
                    released.append(Found.of(shop, rates, ended, delay))
            row: dict[str, float] = {
                "released": len(released) / histories,
                "in_time": sum(each.day <= TRIAL for each in released) / histories,
            }
            shown = [f"{row['released']:.1%}", f"{row['in_time']:.1%}"]
            if released:
                for part in ("day", "stated", "before", "then", "after"):
                    row[part] = float(np.median([getattr(each, part) for each in released]))
                    shown.append(f"{row[part]:.0f}" if part == "day" else f"{row[part]:+.1%}")
                # A gain that has gone is no loss, whatever its last digits say.
                row["loss"] = sum(each.after < -1e-9 for each in released) / len(released)
                shown.append(f"{row['loss']:.0%}")
            out[f"{name} {what}"] = row
            print(f"| {name} | {what} | {' | '.join(shown)} |", flush=True)
    return out


@dataclass(frozen=True)
class Found:
    """A release, and what it was worth, in shares of what the champion has on the same days.

    Attributes:
        day: After the enrolment.
        stated: The median-unbiased gain.
        before: The true one over the days that were read.
        then: On the first day that users see it.
        after: Over 28 days from then on.
    """

    day: int
    stated: float
    before: float
    then: float
    after: float

    @classmethod
    def of(cls, shop: Shop, rates: Floats, ended: Ended, delay: int) -> Found:
        if ended.released is None or ended.unbiased is None:
            raise ValueError("nothing was released")
        better, day = shop.better(BETTER), ended.released
        champion = np.array([shop.value(shop.mass, each) for each in rates])
        gain = np.array([shop.value(better, each) for each in rates]) - champion

        def share(of: slice) -> float:
            return float(gain[of].sum() / champion[of].sum())

        read = slice(0, day - delay)
        stated = ended.unbiased / float(champion[read].mean())
        return cls(day, stated, share(read), share(slice(day, day + 1)), share(slice(day, day + TRIAL)))


def _words(held: dict[str, bool]) -> str:
    return ", ".join(f"{name} {'yes' if each else 'NO'}" for name, each in held.items())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict unsteady", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--worlds", default="ABF", help="of A, B, E and F, in which the champion logs")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(arguments)
    if any(WORLDS[name].third for name in given.worlds):
        parser.error(f"the champion logs in A, B, E and F, not in all of {given.worlds}")
    started = time.process_time()
    rule, alone = rules()
    print("90 days: the test alone, no least gain and no giving up. One trial: the whole rule, revenue not asked.")
    takes = {"weekdays": (weekdays, alone), "equals": (equals, alone), "finds": (finds, rule)}
    out = {part: takes[part][0](given.histories, given.worlds, takes[part][1]) for part in given.parts}
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "unsteady", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


if __name__ == "__main__":
    main()
