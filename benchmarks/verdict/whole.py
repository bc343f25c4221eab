"""Histories of equal policies through the whole report: rows of users, the off-policy report, its evidence, its looks.

python -m benchmarks.verdict whole --histories 200

Rounds are drawn one by one and judged as `trial_report` judges a lake: units and target policies of exactly the days of
a look, the report with every estimand and estimator, the rows that decide, the look at them, a trial log in memory. The
shop is that of world F, with users who come again and differ in how readily they click, which nothing that is logged
tells. Challengers are held against the logging policy, as before a first release, or against a champion that makes the
logs and is named in them.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks.verdict.histories import BETTER, DAYS, FIRST, Ended, history, rules
from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.worlds import BUYS, GROUPS, MARGIN, SIZE, TYPES, WORLDS, Shop
from causalrec.arrays import Floats, Ints
from causalrec.evaluation.deciding_rows import RAW, evidence_of
from causalrec.evaluation.estimands import Logs
from causalrec.evaluation.policy_values import report
from causalrec.evaluation.rounds import EvaluationData, logged_propensities
from causalrec.evaluation.trials.evidence import Evidence
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.policy.policies.judged import SCHEMA
from causalrec.settings.objective import Objective
from causalrec.settings.release import ReleaseRule
from causalrec.simulator.world.world import sigmoid

WORLD = "F"
FOUND_WITHIN = 28
USERS, ACTIVITY, EFFECT = 1_500, 0.8, 0.5
"""Users of a shop; the spread of how often they come, in log; of how readily they click, in logit."""
ITEMS = GROUPS * SIZE
CLICKS = Objective.parse({"satisfying": "click", "form": "do"})
AND_REVENUE = CLICKS.model_copy(update={"margin": MARGIN})
LOGS = Logs(organic_rows="none", requests=True)


@dataclass
class Traffic:
    """A shop's users and what they did, a row a round.

    Attributes:
        shop: Its types and click rates become those of these users, so that an equal challenger is equal to them, and a
            better one better by what is said.
        days: How many, from the day after `FIRST` on.
        kind, item: (rounds,) the type of the round's user, and the item that was shown.
        units: The table `units` of all days, in their order.
    """

    shop: Shop
    days: int
    kind: Ints = field(init=False)
    item: Ints = field(init=False)
    units: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        shop, draw = self.shop, np.random.default_rng([self.shop.seed, 2])
        comes = draw.lognormal(0.0, ACTIVITY, USERS)
        comes /= comes.sum()
        kinds, effect = draw.choice(TYPES, USERS, p=shop.types), draw.normal(0.0, EFFECT, USERS)
        clicks = sigmoid(np.log(shop.rates / (1 - shop.rates))[kinds] + effect[:, None])
        for kind in np.unique(kinds):
            shop.rates[kind] = np.average(clicks[kinds == kind], axis=0, weights=comes[kinds == kind])
        shop.types = np.bincount(kinds, comes, TYPES)
        rounds = self.days * shop.world.rounds
        user = draw.choice(USERS, rounds, p=comes)
        self.kind = kinds[user]
        logging = shop.logging.reshape(TYPES, ITEMS)
        reach = np.cumsum(logging, axis=1)
        reach /= reach[:, -1:]
        self.item = (draw.random(rounds)[:, None] > reach[self.kind]).sum(axis=1)
        click = draw.random(rounds) < clicks[user, self.item // SIZE]
        number = pl.int_range(rounds, eager=True).cast(pl.String)
        day, of_day = np.divmod(np.arange(rounds), shop.world.rounds)
        start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=1)
        self.units = pl.DataFrame(
            {
                "unit_id": "round-" + number,
                "request_id": "request-" + number,
                "user_id": "user-" + pl.Series(user).cast(pl.String),
                "seconds": day * 86_400 + of_day,
                "click": click.astype(np.int8),
                "purchase": (click & (draw.random(rounds) < BUYS)).astype(np.int8),
                "price": shop.price[self.item // SIZE],
                "action_propensity": logging[self.kind, self.item],
            }
        ).with_columns(
            time=pl.lit(start) + pl.duration(seconds="seconds"),
            recommended=pl.lit(1, pl.Int8),
            position=pl.lit(1, pl.Int64),
            policy=pl.lit("shop"),
        )
        self.units = self.units.with_columns(day=pl.col("time").dt.date()).drop("seconds")

    def targets(self, policies: dict[str, Floats], rounds: slice) -> pl.DataFrame:
        """The table `target_policy` of some rounds.

        Args:
            policies: By name, (cells,) action probabilities given the type.
        """
        kind, item, shop = self.kind[rounds], self.item[rounds], self.shop
        models = {"click": shop.clicks_model, "revenue": shop.money_model}
        frames = []
        for name, policy in policies.items():
            by_type = policy.reshape(TYPES, ITEMS)
            mass = by_type.reshape(TYPES, GROUPS, SIZE).sum(axis=2)
            rows = {"unit_id": self.units["unit_id"][rounds], "action_probability": by_type[kind, item]}
            rows |= {f"model_{of}": (mass * model).sum(axis=1)[kind] for of, model in models.items()}
            rows |= {f"shown_{of}": model[kind, item // SIZE] for of, model in models.items()}
            stated = {
                "policy": pl.lit(name),
                "kind": pl.lit("slot"),
                "candidates": pl.lit(ITEMS),
                "in_lump": pl.lit(False),
                "fitted": pl.lit(True),
            }
            frame = pl.DataFrame(rows).with_columns(**stated)
            frames.append(
                frame.select(
                    (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
                    for name, kind in SCHEMA.items()
                )
            )
        return pl.concat(frames)

    def evidence(
        self, policies: dict[str, Floats], days: slice, rule: ReleaseRule, objective: Objective = CLICKS
    ) -> Evidence:
        """What the report of exactly these days says to a look.

        Args:
            policies: By name; the challenger is held against the champion, where there is one, else against the logs.
            objective: With a margin there is revenue.
        """
        a_day = self.shop.world.rounds
        rounds = slice(days.start * a_day, days.stop * a_day)
        units = self.units[rounds]
        data = EvaluationData(
            units,
            self.targets(policies, rounds),
            logged_propensities(units),
            objective.satisfying,
            objective.margin,
            "user_id",
            (),
            (),
            [FIRST + timedelta(days=1 + day) for day in range(days.start, days.stop)],
            LOGS,
            objective,
        )
        return evidence_of(report(data, rule), RAW)


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes:
        label: What is asked.
        champion: Whether challengers are held against a champion that makes the logs; else against the logs.
        rule: Asked of a challenger.
        objective: With a margin revenue is asked as well.
        gain: The true share by which each challenger is better.
        days: How long a history is.
    """

    label: str
    champion: bool
    rule: ReleaseRule
    objective: Objective
    gain: float = 0.0
    days: int = DAYS

    @property
    def name(self) -> str:
        return f"{self.label}; against {'a champion that logs' if self.champion else 'the logging policy'}"


