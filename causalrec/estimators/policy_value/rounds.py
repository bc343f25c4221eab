"""What every off-policy estimator reads: logged rounds, and what a target policy would have done in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Codes, Floats


@dataclass(frozen=True)
class Rounds:
    """Logged rounds and what a target policy would have done in them.

    Attributes:
        reward: r, (n,), observed rewards, n >= 1.
        weight: w = pi(a | x) / pi0(a | x), (n,): the target's action probability of the logged action over
            the logged action propensity; finite, not negative.
        model_logged: q(x, a), (n,), a model's prediction for the logged action; None without a model.
        model_target: sum over a of pi(a | x) q(x, a), (n,); None without a model.
        clusters: (n,) codes.

    Raises:
        ValueError: There is no round, lengths differ, or a weight is negative or not finite.
    """

    reward: Floats
    weight: Floats
    model_logged: Floats | None
    model_target: Floats | None
    clusters: Codes

    def __post_init__(self) -> None:
        n = len(self.reward)
        if n == 0:
            raise ValueError("there are no rounds to judge a policy on")
        for name in ("weight", "model_logged", "model_target", "clusters"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise ValueError(f"{n} rewards but {len(values)} values of {name}")
        if not np.isfinite(self.weight).all() or (self.weight < 0).any():
            raise ValueError("importance weights must be finite and not negative")

    @property
    def has_model(self) -> bool:
        """Whether a model has predictions for all of them."""
        return self.model_logged is not None and self.model_target is not None

    def model(self) -> tuple[Floats, Floats]:
        """The model's predictions.

        Returns:
            `model_logged` and `model_target`, (n,) each.

        Raises:
            ValueError: There is no model.
        """
        if self.model_logged is None or self.model_target is None:
            raise ValueError("this estimator needs a model's predictions, and there is no model of these rounds")
        return self.model_logged, self.model_target
