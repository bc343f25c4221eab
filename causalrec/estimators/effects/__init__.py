"""The effect of a binary treatment, by every registered estimator.

Those of a front door and of an instrument are not listed: they are what a strategy (`causalrec.model.effects`) makes of
the roles.
"""

from __future__ import annotations

from collections.abc import Iterable

from causalrec.estimators.effects.aipw import AIPW
from causalrec.estimators.effects.naive import NaiveDifference
from causalrec.estimators.effects.protocol import EffectData, EffectEstimator, Nuisance, Role
from causalrec.estimators.effects.snips import SNIPS
from causalrec.registry import by_name

__all__ = ["EFFECT_ESTIMATORS", "EffectData", "EffectEstimator", "Nuisance", "Role", "first_of"]


EFFECT_ESTIMATORS: dict[str, EffectEstimator] = by_name(NaiveDifference(), SNIPS(), AIPW())
"""In the order of the table's rows."""


def first_of(role: Role, estimators: Iterable[EffectEstimator] | None = None) -> EffectEstimator:
    """The estimator that speaks for a role: the first one.

    Args:
        estimators: Among these; None: among the registered ones.

    Raises:
        LookupError: None has the role.
    """
    for estimator in EFFECT_ESTIMATORS.values() if estimators is None else estimators:
        if estimator.role is role:
            return estimator
    raise LookupError(f"no effect estimator has the role {role.value}")
