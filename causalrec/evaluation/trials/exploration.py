"""What more exploration would buy: the variance of the difference under logs that choose at random more often.

Of a slot the difference of two policies has the score D = A + B, where B = (w_c - w_0)(r - q) is what weighting adds to
what a model expects. Had the logs been made by pi' = (1 - e) pi + e / n, with n candidates, B would be rho B with
rho = pi(a) / pi'(a), and actions would come by pi'. Both are known of each logged round, so that

    E'[D'^2] = E[A^2 / rho + 2 A B + rho B^2]

needs no experiment. Slots of one cluster are drawn one by one: their covariance, whose weights average 1, stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.intervals import Estimate, clustered_mean
from causalrec.estimators.policy_value import Rounds


@dataclass(frozen=True)
class LoggedRounds:
    """The rounds that a difference was read from, and how the logging policy chose in them.

    Attributes:
        rounds: Of the challenger.
        base: Of the champion, the same rounds; None: held against the plain mean of the logs.
        propensity: pi(a | x), (n,), of what was shown.
        candidates: n, (n,), how many items could have been shown.
    """

    rounds: Rounds
    base: Rounds | None
    propensity: Floats
    candidates: Floats


def deviation_with(logged: LoggedRounds, deviation: float, more: float) -> float:
    """sigma of one round's score, had a share `more` of the rounds been chosen at random beside what was explored.

    Args:
        deviation: sigma as it was, clusters and all.
        more: In [0, 1].

    Source:
        The second moment of a doubly robust score by its logging policy: Dudik et al. (2014), Statistical Science
        29(4), section 3; the change of measure is importance sampling from the logs to other logs.

    Not for:
        Effects of exploration on what people do in other slots, which stay drawn as they were logged.
    """
    left = 1.0 - more + more / (logged.candidates * logged.propensity)
    model_logged, model_target = logged.rounds.model()
    residual = logged.rounds.reward - model_logged
    if logged.base is None:
        # Held against the plain mean of the logs: that reward is not weighed, and comes as often as it would be shown.
        fixed, weighed = model_target - logged.rounds.reward, logged.rounds.weight * residual
        drawn = left
    else:
        # What a model expects of both policies is known before anything is shown.
        fixed = model_target - logged.base.model()[1]
        weighed = (logged.rounds.weight - logged.base.weight) * residual
        drawn = np.ones_like(left)
    now = float(np.var(fixed + weighed))
    second = float(np.mean(drawn * fixed**2 + 2 * fixed * weighed + weighed**2 / left))
    then = second - float(np.mean(drawn * fixed + weighed)) ** 2
    return math.sqrt(max(deviation**2 + then - now, 0.0))


def at_random(logged: LoggedRounds) -> Estimate:
    """What a slot that is chosen at random brings more than the logging policy, self-normalised.

    mean(w r) / mean(w) - mean(r) with w = 1 / (n pi(a)); its standard error by the delta method.

    Raises:
        TooFewClusters: Fewer than two clusters.
    """
    weight = 1.0 / (logged.candidates * logged.propensity)
    reward = logged.rounds.reward
    value = float(np.sum(weight * reward) / np.sum(weight))
    # A score whose mean is the difference, and whose spread is that of its linearisation.
    return clustered_mean(value + weight * (reward - value) / np.mean(weight) - reward, logged.rounds.clusters)
