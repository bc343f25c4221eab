"""Refreshes in histories of 90 days: what they lose, what they are good for, and both budgets at once.

python -m benchmarks.verdict refresh --histories 1000

Weekly cell counts go into the real `decide_refresh`, its account of what was spent, and a log in memory; after a
refresh the new champion makes the logs, but for the worlds in which a third policy does. CPU budget at full size: 14
minutes.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks.verdict.counts import Days, draw_days, evidence
from benchmarks.verdict.histories import FIRST, rules
from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.arrays import Floats
from causalrec.evaluation.trials.log import TrialsInMemory
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.refresh import Spent, decide_refresh, may_refresh, spent_on
from causalrec.evaluation.trials.trial import LookDecision, Trial
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule

WEEKS = 90 // DAYS_A_LOOK
REST = 2
"""Weeks of the champion's own recipe between two trials of another, where there are trials."""
ALIKE = 0.95
"""Correlation of the splits of bundles that resemble the champion, as those of one recipe do."""
Recipe = Callable[[float], float]
"""What serves, as a share more than the first champion -> what a fresh bundle would bring."""


def as_good(share: float) -> Recipe:
    """Each fresh bundle differs from the first champion by so much."""
    return lambda _: share


def worse_each_time(share: float) -> Recipe:
    """Each fresh bundle is worse by so much than what serves, which may be a refresh."""
    return lambda serving: (1 + serving) * (1 - share) - 1


@dataclass(frozen=True)
class Ended:
    """What became of a history.

    Attributes:
        refreshed: The weeks at whose ends there was a refresh, from 1.
        lowest: The least that served, as a share more than the first champion.
        released: Whether a trial's challenger, equal to what served, was released.
    """

    refreshed: tuple[int, ...]
    lowest: float
    released: bool = False

    def lost(self, margin: float) -> bool:
        """Whether what served was worse than the first champion by the margin or more, at any time."""
        return self.lowest <= -margin + 1e-9


