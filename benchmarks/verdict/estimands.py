"""Each named value from logged columns alone, over simulated worlds: bias, and whether its 95 % interval holds.

python -m benchmarks.verdict estimands [--worlds 200] [--dials plain]

Each world has 1,000 users, 200 items and 600 requests a day; 7 days pass, 7 are learned from, 7 are judged. The
challenger shows what is clicked anyway, the champion what a recommendation changes. What is held against the truth is
the report's own row (doubly robust, everyone, satisfaction); beside it SNIPS, and what was logged, whichever policy it
was (naive). CPU budget: 6 seconds a world, 20 minutes in all. A table of the worlds so far is printed each 25.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from benchmarks.verdict.estimand_worlds import SHOP, Judgement, judgement
from benchmarks.verdict.holds import Share, hold
from causalrec.answers import ANSWERED
from causalrec.arrays import Floats
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.evaluation.policy_values import GIVEN, GIVEN_MET, LOGGED_MEAN, report
from causalrec.evaluation.requests import with_requests
from causalrec.evaluation.rounds import EVERYONE, EvaluationData, judged_rounds, rounds_for_estimators, with_rewards
from causalrec.evaluation.values.against import naive
from causalrec.evaluation.values.question import LOGGING_POLICY, PolicyQuestion, Row
from causalrec.home import TEMPLATE
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.settings.release import ReleaseRule
from causalrec.simulator.traffic.named_values import NAMES

WORLDS, SO_FAR = 200, 25
HABIT_GOES = {"lift_by_history": -0.35, "go_anyway": 0.5}
DIALS: dict[str, dict[str, Any]] = {
    "plain": {},
    "habit": {"lift_by_history": -0.35},
    "goes_anyway": HABIT_GOES,
    "unmeasured": HABIT_GOES,
    "displacement": {"displacement_organic": 0.3, "displacement_slots": 0.3},
}
UNMEASURED = "unmeasured"
"""Where users' past click rates, which send people to an item and make them click it, are not logged: what given met
assumes is off, and nothing else."""
OFF = (UNMEASURED, "goes_anyway")
"""Where given met must be biased: a common cause is not logged; or it is, and both the model and the rates miss it."""
LESS_LOGGING = "champion less logging policy"
OF = (CHALLENGER, CHAMPION, "difference", LESS_LOGGING)
SNIPS, NAIVE = "snips", "naive"
RULE = ReleaseRule.parse(yaml.safe_load((TEMPLATE / "release.yaml").read_text()))
LEVEL = 0.95


@dataclass(frozen=True)
class Cell:
    """One named value of one policy, or the difference of both, over all worlds, by one estimator.

    Attributes:
        truth, bias: Means over worlds, in clicks a slot.
        bias_error: Standard error of the mean bias.
        sd: Of the estimate's error over worlds.
        std_error: The mean of the stated ones; NaN where none is stated.
        covered: Share of worlds whose interval holds the truth; NaN where there is none.
        worlds: In how many the report tells it.
        must_be: Of given met, the mean bias that it must have; 0 of all others.
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
    estimator: str = deciding().name
    must_be: float = 0.0
    holds: bool = True

    @property
    def unbiased(self) -> bool:
        return abs(self.bias) <= 2.0 * self.bias_error

    @property
    def as_it_must(self) -> bool:
        """Whether the bias is the one that it must have, within two standard errors."""
        return abs(self.bias - self.must_be) <= 2.0 * self.bias_error


def run(
    worlds: int = WORLDS,
    dials: str = "plain",
    first_seed: int = 0,
    so_far: int = 0,
    processes: int = 1,
    keep: Path | None = None,
) -> list[Cell]:
    """Every cell of every estimator, seeds `first_seed` to `first_seed + worlds - 1`.

    Args:
        so_far: Print a table each so many worlds; 0: never.
        processes: Worlds at a time.
        keep: A folder in which the numbers of each world are kept, and taken from if they are there already.
    """
    rows: list[list[Numbers]] = []
    seeds, world = range(first_seed, first_seed + worlds), partial(_kept, dials=dials, keep=keep)
    with ExitStack() as stack:
        drawn: Iterator[list[Numbers]] = map(world, seeds)
        if processes > 1:
            # Polars is not safe in a fork.
            drawn = stack.enter_context(get_context("spawn").Pool(processes)).imap(world, seeds)
        for row in drawn:
            rows.append(row)
            if so_far and len(rows) % so_far == 0 and len(rows) < worlds:
                print(f"{len(rows)} worlds so far\n{table(_cells(np.array(rows)))}", flush=True)
    return _cells(np.array(rows))


