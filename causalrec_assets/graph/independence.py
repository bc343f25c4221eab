"""A conditional independence test for mixed columns from one covariance matrix.

A node is a block of columns: a number its normal score (a Gaussian copula) and the next two Hermite polynomials of
it, a nominal column its indicators. The test of X independent of Y given S is Wilks' likelihood ratio of the blocks'
partial covariances,

    L = det(C_xy|s) / (det(C_x|s) det(C_y|s)),    -n log L ~ chi2(p_x p_y),

with Bartlett's n. The strength of a dependence is sqrt(1 - L), the informational correlation sqrt(1 - exp(-2 I)) of
Linfoot (1957): the absolute partial correlation where both blocks are single columns, and for wider ones as if all
that they say of each other were said by one; less what chance gives p_x p_y - 1 further columns. Its cost does not
depend on the rows. It sees bends, dips and any dependence of means on levels; what it conditions on enters as a sum of
functions of each column, so that what two columns do only together it does not take out.

Source: Anderson (2003), "An Introduction to Multivariate Statistical Analysis", sections 8.5 and 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from causalrec_assets.graph.columns import CHUNK, Column, Floats, as_column, correlation

RIDGE = 1e-9
DETERMINED = 1e-6
"""The share of a column's variance that must be left once the condition is known, or the test says nothing."""
Codes = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Separated = dict[tuple[int, int], tuple[int, ...]]
"""For a pair of nodes (the lower first) a set that separates it."""


class Tests(Protocol):
    """What the search asks: `BlockTest` and `TableTest` answer it."""

    floor: float

    def test(self, x: int, y: int, given: Sequence[int] = ()) -> tuple[float, float]:
        """(p-value, strength) of nodes x and y given other nodes; the floor is not applied."""

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees: 1 where the dependence is weaker than the floor."""


class BlockTest:
    """Tests between columns, each answered once.

    Args:
        columns: One per node; an array (rows, width) stands for itself.
        floor: Dependences weaker than this are called independent (their p-value is given as 1).
        clusters: Integer codes, one array (rows,) per way of clustering (user, item). 500 items seen 200,000 times
            are 500 draws of what an item is like: each pair's test uses the rows that it is worth, n (sum of e_i^2)
            / (sum over clusters of (sum of e_i)^2), e_i the influence of row i on the pair's correlation (two ways
            of clustering add up less the rows counted twice: Cameron, Gelbach and Miller 2011, JBES 29, eq. 2.11,
            with single rows in place of the intersections).
    """

    def __init__(self, columns: Sequence[Column | Floats], floor: float, clusters: Sequence[Codes] = ()) -> None:
        self.columns = tuple(as_column(c) for c in columns)
        self.floor = floor
        self.rows = self.columns[0].rows
        self._begin(None)
        self.worth = _worth(self.columns, self.rows, clusters)

    def reweighted(self, weights: Floats) -> BlockTest:
        """The same columns with row i counted weights[i] times; what clusters leave of the rows is scaled along.

        Args:
            weights: (rows,), none negative.

        Raises:
            ValueError: Another number of weights, a negative one, or none above 0.
        """
        if weights.shape != (self.rows,) or not (weights >= 0).all() or not weights.any():
            raise ValueError(f"weights must be {self.rows} numbers, none negative and not all 0")
        other = object.__new__(BlockTest)
        other.columns, other.floor, other.rows = self.columns, self.floor, self.rows
        other._begin(weights)
        other.worth = self.worth * (float(weights.sum()) / self.rows)
        return other

    def _begin(self, weights: Floats | None) -> None:
        widths = np.cumsum([0] + [column.width for column in self.columns])
        self.at = [np.arange(a, b) for a, b in pairwise(widths)]
        self.correlation = correlation(self.columns, int(widths[-1]), self.rows, weights)
        self.correlation[np.diag_indices_from(self.correlation)] += RIDGE
        self._cache: dict[tuple[int, int, tuple[int, ...]], tuple[float, float]] = {}

    def test(self, x: int, y: int, given: Sequence[int] = ()) -> tuple[float, float]:
        """(p-value, strength) of nodes x and y given other nodes; the floor is not applied.

        Given what determines x or y, both are independent of everything, which says nothing about causes: such a
        condition is left out, so that it separates no pair.
        """
        key = (min(x, y), max(x, y), tuple(sorted(given)))
        if key not in self._cache:
            self._cache[key] = self._test(*key)
        return self._cache[key]

    def _test(self, x: int, y: int, given: tuple[int, ...]) -> tuple[float, float]:
        from scipy.special import chdtrc

        first, second = self.at[x], self.at[y]
        both = np.concatenate([first, second])
        partial, p = self.correlation[np.ix_(both, both)], len(first)
        conditions = 0
        if given:
            z = np.concatenate([self.at[k] for k in given])
            cross = self.correlation[np.ix_(both, z)]
            partial = partial - cross @ np.linalg.solve(self.correlation[np.ix_(z, z)], cross.T)
            left = np.diag(partial) > DETERMINED
            if not left.all():
                if not (left[:p].any() and left[p:].any()):
                    return self.test(x, y)
                partial, p = partial[np.ix_(left, left)], int(left[:p].sum())
            conditions = len(z)
        q = len(partial) - p
        joint = np.linalg.slogdet(partial)[1]
        apart = np.linalg.slogdet(partial[:p, :p])[1] + np.linalg.slogdet(partial[p:, p:])[1]
        log_ratio = min(0.0, float(joint - apart))
        effective = max(1.0, self.worth[x, y] - conditions - 1 - (p + q + 1) / 2)
        strength = float(np.sqrt(-np.expm1(min(0.0, log_ratio + (p * q - 1) / effective))))
        return float(chdtrc(p * q, -effective * log_ratio)), strength

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees."""
        p_value, strength = self.test(x, y, given)
        return 1.0 if strength < self.floor else p_value


