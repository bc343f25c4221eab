"""The named values of two policies side by side, by true probabilities: where they agree, and where they do not.

python -m benchmarks.verdict.side_by_side [--picture docs/pictures/estimands.png]

The click-anyway policy shows what people click most without a recommendation, the incremental policy what a
recommendation changes most. Both are made from true probabilities: nothing here is estimated.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from causalrec.arrays import Floats
from causalrec.simulator.traffic.displacement import expected_clicks
from causalrec.simulator.traffic.named_values import NAMES, values_of_policies, what_recommending_adds
from causalrec.simulator.traffic.slates import Slates
from causalrec.simulator.traffic.traffic import add_day, draw_day
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig

SHOP = WorldConfig(users=1000, items=200, events_per_day=6000)
DAYS = 10
TEMPERATURE, EXPLORATION = 0.25, 0.1
WORLDS: dict[str, dict[str, Any]] = {
    "the plain shop": {},
    "who has a history clicks anyway": {"lift_by_history": -0.35},
    "... and goes to the item anyway": {"lift_by_history": -0.35, "go_anyway": 1.0, "go_anyway_focus": 6.0},
    "clicks displace organic clicks": {"displacement_organic": 0.6},
    "clicks displace lower slots": {"displacement_slots": 0.6},
}


@dataclass(frozen=True)
class SideBySide:
    """The click-anyway policy minus the incremental one, in clicks a slot.

    Attributes:
        click_anyway, incremental: Their values by name.
        difference, error: By name, with the error of the draws.
        adds: What the whole recommender adds to a request.
    """

    click_anyway: Mapping[str, float]
    incremental: Mapping[str, float]
    difference: Mapping[str, float]
    error: Mapping[str, float] = field(default_factory=dict)
    adds: float = 0.0


def judged_day(config: WorldConfig, days: int = DAYS) -> Slates:
    """The slates of the last of some days."""
    world = World(config)
    past = Past(world)
    for number in range(days - 1):
        add_day(past, draw_day(world, past, number))
    return Slates.of(world, draw_day(world, past, days - 1), past)


def policies(slates: Slates, temperature: float = TEMPERATURE) -> dict[str, Floats]:
    """Both policies in the logged slots, (requests, slots, items)."""
    shown, organic = slates.shown_click(0), slates.organic_click
    values = {"click_anyway": organic, "incremental": np.maximum(shown - organic, 1e-3)}
    return {name: in_slots(_softmax(np.log(value), temperature), slates) for name, value in values.items()}


def in_slots(first: Floats, slates: Slates) -> Floats:
    """A Plackett-Luce policy in the logged slots: its first-slot distribution without what stands above."""
    out = np.repeat(first[:, None, :], slates.slate.shape[1], axis=1)
    for slot in range(1, slates.slate.shape[1]):
        np.put_along_axis(out[:, slot], slates.slate[:, :slot], 0.0, axis=1)
    return np.asarray(out / out.sum(axis=2, keepdims=True))


def side_by_side(slates: Slates) -> SideBySide:
    """Both policies in one world."""
    values = values_of_policies(slates, policies(slates))
    gap = values["click_anyway"] - values["incremental"]
    return SideBySide(
        {name: values["click_anyway"].value(name) for name in NAMES},
        {name: values["incremental"].value(name) for name in NAMES},
        {name: gap.value(name) for name in NAMES},
        {name: gap.error(name) for name in NAMES},
        float(what_recommending_adds(slates).mean()),
    )


def reranked(slates: Slates) -> SideBySide:
    """The logged slates in the order of what is clicked anyway, and in that of what a recommendation changes.

    All slots change at once, and the items stay: so whoever meets what without a recommendation stays, and given not
    shown, own and organic, and total are those of the whole slate, a slot.
    """
    found: dict[str, dict[str, float]] = {}
    for policy, by in (("click_anyway", slates.organic_click), ("incremental", slates.shown_click(0))):
        value = by if policy == "click_anyway" else by - slates.organic_click
        order = np.argsort(-np.take_along_axis(value, slates.slate, axis=1), axis=1)
        slate = np.take_along_axis(slates.slate, order, axis=1)
        clicked, left = expected_clicks(slates.slate_click(slate), slates.world.config)
        organic = (slates.browsed(slate) * slates.organic_click).sum(axis=1) * left / slate.shape[1]
        not_recommended = np.take_along_axis(slates.organic_click, slate, axis=1)
        own = clicked.mean(axis=1)
        met = (slates.browsed(np.sort(slate, axis=1)[:, :0]) + slates.comes_for) * slates.organic_click
        found[policy] = {
            "raw": float(own.mean()),
            "given_met": float((own - not_recommended.mean(axis=1)).mean()),
            "given_not_shown": float((own - np.take_along_axis(met, slate, axis=1).mean(axis=1)).mean()),
            "own_and_organic": float((own + organic).mean()),
            "total": float((own + organic).mean()),
        }
    first, second = found.values()
    return SideBySide(first, second, {name: first[name] - second[name] for name in NAMES}, dict.fromkeys(NAMES, 0.0))


def everything() -> dict[str, SideBySide]:
    """Each world, and re-ranking in one."""
    found = {label: side_by_side(judged_day(replace(SHOP, **dials))) for label, dials in WORLDS.items()}
    found["one slate in two orders"] = reranked(judged_day(replace(SHOP, lift_by_history=-0.35)))
    return found


def table(found: Mapping[str, SideBySide]) -> str:
    """In Markdown: click-anyway minus incremental, in clicks per 1,000 slots."""
    lines = [f"| world | {' | '.join(NAMES)} |", f"|---|{'---|' * len(NAMES)}"]
    for label, one in found.items():
        cells = [f"{1000 * one.difference[n]:+.1f}" for n in NAMES]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(found: Mapping[str, SideBySide], path: Path) -> None:
    """A bar for each world and name."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(2.5 * len(found), 3.4), sharey=True)
    for axis, (label, one) in zip(axes, found.items(), strict=True):
        gaps = [1000 * one.difference[name] for name in NAMES]
        axis.bar(range(len(NAMES)), gaps, color=["#047857" if gap > 0 else "#b45309" for gap in gaps])
        axis.axhline(0.0, color="#475569", linewidth=0.8)
        axis.set_xticks(
            range(len(NAMES)), [name.replace("_", " ") for name in NAMES], rotation=60, ha="right", fontsize=8
        )
        axis.set_title(label, fontsize=8.5)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("click-anyway minus incremental,\nclicks per 1,000 slots", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _softmax(value: Floats, temperature: float) -> Floats:
    weight = np.exp((value - value.max(axis=1, keepdims=True)) / temperature)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray((1 - EXPLORATION) * weight + EXPLORATION / value.shape[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict.side_by_side", description=__doc__)
    parser.add_argument("--picture", type=Path, help="where to draw it")
    given = parser.parse_args()
    found = everything()
    print(table(found))
    for label, one in found.items():
        ours = ", ".join(
            f"{n} {one.click_anyway[n]:.4f} / {one.incremental[n]:.4f} (+-{one.error[n]:.5f})" for n in NAMES
        )
        print(f"{label}: {ours}; the recommender adds {one.adds:.3f} a request")
    if given.picture:
        picture(found, given.picture)


if __name__ == "__main__":
    main()
