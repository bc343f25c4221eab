"""Each named value from logged columns alone, over simulated worlds: bias, and whether its 95 % interval holds.

python -m benchmarks.verdict.estimands [--worlds 200] [--dials plain]

Each world has 1,000 users, 200 items and 600 requests a day; 7 days pass, 7 are learned from, 7 are judged. The
challenger shows what is clicked anyway, the champion what a recommendation changes. About 3 CPU seconds a world:
10 CPU minutes in all.
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

from benchmarks.verdict.by_formula import scores
from benchmarks.verdict.estimand_worlds import SHOP, judgement
from causalrec.estimators.intervals import clustered_mean, contrast
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.simulator.traffic.named_values import NAMES

WORLDS = 200
DIALS: dict[str, dict[str, Any]] = {
    "plain": {},
    "habit": {"lift_by_history": -0.35},
    "goes_anyway": {"lift_by_history": -0.35, "go_anyway": 0.5},
    "displacement": {"displacement_organic": 0.3, "displacement_slots": 0.3},
}
OF = (CHALLENGER, CHAMPION, "difference")
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
        worlds: How many.
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
        value, error, truth, covered = rows[:, column].T
        gap = value - truth
        sd = float(gap.std(ddof=1)) if worlds > 1 else float("nan")
        bias_error = sd / float(np.sqrt(worlds))
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
                worlds,
            )
        )
    return judged_cells(cells)


def _world(seed: int, dials: str) -> list[tuple[float, float, float, bool]]:
    """Of each cell the estimate, its standard error, the truth, and whether the interval holds it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sortedness of columns")
        judged = judgement(replace(SHOP, seed=seed, **DIALS[dials]), seed)
    (challenger, clusters), (champion, _) = (scores(judged.data, policy) for policy in (CHALLENGER, CHAMPION))
    found = []
    for name in NAMES:
        first, second = (clustered_mean(of[name], clusters) for of in (challenger, champion))
        true = [judged.truth[policy][name] for policy in (CHALLENGER, CHAMPION)]
        for estimate, truth in zip(
            (first, second, contrast(first, second, clusters)), (*true, true[0] - true[1]), strict=True
        ):
            covered = estimate.lower <= truth <= estimate.upper
            found.append((estimate.value, estimate.std_error, truth, covered))
    return found


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
        "| value | of | true | bias (standard error) | within two | sd of the error / stated | 95 % covers | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for c in cells:
        lines.append(
            f"| {c.name} | {c.of} | {1000 * c.truth:+.1f} | {1000 * c.bias:+.2f} ({1000 * c.bias_error:.2f}) | "
            f"{'yes' if c.unbiased else 'NO'} | {1000 * c.sd:.1f} / {1000 * c.std_error:.1f} | {c.covered:.1%} | "
            f"{'yes' if c.holds else 'NO'} |"
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