def _cells(rows: Floats) -> list[Cell]:
    """Of (worlds, cells, numbers)."""
    cells = []
    for column, (estimator, name, of) in enumerate(_keys()):
        value, error, truth, covered, must_be = rows[~np.isnan(rows[:, column, 0]), column].T
        worlds = len(value)
        gap = value - truth
        sd = float(gap.std(ddof=1)) if worlds > 1 else float("nan")
        means = (float(each.mean()) if worlds else float("nan") for each in (truth, gap, error, covered, must_be))
        of_truth, bias, stated, covers, must = means
        bias_error = sd / float(np.sqrt(worlds)) if worlds else float("nan")
        cells.append(Cell(name, of, of_truth, bias, bias_error, sd, stated, covers, worlds, estimator, must))
    return judged_cells(cells)


def _keys() -> list[tuple[str, str, str]]:
    return [(estimator, name, of) for estimator in (deciding().name, SNIPS, NAIVE) for name in NAMES for of in OF]


Numbers = tuple[float, float, float, float, float]
"""An estimate, its standard error, the truth, whether the interval holds it, and the bias that it must have."""


def _kept(seed: int, dials: str, keep: Path | None) -> list[Numbers]:
    path = keep / f"{dials}-{seed}.json" if keep is not None else None
    if path is not None and path.exists():
        return [(*each,) for each in json.loads(path.read_text())]
    numbers = _world(seed, dials)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(numbers))
    return numbers


def _world(seed: int, dials: str) -> list[Numbers]:
    """The numbers of each cell, in the order of `_keys`; NaN where it is not told."""
    judged = judgement(replace(SHOP, seed=seed, **DIALS[dials]), seed, measured=dials != UNMEASURED)
    answered = report(judged.data, RULE).filter(segment=EVERYONE, metric="satisfaction", status=ANSWERED.status.value)
    logged = _naive(judged.data, answered)
    of_policies = {CHALLENGER: (CHALLENGER, ""), CHAMPION: (CHAMPION, "")}
    of_policies |= {"difference": (CHALLENGER, CHAMPION), LESS_LOGGING: (CHAMPION, LOGGING_POLICY)}
    numbers = []
    for estimator, name, of in _keys():
        policy, base = of_policies[of]
        if estimator == NAIVE:
            # Whichever policy it is: what was logged does not tell them apart.
            row: Row | None = logged.get(name) if not base else {"difference": 0.0}
        else:
            asked = answered.filter(estimand=name, estimator=estimator, policy=policy)
            row = next(asked.iter_rows(named=True), None)
        numbers.append(_compared(row, name, policy, base, judged))
    return numbers


def _compared(row: Mapping[str, Any] | None, name: str, policy: str, base: str, judged: Judgement) -> Numbers:
    """What a row says of a policy, or of its difference from another, beside the truth."""
    columns = ("estimate", "std_error", "lower", "upper")
    if base:
        columns = ("difference", "difference_std_error", "difference_lower", "difference_upper")
    nan = float("nan")
    if row is None:
        return nan, nan, nan, nan, nan
    truth = judged.truth[policy][name] - (judged.truth[base][name] if base else 0.0)
    must_be = judged.must_be[policy] - (judged.must_be[base] if base else 0.0) if name == GIVEN_MET else 0.0
    value, error, lower, upper = (row.get(column) for column in columns)
    if value is None:
        return nan, nan, nan, nan, nan
    if error is None or lower is None or upper is None:
        return value, nan, truth, nan, must_be
    return value, error, truth, float(lower <= truth <= upper), must_be


