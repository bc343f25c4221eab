"""What a look is shown: the difference that decides, and the revenue beside it."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.answers import ANSWERED, Answer


@dataclass(frozen=True)
class Difference:
    """The challenger's value minus the champion's in one metric, per judged slot.

    Attributes:
        value, std_error: By the estimator that decides.
        degrees: Degrees of freedom of the standard error.
        base: The champion's own value of the metric in its slots, which shares are of.
        rounds: Judged slots.
    """

    value: float
    std_error: float
    degrees: float
    base: float
    rounds: int


@dataclass(frozen=True)
class Evidence:
    """What is known at a look.

    Attributes:
        satisfaction: None where there is no estimate.
        revenue: None where there is no revenue, or no estimate of it.
        trusted: Whether the weights, the outcomes and the clusters carry a decision about it; if not, why.
        revenue_trusted: The same of the revenue; `not_available` where the source has none, which asks nothing.
    """

    satisfaction: Difference | None
    trusted: Answer
    revenue: Difference | None = None
    revenue_trusted: Answer = ANSWERED
