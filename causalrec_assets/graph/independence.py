"""A conditional independence test for mixed columns from one covariance matrix, registered with causal-learn.

Numbers enter as normal scores (a Gaussian copula), nominal columns as indicators, so that a node is a block of columns. The
test of X independent of Y given S is Wilks' likelihood ratio of the blocks' partial covariances,

    L = det(C_xy|s) / (det(C_x|s) det(C_y|s)),    -n log L ~ chi2(p_x p_y),

and the strength of a dependence is sqrt(1 - L^(1 / min(p_x, p_y))), the absolute partial correlation when both blocks are
single columns. Its cost does not depend on the rows. It sees monotone dependence of numbers and any dependence of means on
nominal levels; a dependence that is neither (a symmetric dip) it does not see.

Source: Anderson (2003), "An Introduction to Multivariate Statistical Analysis", section 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RIDGE = 1e-9


class BlockTest:
    """Tests between blocks of columns, each answered once.

    Args:
        blocks: One array (rows, columns) per node.
        floor: Dependences weaker than this are called independent (their p-value is given as 1).
    """

    def __init__(self, blocks: Sequence[Floats], floor: float) -> None:
        matrix = np.column_stack(blocks)
        self.rows = len(matrix)
        self.floor = floor
        widths = np.cumsum([0] + [block.shape[1] for block in blocks])
        self.at = [np.arange(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)]
        scale = matrix.std(axis=0)
        scale[scale == 0] = 1.0
        self.correlation = np.cov((matrix - matrix.mean(axis=0)) / scale, rowvar=False, bias=True)
        self.correlation[np.diag_indices_from(self.correlation)] += RIDGE
        self._cache: dict[tuple[int, int, tuple[int, ...]], tuple[float, float]] = {}

    def test(self, x: int, y: int, given: Sequence[int] = ()) -> tuple[float, float]:
        """(p-value, strength) of nodes x and y given other nodes; the floor is not applied."""
        key = (min(x, y), max(x, y), tuple(sorted(given)))
        if key not in self._cache:
            self._cache[key] = self._test(*key)
        return self._cache[key]

    def _test(self, x: int, y: int, given: tuple[int, ...]) -> tuple[float, float]:
        from scipy.stats import chi2

        first, second = self.at[x], self.at[y]
        both = np.concatenate([first, second])
        partial = self.correlation[np.ix_(both, both)]
        if given:
            z = np.concatenate([self.at[k] for k in given])
            cross = self.correlation[np.ix_(both, z)]
            partial = partial - cross @ np.linalg.solve(self.correlation[np.ix_(z, z)], cross.T)
        p = len(first)
        joint = np.linalg.slogdet(partial)[1]
        apart = np.linalg.slogdet(partial[:p, :p])[1] + np.linalg.slogdet(partial[p:, p:])[1]
        log_ratio = min(0.0, float(joint - apart))
        strength = float(np.sqrt(1 - np.exp(log_ratio / min(p, len(second)))))
        effective = self.rows - sum(len(self.at[k]) for k in given) - 1
        return float(chi2.sf(-effective * log_ratio, p * len(second))), strength

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees."""
        p_value, strength = self.test(x, y, given)
        return 1.0 if strength < self.floor else p_value


TEST_NAME = "causalrec_blocks"


@lru_cache(maxsize=1)
def register() -> str:
    """Register the test with causal-learn and return its name."""
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class Registered(CIT_Base):  # type: ignore[misc]
        """causal-learn hands over the data; the blocks come as a keyword of the search."""

        def __init__(self, data: Floats, blocks: BlockTest, **kwargs: Any) -> None:
            super().__init__(data, **kwargs)
            self.method, self.blocks = TEST_NAME, blocks

        def __call__(self, x: int, y: int, condition_set: Sequence[int] | None = None) -> float:
            return self.blocks(int(x), int(y), [int(k) for k in condition_set or ()])

    register_ci_test(TEST_NAME, Registered)
    return TEST_NAME
