"""Hidden confounding of a stated strength.

Every pair of a request and an item has a hidden cause U in {0, 1}, for example what the user came for. It
multiplies the odds of being recommended by sqrt(gamma) where it is there, and by 1 / sqrt(gamma) where it is not:

    odds(T = 1 | X, U) = odds(T = 1 | X) gamma^(U - 1/2)

so that two units of the same X have an odds ratio of exactly gamma or 1 (Rosenbaum 2002, "Observational Studies",
section 4.2: at most gamma). By Bayes' rule that is the same joint law as

    odds(U = 1 | T, X) = gamma^(T - 1/2)

and this is what is drawn: first the slate by what is logged, then U given the arm. The law of the slate given all
of its U is p(slate) times the product of gamma^(U_i - 1/2) over its items, up to a constant.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats


def hidden_given_arm(gamma: float) -> tuple[float, float]:
    """P(U = 1 | T = 1) and P(U = 1 | T = 0), whatever X is."""
    root = float(np.sqrt(gamma))
    return root / (1 + root), 1 / (1 + root)


def odds_given_hidden(odds: Floats, hidden: npt.NDArray[np.integer], gamma: float) -> Floats:
    """odds(T = 1 | X, U) from odds(T = 1 | X), elementwise: the true ones from those that the logs imply."""
    return np.asarray(odds * gamma ** (hidden - 0.5))


def draw_hidden(recommended: npt.NDArray[np.integer], gamma: float, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """The hidden cause of each row, (rows,)."""
    in_slate, elsewhere = hidden_given_arm(gamma)
    return (rng.random(len(recommended)) < np.where(recommended == 1, in_slate, elsewhere)).astype(np.int8)