@dataclass
class Seen:
    """What came of a case's histories.

    Attributes:
        stated: Of each release of a better challenger, the gain that was stated over the true one.
        forfeited: How many looks were not trusted, by their reason; numbers are `n`.
    """

    ends: list[Ended] = field(default_factory=list)
    stated: list[float] = field(default_factory=list)
    forfeited: Counter[str] = field(default_factory=Counter)

    @property
    def released(self) -> list[int]:
        """The days of releases."""
        return [end.released for end in self.ends if end.released is not None]

    @property
    def looks(self) -> int:
        return sum(end.looks for end in self.ends)

    @property
    def words(self) -> str:
        untrusted = sum(end.untrusted for end in self.ends)
        return f"{len(self.released)} of {len(self.ends)} | {untrusted} of {self.looks}"


def run_history(case: Case, seed: int, seen: Seen) -> None:
    """One history, added to what was seen."""
    traffic = Traffic(Shop(WORLDS[WORLD], seed), case.days)
    champion = {CHAMPION: traffic.shop.champion} if case.champion else {}

    def reads(challenger: Floats, days: slice) -> Evidence:
        evidence = traffic.evidence({CHALLENGER: challenger, **champion}, days, case.rule, case.objective)
        if not evidence.trusted.answered:
            seen.forfeited[re.sub(r"[0-9][0-9,.]*", "n", evidence.trusted.reason)] += 1
        return evidence

    error = case.rule.error_a_look(champion_logs=True)
    shop = traffic.shop
    seen.ends.append(history(shop, case.days, case.gain, reads, case.rule, error))
    unbiased = seen.ends[-1].unbiased
    if case.gain and unbiased is not None:
        seen.stated.append(unbiased / (case.gain * shop.value(shop.mass)))


