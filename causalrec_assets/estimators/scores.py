"""How good predicted probabilities are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def log_loss(outcome: Floats, probability: Floats) -> float:
    """-mean[ y log p + (1 - y) log(1 - p) ], in nats; lower is better.

    Args:
        outcome: (n,) 0 or 1.
        probability: (n,) in (0, 1).

    Raises:
        ValueError: There is no row, or a probability is not in (0, 1).
    """
    y, p = np.asarray(outcome, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if y.size == 0:
        raise ValueError("a log loss needs at least one row")
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("probabilities must lie in (0, 1)")
    return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())


def calibration_error(outcome: Floats, probability: Floats, bins: int = 10) -> float:
    """Mean absolute gap between predicted and observed shares over equally filled bins, weighted by their rows.

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI, the expected calibration error, with quantile bins.
    """
    return float(sum(weight * abs(predicted - observed) for predicted, observed, weight in
                     calibration_curve(outcome, probability, bins)))


def calibration_curve(outcome: Floats, probability: Floats, bins: int = 10) -> list[tuple[float, float, float]]:
    """(mean predicted, mean observed, share of rows) of each of at most `bins` equally filled bins."""
    y, p = np.asarray(outcome, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    code = np.searchsorted(cuts, p, side="right")
    found = []
    for k in np.unique(code):
        rows = code == k
        found.append((float(p[rows].mean()), float(y[rows].mean()), float(rows.mean())))
    return found
