"""What was estimated beside what is true. Only the demo and the tests read this: no asset sees the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.simulator.world import World, WorldConfig

Floats = npt.NDArray[np.float64]


def load_world(truth: Path) -> World:
    """The world that wrote a truth folder."""
    return World(WorldConfig.from_json(json.loads((truth / "world.json").read_text())))


def true_effects(truth: Path, days: Sequence[date], outcomes: Sequence[str] = ("click", "purchase")) -> dict[str, float]:
    """Mean of P(Y = 1 | do(1)) - P(Y = 1 | do(0)) over all units of the days, per outcome."""
    frame = pl.read_parquet([truth / f"day={day}.parquet" for day in days])
    return {y: float((frame[f"p_{y}_1"] - frame[f"p_{y}_0"]).to_numpy().mean()) for y in outcomes}


def compare_effects(effects: pl.DataFrame, truth: Path, days: Sequence[date]) -> pl.DataFrame:
    """The naive and the causal estimate of each question beside the truth over the same units.

    Args:
        effects: The published table `effects`.
        days: The training days it was estimated on.

    Returns:
        question, naive, snips, causal, lower, upper, truth, covered.
    """
    true = true_effects(truth, days)
    rows = []
    for question in effects["question"].unique(maintain_order=True):
        by = {row["estimator"]: row for row in effects.filter(pl.col("question") == question).iter_rows(named=True)}
        causal, value = by["aipw"], true[by["aipw"]["outcome"]]
        answered = causal["estimate"] is not None
        rows.append({
            "question": question, "naive": by["naive"]["estimate"], "snips": by["snips"]["estimate"],
            "causal": causal["estimate"], "lower": causal["lower"], "upper": causal["upper"], "truth": value,
            "covered": causal["lower"] <= value <= causal["upper"] if answered else None,
        })
    return pl.DataFrame(rows)


def true_slot_values(
    world: World, user: npt.NDArray[np.int64], hour: npt.NDArray[np.int64], mobile: npt.NDArray[np.int64],
    position: npt.NDArray[np.int64], user_category_rate: Floats, probabilities: Floats,
) -> tuple[float, float]:
    """The exact mean P(click) and P(purchase) of a policy over slots.

    Args:
        user, hour, mobile, position: Of each slot, (slots,).
        user_category_rate: (slots, categories), as of the end of the day before.
        probabilities: The policy's action probabilities, (slots, items), rows sum to 1.
    """
    items = np.arange(world.config.items)[None, :]
    rate = user_category_rate[:, world.catalogue.category]
    p_click, p_buy = world.probabilities(
        user[:, None], items, 1, hour[:, None], mobile[:, None], position[:, None], rate
    )
    return float((probabilities * p_click).sum(axis=1).mean()), float((probabilities * p_buy).sum(axis=1).mean())
