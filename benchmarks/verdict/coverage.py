"""When a difference is answered, and what it errs then: coverage of 95 %, and the tails beyond the looks' bounds.

python -m benchmarks.verdict coverage [--draws 2000] [--rounds 500,2000] [--keep DIR] [--gate min_clusters=20]

Two equal policies (`tail_worlds`), judged once on so many rounds of so many clusters by the doubly robust difference;
of each draw the verdict's own gates say whether it is answered. Then all draws, answered or not, by what the gates
read: that is what they were set from. Of what takes long fewer draws are made; where none of the first 500 is answered
it stays at these. With `--keep` they are kept, and read again instead of drawn anew. About 10 CPU minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.tail_worlds import COLUMNS, LOGS, METRICS, SHOPS, Policies, draw_rounds, shop_of, shown
from causalrec.arrays import Floats, Mask
from causalrec.estimators.sequential.after import as_normal
from causalrec.evaluation.trust.difference import DifferenceDiagnostics, carries_a_decision
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule

DRAWS, CHUNK = 2000, 500
RATES = (0.01, 0.15)
ROUNDS = (500, 2_000, 5_000, 10_000, 50_000)
CLUSTERS = ((5, False), (20, False), (20, True), (40, True), (100, False), (500, False), (5_000, False))
"""How many, and whether they are of one size; the others' activity is log-normal, which makes about a third as many of
them count."""
GROUPS = {
    "skewness": (-np.inf, -0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.4, 0.6),
    "outcomes": (0, 10, 20, 30, 50, 100, 200, 500),
    "effective_clusters": (0, 4, 7, 10, 15, 25, 40, 80),
    "pareto_k": (-np.inf, 0.2, 0.5, 0.7, 1.0),
}
"""From where on groups of draws begin, by what a gate reads."""
HEAD = "| {} | logs | metric | draws | 95 % covers | above | below |\n|---|---|---|---|---|---|---|"
TAILS = {"2.5 %": 0.025, "0.389 %": 0.05 * 7 / 90, "0.311 %": 0.04 * 7 / 90}
"""One-sided errors: of a 95 % interval, of a look, and of a look where another policy than the champion logs."""


@dataclass(frozen=True)
class Regime:
    """Where draws are made."""

    rounds: int
    rate: float
    logs: str
    clusters: int
    equal: bool

    @property
    def name(self) -> str:
        return f"{self.rounds}-{self.rate:g}-{self.logs}-{self.clusters}{'-equal' if self.equal else ''}"

    def draw(self, numbers: Iterable[int]) -> dict[str, Floats]:
        """Metric -> what the verdict is shown of the draws of these numbers, (draws, `COLUMNS`)."""
        out: dict[str, list[tuple[float, ...]]] = {metric: [] for metric in METRICS}
        for number in numbers:
            keys = [number, self.rounds, int(self.rate * 100), self.clusters, int(self.equal)]
            draw = np.random.default_rng([*keys, list(LOGS).index(self.logs)])
            policies = Policies.of(shop_of(self.logs, self.rate, number % SHOPS), draw, near=self.logs == "near")
            drawn = draw_rounds(policies, draw, self.rounds, self.clusters, self.equal)
            for metric, each in shown(policies, drawn).items():
                out[metric].append(each)
        return {metric: np.array(rows) for metric, rows in out.items()}


@dataclass(frozen=True)
class MetricDraws:
    """Draws of a regime in one metric.

    Attributes:
        columns: Name -> (draws,).
        z: Differences in standard errors, on the normal scale: what a look holds against its bound.
        covered: Whether the report's 95 % interval holds the truth, which is 0.
        answered: Whether the verdict's gates let it decide.
    """

    columns: dict[str, Floats]
    z: Floats
    covered: Mask
    answered: Mask

    @classmethod
    def of(cls, rows: Floats, rounds: int, rule: ReleaseRule) -> MetricDraws:
        from scipy.special import stdtrit

        columns = dict(zip(COLUMNS, rows.T, strict=True))
        has_error = columns["std_error"] > 0
        t = np.divide(columns["value"], columns["std_error"], out=np.zeros(len(rows)), where=has_error)
        degrees = np.maximum(columns["effective_clusters"] - 1.0, 1.0)
        return cls(
            columns,
            np.array([as_normal(*each) for each in zip(t, degrees, strict=True)]),
            has_error & (np.abs(t) <= stdtrit(columns["degrees"], 0.975)),
            np.array([carries_a_decision(diagnostics(columns, at), rounds, rule).answered for at in range(len(rows))]),
        )

    @classmethod
    def together(cls, each: Sequence[MetricDraws]) -> MetricDraws:
        columns = {name: np.concatenate([one.columns[name] for one in each]) for name in COLUMNS}
        z, covered, answered = (
            np.concatenate([getattr(one, name) for one in each]) for name in ("z", "covered", "answered")
        )
        return cls(columns, z, covered, answered)


def diagnostics(columns: dict[str, Floats], at: int) -> DifferenceDiagnostics:
    return DifferenceDiagnostics(**{each.name: columns[each.name][at] for each in fields(DifferenceDiagnostics)})


@dataclass(frozen=True)
class Counted:
    """Of some draws.

    Attributes:
        draws, taken: How many were made, and how many of them are counted.
        outcomes: The median draw's effective outcomes of the difference.
        covered: Intervals at 95 % that hold the truth.
        above, below: Tail -> differences that far above the truth, which release what is no better, and below it.
    """

    draws: int
    taken: int
    outcomes: float
    covered: int
    above: dict[str, int]
    below: dict[str, int]

    @classmethod
    def of(cls, each: Sequence[MetricDraws], masks: Sequence[Mask]) -> Counted:
        from scipy.special import ndtri

        taken = np.concatenate(masks)
        z = np.concatenate([draws.z for draws in each])[taken]
        return cls(
            len(taken),
            int(taken.sum()),
            float(np.median(np.concatenate([draws.columns["outcomes"] for draws in each]))),
            int(np.concatenate([draws.covered for draws in each])[taken].sum()),
            {name: int((z >= -ndtri(error)).sum()) for name, error in TAILS.items()},
            {name: int((z <= ndtri(error)).sum()) for name, error in TAILS.items()},
        )

    def words(self) -> str:
        """Coverage and tails, as columns."""
        if not self.taken:
            return "| | |"

        def share(counts: dict[str, int]) -> str:
            return ", ".join(f"{counts[tail] / self.taken:.2%}" for tail in TAILS)

        return f"| {self.covered / self.taken:.1%} | {share(self.above)} | {share(self.below)} |"


def regimes(rounds: Sequence[int]) -> Iterator[Regime]:
    for n, rate, logs, (clusters, equal) in itertools.product(rounds, RATES, LOGS, CLUSTERS):
        if clusters <= n:
            yield Regime(n, rate, logs, clusters, equal)


def judged_draws(regime: Regime, draws: int, rule: ReleaseRule, kept: Path | None) -> dict[str, MetricDraws]:
    """Metric -> the draws of a regime: kept ones, where there are, else made anew."""
    chunks: list[dict[str, MetricDraws]] = []
    for start in range(0, draws, CHUNK):
        numbers = range(start, min(start + CHUNK, draws))
        path = None if kept is None else kept / f"{regime.name}_{start // CHUNK}.npz"
        if path is not None and path.exists():
            with np.load(path) as saved:
                rows = {metric: saved[metric][: len(numbers)] for metric in METRICS}
        else:
            rows = regime.draw(numbers)
            if path is not None and len(numbers) == CHUNK:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, **rows)
        chunks.append({metric: MetricDraws.of(rows[metric], regime.rounds, rule) for metric in METRICS})
        if not any(draws.answered.any() for draws in chunks[0].values()):
            break
    return {metric: MetricDraws.together([chunk[metric] for chunk in chunks]) for metric in METRICS}


def how_many(regime: Regime, draws: int) -> int:
    """Fewer of what takes long."""
    return max(draws // (4 if regime.rounds >= 50_000 else 2 if regime.rounds >= 10_000 else 1), 1)


def claims(cells: dict[str, Counted]) -> dict[str, list[str]]:
    """Claim -> the cells in which it does not hold, of those with a draw that counts."""
    counted = {name: cell for name, cell in cells.items() if cell.taken}
    shares = {"95 % covers": [Share(name, c.covered, c.taken, 0.95, "at least") for name, c in counted.items()]}
    for side in ("above", "below"):
        for tail, error in TAILS.items():
            shares[f"{tail} {side}"] = [
                Share(name, getattr(c, side)[tail], c.taken, error) for name, c in counted.items()
            ]
    return {
        claim: [share.name for share, holds in zip(each, hold(each), strict=True) if not holds]
        for claim, each in shares.items()
    }


def answered(by_regime: dict[Regime, dict[str, MetricDraws]]) -> dict[str, dict[str, Counted]]:
    """What is answered: of each regime and metric, of all numbers of clusters together, and of all that one logs."""
    out: dict[str, dict[str, Counted]] = {"each": {}, "numbers of clusters together": {}, "all together": {}}
    print("| rounds | rate | logs | metric | effective outcomes | answered | 95 % covers | above | below |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (n, rate, logs), group in itertools.groupby(by_regime, key=lambda each: (each.rounds, each.rate, each.logs)):
        each = list(group)
        for metric in METRICS:
            draws = [by_regime[regime][metric] for regime in each]
            for regime, one in zip(each, draws, strict=True):
                out["each"][f"{regime.name} {metric}"] = Counted.of([one], [one.answered])
            counted = Counted.of(draws, [one.answered for one in draws])
            out["numbers of clusters together"][f"{n}-{rate:g}-{logs} {metric}"] = counted
            start = f"| {n:,} | {rate:.0%} | {LOGS[logs].label} | {metric} | {counted.outcomes:,.0f} |"
            print(f"{start} {counted.taken / counted.draws:.0%} {counted.words()}")
    print(f"\n{HEAD.format('what')}")
    for logs, metric in itertools.product(LOGS, METRICS):
        draws = [each[metric] for regime, each in by_regime.items() if regime.logs == logs]
        counted = out["all together"][f"{logs} {metric}"] = Counted.of(draws, [one.answered for one in draws])
        print(f"| answered | {LOGS[logs].label} | {metric} | {counted.taken:,} {counted.words()}")
    return out


def by_gate(
    by_regime: dict[Regime, dict[str, MetricDraws]], column: str, starts: Sequence[float], rule: ReleaseRule
) -> None:
    """Print all draws that pass another gate, answered or not, by what this one reads."""
    gate, least = "effective_clusters", rule.min_clusters
    if column == gate:
        gate, least = "outcomes", rule.min_difference_outcomes
    print(f"\n## All draws with {gate} from {least:g}, by {column}\n{HEAD.format('from')}")
    for start, end in zip(starts, [*starts[1:], np.inf], strict=True):
        for logs, metric in itertools.product(LOGS, METRICS):
            draws = [each[metric] for regime, each in by_regime.items() if regime.logs == logs]
            inside = [
                (one.columns[gate] >= least) & (one.columns[column] >= start) & (one.columns[column] < end)
                for one in draws
            ]
            counted = Counted.of(draws, inside)
            if counted.taken:
                print(f"| {start:g} | {LOGS[logs].label} | {metric} | {counted.taken:,} {counted.words()}")


def by_luck(by_regime: dict[Regime, dict[str, MetricDraws]], rule: ReleaseRule) -> None:
    """Print each regime's draws that rest on more than its median of outcomes: whether they are the lucky ones."""
    print(f"\n## Draws above their regime's median of outcomes\n{HEAD.format('counted')}")
    for column in ("outcomes", "seen_outcomes"):
        for logs, metric in itertools.product(LOGS, METRICS):
            draws = [each[metric] for regime, each in by_regime.items() if regime.logs == logs]
            upper = [
                (one.columns["effective_clusters"] >= rule.min_clusters)
                & (one.columns[column] > np.median(one.columns[column]))
                for one in draws
            ]
            counted = Counted.of(draws, upper)
            print(f"| {column} | {LOGS[logs].label} | {metric} | {counted.taken:,} {counted.words()}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict coverage", description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--rounds", default=",".join(str(n) for n in ROUNDS))
    parser.add_argument("--keep", type=Path, help="where draws are kept")
    parser.add_argument("--gate", action="append", default=[], metavar="SETTING=NUMBER", help="of release.yaml, else")
    given = parser.parse_args(arguments)
    rule = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
    rule = rule.model_copy(update={name: float(number) for name, number in (g.split("=") for g in given.gate)})
    started = time.process_time()
    by_regime = {
        regime: judged_draws(regime, how_many(regime, given.draws), rule, given.keep)
        for regime in regimes([int(n) for n in given.rounds.split(",")])
    }
    out = {}
    for label, each in answered(by_regime).items():
        answers = [cell.taken for cell in each.values() if cell.taken]
        print(f"\n## {label}: {len(answers)} of {len(each)} cells have an answer")
        out[label] = claims(each)
        for claim, missed in out[label].items():
            print(f"- {claim}: {'holds' if not missed else 'does NOT hold in ' + ', '.join(missed)}")
        print(power(int(np.median(answers)) if answers else 0, len(answers)))
    for column, starts in GROUPS.items():
        by_gate(by_regime, column, starts, rule)
    by_luck(by_regime, rule)
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    gates = {
        name: getattr(rule, name)
        for name in ("min_difference_outcomes", "max_skewness", "min_clusters", "max_pareto_k")
    }
    print(json.dumps({"table": "coverage", "gates": gates, "cpu_seconds": seconds, "does_not_hold": out}))


def power(draws: int, cells: int) -> str:
    """What these tests would find, of the median cell."""
    if not draws:
        return ""
    covered = Share("", 0, draws, 0.95, "at least").power(0.9, cells)
    tails = ", ".join(f"{Share('', 0, draws, e).power(3 * e, cells):.0%} of {name}" for name, e in TAILS.items())
    return (
        f"In the median cell ({draws:,} draws) a coverage of 90 % is found in {covered:.0%} of all runs, a tail three "
        f"times as large in {tails}."
    )


if __name__ == "__main__":
    main()
