"""What every effect estimator refuses."""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats


def checked_arms(outcome: Floats, treatment: Floats) -> tuple[Floats, Floats]:
    """An outcome and a treatment, each (n,), as floats.

    Raises:
        ValueError: There is no unit, lengths differ, the treatment is not 0 or 1, or an arm is empty.
    """
    y, t = np.asarray(outcome, dtype=np.float64), np.asarray(treatment, dtype=np.float64)
    if y.ndim != 1 or y.shape != t.shape:
        raise ValueError(f"outcomes of shape {y.shape} but treatments of shape {t.shape}")
    if y.size == 0:
        raise ValueError("there are no units")
    if not np.isin(t, (0.0, 1.0)).all():
        raise ValueError("a binary treatment is 0 or 1")
    if t.min() == t.max():
        raise ValueError(f"every unit has the treatment {int(t[0])}: there is nothing to compare with")
    return y, t


def checked_propensity(propensity: Floats, rows: int) -> Floats:
    """Treatment propensities, (rows,), as floats.

    Raises:
        ValueError: There are more or fewer of them, or one is not in (0, 1).
    """
    e = np.asarray(propensity, dtype=np.float64)
    if e.shape != (rows,):
        raise ValueError(f"{rows} outcomes but propensities of shape {e.shape}")
    if not ((e > 0) & (e < 1)).all():
        raise ValueError("treatment propensities must lie in (0, 1): outside of it one arm is impossible")
    return e
