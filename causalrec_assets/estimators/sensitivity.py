"""What it would take for an unmeasured confounder to explain an effect away."""

from __future__ import annotations

import math


def e_value(risk_ratio: float) -> float:
    """The least strength, on the risk-ratio scale, that a confounder must have with both treatment and outcome to explain
    a risk ratio away: RR + sqrt(RR (RR - 1)), of 1 / RR when RR < 1.

    Args:
        risk_ratio: Positive.

    Returns:
        At least 1; 1 means that no confounder is needed.

    Raises:
        ValueError: The ratio is not positive and finite.

    Source:
        VanderWeele and Ding (2017), Annals of Internal Medicine 167(4), eq. 1.
    """
    if not (risk_ratio > 0 and math.isfinite(risk_ratio)):
        raise ValueError(f"a risk ratio is positive, got {risk_ratio}")
    ratio = risk_ratio if risk_ratio >= 1 else 1 / risk_ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


def e_value_of_limit(risk_ratio: float, limit: float) -> float:
    """The e-value of the interval's limit next to 1: the strength at which the interval would reach 1.

    Args:
        limit: The interval's limit on the side of 1. Beyond 1, no confounder is needed and the answer is 1.
    """
    crossed = limit <= 1 if risk_ratio >= 1 else limit >= 1
    return 1.0 if crossed else e_value(limit)