class Once(Shop):
    """A world that tilts its masses once for each gain: its rates stay what they are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._tilted = functools.cache(super().better)

    def better(self, gain: float) -> Floats:
        return self._tilted(gain)


@dataclass(frozen=True)
class Case:
    """What histories are drawn of.

    Attributes:
        world: Of `WORLDS`.
        recipe: How good fresh bundles are.
        alike: The correlation of their splits with those of the first champion; None: as the world's challengers.
        account: Whether what refreshes have spent is added up; else each has the whole margin.
        trials: Whether trials of another recipe, whose policies are equal to what serves, run with pauses between them.
    """

    world: str
    recipe: Recipe
    alike: float | None = None
    account: bool = True
    trials: bool = False

    def shop(self, seed: int) -> tuple[Shop, Callable[[float], Floats]]:
        """A world whose days are weeks, since all that is decided reads whole weeks; and what makes fresh bundles."""
        world = WORLDS[self.world]
        shop = Once(replace(world, rounds=DAYS_A_LOOK * world.rounds), seed)
        if self.alike is None:
            return shop, lambda gain: shop.challenger(gain, DAYS_A_LOOK)
        alike, noise = self.alike, shop.noise()
        shop.champion = shop.policy(shop.mass, noise)
        if not world.third:
            shop.logging = shop.champion
        return shop, lambda gain: shop.policy(shop.better(gain), alike * noise + np.sqrt(1 - alike**2) * shop.noise())


def history(case: Case, seed: int, rule: ReleaseRule) -> Ended:
    """One history."""
    (shop, fresh_bundle), log = case.shop(seed), TrialsInMemory()
    serving, lowest, serves, refreshed = 0.0, 0.0, "first", list[int]()
    challenger, weeks_of_trial, pause = shop.champion, list[Days](), 0
    for week in range(1, WEEKS + 1):
        first = FIRST + timedelta(days=DAYS_A_LOOK * (week - 1))
        if case.trials and log.running() is None and not pause:
            challenger, weeks_of_trial = shop.challenger(serving, DAYS_A_LOOK), []
            error = rule.error_a_look(not shop.world.third)
            log.open(Trial(first - timedelta(days=1), f"{week}", len(refreshed), "raw", error, rule.trial_weeks))
        trial, logged = log.running(), draw_days(shop, 1)
        if trial is not None:
            weeks_of_trial.append(logged)
            number, pause = len(weeks_of_trial), REST
            seen = evidence(shop, challenger, shop.champion, joined(weeks_of_trial), slice(0, number), rule)
            trial = log.look(decide_look(number, trial.days_of(number), seen, trial.looks, trial.error, rule))
            if trial.looks[-1].decision is LookDecision.RELEASE:
                return Ended(tuple(refreshed), lowest, True)
            continue
        pause = max(pause - 1, 0)
        gain = case.recipe(serving)
        fresh = fresh_bundle(gain)
        seen = evidence(shop, fresh, shop.champion, logged, slice(0, 1), rule)
        days = [first + timedelta(days=k) for k in range(DAYS_A_LOOK)]
        assert may_refresh(log.refreshes, days)
        spent = spent_on(log.refreshes, serves, rule) if case.account else Spent()
        log.refresh(decide_refresh(f"{week}", len(refreshed), days, seen, rule, spent))
        if log.refreshes[-1].done:
            shop.champion, serving, serves = fresh, gain, f"{week}"
            lowest = min(lowest, serving)
            refreshed.append(week)
            if not shop.world.third:
                shop.logging = fresh
    return Ended(tuple(refreshed), lowest)


def joined(weeks: Sequence[Days]) -> Days:
    """Counts one after another."""

    def sums(kind: str) -> tuple[Floats, Floats]:
        pairs = [getattr(each, kind) for each in weeks]
        return np.concatenate([first for first, _ in pairs]), np.concatenate([second for _, second in pairs])

    return Days(np.concatenate([each.rounds for each in weeks]), sums("clicks"), sums("total"), sums("money"))


def drawn(case: Case, histories: int, rule: ReleaseRule) -> list[Ended]:
    """Histories of a case."""
    return [history(case, seed, rule) for seed in range(histories)]


def harm(histories: int, worlds: str, rule: ReleaseRule) -> dict[str, Any]:
    """How many histories lose the margin or more, by recipe and world; each row is held against `refresh_share`."""
    rows: dict[str, Callable[[str], Case]] = {
        "2 % worse": lambda name: Case(name, as_good(-0.02)),
        "5 % worse": lambda name: Case(name, as_good(-0.05)),
        "each 1 % worse than what serves": lambda name: Case(name, worse_each_time(0.01)),
        "each 0.5 % worse than what serves, much like it": lambda name: Case(name, worse_each_time(0.005), ALIKE),
        "the same, without the account": lambda name: Case(name, worse_each_time(0.005), ALIKE, account=False),
    }
    print(f"\n## Histories in which what serves has lost {rule.refresh_margin:.0%} or more against the first champion")
    print(f"{histories} histories a cell\n\n| fresh bundles | {' | '.join(worlds)} | at most 5 % holds |")
    print("|---" * (len(worlds) + 2) + "|")
    out: dict[str, Any] = {}
    for label, case in rows.items():
        counts = [sum(end.lost(rule.refresh_margin) for end in drawn(case(name), histories, rule)) for name in worlds]
        cells = [Share(name, count, histories, rule.refresh_share) for name, count in zip(worlds, counts, strict=True)]
        out[label] = print_row(label, cells)
    return out


def print_row(label: str, cells: Sequence[Share]) -> dict[str, Any]:
    """Print the shares of a row and whether what it claims holds; the same by cell."""
    held = hold(cells)
    says = "yes" if all(held) else "NO: " + ", ".join(c.name for c, h in zip(cells, held, strict=True) if not h)
    print(f"| {label} | {' | '.join(f'{cell.share:.1%}' for cell in cells)} | {says} |", flush=True)
    return {cell.name: {"share": cell.share, "holds": h} for cell, h in zip(cells, held, strict=True)}


def use(histories: int, worlds: str, rule: ReleaseRule) -> dict[str, Any]:
    """How often, and how soon, equal and better bundles are taken."""
    print(f"\n## How often fresh bundles are taken; {histories} histories a cell")
    print("se: the median standard error of a week's difference, as a share of what the champion brings\n")
    print(
        "| world | bundles | se | equal: in 28 days | in 90 | how often | 2 % better: in 28 days | in 90 | how often |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    out: dict[str, Any] = {}
    for name in worlds:
        for alike in (None, ALIKE):
            cells, row = [], dict[str, float]()
            for label, gain in (("equal", 0.0), ("better", 0.02)):
                case = Case(name, as_good(gain), alike)
                ends = drawn(case, histories, rule)
                soon = np.mean([any(week <= 4 for week in end.refreshed) for end in ends])
                ever, often = np.mean([bool(end.refreshed) for end in ends]), np.mean([len(e.refreshed) for e in ends])
                cells.append(f"{soon:.0%} | {ever:.0%} | {often:.1f}")
                row |= {f"{label} in 28": float(soon), f"{label} in 90": float(ever), f"{label} often": float(often)}
            error = _std_error(Case(name, as_good(0.0), alike), rule)
            what = "as challengers" if alike is None else "much like the champion"
            print(f"| {name} | {what} | {error:.2%} | {' | '.join(cells)} |", flush=True)
            out[f"{name}, {what}"] = row | {"std_error": error}
    return out


def _std_error(case: Case, rule: ReleaseRule, worlds: int = 20) -> float:
    shares = []
    for seed in range(worlds):
        shop, fresh_bundle = case.shop(seed)
        seen = evidence(shop, fresh_bundle(0.0), shop.champion, draw_days(shop, 1), slice(0, 1), rule).satisfaction
        assert seen is not None
        shares.append(seen.std_error / seen.base)
    return float(np.median(shares))


def both(histories: int, worlds: str, rule: ReleaseRule) -> dict[str, Any]:
    """Trials of equal policies with refreshes in their pauses: either budget."""
    print(f"\n## Trials of equal policies, with refreshes in {REST} weeks between them; {histories} histories a cell")
    print(f"\n| what | {' | '.join(worlds)} | at most 5 % holds |\n{'|---' * (len(worlds) + 2)}|")
    equal = {name: drawn(Case(name, as_good(0.0), trials=True), histories, rule) for name in worlds}
    worse = {name: drawn(Case(name, as_good(-0.02), trials=True), histories, rule) for name in worlds}
    counts_of = {
        "a false release; fresh bundles are equal": {k: sum(e.released for e in ends) for k, ends in equal.items()},
        "2 % or more is lost by refreshes; fresh bundles are 2 % worse": {
            k: sum(e.lost(rule.refresh_margin) for e in ends) for k, ends in worse.items()
        },
    }
    out: dict[str, Any] = {}
    for label, counts in counts_of.items():
        out[label] = print_row(label, [Share(name, count, histories, 0.05) for name, count in counts.items()])
    return out


TABLES = {"harm": harm, "use": use, "both": both}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict refresh", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--worlds", default="ABCDEF")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    given = parser.parse_args(arguments)
    started, out, (rule, _) = time.process_time(), dict[str, Any](), rules()
    for name in given.tables:
        # How often something happens needs fewer draws than whether 5 % holds.
        histories = max(given.histories // 5, 1) if name == "use" else given.histories
        out[name] = TABLES[name](histories, given.worlds, rule)
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "refresh", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


if __name__ == "__main__":
    main()