def _naive(data: EvaluationData, answered: pl.DataFrame) -> dict[str, Row]:
    """What was logged, by name: the mean outcome, less that of what was met unprompted where something is taken off."""
    own = answered.filter(estimator=LOGGED_MEAN, policy=CHAMPION)
    found: dict[str, Row] = {row["estimand"]: row for row in own.iter_rows(named=True) if row["estimand"] not in GIVEN}
    units = with_rewards(data)
    of_champion = replace(data, targets=data.targets.filter(policy=CHAMPION))
    slots = with_requests(judged_rounds(of_champion, units), of_champion, units)
    for name in GIVEN:
        question = PolicyQuestion(EVERYONE, CHAMPION, "satisfaction", slots, None, ESTIMANDS[name])
        apart = naive(question, rounds_for_estimators(slots, "satisfaction", data, question.columns))
        if apart is not None:
            found[name] = {
                "estimate": apart.value,
                "std_error": apart.std_error,
                "lower": apart.lower,
                "upper": apart.upper,
            }
    return found


def judged_cells(cells: Sequence[Cell]) -> list[Cell]:
    """With whether the coverage of what decides holds, by the test of `holds` over all its cells together."""
    deciding_ones = [cell for cell in cells if cell.estimator == deciding().name and cell.worlds]
    claims = [
        Share(f"{cell.name}, {cell.of}", round(cell.covered * cell.worlds), cell.worlds, LEVEL, "at least")
        for cell in deciding_ones
    ]
    fine = {id(cell): held for cell, held in zip(deciding_ones, hold(claims), strict=True)}
    return [replace(cell, holds=fine.get(id(cell), cell.holds)) for cell in cells]


def table(cells: Sequence[Cell]) -> str:
    """For people, in Markdown; clicks per 1,000 slots."""
    lines = [
        "| value | of | true | bias (standard error) | must be | within two | sd of the error / stated | covers "
        "| holds | SNIPS: bias, covers | naive: bias, covers | told |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    beside = {(cell.estimator, cell.name, cell.of): cell for cell in cells}
    for c in cells:
        if c.estimator != deciding().name:
            continue
        must = f"{1000 * c.must_be:+.2f}" if c.name == GIVEN_MET else "0"
        others = " | ".join(_beside(beside.get((estimator, c.name, c.of))) for estimator in (SNIPS, NAIVE))
        lines.append(
            f"| {c.name} | {c.of} | {1000 * c.truth:+.1f} | {1000 * c.bias:+.2f} ({1000 * c.bias_error:.2f}) "
            f"| {must} | {'yes' if c.unbiased else 'NO'} | {1000 * c.sd:.1f} / {1000 * c.std_error:.1f} "
            f"| {c.covered:.1%} | {'yes' if c.holds else 'NO'} | {others} | {c.worlds} |"
        )
    return "\n".join(lines)


def _beside(cell: Cell | None) -> str:
    if cell is None or not cell.worlds:
        return "not told"
    covers = "" if np.isnan(cell.covered) else f", {cell.covered:.1%}"
    return f"{1000 * cell.bias:+.2f} ({1000 * cell.bias_error:.2f}){covers}"


def power(worlds: int, cells: int) -> str:
    """What the test of coverage would find."""
    share = Share("", worlds, worlds, LEVEL, "at least")
    return ", ".join(f"{true:.0%} in {share.power(true, cells):.0%} of runs" for true in (0.9, 0.85))


def _cpu_seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict estimands", description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--dials", choices=DIALS, default="plain")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where the numbers of each world are kept, so as to go on later")
    given = parser.parse_args(arguments)
    cells = run(given.worlds, given.dials, given.first_seed, SO_FAR, given.processes, given.keep)
    print(table(cells))
    print(f"{given.worlds} worlds ({given.dials}), {_cpu_seconds():.0f} CPU seconds")
    print(f"Too little coverage of a cell would be found: {power(given.worlds, len(NAMES) * len(OF))}.")
    if given.dials in OFF:
        print(
            "What given met assumes is off in these worlds, and it is biased: by what it must be, of rates and model."
        )
    print(json.dumps([asdict(cell) for cell in cells]))


if __name__ == "__main__":
    main()
