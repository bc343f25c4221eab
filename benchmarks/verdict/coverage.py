"""When a difference is answered, and what it errs then: coverage of 95 %, and the tails beyond the looks' bounds.

python -m benchmarks.verdict coverage [--draws 4000] [--rounds 500,2000] [--keep DIR] [--gate min_clusters=20]

Two equal policies (`tail_worlds`), judged once on so many rounds of so many clusters by the doubly robust difference;
of each draw the verdict's own gates say whether it is answered. From 10,000 rounds on half as many draws are made, from
50,000 on a quarter. With `--keep` the draws are kept, and read again instead of drawn anew. About 15 CPU minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.verdict.holds import Share, hold
from benchmarks.verdict.tail_worlds import COLUMNS, LOGS, METRICS, SHOPS, Policies, draw_rounds, shop_of, shown
from causalrec.arrays import Floats
from causalrec.estimators.sequential.after import as_normal
from causalrec.evaluation.trust.difference import DifferenceDiagnostics, carries_a_decision
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule

DRAWS = 4000
RATES = (0.01, 0.15)
ROUNDS = (500, 2_000, 5_000, 10_000, 50_000)
CLUSTERS = ((5, False), (20, False), (20, True), (40, True), (100, False), (500, False), (5_000, False))
"""How many, and whether they are of one size; the others' activity is log-normal, which makes about a third as many of
them count."""
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

    def draw(self, draws: int) -> dict[str, Floats]:
        """Metric -> what the verdict is shown of each draw, (draws, `COLUMNS`)."""
        out: dict[str, list[tuple[float, ...]]] = {metric: [] for metric in METRICS}
        for number in range(draws):
            keys = [number, self.rounds, int(self.rate * 100), self.clusters, int(self.equal)]
            draw = np.random.default_rng([*keys, list(LOGS).index(self.logs)])
            policies = Policies.of(shop_of(self.logs, self.rate, number % SHOPS), draw)
            drawn = draw_rounds(policies, draw, self.rounds, self.clusters, self.equal)
            for metric, each in shown(policies, drawn).items():
                out[metric].append(each)
        return {metric: np.array(rows) for metric, rows in out.items()}


@dataclass(frozen=True)
class Counted:
    """Of the draws of a cell that are answered.

    Attributes:
        draws, answered: How many were made, and how many of them are answered.
        outcomes: The median draw's effective outcomes of the difference.
        covered: Intervals at 95 % that hold the truth.
        above, below: Tail -> differences that far above the truth, which release what is no better, and below it.
    """

    draws: int
    answered: int
    outcomes: float
    covered: int
    above: dict[str, int]
    below: dict[str, int]

    @classmethod
    def of(cls, told: Floats, rounds: int, rule: ReleaseRule) -> Counted:
        from scipy.special import ndtri

        taken = np.array([carries_a_decision(diagnostics(row), rounds, rule).answered for row in told], dtype=bool)
        z = np.array([standardised(row) for row in told[taken]])
        return cls(
            len(told),
            int(taken.sum()),
            float(np.median(told[:, COLUMNS.index("outcomes")])),
            int((np.abs(z) <= -ndtri(0.025)).sum()),
            {name: int((z >= -ndtri(error)).sum()) for name, error in TAILS.items()},
            {name: int((z <= ndtri(error)).sum()) for name, error in TAILS.items()},
        )

    def __add__(self, other: Counted) -> Counted:
        return Counted(
            self.draws + other.draws,
            self.answered + other.answered,
            max(self.outcomes, other.outcomes),
            self.covered + other.covered,
            {name: self.above[name] + other.above[name] for name in TAILS},
            {name: self.below[name] + other.below[name] for name in TAILS},
        )


def diagnostics(row: Floats) -> DifferenceDiagnostics:
    found = dict(zip(COLUMNS, row.tolist(), strict=True))
    return DifferenceDiagnostics(**{name: found[name] for name in COLUMNS[2:]})


def standardised(row: Floats) -> float:
    """The difference in standard errors, on the normal scale: what a look holds against its bound."""
    found = dict(zip(COLUMNS, row.tolist(), strict=True))
    if not found["std_error"] > 0:
        return 0.0
    return as_normal(found["value"] / found["std_error"], max(found["effective_clusters"] - 1.0, 1.0))


def regimes(rounds: Sequence[int]) -> Iterator[Regime]:
    for n, rate, logs, (clusters, equal) in itertools.product(rounds, RATES, LOGS, CLUSTERS):
        if clusters <= n:
            yield Regime(n, rate, logs, clusters, equal)


def told_of(regime: Regime, draws: int, kept: Path | None) -> dict[str, Floats]:
    """The draws of a regime: kept ones, where there are, else made anew."""
    if kept is None:
        return regime.draw(draws)
    path = kept / f"{regime.name}-{draws}.npz"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        np.savez(path, **regime.draw(draws))
    with np.load(path) as found:
        return {metric: found[metric] for metric in METRICS}


def claims(cells: dict[str, Counted]) -> dict[str, list[str]]:
    """Claim -> the cells in which it does not hold, of those with an answered draw."""
    told = {name: cell for name, cell in cells.items() if cell.answered}
    shares = {"95 % covers": [Share(name, c.covered, c.answered, 0.95, "at least") for name, c in told.items()]}
    for side in ("above", "below"):
        for tail, error in TAILS.items():
            shares[f"{tail} {side}"] = [
                Share(name, getattr(c, side)[tail], c.answered, error) for name, c in told.items()
            ]
    return {
        claim: [share.name for share, holds in zip(each, hold(each), strict=True) if not holds]
        for claim, each in shares.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict coverage", description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--rounds", default=",".join(str(n) for n in ROUNDS))
    parser.add_argument("--keep", type=Path, help="where draws are kept")
    parser.add_argument("--gate", action="append", default=[], metavar="SETTING=NUMBER", help="of release.yaml, else")
    given = parser.parse_args(arguments)
    rule = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
    rule = rule.model_copy(update={name: float(number) for name, number in (g.split("=") for g in given.gate)})
    started, cells, rows = time.process_time(), {}, {}
    print("| rounds | rate | logs | metric | effective outcomes | answered | 95 % covers | above | below |")
    print("|---|---|---|---|---|---|---|---|---|")
    for key, group in itertools.groupby(
        regimes([int(n) for n in given.rounds.split(",")]), key=lambda each: (each.rounds, each.rate, each.logs)
    ):
        pooled: dict[str, Counted] = {}
        for regime in group:
            told = told_of(regime, draws_of(regime, given.draws), given.keep)
            for metric in METRICS:
                counted = Counted.of(told[metric], regime.rounds, rule)
                cells[f"{regime.name} {metric}"] = counted
                pooled[metric] = pooled[metric] + counted if metric in pooled else counted
        for metric, all_clusters in pooled.items():
            rows[f"{'-'.join(str(each) for each in key)} {metric}"] = all_clusters
            print(line(*key, metric, all_clusters), flush=True)
    out = {}
    for label, each in (("each number of clusters", cells), ("all numbers of clusters together", rows)):
        print(f"\n## {label}: {sum(bool(c.answered) for c in each.values())} of {len(each)} cells with an answer")
        out[label] = claims(each)
        for claim, missed in out[label].items():
            print(f"- {claim}: {'holds' if not missed else 'does NOT hold in ' + ', '.join(missed)}")
    seconds = time.process_time() - started
    print(f"CPU {seconds:.0f} s")
    print(json.dumps({"table": "coverage", "gates": gates(rule), "cpu_seconds": seconds, "does_not_hold": out}))


def draws_of(regime: Regime, draws: int) -> int:
    """Fewer of what takes long."""
    return max(draws // (4 if regime.rounds >= 50_000 else 2 if regime.rounds >= 10_000 else 1), 1)


def gates(rule: ReleaseRule) -> dict[str, float]:
    return {name: getattr(rule, name) for name in ("min_difference_outcomes", "min_clusters", "max_pareto_k")}


def line(rounds: int, rate: float, logs: str, metric: str, told: Counted) -> str:
    """A row for people."""
    start = f"| {rounds:,} | {rate:.0%} | {LOGS[logs].label} | {metric} | {told.outcomes:,.0f} |"
    if not told.answered:
        return f"{start} none | | | |"

    def share(counts: dict[str, int]) -> str:
        return ", ".join(f"{counts[tail] / told.answered:.2%}" for tail in TAILS)

    return (
        f"{start} {told.answered / told.draws:.0%} | {told.covered / told.answered:.1%} | {share(told.above)} | "
        f"{share(told.below)} |"
    )


if __name__ == "__main__":
    main()
