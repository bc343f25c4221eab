"""How many outcomes a difference of two policies rests on, and to which side its error leans, as its weights foretell.

Both are read off what decides them on average, and not off the outcomes with the weights that they happened to get:
those go along with the estimate. Where a rare round of large weight has not had its outcome yet, the estimate is off
and looks as if it rested on many.
"""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats
from causalrec.estimators.weights import effective_sample_size


def outcomes_apart(apart: Floats, reward: Floats) -> float:
    """Effective outcomes that tell two policies apart.

    min over both sides s of the mean reward of Kish(c s) x Kish(d) / Kish(c)

    with d = abs(apart), c = min(d, its root mean square), s = max(r - mean(r), 0) or max(mean(r) - r, 0), and Kish's
    count (sum w)^2 / sum w^2. Outcomes count as far as the policies differ in their rounds; what a few large
    differences cost is taken from all rounds. Of 0/1 outcomes it is that of the rarer ones.

    Args:
        apart: (n,), the challenger's weight less the champion's, finite.
        reward: (n,), finite.

    Returns:
        Rounds, in [0, n]; 0 where the policies never differ, or all rewards are alike.

    Raises:
        ValueError: A value is not finite.

    Source:
        Kish (1965), "Survey Sampling", section 11.7; docs/decisions/0058.

    Not for:
        Clustered rows: a thousand outcomes of one user are not worth a thousand.
    """
    far = np.abs(np.asarray(apart, dtype=np.float64))
    most = float(np.sqrt((far**2).mean()))
    capped = np.minimum(far, most)
    over = np.asarray(reward, dtype=np.float64) - float(np.mean(reward))
    least = min(effective_sample_size(capped * np.maximum(side, 0.0)) for side in (over, -over))
    # Without a difference there are no outcomes, and no share to take.
    return least * effective_sample_size(far) / effective_sample_size(capped) if least else 0.0


def foretold_skewness(apart: Floats, reward: Floats) -> float:
    """The skewness of a doubly robust difference's mean, if weights and outcomes did not go together.

    (mean d^3 / (mean d^2)^1.5) x (sum e^3 / (sum e^2)^1.5), e = r - mean(r)

    Below 0 the error leans towards the challenger: where the champion's weights are the heavy ones its outcomes are
    rare and large, and most samples lack some. A statistic t then lies beyond a bound z above about
    1 - skewness x (2 z^2 + 1) phi(z) / (6 Phi(-z)) times as often as it should, below as much less often.

    Args:
        apart: d, (n,), the challenger's weight less the champion's, finite.
        reward: r, (n,), finite.

    Returns:
        Without a unit; about 1 / sqrt(outcomes) times the skewness of the weights. 0 where the policies never differ,
        or all rewards are alike.

    Source:
        Hall (1992), "The Bootstrap and Edgeworth Expansion", section 2.6, the first term of a t statistic's.

    Not for:
        Weights whose large values have not been seen in any round.
    """
    apart, reward = np.asarray(apart, dtype=np.float64), np.asarray(reward, dtype=np.float64)
    over = reward - reward.mean()
    second, squares = float((apart**2).mean()), float((over**2).sum())
    if not second or not squares:
        return 0.0
    return float((apart**3).mean() / second**1.5 * (over**3).sum() / squares**1.5)
