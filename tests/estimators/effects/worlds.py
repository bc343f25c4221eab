"""A confounded world whose effect is known, as arrays."""

import numpy as np

from causalrec.estimators.effects import EffectData

TRUTH = 0.1


def confounded(seed, users=400, rows=10, pull=0.6):
    """A user's mood raises the chances of treatment (by `pull`) and of the outcome; the effect is .10 for everybody.

    The nuisances are the true ones.
    """
    rng = np.random.default_rng(seed)
    mood = np.repeat(rng.random(users), rows)
    e = 0.5 + pull * (mood - 0.5)
    t = (rng.random(len(mood)) < e).astype(float)
    base = 0.1 + 0.5 * mood
    y = (rng.random(len(mood)) < base + TRUTH * t).astype(float)
    return EffectData(y, t, np.repeat(np.arange(users), rows), e, (base + TRUTH, base))
