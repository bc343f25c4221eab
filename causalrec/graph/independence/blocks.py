"""A conditional independence test for mixed columns from one covariance matrix.

A node is a block of columns: a number its normal score (a Gaussian copula) and the next two Hermite polynomials of
it, a nominal column its indicators. The test of X independent of Y given S is Wilks' likelihood ratio of the blocks'
partial covariances,

    L = det(C_xy|s) / (det(C_x|s) det(C_y|s)),    -n log L ~ chi2(p_x p_y),

with Bartlett's n. Of few rows for what is compared (wide blocks, six rows) that limit finds dependence everywhere.
There Pillai's trace V, which is bounded and has mean p_x p_y / n whatever the columns' distribution, has to find it
too: n V ~ chi2(p_x p_y), and the larger p-value counts. Levels too rare to meet by chance are not looked at.

The strength of a dependence is sqrt(1 - L), the informational correlation sqrt(1 - exp(-2 I)) of Linfoot (1957): the
absolute partial correlation where both blocks are single columns, and for wider ones as if all that they say of each
other were said by one; less what chance gives p_x p_y - 1 further columns. Its cost does not depend on the rows. It
sees bends, dips and any dependence of means on levels; what it conditions on enters as a sum of functions of each
column, so that what two columns do only together it does not take out.

Source: Anderson (2003), "An Introduction to Multivariate Statistical Analysis", sections 8.5, 8.6.2 and 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from causalrec.arrays import Codes, Floats, Ints
from causalrec.graph.independence.columns import Column, as_column, rare_rows
from causalrec.graph.independence.covariance import (
    correlate,
    correlation_of_groups,
    grams_of_groups,
    plain_layout,
    with_products,
)
from causalrec.graph.independence.effective_rows import effective_rows
from causalrec.graph.independence.protocol import MeasuredColumn

RIDGE = 1e-9
DETERMINED = 1e-6
"""The share of a column's variance that must be left once the condition is known, or the test says nothing."""
NONE = np.empty(0, np.int64)
THIN = 20
"""With fewer independent rows for each product of two columns Pillai's trace is asked too."""
SEEN = 1e-4
"""The p-value that a full dependence must be able to have."""
FEWEST_MEETINGS = 1.0
"""Rows in which two levels meet, if independent, for their meeting to be looked at (Cochran 1954, Biometrics 10)."""
MOST_CONDITIONS = 0.2
"""Columns taken out, as a share of the independent rows."""


