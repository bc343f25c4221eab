"""One-sided bounds of looks at a growing sample, by recursive numerical integration.

The statistics of the looks are jointly normal with E[Z_k] = theta sqrt(I_k) and Corr(Z_i, Z_j) = sqrt(I_i / I_j), where
I_k = 1 / se_k^2 is the information at look k (Jennison and Turnbull 2000, "Group Sequential Methods", section 3.1). The
density of Z_k among the samples that have crossed no bound before is carried from look to look (Armitage, McPherson and
Rowe 1969, JRSS A 132(2); Jennison and Turnbull 2000, chapter 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from causalrec.arrays import Floats

NODES = 160
"""Of the Gauss-Legendre quadrature: bounds are exact to 1e-6 where the information grows by 5 % or more a look."""
REACH = 8.5
"""How many standard deviations from its mean a statistic is followed."""
LEAST_GROWTH = 1.02
"""Information that did not grow (a standard error that was estimated larger than before) is taken to have grown by this
factor: looks so close to each other say nearly the same."""


@dataclass(frozen=True)
class Alive:
    """The samples that have crossed no bound yet: the sub-density of Z_k at nodes, with the quadrature's weights.

    Attributes:
        z: (nodes,).
        mass: (nodes,), density times quadrature weight; its sum is the probability of being alive.
        information: I_k.
    """

    z: Floats
    mass: Floats
    information: float


def growing(information: Sequence[float] | Floats) -> Floats:
    """Information that grows from look to look by at least `LEAST_GROWTH`, (looks,).

    Raises:
        ValueError: Some is not positive and finite, or there is no look.
    """
    out = np.array(information, dtype=np.float64)
    if out.ndim != 1 or not len(out) or not np.isfinite(out).all() or (out <= 0).any():
        raise ValueError(f"information must be positive and finite, one number a look, got {list(information)}")
    for k in range(1, len(out)):
        out[k] = max(out[k], LEAST_GROWTH * out[k - 1])
    return out


def bounds(information: Sequence[float], errors: Sequence[float]) -> Floats:
    """The bounds b_1, b_2, ... at which P(Z_k >= b_k, and no bound crossed before) is each look's error, under no gain.

    Args:
        information: I_k of each look.
        errors: The one-sided error that each look spends, >= 0; a look that spends none cannot cross, and its bound is
            infinite. A look whose evidence is not trusted is such a one: what it would have spent is forfeited.

    Returns:
        (looks,) in standard errors. A bound never depends on a later look.

    Raises:
        ValueError: Lengths differ, an error is negative, or together they reach 1.

    Source:
        Slud and Wei (1982), JASA 77(380), whose errors are fixed per look; Lan and DeMets (1983), Biometrika 70(3), for
        bounds that follow the observed information.

    Not for:
        Errors that depend on what earlier looks showed: the calendar alone decides them.
    """
    info = growing(information)
    if len(errors) != len(info) or min(errors) < 0 or sum(errors) >= 1:
        raise ValueError(f"errors must be one a look, not negative, and below 1 together, got {list(errors)}")
    out, alive = np.empty(len(info)), None
    for k, error in enumerate(errors):
        out[k] = np.inf if error == 0 else _solve(alive, info[k], error)
        alive = carry(alive, info[k], out[k], 0.0)
    return out


def crossing_probabilities(
    information: Sequence[float], limits: Floats, drift: float, floors: Floats | None = None
) -> Floats:
    """P(Z_k >= b_k, and no bound crossed before) at a true gain, (looks,).

    Args:
        limits: The bounds, (looks,).
        drift: theta, the true gain, in the units whose information is given.
        floors: Statistics below which a look gives up, (looks,), each at least 1 below its bound; -inf: it never does.
    """
    info, out, alive = growing(information), np.empty(len(limits)), None
    for k, limit in enumerate(limits):
        out[k] = beyond(alive, info[k], limit, drift)
        alive = carry(alive, info[k], limit, drift, -np.inf if floors is None else float(floors[k]))
    return out


def beyond(alive: Alive | None, information: float, limit: float, drift: float) -> float:
    """P(Z_k >= limit, and alive after look k - 1).

    Args:
        alive: After look k - 1; None: this is the first look.
    """
    from scipy.special import ndtr

    if alive is None:
        return float(ndtr(drift * np.sqrt(information) - limit))
    step = information - alive.information
    mean = (alive.z * np.sqrt(alive.information) + drift * step) / np.sqrt(information)
    return float(alive.mass @ ndtr((mean - limit) / np.sqrt(step / information)))


def carry(alive: Alive | None, information: float, limit: float, drift: float, floor: float = -np.inf) -> Alive:
    """Those who are alive after look k, whose bound is `limit`, and who did not give up below `floor`."""
    centre = drift * np.sqrt(information)
    low, high = max(centre - REACH, floor), min(limit, centre + REACH)
    low = min(low, high - 1.0)
    nodes, weights = _quadrature()
    z = 0.5 * (high - low) * nodes + 0.5 * (high + low)
    weights = 0.5 * (high - low) * weights
    if alive is None:
        density = np.exp(-0.5 * (z - centre) ** 2) / np.sqrt(2 * np.pi)
    else:
        step = information - alive.information
        spread = np.sqrt(step / information)
        mean = (alive.z * np.sqrt(alive.information) + drift * step) / np.sqrt(information)
        kernel = np.exp(-0.5 * ((z[:, None] - mean[None, :]) / spread) ** 2) / (np.sqrt(2 * np.pi) * spread)
        density = kernel @ alive.mass
    return Alive(z, density * weights, float(information))


@cache
def _quadrature() -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(NODES)


def _solve(alive: Alive | None, information: float, error: float) -> float:
    from scipy.optimize import brentq

    living = 1.0 if alive is None else float(alive.mass.sum())
    if error >= living:
        raise ValueError(f"a look is to spend {error:g}, and only {living:g} of the samples have crossed no bound yet")
    return float(brentq(lambda b: beyond(alive, information, b, 0.0) - error, -REACH, REACH, xtol=1e-10))
