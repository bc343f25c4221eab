"""The objective: E[L(Y | U, I)] + lambda E[R(Y | U, I)], from `data/objective.yaml`.

L = log P(S = 1 | do(recommend i), u), the satisfaction at the satisfying outcome S. R = sum over outcomes y of
a_y(i) P(Y = y | do(recommend i), u), the revenue, where a_y(i) is the money that the outcome y of item i brings. Which
share of a price that is, only the people of a shop know: until they state it there is no R, and no money decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from causalrec.answers import InputError
from causalrec.arrays import Floats

SATISFYING = ("click", "purchase")


@dataclass(frozen=True)
class Objective:
    """What to maximise.

    Attributes:
        satisfying: The outcome S.
        weight: lambda, in nats per unit of currency; None: nobody has said what money is worth, items rank by L alone.
        margin: Share of an item's price that a purchase brings; None: nobody has stated it, and there is no R.
    """

    satisfying: str
    weight: float | None
    margin: float | None

    def satisfaction(self, click: Floats, purchase: Floats | None) -> Floats:
        """L, in nats, at most 0."""
        if self.satisfying == "click":
            return np.log(click)
        if purchase is None:
            raise InputError("objective.yaml: `satisfying: purchase`, but the source logs no purchases; use click")
        return np.log(purchase)

    def revenue(self, purchase: Floats | None, price: Floats | None) -> Floats | None:
        """R, in units of currency per recommendation; None without a stated margin, a purchase or a price."""
        return None if purchase is None or price is None or self.margin is None else self.margin * price * purchase

    def value(self, satisfaction: Floats, revenue: Floats | None) -> Floats:
        """L + lambda R; L alone where revenue is not available, or lambda not stated."""
        return satisfaction if revenue is None or self.weight is None else satisfaction + self.weight * revenue

    def to_json(self) -> dict[str, Any]:
        """As `parse_objective` reads it."""
        return {"satisfying": self.satisfying, "lambda": self.weight, "margin": self.margin}


def parse_objective(settings: Mapping[str, Any]) -> Objective:
    """Read `data/objective.yaml` (or a bundle's copy of it).

    Raises:
        InputError: A missing or unknown key, a value out of its range, or a lambda without the margin that it needs.
    """
    if unknown := sorted(map(str, set(settings) - {"satisfying", "lambda", "margin"})):
        raise InputError(f"objective.yaml: unknown {unknown}; known are satisfying, lambda and margin")
    satisfying = settings.get("satisfying")
    if satisfying not in SATISFYING:
        raise InputError(f"objective.yaml: `satisfying` must be one of {SATISFYING}, got {satisfying!r}")
    weight = _number(settings, "lambda", "at least 0 (or left out)", math.inf)
    margin = _number(settings, "margin", "from 0 to 1 (or left out)", 1.0)
    if weight and margin is None:
        raise InputError(
            f"objective.yaml: `lambda: {weight:g}` weighs revenue, and without a `margin` there is none; state the "
            "margin, or leave lambda out"
        )
    return Objective(str(satisfying), weight, margin)


def _number(settings: Mapping[str, Any], key: str, accepted: str, most: float) -> float | None:
    """A number from 0 to `most`; None where it is not stated."""
    value = settings.get(key)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and 0 <= value <= most)
    ):
        raise InputError(f"objective.yaml: `{key}` must be a number {accepted}, got {value!r}")
    return float(value)
