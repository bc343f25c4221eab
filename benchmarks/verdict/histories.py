"""Histories of 90 days: false releases where every challenger is equal, and how often a better one is found in 28 days.

python -m benchmarks.verdict histories --histories 1000

Daily cell counts go into the real decision at a look and a trial log in memory. CPU budget at full size: 10 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from benchmarks.verdict.counts import draw_days, evidence
from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.arrays import Floats
from causalrec.evaluation.trials.evidence import Evidence
from causalrec.evaluation.trials.log import TrialsInMemory
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.planning import Asked, rounds_needed, rounds_to_rule_out
from causalrec.evaluation.trials.trial import LookDecision, Trial
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule

FIRST = date(2026, 1, 5)
DAYS = 90
BETTER = 0.05
PARTS = ("false", "power")
Reads = Callable[[Floats, slice], Evidence]


def rules() -> tuple[ReleaseRule, ReleaseRule]:
    """The template's rule, and its test alone: no least gain, no futility, so that nothing else keeps an error back."""
    rule = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
    return rule, rule.model_copy(update={"min_gain": 0.0, "futility": False})


@dataclass(frozen=True)
class Ended:
    """A history.

    Attributes:
        released: The day after the first enrolment on which a challenger was released; None: none was.
        unbiased: The gain that was stated then.
        looks, untrusted: How many were made, and forfeited.
        trials: How many were opened.
    """

    released: int | None
    unbiased: float | None
    looks: int
    untrusted: int
    trials: int


def history(shop: Shop, days: int, gain: float, reads: Reads, rule: ReleaseRule, error: float, delay: int = 0) -> Ended:
    """Trials one after another, until one releases or the days are over.

    Args:
        gain: The true share by which each challenger is better.
        reads: The evidence of a challenger on a slice of days.
        delay: Days until outcomes are mature.
    """
    log, tried, opened_before = TrialsInMemory(), 0, 0
    challenger, looks, untrusted = shop.champion, 0, 0
    for day in range(days + 1):
        today = FIRST + timedelta(days=day)
        trial = log.running()
        for number in trial.due(today - timedelta(days=delay)) if trial else ():
            assert trial is not None
            taken = trial.days_of(number)
            start = (taken[0] - FIRST).days - 1
            seen = reads(challenger, slice(start, start + len(taken)))
            trial = log.look(decide_look(number, taken, seen, trial.looks, trial.error, rule))
            made = trial.looks[-1]
            looks, untrusted = looks + 1, untrusted + (not made.trusted)
            if made.decision is LookDecision.RELEASE:
                return Ended(day, made.unbiased, looks, untrusted, tried)
            if trial.closed is not None:
                break
        if log.running() is None:
            challenger = shop.challenger(gain, day - opened_before)
            tried, opened_before = tried + 1, day
            log.open(Trial(today, f"{tried}", 1, "raw", error, rule.trial_weeks))
    return Ended(None, None, looks, untrusted, tried)


def run_history(
    name: str, seed: int, gain: float, rule: ReleaseRule, *, days: int = DAYS, total: bool = False, money: bool = False
) -> Ended:
    """One history of a world."""
    shop = Shop(WORLDS[name], seed)
    logged = draw_days(shop, days, organic=total)

    def reads(challenger: Floats, taken: slice) -> Evidence:
        return evidence(shop, challenger, shop.champion, logged, taken, rule, total=total, money=money)

    return history(shop, days, gain, reads, rule, rule.error_a_look(not shop.world.third))


def false_releases(histories: int, names: Sequence[str], rule: ReleaseRule, money: bool) -> list[Share]:
    """Of equal policies, one cell a world."""
    found = []
    for name in names:
        ends = [run_history(name, seed, 0.0, rule, money=money) for seed in range(histories)]
        claimed = rule.off_policy_share if WORLDS[name].third else rule.false_release_share
        count = sum(end.released is not None for end in ends)
        # What is promised is 5 % in either case; where another logs, 4 % is aimed at.
        found.append(Share(name, count, histories, max(claimed, rule.false_release_share)))
        untrusted = sum(end.untrusted for end in ends) / max(sum(end.looks for end in ends), 1)
        print(
            f"| {name}: {WORLDS[name].label} | {found[-1].share:.1%} | {untrusted:.0%} of looks forfeited |", flush=True
        )
    return found


@dataclass(frozen=True)
class Case:
    """Where a gain of 5 % is to be found.

    Attributes:
        total: Whether the request's clicks decide; else the recommendation's own.
        revenue: What is asked of it; None: nothing, the guardrail is off.
        claimed: The share of histories that find it, where one is.
    """

    world: str
    total: bool = False
    revenue: Literal["no_sign_of_harm", "rule_out_loss"] | None = None
    claimed: float | None = None

    @property
    def name(self) -> str:
        return f"{self.world} {'total' if self.total else 'raw'} {self.revenue or 'off'}"