def _worth(columns: Sequence[Column], rows: int, clusters: Sequence[Codes]) -> Floats:
    """How many independent rows each pair of nodes is worth, (nodes, nodes); the mean over the pair's contrasts."""
    nodes = len(columns)
    worth = np.full((nodes, nodes), float(rows))
    if not clusters:
        return worth
    owner, found = [], []
    for node, column in enumerate(columns):
        for one in column.contrasts():
            owner.append(node)
            found.append(((one - one.mean()) / (one.std() or 1.0)).astype(np.float32))
    z: Singles = np.stack(found)
    square: Singles = np.square(z)
    # Sums over rows of a^2 b^2, a^3 b and a^4 give the sum of squared influences without forming them.
    r, mixed = _product(z, z) / rows, _product(square, square)
    fourth = _product(square * z, z)
    own = np.diag(mixed)
    single = mixed - r * (fourth + fourth.T) + r**2 / 4 * (own[:, None] + own[None, :] + 2 * mixed)
    clustered = np.zeros_like(r)
    for codes in clusters:
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        ordered = z[:, order]
        squares = np.stack([np.add.reduceat(a * a, starts, dtype=np.float64) for a in ordered])
        for i in range(len(z)):
            for j in range(i):
                if owner[i] != owner[j]:
                    product = np.add.reduceat(ordered[i] * ordered[j], starts, dtype=np.float64)
                    influence = product - (r[i, j] / 2) * (squares[i] + squares[j])
                    clustered[i, j] += influence @ influence
    clustered += clustered.T - (len(clusters) - 1) * single
    inflation = np.maximum(1.0, clustered / np.maximum(single, 1e-12 * rows))
    of = np.array(owner)
    for x in range(nodes):
        for y in range(x):
            worth[x, y] = worth[y, x] = rows / float(inflation[np.ix_(of == x, of == y)].mean())
    return worth


def _product(a: Singles, b: Singles) -> Floats:
    """a b' over many rows, summed in chunks so that single precision is enough for each."""
    total = np.zeros((len(a), len(b)))
    for start in range(0, a.shape[1], CHUNK):
        total += a[:, start : start + CHUNK] @ b[:, start : start + CHUNK].T
    return total


TEST_NAME = "causalrec"


@lru_cache(maxsize=1)
def register() -> str:
    """Register the tests with causal-learn and return their name.

    A search is given `blocks=tests`, and, to stop early, `separated={}`: the first set that separates a pair is
    put there (`alpha_of_test` says what separates), and the pair is called dependent from then on.
    """
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class Registered(CIT_Base):  # type: ignore[misc]
        """causal-learn hands over the data; the tests come as a keyword of the search."""

        def __init__(
            self,
            data: Floats,
            blocks: Tests,
            alpha_of_test: float = 0.0,
            separated: Separated | None = None,
            **kwargs: Any,
        ) -> None:
            super().__init__(data, **kwargs)
            self.method, self.blocks, self.level, self.separated = TEST_NAME, blocks, alpha_of_test, separated

        def __call__(self, x: int, y: int, condition_set: Sequence[int] | None = None) -> float:
            if self.separated is None:
                return self.blocks(int(x), int(y), [int(k) for k in condition_set or ()])
            pair = (int(x), int(y)) if x < y else (int(y), int(x))
            if pair in self.separated:
                return 0.0
            given = tuple(int(k) for k in condition_set or ())
            p_value = self.blocks(*pair, given)
            if p_value > self.level:
                self.separated[pair] = given
            return p_value

    register_ci_test(TEST_NAME, Registered)
    return TEST_NAME
