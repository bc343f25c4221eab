"""A structural causal model over exactly the columns of `units`: a known graph without latent causes.

It is for testing discovery and adjustment without a log stage: any number of rows of mixed types, any seed, and
what comes of do(recommended = 0) or do(recommended = 1). The full simulator has latent tastes and qualities; here
every cause is a column, so that the graph can be found from the columns.

Each column has a score: a number of about mean 0 and variance 1 that is a function of its value. A column is drawn
from the weighted sum of its causes' scores and a noise of its own, by its kind. Each column's noise has a generator
of its own, so that an intervention changes nothing but what it causes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.arrays import Floats

Column = npt.NDArray[Any]
Kind = Literal["levels", "money", "count", "rate", "arm", "slot", "outcome", "paid"]

SLOTS = 5


@dataclass(frozen=True)
class Node:
    """How a column comes about.

    Attributes:
        kind: levels (one of a few values; with causes, one of two), money, count and rate (log-normal, whole
            log-normal and logistic-normal), arm (0 or 1), slot (1 to 5 where recommended, else null), outcome (0 or
            1), paid (price where purchased).
        causes: Their weights, on scores.
        centre, spread: Of the log (of 1 + a count, of the odds of a rate); the logit of an arm's or an outcome's
            probability where all scores are 0.
        levels: The values of `levels`.
        needs: The outcome without which this one is 0.
    """

    kind: Kind
    causes: Mapping[str, float] = field(default_factory=dict)
    centre: float = 0.0
    spread: float = 1.0
    levels: tuple[str | int, ...] = ()
    needs: str | None = None


CATEGORIES = ("audio", "bath", "clothing", "garden", "kitchen", "office", "reading", "sport", "toys", "travel")

# In an order in which causes come first. A further column of `units` gets a line here, and a weight wherever it is a
# cause.
NODES: dict[str, Node] = {
    "month": Node("levels", levels=tuple(range(1, 13))),
    "hour": Node("levels", levels=tuple(range(24))),
    "weekday": Node("levels", levels=tuple(range(1, 8))),
    "device": Node("levels", {"hour": 0.5}, levels=("desktop", "mobile")),
    "category": Node("levels", levels=CATEGORIES),
    "age_group": Node("levels", levels=("18-29", "30-44", "45-59", "60+")),
    "region": Node("levels", levels=("east", "north", "south", "west")),
    "price": Node("money", {"category": 0.6}, 3.0, 0.6),
    "item_age_days": Node("count", {}, 5.5, 0.8),
    "user_tenure_days": Node("count", {}, 3.0, 0.9),
    "user_exposures": Node("count", {"user_tenure_days": 0.6}, 4.0, 0.8),
    "user_clicks": Node("count", {"user_exposures": 0.7}, 2.0, 0.9),
    "user_purchases": Node("count", {"user_clicks": 0.6}, 1.0, 0.8),
    "user_recency_days": Node("count", {"user_exposures": -0.5}, 1.5, 0.7),
    "user_category_click_rate": Node("rate", {"user_clicks": 0.4, "category": -0.4}, -2.2, 0.7),
    "item_exposures": Node("count", {"item_age_days": 0.4, "price": -0.4}, 6.0, 0.7),
    "item_click_rate": Node("rate", {"item_exposures": 0.4, "price": -0.4}, -2.2, 0.5),
    "item_purchase_rate": Node("rate", {"item_click_rate": 0.5, "price": -0.3}, -3.5, 0.5),
    "item_price_change": Node("rate", {"price": 0.4}, -2.0, 0.5),
    "recommended": Node("arm", {"user_category_click_rate": 0.7, "item_click_rate": 0.5, "price": -0.5}, 0.0),
    "position": Node("slot", {"recommended": 1.0}),
    "click": Node(
        "outcome",
        {
            "hour": 0.3,
            "device": -0.3,
            "price": -0.4,
            "user_category_click_rate": 0.6,
            "item_click_rate": 0.5,
            "recommended": 0.5,
            "position": 0.3,
        },
        -1.9,
    ),
    "purchase": Node("outcome", {"price": -0.5, "recommended": 0.3}, -0.8, needs="click"),
    "revenue": Node("paid", {"purchase": 1.0, "price": 1.0}),
}

COLUMNS: tuple[str, ...] = tuple(NODES)
"""The columns of `units` that stand in the graph: covariates, treatment, mediator, outcomes."""

TREATMENT, OUTCOMES = "recommended", ("click", "purchase", "revenue")


def edges() -> list[tuple[str, str]]:
    """All arrows (cause, effect), sorted."""
    pairs = [(cause, effect) for effect, node in NODES.items() for cause in node.causes]
    return sorted(pairs + [(node.needs, effect) for effect, node in NODES.items() if node.needs])


def sample(rows: int, seed: int, do: int | None = None) -> pl.DataFrame:
    """Draw units.

    Args:
        do: 0 or 1 puts every unit in that arm; None: the arm is drawn. The same seed gives the same units with the
            same luck in all three.

    Returns:
        `COLUMNS`, with the types that `units` has.

    Raises:
        ValueError: `do` is another value.
    """
    if do not in (None, 0, 1):
        raise ValueError(f"do must be 0, 1 or None, got {do}")
    drawn: dict[str, Column] = {}
    for name, node in NODES.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        drawn[name] = (
            np.full(rows, do, np.int8) if name == TREATMENT and do is not None else _draw(node, drawn, rows, rng)
        )
    frame = pl.DataFrame(drawn)
    return frame.with_columns(pl.when(pl.col("position") > 0).then("position").alias("position"))


def true_effect(outcome: str, rows: int = 200_000, seed: int = 0) -> tuple[float, float]:
    """E[Y | do(recommended = 1)] - E[Y | do(recommended = 0)] and its standard error.

    The mean over drawn covariates of what is exact given them: outcomes are not drawn, slots are summed over.

    Args:
        outcome: click, purchase, or revenue (in currency units).

    Raises:
        ValueError: There is no such outcome.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}, got {outcome}")
    units: dict[str, Column] = {name: column.to_numpy() for name, column in sample(rows, seed, do=0).to_dict().items()}
    effect = _expected(units, outcome, 1) - _expected(units, outcome, 0)
    return float(effect.mean()), float(effect.std() / np.sqrt(rows))


