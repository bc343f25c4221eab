"""The value of a target policy from the logs of another: IPS, SNIPS, DM and DR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec_assets.estimators.intervals import Codes, Estimate, clustered_mean, clustered_ratio, contrast

Floats = npt.NDArray[np.float64]
ESTIMATORS = ("ips", "snips", "dm", "dr")


@dataclass(frozen=True)
class Rounds:
    """Logged rounds and what a target policy would have done in them.

    Attributes:
        reward: (n,) observed rewards.
        weight: (n,) w = pi(a | x) / pi0(a | x), the target's action probability of the logged action over the logged
            action propensity; not negative.
        model_logged: (n,) q(x, a), a model's prediction for the logged action; None without a model.
        model_target: (n,) sum over a of pi(a | x) q(x, a).
        clusters: (n,) codes.
    """

    reward: Floats
    weight: Floats
    model_logged: Floats | None
    model_target: Floats | None
    clusters: Codes

    def __post_init__(self) -> None:
        n = len(self.reward)
        for name in ("weight", "model_logged", "model_target", "clusters"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise ValueError(f"{n} rewards but {len(values)} values of {name}")
        if (self.weight < 0).any() or not np.isfinite(self.weight).all():
            raise ValueError("importance weights must be finite and not negative")


def ips(rounds: Rounds) -> Estimate:
    """Inverse propensity score: mean(w r). Unbiased when pi0 is positive wherever pi is.

    Source: Horvitz and Thompson (1952); Strehl et al. (2010), NeurIPS. Not for: heavy-tailed weights.
    """
    return clustered_mean(rounds.weight * rounds.reward, rounds.clusters)


def snips(rounds: Rounds) -> Estimate:
    """Self-normalised IPS: sum(w r) / sum(w). Slightly biased, bounded by the rewards, often much less variable.

    Source: Swaminathan and Joachims (2015), NeurIPS, eq. 5.
    """
    return clustered_ratio(rounds.weight * rounds.reward, rounds.weight, rounds.clusters)


def dm(rounds: Rounds) -> Estimate:
    """Direct method: mean of sum_a pi(a | x) q(x, a). As good as the model; its interval knows nothing of the model's error.

    Source: Beygelzimer and Langford (2009), KDD.
    """
    return clustered_mean(_model(rounds.model_target), rounds.clusters)


def dr(rounds: Rounds) -> Estimate:
    """Doubly robust: mean[ sum_a pi(a | x) q(x, a) + w (r - q(x, a)) ].

    Unbiased with exact action propensities whatever the model; the model takes variance away.

    Source: Dudik, Langford and Li (2011), ICML, eq. 2; Dudik et al. (2014), Statistical Science 29(4).
    """
    residual = rounds.reward - _model(rounds.model_logged)
    return clustered_mean(_model(rounds.model_target) + rounds.weight * residual, rounds.clusters)


def logged_mean(rounds: Rounds) -> Estimate:
    """The logging policy's own value on these rounds: mean(r)."""
    return clustered_mean(rounds.reward, rounds.clusters)


def estimate(name: str, rounds: Rounds) -> Estimate:
    """One of `ESTIMATORS` by name."""
    return {"ips": ips, "snips": snips, "dm": dm, "dr": dr}[name](rounds)


def gain(name: str, rounds: Rounds) -> Estimate:
    """The target's value minus the logging policy's mean on the same rounds, with the interval of the difference."""
    return contrast(estimate(name, rounds), logged_mean(rounds), rounds.clusters)


def _model(values: Floats | None) -> Floats:
    if values is None:
        raise ValueError("this estimator needs a model's predictions; only IPS and SNIPS do without")
    return values
