"""Each named value from logged columns alone, over simulated worlds: bias, and whether its 95 % interval holds.

python -m benchmarks.verdict.estimands [--worlds 200] [--dials plain]

Each world has 1,000 users, 200 items and 600 requests a day; 7 days pass, 7 are learned from, 7 are judged. The
challenger shows what is clicked anyway, the champion what a recommendation changes. What is held against the truth is
the report's own row (doubly robust, everyone, satisfaction). About 4 CPU seconds a world: 14 CPU minutes in all.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import yaml

from benchmarks.verdict.estimand_worlds import SHOP, judgement
from causalrec.answers import ANSWERED
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.policy_values import report
from causalrec.evaluation.rounds import EVERYONE
from causalrec.evaluation.values.question import LOGGING_POLICY
from causalrec.home import TEMPLATE
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.settings.release import ReleaseRule
from causalrec.simulator.traffic.named_values import NAMES

WORLDS = 200
DIALS: dict[str, dict[str, Any]] = {
    "plain": {},
    "habit": {"lift_by_history": -0.35},
    "goes_anyway": {"lift_by_history": -0.35, "go_anyway": 0.5},
    "displacement": {"displacement_organic": 0.3, "displacement_slots": 0.3},
}
OF = (CHALLENGER, CHAMPION, "difference", "champion less logging policy")
RULE = ReleaseRule.parse(yaml.safe_load((TEMPLATE / "release.yaml").read_text()))
LEVEL, WRONGLY = 0.95, 0.01
"""Of the intervals, and of the test that they cover too little, over all cells of the table together (Holm)."""


@dataclass(frozen=True)
class Cell:
    """One named value of one policy, or the difference of both, over all worlds.

    Attributes:
        truth, bias: Means over worlds, in clicks a slot.
        bias_error: Standard error of the mean bias.
        sd: Of the estimate's error over worlds.
        std_error: The mean of the stated ones.
        covered: Share of worlds whose interval holds the truth.
        worlds: In how many the report tells it.
        holds: Whether too little coverage is not shown.
    """

    name: str
    of: str
    truth: float
    bias: float
    bias_error: float
    sd: float
    std_error: float
    covered: float
    worlds: int
    holds: bool = True

    @property
    def unbiased(self) -> bool:
        return abs(self.bias) <= 2.0 * self.bias_error


def run(worlds: int = WORLDS, dials: str = "plain", first_seed: int = 0) -> list[Cell]:
    """Every cell, seeds `first_seed` to `first_seed + worlds - 1`."""
    rows = np.array([_world(seed, dials) for seed in range(first_seed, first_seed + worlds)])
    cells = []
    for column, (name, of) in enumerate((name, of) for name in NAMES for of in OF):
        value, error, truth, covered = rows[~np.isnan(rows[:, column, 0]), column].T
        told = len(value)
        gap = value - truth
        sd = float(gap.std(ddof=1)) if told > 1 else float("nan")
        bias_error = sd / float(np.sqrt(told))
        cells.append(
            Cell(
                name,
                of,
                float(truth.mean()),
                float(gap.mean()),
                bias_error,
                sd,
                float(error.mean()),
                float(covered.mean()),
                told,
            )
        )
    return judged_cells(cells)


def _world(seed: int, dials: str) -> list[tuple[float, float, float, float]]:
    """Of each cell the estimate, its standard error, the truth, and whether the interval holds it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sortedness of columns")
        judged = judgement(replace(SHOP, seed=seed, **DIALS[dials]), seed)
    found = []
    told = report(judged.data, RULE).filter(
        segment=EVERYONE, metric="satisfaction", estimator=deciding().name, status=ANSWERED.status.value
    )
    for name in NAMES:
        rows = {row["policy"]: row for row in told.filter(estimand=name).iter_rows(named=True)}
        true = {policy: values[name] for policy, values in judged.truth.items()}
        for policy in (CHALLENGER, CHAMPION):
            found.append(_compared(rows.get(policy), "", true[policy]))
        found.append(_compared(rows.get(CHALLENGER), "difference", true[CHALLENGER] - true[CHAMPION]))
        found.append(_compared(rows.get(CHAMPION), "difference", true[CHAMPION] - true[LOGGING_POLICY]))
    return found


def _compared(row: dict[str, Any] | None, of: str, truth: float) -> tuple[float, float, float, float]:
    """The estimate, its standard error, the truth, and whether the interval holds it; NaN where it is not told."""
    value, error, lower, upper = (
        ("difference", "difference_std_error", "difference_lower", "difference_upper")
        if of
        else ("estimate", "std_error", "lower", "upper")
    )
    if row is None or row[value] is None:
        return (float("nan"),) * 4
    return row[value], row[error], truth, float(row[lower] <= truth <= row[upper])


def judged_cells(cells: Sequence[Cell]) -> list[Cell]:
    """With whether each holds: a one-sided exact test that it covers too little, Holm's correction over the cells."""
    from scipy.stats import binom

    p = np.array([float(binom.cdf(round(cell.covered * cell.worlds), cell.worlds, LEVEL)) for cell in cells])
    holds = [True] * len(cells)
    for step, at in enumerate(np.argsort(p, kind="stable")):
        if p[at] > WRONGLY / (len(cells) - step):
            break
        holds[at] = False
    return [replace(cell, holds=fine) for cell, fine in zip(cells, holds, strict=True)]


def table(cells: Sequence[Cell]) -> str:
    """For people, in Markdown; clicks per 1,000 slots."""
    lines = [
        "| value | of | true | bias (standard error) | within two | sd of the error / stated | covers | holds | told |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in cells:
        lines.append(
            f"| {c.name} | {c.of} | {1000 * c.truth:+.1f} | {1000 * c.bias:+.2f} ({1000 * c.bias_error:.2f}) | "
            f"{'yes' if c.unbiased else 'NO'} | {1000 * c.sd:.1f} / {1000 * c.std_error:.1f} | {c.covered:.1%} | "
            f"{'yes' if c.holds else 'NO'} | {c.worlds} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict.estimands", description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--dials", choices=DIALS, default="plain")
    parser.add_argument("--first-seed", type=int, default=0)
    given = parser.parse_args(arguments)
    started = time.process_time()
    cells = run(given.worlds, given.dials, given.first_seed)
    print(table(cells))
    print(f"{given.worlds} worlds ({given.dials}), {time.process_time() - started:.0f} CPU seconds")
    print(json.dumps([asdict(cell) for cell in cells]))


if __name__ == "__main__":
    main()