class BlockTest:
    """Tests between columns of any kind, each answered once (`RedrawnTests`).

    Args:
        columns: One per node; an array (rows, width) stands for itself.
        floor: Dependences weaker than this are called independent (their p-value is given as 1).
        clusters: Integer codes, one array (rows,) per way of clustering (user, item). 500 items seen 200,000 times
            are 500 draws of what an item is like: each pair's test uses the rows that it is worth, n (sum of e_i^2)
            / (sum over clusters of (sum of e_i)^2), e_i the influence of row i on the pair's correlation (two ways
            of clustering add up less the rows counted twice: Cameron, Gelbach and Miller 2011, JBES 29, eq. 2.11,
            with single rows in place of the intersections).
    """

    name: ClassVar[str] = "blocks"
    clustered: ClassVar[bool] = True

    @staticmethod
    def fits(columns: Sequence[MeasuredColumn]) -> bool:
        """All columns do."""
        return True

    @classmethod
    def build(cls, columns: Sequence[MeasuredColumn], floor: float, clusters: Sequence[Codes] = ()) -> BlockTest:
        """Of the columns' blocks."""
        return cls([column.block for column in columns], floor, clusters)

    def __init__(self, columns: Sequence[Column | Floats], floor: float, clusters: Sequence[Codes] = ()) -> None:
        self.columns = tuple(as_column(c) for c in columns)
        self.floor = floor
        self.rows = self.columns[0].rows
        plain = plain_layout(self.columns)
        matrix, self._moments = correlate(self.columns, plain)
        self.layout = with_products(plain, matrix, self.rows)
        if self.layout is not plain:
            matrix, _ = correlate(self.columns, self.layout, None, self._moments)
        self._take(matrix)
        self.added_chance = 0.0
        self.rare = tuple(rare_rows(column) for column in self.columns)
        self.effective_rows = effective_rows(self.columns, clusters)

    def _take(self, correlation: Floats) -> None:
        correlation[np.diag_indices_from(correlation)] += RIDGE
        self.correlation = correlation
        self._cache: dict[tuple[int, int, tuple[int, ...]], tuple[float, float]] = {}

    def reweighted(self, weights: Floats) -> BlockTest:
        """The same columns with row i counted weights[i] times; what clusters leave of the rows is scaled along.

        Rows drawn anew depend on each other by the sample's chance and by the draw's own, so that -n log L is larger by
        p_x p_y times the variance of the weights (1 where rows are drawn with replacement): it is taken off again, or
        every draw would find edges that the sample does not have.

        Args:
            weights: (rows,), none negative.

        Raises:
            ValueError: Another number of weights, a negative one, or none above 0.
        """
        if weights.shape != (self.rows,) or not (weights >= 0).all() or not weights.any():
            raise ValueError(f"weights must be {self.rows} numbers, none negative and not all 0")
        matrix = correlate(self.columns, self.layout, weights, self._moments)[0]
        return self._with(matrix, float(weights.mean()), float(weights.var() / weights.mean() ** 2))

    def _with(self, correlation: Floats, copies: float, added_chance: float) -> BlockTest:
        """The same columns with another matrix."""
        other = object.__new__(BlockTest)
        other.columns, other.floor, other.rows = self.columns, self.floor, self.rows
        other.layout, other._moments, other.rare = self.layout, self._moments, self.rare
        other._take(correlation)
        other.effective_rows, other.added_chance = self.effective_rows * copies, added_chance
        return other

    @property
    def bytes_of_a_group(self) -> int:
        """Of the sums of products that `in_groups` keeps of each."""
        return 4 * (self.layout.width + 1) * (self.layout.width + 2)

    def in_groups(self, groups: Codes) -> GroupedTest:
        """The same rows as groups that can be counted any number of times, which costs nothing of the rows.

        Args:
            groups: (rows,) codes from 0, none left out.
        """
        return GroupedTest(self, groups)

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

        first, second = self._often_enough(x, y)
        if not (len(first) and len(second)):
            return 1.0, 0.0
        z = self.layout.given(given, self.effective_rows[x, y] * MOST_CONDITIONS) if given else NONE
        stats = _log_ratio(self.correlation, z, first, second) or _careful_log_ratio(self.correlation, z, first, second)
        if stats is None:
            return self.test(x, y)
        log_ratio, trace, p, q = stats
        free = self.effective_rows[x, y] - len(z) - 1
        if len(z) and chdtrc(p * q, max(0.0, free * min(p, q))) > SEEN:
            # A condition that leaves too few rows to see even a full dependence in separates nothing.
            return self.test(x, y)
        effective = max(1.0, free - (p + q + 1) / 2)
        chance = self.added_chance * p * q / effective
        log_ratio = min(0.0, log_ratio + chance)
        strength = float(np.sqrt(-np.expm1(min(0.0, log_ratio + (p * q - 1) / effective))))
        p_value = float(chdtrc(p * q, -effective * log_ratio))
        if free < THIN * p * q:
            p_value = max(p_value, float(chdtrc(p * q, max(0.0, free * (trace - chance)))))
        return p_value, strength

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees."""
        p_value, strength = self.test(x, y, given)
        return 1.0 if strength < self.floor else p_value

    def _often_enough(self, x: int, y: int) -> tuple[Ints, Ints]:
        """The columns of two nodes in which dependence is looked for: without levels that chance hardly lets meet.

        Two levels of ten rows in a million that meet once would be a dependence of 1 in 10. The rarest is left out (it
        counts with the level that is the reference) until each two meet in at least one row if independent.
        """
        first, second = self.layout.tested[x], self.layout.tested[y]
        of_x, of_y = self.rare[x][: len(first)], self.rare[y][: len(second)]
        share = self.effective_rows[x, y] / self.rows**2
        keep_x, keep_y = np.ones(len(first), np.bool_), np.ones(len(second), np.bool_)
        while keep_x.any() and keep_y.any():
            i = int(np.where(keep_x, of_x, np.inf).argmin())
            j = int(np.where(keep_y, of_y, np.inf).argmin())
            if np.isinf(of_x[i]) or np.isinf(of_y[j]) or of_x[i] * of_y[j] * share >= FEWEST_MEETINGS:
                break
            # Of equally rare ones that of the column that has more to spare.
            if (of_x[i], -keep_x.sum()) <= (of_y[j], -keep_y.sum()):
                keep_x[i] = False
            else:
                keep_y[j] = False
        return first[keep_x], second[keep_y]


Compared = tuple[float, float, int, int]
"""log L of two blocks, Pillai's trace, and the blocks' widths."""


def _log_ratio(correlation: Floats, z: Ints, first: Ints, second: Ints) -> Compared | None:
    """What is compared of two blocks given others; None where a block is nearly determined by the rest.

    One Cholesky factor of all three, the condition first, holds that of the partial covariances in its last corner.
    """
    from scipy.linalg.lapack import dpotrf, dtrtrs

    order, p = np.concatenate([z, first, second]), len(first)
    factor, failed = dpotrf(correlation[order[:, None], order].T, lower=1, clean=1, overwrite_a=1)
    if failed:
        return None
    left = factor[len(z) :, len(z) :]
    if np.einsum("ij,ij->i", left, left).min() <= DETERMINED:
        return None
    alone, failed = dpotrf(left[p:] @ left[p:].T, lower=1, overwrite_a=1)
    if failed:
        return None
    log_ratio = 2 * float(np.log(left.diagonal()[p:]).sum() - np.log(alone.diagonal()).sum())
    explained, _ = dtrtrs(alone, left[p:, :p], lower=1)
    return min(0.0, log_ratio), float((explained**2).sum()), p, len(second)


def _careful_log_ratio(correlation: Floats, z: Ints, first: Ints, second: Ints) -> Compared | None:
    """The same without the columns that the condition determines; None where nothing of a block is left."""
    both, p = np.concatenate([first, second]), len(first)
    partial = correlation[np.ix_(both, both)]
    if len(z):
        cross = correlation[np.ix_(both, z)]
        partial = partial - cross @ np.linalg.solve(correlation[np.ix_(z, z)], cross.T)
        left = np.diag(partial) > DETERMINED
        if not (left[:p].any() and left[p:].any()):
            return None
        partial, p = partial[np.ix_(left, left)], int(left[:p].sum())
    joint = np.linalg.slogdet(partial)[1]
    apart = np.linalg.slogdet(partial[:p, :p])[1] + np.linalg.slogdet(partial[p:, p:])[1]
    cross = partial[:p, p:]
    explained = np.linalg.solve(partial[:p, :p], cross) @ np.linalg.solve(partial[p:, p:], cross.T)
    return min(0.0, float(joint - apart)), float(np.trace(explained)), p, len(partial) - p


class GroupedTest:
    """Tests of groups of rows, each group counted as often as is asked: one pass over the rows for any number of draws.

    Args:
        tests: Of the rows.
        groups: (rows,) codes from 0, none left out. A group takes (width of the matrix)^2 / 2 numbers of 8 bytes.
    """

    def __init__(self, tests: BlockTest, groups: Codes) -> None:
        self.tests = tests
        self.sizes = np.bincount(groups).astype(np.float64)
        self.grams = grams_of_groups(tests.columns, tests.layout, groups, tests._moments)

    def counted(self, times: Floats) -> BlockTest:
        """As `BlockTest.reweighted` with each row's weight that of its group, times (groups,)."""
        copies = float(times @ self.sizes) / self.tests.rows
        added_chance = float((times - copies) ** 2 @ self.sizes) / self.tests.rows / copies**2
        matrix = correlation_of_groups(self.grams, times, self.tests.layout)
        return self.tests._with(matrix, copies, added_chance)
