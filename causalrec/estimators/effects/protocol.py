"""What an estimator of effects is, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate


class Role(StrEnum):
    """What an estimator stands for beside the others. Who reads estimates asks for a role, never for a name."""

    NAIVE = "naive"
    """Correlation: what anybody would compute without a causal graph."""
    WEIGHTED = "weighted"
    """Right where the propensities are."""
    ROBUST = "robust"
    """Right where the propensities are, or the outcome models."""


class Nuisance(StrEnum):
    """What has to be fitted before an effect can be estimated."""

    PROPENSITY = "propensity"
    OUTCOME_MODEL = "outcome_model"


@dataclass(frozen=True)
class EffectData:
    """The arrays of n units, and what was fitted on them.

    Attributes:
        outcome: Y, (n,), finite.
        treatment: T, (n,), 0 or 1, both present.
        clusters: (n,) codes.
        propensity: e(x) = P(T = 1 | x), (n,) in (0, 1), cross-fitted; None where it was not fitted.
        predicted: m1(x) = E[Y | T = 1, x] and m0(x) = E[Y | T = 0, x], each (n,), cross-fitted; None where they were
            not.
    """

    outcome: Floats
    treatment: Floats
    clusters: Codes
    propensity: Floats | None = None
    predicted: tuple[Floats, Floats] | None = None

    def fitted_propensity(self) -> Floats:
        """The propensities, (n,).

        Raises:
            ValueError: They were not fitted.
        """
        if self.propensity is None:
            raise ValueError("this estimator needs treatment propensities, and none were fitted")
        return self.propensity

    def fitted_outcomes(self) -> tuple[Floats, Floats]:
        """m1 and m0, each (n,).

        Raises:
            ValueError: They were not fitted.
        """
        if self.predicted is None:
            raise ValueError("this estimator needs outcome models of both arms, and none were fitted")
        return self.predicted


class EffectEstimator(Protocol):
    """One way to estimate an effect.

    Attributes:
        name: In the tables.
        label: In pictures.
        role: What it stands for beside the others. The first of a role speaks for it.
        needs: What must have been fitted.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def needs(self) -> frozenset[Nuisance]: ...

    def estimate(self, data: EffectData) -> Estimate:
        """The mean effect over the units, in units of the outcome."""
        ...
