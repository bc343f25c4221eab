"""What it would take for an unmeasured confounder to explain an effect away."""

from __future__ import annotations

import math


def e_value(risk_ratio: float) -> float:
    """The least strength that a confounder needs, with treatment and outcome, to explain a risk ratio away.

    RR + sqrt(RR (RR - 1)), of 1 / RR when RR < 1

    Args:
        risk_ratio: RR, positive and finite.

    Returns:
        A strength on the risk-ratio scale, at least 1; 1 means that no confounder is needed.

    Raises:
        ValueError: The ratio is not positive and finite.

    Source:
        VanderWeele and Ding (2017), Annals of Internal Medicine 167(4), the e-value's formula, from the
        bound of Ding and VanderWeele (2016), Epidemiology 27(3).

    Not for:
        Bias of another kind (selection, a mediator adjusted for); and a large value is no proof of an effect.
    """
    if not (risk_ratio > 0 and math.isfinite(risk_ratio)):
        raise ValueError(f"a risk ratio is positive and finite, got {risk_ratio}")
    ratio = risk_ratio if risk_ratio >= 1 else 1 / risk_ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


def e_value_of_limit(risk_ratio: float, limit: float) -> float:
    """The e-value of the interval's limit next to 1: the strength at which the interval would reach 1.

    e_value(limit), or 1 when the interval holds 1 already

    Args:
        risk_ratio: The point estimate, positive and finite.
        limit: The interval's limit on the side of 1: the lower one of a ratio above 1, the upper one of a
            ratio below. A lower limit may be 0 or negative, as a linear interval's can; it is then beyond 1.

    Returns:
        A strength on the risk-ratio scale, at least 1.

    Raises:
        ValueError: The ratio is not positive and finite, or the limit is not finite.

    Source:
        VanderWeele and Ding (2017), Annals of Internal Medicine 167(4), section on confidence intervals.

    Not for:
        The limit away from 1.
    """
    if not (risk_ratio > 0 and math.isfinite(risk_ratio) and math.isfinite(limit)):
        raise ValueError(f"a risk ratio is positive and finite, got {risk_ratio} with the limit {limit}")
    crossed = limit <= 1 if risk_ratio >= 1 else limit >= 1
    return 1.0 if crossed else e_value(limit)
