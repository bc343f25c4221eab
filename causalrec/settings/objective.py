"""The objective: E[L(Y | U, I)] + lambda E[R(Y | U, I)], from `data/objective.yaml`.

L = log P(S = 1 | do(recommend i), u), the satisfaction at the satisfying outcome S. R = sum over outcomes y of
a_y(i) P(Y = y | do(recommend i), u), the revenue, where a_y(i) is the money that the outcome y of item i brings. Which
share of a price that is, only the people of a shop know: until they state it there is no R, and no money decides.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from causalrec.answers import InputError
from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Must

Floats = npt.NDArray[np.float64]


class Objective(Settings):
    """What to maximise.

    Attributes:
        satisfying: The outcome S.
        weight: lambda, in nats per unit of currency; None: nobody has said what money is worth, items rank by L alone.
        margin: Share of an item's price that a purchase brings; None: nobody has stated it, and there is no R.
    """

    FILE = "objective.yaml"

    satisfying: Literal["click", "purchase"]
    weight: Annotated[
        float | None, Must("a number at least 0 (or left out)", lambda value: value is None or value >= 0)
    ] = Field(None, validation_alias="lambda")
    margin: Annotated[
        float | None, Must("a number from 0 to 1 (or left out)", lambda value: value is None or 0 <= value <= 1)
    ] = None

    @model_validator(mode="after")
    def _money_is_stated_before_it_is_weighed(self) -> Self:
        if self.weight and self.margin is None:
            raise Conflict(
                "lambda",
                f"`lambda: {self.weight:g}` weighs revenue, and without a `margin` there is none; state the margin, or "
                "leave lambda out",
            )
        return self

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
        """As `parse` reads it."""
        return {"satisfying": self.satisfying, "lambda": self.weight, "margin": self.margin}
