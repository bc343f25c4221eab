"""What each form of the objective is worth: its policy, made from trained models, judged by the truth under every name.

python -m benchmarks.verdict forms [--worlds 8]

Each world has 1,000 users, 200 items and 600 requests a day; 7 days pass, 7 are learned from, the next is judged. Each
form's policy is made as the pipeline makes it: with the temperature that keeps the entropy of `do` at 0.5. Beside them
stand the logging policy, and two policies as sure that know true probabilities. About 15 CPU seconds a world.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks.verdict.forms.worlds import Judged, judge, learn
from benchmarks.verdict.side_by_side import SHOP
from causalrec.settings.objective import DO
from causalrec.simulator.traffic.named_values import GIVEN_MET, GIVEN_NOT_SHOWN, RAW, TOTAL
from causalrec.simulator.world.world import WorldConfig

WORLDS, TRAIN = 8, 7
FIRST_SEED = 10
"""Of the table: none of the worlds in which the lift's rule was chosen."""
DIALS: dict[str, dict[str, Any]] = {
    "the plain shop": {},
    "who has a history clicks anyway": {"lift_by_history": -0.35},
    "... and goes to the item anyway": {"lift_by_history": -0.35, "go_anyway": 1.0, "go_anyway_focus": 6.0},
    "clicks displace others": {"displacement_organic": 0.3, "displacement_slots": 0.3},
}
JUDGED_BY = (RAW, GIVEN_MET, GIVEN_NOT_SHOWN, TOTAL)


@dataclass(frozen=True)
class Row:
    """One policy in the worlds of one kind.

    Attributes:
        values: By name, the mean over worlds, in clicks a slot.
        less_do: The same less that of form `do` in the same world, and its standard error.
        entropy: In nats.
        temperature: In the units of the policy's value; 0: it has none.
        worlds: How many.
    """

    dials: str
    policy: str
    values: dict[str, float]
    less_do: dict[str, tuple[float, float]]
    entropy: float
    temperature: float
    worlds: int


def run(
    worlds: int = WORLDS, shop: WorldConfig = SHOP, train: int = TRAIN, dials: Mapping[str, dict[str, Any]] = DIALS
) -> list[Row]:
    """Every policy in every kind of world, seeds from `FIRST_SEED`; the table so far is printed after each seed."""
    judged: dict[str, list[Judged]] = {label: [] for label in dials}
    for seed in range(FIRST_SEED, FIRST_SEED + worlds):
        for label, of_world in dials.items():
            judged[label].append(_judged(replace(shop, seed=seed, **of_world), train, seed))
        rows = [row for label, of_label in judged.items() for row in rows_of(label, of_label)]
        print(f"{table(rows)}\n{seed - FIRST_SEED + 1} of {worlds}\n", flush=True)
    return rows


def _judged(config: WorldConfig, train: int, seed: int) -> Judged:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sortedness of columns")
        return judge(learn(config, train), seed)


def rows_of(label: str, judged: Sequence[Judged]) -> list[Row]:
    """One row a policy."""
    rows = []
    for policy in judged[0].truth:
        values = {name: [one.truth[policy][name] for one in judged] for name in JUDGED_BY}
        gaps = {name: np.array(of) - [one.truth[DO][name] for one in judged] for name, of in values.items()}
        less_do = {name: (float(gap.mean()), _error(gap)) for name, gap in gaps.items()}
        means = {name: float(np.mean(of)) for name, of in values.items()}
        temperature = float(np.mean([one.temperature.get(policy, 0.0) for one in judged]))
        entropy = float(np.mean([one.entropy[policy] for one in judged]))
        rows.append(Row(label, policy, means, less_do, entropy, temperature, len(judged)))
    return rows


def _error(gap: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """The standard error of a mean over worlds; NaN of a single one."""
    return float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else float("nan")


def table(rows: Sequence[Row]) -> str:
    """For people, in Markdown; clicks per 1,000 slots, and less those of `do` (standard error)."""
    lines = [
        f"| world | policy | {' | '.join(JUDGED_BY)} | entropy | temperature |",
        f"|---|---|{'---|' * len(JUDGED_BY)}---|---|",
    ]
    for row in rows:
        cells = [f"{1000 * row.values[n]:.1f} ({_signed(row.less_do[n])})" for n in JUDGED_BY]
        lines.append(
            f"| {row.dials} | {row.policy} | {' | '.join(cells)} | {row.entropy:.2f} | {row.temperature:.3g} |"
        )
    return "\n".join(lines)


def _signed(gap: tuple[float, float]) -> str:
    return f"{1000 * gap[0]:+.1f}, se {1000 * gap[1]:.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict forms", description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--events", type=int, default=SHOP.events_per_day, help="a day")
    parser.add_argument("--days", type=int, default=TRAIN, help="that are learned from")
    given = parser.parse_args(arguments)
    started = time.process_time()
    rows = run(given.worlds, replace(SHOP, events_per_day=given.events), given.days)
    print(f"{given.worlds} worlds of each kind, {time.process_time() - started:.0f} CPU seconds")
    print(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
