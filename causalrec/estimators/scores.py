"""How good predicted probabilities are."""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats


def log_loss(outcome: Floats, probability: Floats) -> float:
    """The mean negative log likelihood of observed 0/1 outcomes; lower is better.

    -mean[ y log p + (1 - y) log(1 - p) ]

    Args:
        outcome: y, (n,), 0 or 1, n >= 1.
        probability: p, (n,), in (0, 1).

    Returns:
        Nats a row.

    Raises:
        ValueError: There is no row, lengths differ, an outcome is not 0 or 1, or a probability is not in
            (0, 1).

    Source:
        Good (1952), JRSS-B 14(1), the logarithmic score.

    Not for:
        Comparing models on different rows: it depends on the outcome's rate. Set it beside the constant's.
    """
    y, p = _checked(outcome, probability)
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("probabilities must lie in (0, 1)")
    return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())


def calibration_error(outcome: Floats, probability: Floats, bins: int = 10) -> float:
    """The mean absolute gap between predicted and observed shares over equally filled bins (ECE).

    sum over bins of (rows in bin / n) * | mean p in bin - mean y in bin |

    Args:
        outcome: y, (n,), 0 or 1, n >= 1.
        probability: p, (n,), in [0, 1].
        bins: At most so many; equal predictions share a bin.

    Returns:
        A probability, in [0, 1]; 0 is perfect.

    Raises:
        ValueError: See `calibration_curve`.

    Source:
        Naeini, Cooper and Hauskrecht (2015), AAAI, the expected calibration error, with equally filled bins.

    Not for:
        Few rows: noise alone gives a gap of about sqrt(bins p (1 - p) / n).
    """
    return float(sum(share * abs(p - y) for p, y, share in calibration_curve(outcome, probability, bins)))


def calibration_curve(outcome: Floats, probability: Floats, bins: int = 10) -> list[tuple[float, float, float]]:
    """Predicted against observed shares over equally filled bins, from the lowest predictions to the highest.

    Args:
        outcome: y, (n,), 0 or 1, n >= 1.
        probability: p, (n,), in [0, 1].
        bins: At most so many, at least 1; equal predictions share a bin.

    Returns:
        (mean predicted, mean observed, share of all rows) of each bin; the shares sum to 1.

    Raises:
        ValueError: There is no row, lengths differ, an outcome is not 0 or 1, a prediction is not in [0, 1],
            or there is no bin.

    Source:
        See `calibration_error`.

    Not for:
        Discrimination: a constant prediction is perfectly calibrated.
    """
    y, p = _checked(outcome, probability)
    if bins < 1:
        raise ValueError(f"a calibration curve needs at least one bin, got {bins}")
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    code = np.searchsorted(cuts, p, side="right")
    curve = []
    for k in np.unique(code):
        rows = code == k
        curve.append((float(p[rows].mean()), float(y[rows].mean()), float(rows.mean())))
    return curve


def _checked(outcome: Floats, probability: Floats) -> tuple[Floats, Floats]:
    y, p = np.asarray(outcome, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if y.size == 0:
        raise ValueError("a score needs at least one row")
    if y.ndim != 1 or y.shape != p.shape:
        raise ValueError(f"outcomes of shape {y.shape} but probabilities of shape {p.shape}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("outcomes are 0 or 1; leave rows out whose outcome was not seen")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]; one is outside, or NaN")
    return y, p
