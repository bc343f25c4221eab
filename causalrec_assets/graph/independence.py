"""A conditional independence test for mixed columns from one covariance matrix, registered with causal-learn.

Numbers enter as normal scores (a Gaussian copula), nominal columns as indicators, so that a node is a block of
columns. The test of X independent of Y given S is Wilks' likelihood ratio of the blocks' partial covariances,

    L = det(C_xy|s) / (det(C_x|s) det(C_y|s)),    -n log L ~ chi2(p_x p_y),

and the strength of a dependence is sqrt(1 - L^(1 / min(p_x, p_y))), the absolute partial correlation when both
blocks are single columns. Its cost does not depend on the rows. It sees monotone dependence of numbers and any
dependence of means on nominal levels; a dependence that is neither (a symmetric dip) it does not see.

Source: Anderson (2003), "An Introduction to Multivariate Statistical Analysis", section 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
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
        clusters: Integer codes, one array (rows,) per way of clustering (user, item). 500 items seen 200,000 times
            are 500 draws of what an item is like: each pair's test uses the rows that it is worth, n (sum of e_i^2)
            / (sum over clusters of (sum of e_i)^2), e_i the influence of row i on the pair's correlation (two ways
            of clustering add up less the rows counted twice: Cameron, Gelbach and Miller 2011, JBES 29, eq. 2.11,
            with single rows in place of the intersections).
    """

    def __init__(self, blocks: Sequence[Floats], floor: float, clusters: Sequence[npt.NDArray[np.int64]] = ()) -> None:
        matrix = np.column_stack(blocks)
        self.rows = len(matrix)
        self.floor = floor
        widths = np.cumsum([0] + [block.shape[1] for block in blocks])
        self.at = [np.arange(a, b) for a, b in pairwise(widths)]
        scale = matrix.std(axis=0)
        scale[scale == 0] = 1.0
        standard = (matrix - matrix.mean(axis=0)) / scale
        self.correlation = np.cov(standard, rowvar=False, bias=True)
        self.worth = _worth(standard, self.correlation, self.at, clusters)
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
        effective = max(1.0, self.worth[x, y] - sum(len(self.at[k]) for k in given) - 1)
        return float(chi2.sf(-effective * log_ratio, p * len(second))), strength

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees."""
        p_value, strength = self.test(x, y, given)
        return 1.0 if strength < self.floor else p_value


def _worth(
    standard: Floats,
    correlation: Floats,
    at: Sequence[npt.NDArray[np.int64]],
    clusters: Sequence[npt.NDArray[np.int64]],
) -> Floats:
    """How many independent rows each pair of nodes is worth, (nodes, nodes); the mean over the pair's columns."""
    rows, nodes = len(standard), len(at)
    worth = np.full((nodes, nodes), float(rows))
    if not clusters:
        return worth
    ordered = []
    for codes in clusters:
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        ordered.append((standard[order], starts))
    for x in range(nodes):
        columns = np.concatenate(at[x + 1 :]) if x + 1 < nodes else np.empty(0, dtype=np.int64)
        inflation = np.zeros(len(columns))
        for k in at[x]:
            r = correlation[k, columns]
            clustered, single = np.zeros(len(columns)), np.zeros(len(columns))
            for z, starts in ordered:
                first, others = z[:, [k]], z[:, columns]
                influence = first * others - (r / 2) * (first**2 + others**2)
                clustered += (np.add.reduceat(influence, starts, axis=0) ** 2).sum(axis=0)
                single = (influence**2).sum(axis=0)
            clustered -= (len(ordered) - 1) * single
            inflation += np.maximum(1.0, clustered / np.maximum(single, 1e-12))
        inflation /= len(at[x])
        for y in range(x + 1, nodes):
            mine = np.isin(columns, at[y])
            worth[x, y] = worth[y, x] = rows / float(inflation[mine].mean())
    return worth


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
