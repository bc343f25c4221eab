"""The effect of a binary treatment: naive, inverse-propensity weighted, and doubly robust."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from causalrec_assets.estimators.intervals import Codes, Estimate, from_influence

Floats = npt.NDArray[np.float64]


def naive_difference(outcome: Floats, treatment: Floats, clusters: Codes) -> Estimate:
    """The difference of the arms' mean outcomes: correlation, shown beside every effect.

    mean(Y | T = 1) - mean(Y | T = 0)

    Args:
        outcome: (n,) observed outcomes.
        treatment: (n,) 0 or 1.
        clusters: (n,) codes.

    Raises:
        ValueError: An arm is empty.

    Not for:
        Deciding anything, unless the treatment was assigned at random.
    """
    t = _arms(treatment)
    share = t.mean()
    one, zero = outcome[t == 1].mean(), outcome[t == 0].mean()
    influence = t * (outcome - one) / share - (1 - t) * (outcome - zero) / (1 - share)
    return from_influence(float(one - zero), influence, clusters)


def snips_effect(outcome: Floats, treatment: Floats, propensity: Floats, clusters: Codes) -> Estimate:
    """The self-normalised inverse-propensity effect.

    sum(T Y / e) / sum(T / e) - sum((1-T) Y / (1-e)) / sum((1-T) / (1-e))

    Args:
        propensity: (n,) treatment propensities P(T = 1 | x), in (0, 1).

    Raises:
        ValueError: An arm is empty, or a propensity is not in (0, 1).

    Source:
        Hajek (1971); as an estimator of effects, Hirano, Imbens and Ridder (2003), Econometrica 71(4), eq. 5.

    Not for:
        Poor overlap: a few rows then carry the estimate.
    """
    t = _arms(treatment)
    _check_propensity(propensity)
    w1, w0 = t / propensity, (1 - t) / (1 - propensity)
    one, zero = (w1 * outcome).sum() / w1.sum(), (w0 * outcome).sum() / w0.sum()
    influence = w1 * (outcome - one) / w1.mean() - w0 * (outcome - zero) / w0.mean()
    return from_influence(float(one - zero), influence, clusters)


def aipw_effect(
    outcome: Floats, treatment: Floats, propensity: Floats, if_treated: Floats, if_not: Floats, clusters: Codes
) -> Estimate:
    """The augmented inverse-propensity (doubly robust) effect.

    mean[ m1 - m0 + T (Y - m1) / e - (1 - T) (Y - m0) / (1 - e) ]

    Args:
        propensity: (n,) P(T = 1 | x), in (0, 1), cross-fitted.
        if_treated, if_not: (n,) m1(x) = E[Y | T = 1, x] and m0(x), cross-fitted.

    Raises:
        ValueError: An arm is empty, or a propensity is not in (0, 1).

    Source:
        Robins, Rotnitzky and Zhao (1994), JASA 89; with cross-fitting, Chernozhukov et al. (2018), Econometrics J. 21,
        section 5.1.

    Not for:
        A confounder that is not in x: both nuisances are then wrong, and so is the interval.
    """
    t = _arms(treatment)
    _check_propensity(propensity)
    score = if_treated - if_not + t * (outcome - if_treated) / propensity - (1 - t) * (outcome - if_not) / (1 - propensity)
    value = float(score.mean())
    return from_influence(value, score - value, clusters)


def _arms(treatment: Floats) -> Floats:
    t = np.asarray(treatment, dtype=np.float64)
    if not np.isin(t, (0.0, 1.0)).all():
        raise ValueError("a binary treatment is 0 or 1")
    if t.min() == t.max():
        raise ValueError(f"every unit has the treatment {int(t[0])}: there is nothing to compare with")
    return t


def _check_propensity(propensity: Floats) -> None:
    if not ((propensity > 0) & (propensity < 1)).all():
        raise ValueError("treatment propensities must lie in (0, 1): outside of it one arm is impossible")
