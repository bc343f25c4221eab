"""The objective: E[L(Y | U, I)] + lambda E[R(Y | U, I)], from `data/objective.yaml`.

L = log P(S = 1 | do(recommend i), u), the satisfaction at the satisfying outcome S. R = sum over outcomes y of
a_y(i) P(Y = y | do(recommend i), u), the revenue, where a_y(i) is the money that the outcome y of item i brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from causalrec_assets.answers import InputError

Floats = npt.NDArray[np.float64]
SATISFYING = ("click", "purchase")


@dataclass(frozen=True)
class Objective:
    """What to maximise.

    Attributes:
        satisfying: The outcome S.
        weight: lambda, in nats per unit of currency.
        margin: Share of an item's price that a purchase brings.
    """

    satisfying: str
    weight: float
    margin: float

    def satisfaction(self, click: Floats, purchase: Floats | None) -> Floats:
        """L, in nats, at most 0."""
        if self.satisfying == "click":
            return np.log(click)
        if purchase is None:
            raise InputError("objective.yaml: `satisfying: purchase`, but the source logs no purchases; use click")
        return np.log(purchase)

    def revenue(self, purchase: Floats | None, price: Floats | None) -> Floats | None:
        """R, in units of currency per recommendation; None where the source has no purchase or no price."""
        return None if purchase is None or price is None else self.margin * price * purchase

    def value(self, satisfaction: Floats, revenue: Floats | None) -> Floats:
        """L + lambda R; L alone where revenue is not available."""
        return satisfaction if revenue is None else satisfaction + self.weight * revenue


def parse_objective(settings: Mapping[str, Any]) -> Objective:
    """Read `data/objective.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    if set(settings) != {"satisfying", "lambda", "margin"}:
        raise InputError(f"objective.yaml: needs exactly satisfying, lambda and margin, got {sorted(settings)}")
    if settings["satisfying"] not in SATISFYING:
        raise InputError(f"objective.yaml: `satisfying` must be one of {SATISFYING}, got {settings['satisfying']!r}")
    try:
        weight, margin = float(settings["lambda"]), float(settings["margin"])
    except (TypeError, ValueError) as error:
        raise InputError(f"objective.yaml: {error}") from error
    if weight < 0 or not 0 <= margin <= 1:
        raise InputError(f"objective.yaml: lambda must be at least 0 and margin in [0, 1], got {weight} and {margin}")
    return Objective(str(settings["satisfying"]), weight, margin)
