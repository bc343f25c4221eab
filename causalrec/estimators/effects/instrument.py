"""The effect among compliers: what an instrument changes about the outcome, over what about the treatment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from causalrec.arrays import Codes
from causalrec.estimators.intervals import Estimate, from_influence

WEAK = 10.0
"""Below this F statistic an instrument is called weak."""


class WeakInstrument(ValueError):
    """The instrument's effect on the treatment cannot be told from 0: the ratio may be anything."""


def complier_effect(on_outcome: Estimate, on_treatment: Estimate, clusters: Codes, level: float = 0.95) -> Estimate:
    """The ratio of two effects of an instrument: the local average effect of the treatment.

    r = effect of Z on Y / effect of Z on T

    with the limits at which `effect on Y - r effect on T` would be told from 0: the roots of

        (a - r b)^2 = q^2 (Var a - 2 r Cov(a, b) + r^2 Var b)

    They need not lie evenly about r, and they hold where the usual r -+ q se does not: with a treatment that the
    instrument moves little.

    Args:
        on_outcome: The effect a of the instrument on the outcome, e.g. by `aipw_effect` given the covariates.
        on_treatment: Its effect b on the treatment, on the same rows.
        clusters: (n,) codes of those rows.
        level: Of the interval, in (0, 1).

    Returns:
        The estimate, in units of the outcome, with Fieller's limits; `std_error` and `influence` are those of the
        linearised ratio.

    Raises:
        WeakInstrument: The instrument's effect on the treatment cannot be told from 0 at this level.
        ValueError: The two were made from different numbers of rows.
        TooFewClusters: Fewer than two clusters.

    Source:
        Tan (2006), JASA 101(476), and Frölich (2007), J. Econometrics 139(1): the ratio of two effects given
        covariates, each doubly robust. Fieller (1954), JRSS-B 16(2): the limits.

    Not for:
        All units: it is the effect among those whose treatment the instrument decides, and only if it never moves a
        unit the other way. Nor for an instrument with an effect of its own on the outcome.
    """
    from scipy.special import stdtrit

    if on_outcome.rows != on_treatment.rows:
        raise ValueError(f"a ratio needs the same rows, got {on_outcome.rows} and {on_treatment.rows}")
    a, b = on_outcome.value, on_treatment.value
    groups = len(np.unique(clusters))
    q2 = float(stdtrit(groups - 1, 0.5 + level / 2)) ** 2
    var_a, var_b = on_outcome.std_error**2, on_treatment.std_error**2
    lead = b * b - q2 * var_b
    if lead <= 0:
        raise WeakInstrument(
            f"the instrument moves the treatment by {b:+.4f} with a standard error of {on_treatment.std_error:.4f}"
        )
    both = from_influence(a + b, on_outcome.influence + on_treatment.influence, clusters, level)
    covariance = (both.std_error**2 - var_a - var_b) / 2
    middle = a * b - q2 * covariance
    # Where `lead` is positive the roots are real: at r = a / b the left side is 0.
    spread = float(np.sqrt(max(middle * middle - lead * (a * a - q2 * var_a), 0.0)))
    ratio = a / b
    linear = from_influence(ratio, (on_outcome.influence - ratio * on_treatment.influence) / b, clusters, level)
    return replace(linear, lower=(middle - spread) / lead, upper=(middle + spread) / lead)


def strength(on_treatment: Estimate) -> float:
    """How strongly an instrument moves the treatment: the F statistic of its effect.

    (effect / standard error)^2

    Args:
        on_treatment: The effect of the instrument on the treatment.

    Returns:
        A number, not negative; infinite where the effect has no error. Below 10 an instrument is weak.

    Raises:
        Nothing.

    Source:
        Staiger and Stock (1997), Econometrica 65(3), for the 10; clustered as in Andrews, Stock and Sun (2019), Annual
        Review of Economics 11.

    Not for:
        Whether the instrument is one: a strong column may well act on the outcome by itself.
    """
    if on_treatment.std_error == 0:
        return float("inf") if on_treatment.value else 0.0
    return (on_treatment.value / on_treatment.std_error) ** 2