CASES = (
    *(Case(world, claimed=claimed) for world, claimed in (("A", 0.95), ("B", 0.8), ("C", None), ("F", 0.8))),
    *(Case(world, total=True) for world in "ABCF"),
    *(Case(world, revenue="no_sign_of_harm") for world in "ABCF"),
    *(Case(world, revenue="rule_out_loss") for world in "ABCF"),
)


def power(histories: int, case: Case, rule: ReleaseRule) -> Share:
    """How often a gain of 5 % is found within 28 days."""
    rule = rule.model_copy(update={"revenue": case.revenue or rule.revenue})
    asks = case.revenue is not None
    ends = [
        run_history(case.world, seed, BETTER, rule, days=28, total=case.total, money=asks) for seed in range(histories)
    ]
    stated = [end.unbiased for end in ends if end.unbiased is not None]
    ratio = float(np.median(stated)) / (BETTER * WORLDS[case.world].base) if stated else float("nan")
    share = Share(case.name, len(stated), histories, case.claimed or 0.0, "at least")
    day = float(np.median([end.released or 999 for end in ends]))
    untrusted = sum(end.untrusted for end in ends) / max(sum(end.looks for end in ends), 1)
    rounds, of_revenue = rounds_for(case, rule)
    print(
        f"| {case.world} | {'own and organic' if case.total else 'raw'} | {case.revenue or 'not asked'} | "
        f"{share.share:.1%} | {'none' if day > 900 else f'{day:.0f}'} | {ratio:.2f} | {untrusted:.0%} | "
        f"{rounds:,.0f} | {'' if of_revenue is None else f'{of_revenue:,.0f}'} |",
        flush=True,
    )
    return share


def rounds_for(case: Case, rule: ReleaseRule) -> tuple[float, float | None]:
    """Rounds that find a gain of 5 % with a chance of 80 %; and, where it is asked, those in which a loss of revenue is
    ruled out if there is none. Medians of 20 shops.
    """
    found, of_revenue = [], []
    for seed in range(20):
        shop = Shop(WORLDS[case.world], seed)
        logged = draw_days(shop, 28, organic=case.total)
        better = shop.challenger(BETTER)
        seen = evidence(shop, better, shop.champion, logged, slice(0, 28), rule, total=case.total, money=True)
        gains, money = seen.satisfaction, seen.revenue
        if gains is None or money is None:
            raise ValueError(f"28 days of world {case.world} have no estimate")
        asked, weeks = Asked.of(rule, gains.base, not shop.world.third), rule.trial_weeks
        deviation = gains.std_error * np.sqrt(gains.rounds)
        found.append(rounds_needed(BETTER * shop.world.base, deviation, weeks, asked))
        loss, deviation = rule.revenue_margin * money.base, money.std_error * np.sqrt(money.rounds)
        of_revenue.append(rounds_to_rule_out(loss, deviation, weeks, asked.error))
    return float(np.median(found)), float(np.median(of_revenue)) if case.revenue == "rule_out_loss" else None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--worlds", default="ABCDEF")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(arguments)
    started = time.process_time()
    out: dict[str, dict[str, object]] = {}
    rule, alone = rules()
    for label, each, money in (("its test alone", alone, False), ("the whole rule, with revenue", rule, True)):
        if "false" not in given.parts:
            continue
        print(f"\n## A false release in {DAYS} days of equal policies; {label}; {given.histories} histories")
        print("| world | histories with one | trust |\n|---|---|---|")
        found = false_releases(given.histories, given.worlds, each, money)
        held = hold(found)
        print(f"at most 5 % holds: {_words(found, held)}", flush=True)
        out[label] = {s.name: {"share": s.share, "holds": h} for s, h in zip(found, held, strict=True)}
    if "power" in given.parts:
        print(f"\n## A gain of 5 %, found within 28 days; {given.histories} histories")
        print(
            "| world | decides | revenue | found | median day | stated / true gain | forfeited | rounds for 80 % | ",
            end="",
        )
        print("for revenue |\n|---|---|---|---|---|---|---|---|---|", flush=True)
        powers = [power(given.histories, case, rule) for case in CASES if case.world in given.worlds]
        judged = [share for share in powers if share.claimed]
        held = hold(judged)
        claims = ", ".join(f"{share.name[0]} {share.claimed:.0%}" for share in judged)
        print(f"at least ({claims}) holds: {_words(judged, held)}")
        says = dict(zip([share.name for share in judged], held, strict=True))
        out["found"] = {share.name: {"share": share.share, "holds": says.get(share.name)} for share in powers}
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "histories", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


def _words(cells: Sequence[Share], held: Sequence[bool]) -> str:
    return ", ".join(f"{cell.name} {'yes' if each else 'NO'}" for cell, each in zip(cells, held, strict=True))


if __name__ == "__main__":
    main()