def _expected(units: Mapping[str, Column], outcome: str, arm: int) -> Floats:
    """E[Y | do(recommended = arm), covariates] of each unit."""
    slots = range(1, SLOTS + 1) if arm else (0,)
    rows = len(units["price"])
    total: Floats = np.zeros(rows)
    for slot in slots:
        given = {**units, TREATMENT: np.full(rows, arm), "position": np.full(rows, slot)}
        p = _probability(NODES["click"], given)
        total += p if outcome == "click" else p * _probability(NODES["purchase"], given)
    total /= len(slots)
    return np.asarray(total * units["price"]) if outcome == "revenue" else total


def _draw(node: Node, drawn: Mapping[str, Column], rows: int, rng: np.random.Generator) -> Column:
    if node.kind == "levels":
        # With a cause there are two levels, and a logit; without one all levels are alike.
        u = rng.random(rows)
        chosen = u < _probability(node, drawn) if node.causes else u * len(node.levels)
        return np.array(node.levels)[chosen.astype(np.int64)]
    if node.kind == "slot":
        return np.where(drawn[TREATMENT] == 1, rng.integers(1, SLOTS + 1, rows), 0)
    if node.kind == "paid":
        return np.asarray(drawn["price"] * drawn["purchase"])
    if node.kind in ("arm", "outcome"):
        happens = rng.random(rows) < _probability(node, drawn)
        return np.asarray(happens & (drawn[node.needs] == 1) if node.needs else happens, dtype=np.int8)
    rest = np.sqrt(1.0 - sum(w**2 for w in node.causes.values()))
    value = node.centre + node.spread * (_pull(node, drawn, rows) + rest * rng.standard_normal(rows))
    if node.kind == "rate":
        return np.asarray(1.0 / (1.0 + np.exp(-value)))
    amount = np.exp(value)
    return np.asarray(np.round(amount, 2) if node.kind == "money" else np.floor(amount).astype(np.int64))


def _probability(node: Node, drawn: Mapping[str, Column]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-node.centre - _pull(node, drawn, len(next(iter(drawn.values())))))))


def _pull(node: Node, drawn: Mapping[str, Column], rows: int) -> Floats:
    pull: Floats = np.zeros(rows)
    for cause, weight in node.causes.items():
        pull += weight * _score(NODES[cause], drawn[cause])
    return pull


def _score(node: Node, value: Column) -> Floats:
    """A function of the value, so that a cause's column is all that its effects depend on."""
    if node.kind == "levels":
        # A wave over the levels: no two of a few levels have the same score, and their order says little.
        known = np.array(node.levels)
        place = np.argsort(np.argsort(known))[np.searchsorted(np.sort(known), value)]
        wave = np.sqrt(2.0) * np.sin(2.4 * place + 1.0)
        return np.asarray(wave if len(known) > 2 else 2.0 * place - 1.0, dtype=np.float64)
    if node.kind == "slot":
        # 0 in the middle slot and where there is none.
        return np.where(value > 0, (SLOTS + 1) / 2 - value, 0.0)
    if node.kind in ("arm", "outcome"):
        return np.asarray(2.0 * value - 1.0)
    if node.kind == "rate":
        return np.asarray((np.log(value / (1.0 - value)) - node.centre) / node.spread)
    amount = value if node.kind == "money" else value + 0.5
    return np.asarray((np.log(np.maximum(amount, 0.01)) - node.centre) / node.spread)
