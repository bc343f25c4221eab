"""The effect of a binary treatment: naive, inverse-propensity weighted, and doubly robust."""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate, from_influence


def naive_difference(outcome: Floats, treatment: Floats, clusters: Codes) -> Estimate:
    """The difference of the arms' mean outcomes: correlation, shown beside every effect.

    mean(Y | T = 1) - mean(Y | T = 0)

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome.

    Raises:
        ValueError: An arm is empty, lengths differ, or an outcome is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Neyman (1923), translated in Statistical Science 5(4) (1990); the interval as in `from_influence`.

    Not for:
        Deciding anything, unless the treatment was assigned at random.
    """
    y, t = _checked(outcome, treatment)
    share = t.mean()
    one, zero = y[t == 1].mean(), y[t == 0].mean()
    influence = t * (y - one) / share - (1 - t) * (y - zero) / (1 - share)
    return from_influence(float(one - zero), influence, clusters)


def snips_effect(outcome: Floats, treatment: Floats, propensity: Floats, clusters: Codes) -> Estimate:
    """The effect by self-normalised inverse-propensity weights (Hajek's estimator in each arm).

    sum(T Y / e) / sum(T / e) - sum((1 - T) Y / (1 - e)) / sum((1 - T) / (1 - e))

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        propensity: e, (n,), treatment propensities P(T = 1 | x), in (0, 1).
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome. The interval takes the propensities as known.

    Raises:
        ValueError: An arm is empty, lengths differ, an outcome is not finite, or a propensity is not in
            (0, 1).
        TooFewClusters: Fewer than two clusters.

    Source:
        Hajek (1971), comment in "Foundations of Statistical Inference"; as an estimator of effects, Lunceford
        and Davidian (2004), Statistics in Medicine 23(19), their IPW2.

    Not for:
        Poor overlap: a few rows then carry the estimate.
    """
    y, t = _checked(outcome, treatment)
    e = _checked_propensity(propensity, len(y))
    w1, w0 = t / e, (1 - t) / (1 - e)
    one, zero = (w1 * y).sum() / w1.sum(), (w0 * y).sum() / w0.sum()
    influence = w1 * (y - one) / w1.mean() - w0 * (y - zero) / w0.mean()
    return from_influence(float(one - zero), influence, clusters)


def aipw_effect(
    outcome: Floats,
    treatment: Floats,
    propensity: Floats,
    if_treated: Floats,
    if_not: Floats,
    clusters: Codes,
) -> Estimate:
    """The augmented inverse-propensity (doubly robust) effect: right when propensities or outcome models are.

    mean[ m1 - m0 + T (Y - m1) / e - (1 - T) (Y - m0) / (1 - e) ]

    Args:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        propensity: e, (n,), P(T = 1 | x), in (0, 1), cross-fitted.
        if_treated, if_not: m1(x) = E[Y | T = 1, x] and m0(x) = E[Y | T = 0, x], (n,), finite, cross-fitted.
        clusters: (n,) codes.

    Returns:
        A difference, in the units of the outcome.

    Raises:
        ValueError: An arm is empty, a propensity is not in (0, 1), lengths differ, or a value is not finite.
        TooFewClusters: Fewer than two clusters.

    Source:
        Robins, Rotnitzky and Zhao (1994), JASA 89(427); with cross-fitting, Chernozhukov et al. (2018),
        Econometrics Journal 21(1), section 5.1, eq. 5.3.

    Not for:
        A confounder that is not in x: both nuisances are then wrong, and so is the interval.
    """
    y, t = _checked(outcome, treatment)
    e = _checked_propensity(propensity, len(y))
    m1, m0 = np.asarray(if_treated, dtype=np.float64), np.asarray(if_not, dtype=np.float64)
    if not m1.shape == m0.shape == y.shape:
        raise ValueError(f"{len(y)} outcomes but predictions of shape {m1.shape} and {m0.shape}")
    score = m1 - m0 + t * (y - m1) / e - (1 - t) * (y - m0) / (1 - e)
    value = float(score.mean())
    return from_influence(value, score - value, clusters)


def _checked(outcome: Floats, treatment: Floats) -> tuple[Floats, Floats]:
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


def _checked_propensity(propensity: Floats, rows: int) -> Floats:
    e = np.asarray(propensity, dtype=np.float64)
    if e.shape != (rows,):
        raise ValueError(f"{rows} outcomes but propensities of shape {e.shape}")
    if not ((e > 0) & (e < 1)).all():
        raise ValueError("treatment propensities must lie in (0, 1): outside of it one arm is impossible")
    return e
