"""Histories of 90 days: false releases where every challenger is equal, and how often a better one is found in 28 days.

python -m benchmarks.verdict histories --histories 1000

Daily cell counts go into the real decision at a look and a trial log in memory. CPU budget at full size: 6 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from benchmarks.verdict.counts import draw_days, evidence
from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.worlds import WORLDS, Shop
from causalrec.arrays import Floats
from causalrec.evaluation.trials.evidence import Evidence
from causalrec.evaluation.trials.log import TrialsInMemory
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.planning import Asked, rounds_needed
from causalrec.evaluation.trials.trial import LookDecision, Trial
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule

FIRST = date(2026, 1, 5)
DAYS = 90
BETTER = 0.05
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


def power(histories: int, name: str, rule: ReleaseRule, total: bool, money: bool) -> tuple[int, float, float]:
    """How often a gain of 5 % is found within 28 days; the median of its stated gain over the true one."""
    ends = [run_history(name, seed, BETTER, rule, days=28, total=total, money=money) for seed in range(histories)]
    stated = [end.unbiased for end in ends if end.unbiased is not None]
    median_day = float(np.median([end.released or 999 for end in ends]))
    return len(stated), float(np.median(stated)) / (BETTER * WORLDS[name].base) if stated else float("nan"), median_day


def rounds_for(name: str, rule: ReleaseRule, total: bool) -> float:
    """Rounds in which a gain of 5 % is found with a chance of 80 %."""
    shop = Shop(WORLDS[name], 0)
    logged = draw_days(shop, 28, organic=total)
    seen = evidence(shop, shop.challenger(BETTER), shop.champion, logged, slice(0, 28), rule, total=total).satisfaction
    assert seen is not None
    deviation = seen.std_error * np.sqrt(seen.rounds)
    gain = BETTER * shop.world.base
    return rounds_needed(gain, deviation, rule.trial_weeks, Asked.of(rule, seen.base, not shop.world.third))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--worlds", default="ABCDEF")
    given = parser.parse_args(arguments)
    started, out = time.process_time(), {}
    rule, alone = rules()
    for label, each, money in (("its test alone", alone, False), ("the whole rule, with revenue", rule, True)):
        print(f"\n## A false release in {DAYS} days of equal policies; {label}; {given.histories} histories")
        print("| world | histories with one | trust |\n|---|---|---|")
        found = false_releases(given.histories, given.worlds, each, money)
        held = hold(found)
        print(
            "at most 5 % holds: "
            + ", ".join(f"{s.name} {'yes' if h else 'NO'}" for s, h in zip(found, held, strict=True))
        )
        out[label] = {s.name: {"share": s.share, "holds": h} for s, h in zip(found, held, strict=True)}
    print(f"\n## A gain of 5 %, found within 28 days; {given.histories} histories")
    print("| world | decides | revenue | found | median day | stated / true gain | claimed | holds | rounds for 80 % |")
    print("|---|---|---|---|---|---|---|---|---|")
    claimed = {"A": 0.95, "B": 0.8, "F": 0.8}
    off = [name for name in given.worlds if name in claimed]
    cases = [(name, False, False, rule) for name in off]
    cases += [
        (name, total, money, rule.model_copy(update={"revenue": asked}))
        for name in ("A", "B", "C", "F")
        if name in given.worlds
        for total, money, asked in (
            (True, False, rule.revenue),
            (False, True, "no_sign_of_harm"),
            (False, True, "rule_out_loss"),
        )
    ]
    cases += [("C", False, False, rule)] if "C" in given.worlds else []
    rows = []
    for name, total, money, each in cases:
        count, ratio, median = power(given.histories, name, each, total, money)
        claim = claimed.get(name) if not total and not money else None
        rows.append(
            (
                name,
                total,
                money,
                each,
                Share(name, count, given.histories, claim or 0.0, "at least"),
                ratio,
                median,
                claim,
            )
        )
    judged = [row[4] for row in rows if row[7]]
    verdicts = dict(zip([share.name for share in judged], hold(judged), strict=True))
    for name, total, money, each, share, ratio, median, claim in rows:
        says = "" if not claim else "yes" if verdicts[name] else "NO"
        print(
            f"| {name} | {'own and organic' if total else 'raw'} | {each.revenue if money else 'not asked'} | "
            f"{share.share:.1%} | {'none' if median > 900 else int(median)} | {ratio:.2f} | "
            f"{f'at least {claim:.0%}' if claim else ''} | {says} | "
            f"{rounds_for(name, each, total):,.0f} |"
        )
        out[f"{name} {'total' if total else 'raw'} {each.revenue if money else 'off'}"] = {
            "found": share.share,
            "holds": says,
        }
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "histories", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


if __name__ == "__main__":
    main()
