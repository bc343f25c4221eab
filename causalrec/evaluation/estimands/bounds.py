"""What can be said of outcomes that would have come anyway where they cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.policy_value import Rounds


@dataclass(frozen=True)
class Bounds:
    """Of V0, the rate of what would have happened anyway, and of the difference of two policies without it.

    Attributes:
        lower, upper: Of V0, if no recommendation keeps anybody from an outcome (monotonicity).
        difference_lower, difference_upper: Of the policy's value less V0, against the baseline's, if so.
        apart: How far V0 of the two can differ, whatever the condition: how far the policies do.
        raw: The difference of their raw rates.
    """

    lower: float
    upper: float
    difference_lower: float
    difference_upper: float
    apart: float
    raw: float

    @property
    def sign_is_known(self) -> bool:
        """Whether the difference has the sign of the raw one without any condition."""
        return abs(self.raw) > self.apart

    @property
    def words(self) -> str:
        """For people."""
        sign = (
            "so it has the sign of the raw difference"
            if self.sign_is_known
            else "which does not tell its sign; the raw difference alone would tell it beyond "
            f"{100 * self.apart:.2f} points"
        )
        return (
            f"If no recommendation keeps anybody away, between {100 * self.lower:.2f} % and {100 * self.upper:.2f} % "
            f"would have happened anyway, and the difference lies between {100 * self.difference_lower:+.2f} and "
            f"{100 * self.difference_upper:+.2f} points; without that condition, between 0 % and 100 %, and the "
            f"difference between {100 * (self.raw - self.apart):+.2f} and {100 * (self.raw + self.apart):+.2f} points "
            f"(raw {100 * self.raw:+.2f}), {sign}"
        )


def bounds(rounds: Rounds, base: Rounds | None) -> Bounds:
    """Worst cases of outcomes that nobody saw.

    V0(pi) = E sum_a pi(a | x) mu0(x, a) of one function mu0 in [0, 1], in [0, mu1] under monotonicity. So
    |V0(pi) - V0(pi')| <= E sum_a |pi - pi'| / 2 = E|w - w'| / 2, and under monotonicity
    -E[(w' - w)+ r] <= (V1 - V0)(pi) - (V1 - V0)(pi') <= E[(w - w')+ r].

    Args:
        rounds: The policy's, with rewards of 0 or 1.
        base: Of what it is held against, the same rounds; None: the logging policy.

    Returns:
        Means of the rounds: without an interval of their own.

    Source:
        Manski (1990), American Economic Review 80(2): no-assumption bounds; Manski (1997), Econometrica 65(6):
        monotone response.
    """
    against: Floats = np.ones(len(rounds.weight)) if base is None else base.weight
    gained, lost = np.maximum(rounds.weight - against, 0.0), np.maximum(against - rounds.weight, 0.0)
    value = float((rounds.weight * rounds.reward).mean())
    return Bounds(
        0.0,
        min(value, 1.0),
        -float((lost * rounds.reward).mean()),
        float((gained * rounds.reward).mean()),
        float((gained + lost).mean()) / 2,
        value - float((against * rounds.reward).mean()),
    )