def run(case: Case, histories: int) -> Seen:
    """A case's histories, seeds from 0, with a word every twentieth."""
    seen, started = Seen(), time.process_time()
    for seed in range(histories):
        run_history(case, seed, seen)
        if seed % 20 == 19:
            spent = time.process_time() - started
            print(f"  {seed + 1} histories: {seen.words} looks forfeited; {spent:.0f} CPU s", flush=True)
    return seen


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict whole", description=__doc__)
    parser.add_argument("--histories", type=int, default=200, help="of equal policies")
    parser.add_argument("--better", type=int, default=100, help="histories of a 5 %% better challenger")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--only", default="", help="a part of the names of the cases to run")
    given = parser.parse_args(arguments)
    started, (rule, alone) = time.process_time(), rules()
    share = rule.false_release_share
    equal = [
        Case(label, champion, asked, objective, days=given.days)
        for label, champion, asked, objective in (
            ("its test alone", False, alone, CLICKS),
            ("its test alone", True, alone, CLICKS),
            ("the whole rule, with revenue", False, rule, AND_REVENUE),
        )
    ]
    found, out = list[tuple[Case, Seen]](), {}
    print(f"\n## A false release in {given.days} days of equal policies, {WORLDS[WORLD].rounds:,} rounds a day")
    for case in equal:
        if given.only in case.name:
            print(f"{case.name}:", flush=True)
            found.append((case, run(case, given.histories)))
    cells = [Share(case.name, len(seen.released), given.histories, share) for case, seen in found]
    print(f"| asked | histories with one | looks forfeited | at most {share:.0%} holds |\n|---|---|---|---|")
    for (case, seen), held in zip(found, hold(cells), strict=True):
        print(f"| {case.name} | {seen.words} | {'yes' if held else 'NO'} |")
        out[case.name] = {"released": len(seen.released), "looks": seen.looks, "holds": held, **_forfeited(seen)}
    chances = [(true, Share("", 0, given.histories, share).power(true, len(equal))) for true in (0.08, 0.1, 0.12, 0.15)]
    finds = ", ".join(f"{true:.0%} with {chance:.0%}" for true, chance in chances)
    print(f"Of {given.histories} histories a true share is found to be more than {share:.0%}: {finds} of chance.")
    print(f"\n## A gain of {BETTER:.0%}, found within {FOUND_WITHIN} days; the whole rule, with revenue")
    for champion in (False, True):
        case = Case(f"{BETTER:.0%} better", champion, rule, AND_REVENUE, BETTER, FOUND_WITHIN)
        if given.only not in case.name:
            continue
        seen = run(case, given.better)
        days = ""
        if seen.released:
            ratio = np.median(seen.stated)
            days = f"; median day {np.median(seen.released):.0f}, stated / true gain {ratio:.2f} in the median"
        print(f"{case.name}: found in {seen.words} looks forfeited{days}", flush=True)
        out[case.name] = {"found": len(seen.released), "histories": given.better, "looks": seen.looks}
        out[case.name] |= _forfeited(seen)
        found.append((case, seen))
    reasons = sum((seen.forfeited for _, seen in found), Counter[str]())
    print("\nWhy looks were forfeited: " + ("; ".join(f"{n}: {why}" for why, n in reasons.most_common()) or "none was"))
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "whole", "histories": given.histories, "cpu_seconds": seconds, "rows": out}))


def _forfeited(seen: Seen) -> dict[str, dict[str, int]]:
    return {"forfeited": dict(seen.forfeited.most_common())}


if __name__ == "__main__":
    main()
