"""G2 and Pearson's chi2 on tables of counts, for columns that are all discrete.

With the statistics `gsq` and `chisq` the p-values are those of causal-learn. It counts the rows anew for each test;
here each set of columns is counted once and serves all pairs and depths, because

    G2(x, y | S) = 2 (h(S, x, y) + h(S) - h(S, x) - h(S, y)),    h = sum over cells of n log n.

G2 finds dependence in any large table of one to five rows a cell (of 50 x 50 levels and 3,000 rows in all of them),
chi2 where some levels are rare: where tables are thin, both have to find it, and the larger p-value counts. The chi2 of
a stratum of n rows is there multiplied by (n - 1) / n, which gives it the mean of its degrees of freedom exactly.

The degrees of freedom are summed over the strata of S that have rows, (levels of x there - 1) (levels of y there - 1).
The strength of a dependence is sqrt(1 - exp(-2 I)), I = G2 / 2n less what chance gives its degrees of freedom but one
(see `independence`).

Source: Koehler and Larntz (1980), JASA 75, on G2 and chi2 in sparse tables; Campbell (2007), Statistics in Medicine 26,
on (n - 1) / n; Spirtes, Glymour and Scheines (2000), "Causation, Prediction, and Search", section 5.5; Linfoot (1957).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.arrays import Codes, Floats
from causalrec.graph.independence.columns import is_discrete
from causalrec.graph.independence.protocol import MeasuredColumn

Small = npt.NDArray[np.uint8]
Counts = npt.NDArray[Any]
"""Whole numbers, or sums of weights."""
MOST_CELLS = 1 << 17
"""A table of more cells (or of more than there are rows) is counted over the strata that have rows only."""
THIN = 100
"""With fewer rows for each degree of freedom a table is thin."""
KEPT = 1 << 27
"""Bytes of each kind of table that are kept; the oldest go first."""


class _Kept:
    """Arrays by the columns that they are of, up to a number of bytes."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[int, ...], npt.NDArray[Any]] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[int, ...]) -> npt.NDArray[Any] | None:
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: tuple[int, ...], value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._found[key] = value
        self._bytes += value.nbytes
        while self._bytes > KEPT and len(self._found) > 1:
            self._bytes -= self._found.popitem(last=False)[1].nbytes
        return value


class ContingencyTest:
    """Tests between discrete columns, each answered once.

    Args:
        codes: (rows,) each, 0 to levels - 1; below 0 where there is no value. A row with a gap in x, y or S leaves that
            test (and no other): right where whether there is a gap does not depend on what the tested columns do not
            say.
        floor: Dependences weaker than this are called independent (their p-value is given as 1).
        statistic: `gsq` or `chisq`, as in causal-learn; `both`: the larger of their p-values where tables are thin.
        weights: How often each row counts; None: once.

    Raises:
        ValueError: Columns of different lengths, or without a value; weights that are no counts of the rows.
    """

    name: ClassVar[str] = "counts"
    clustered: ClassVar[bool] = False

    @staticmethod
    def fits(columns: Sequence[MeasuredColumn]) -> bool:
        """Columns of levels, or of few whole numbers."""
        return all(column.values is not None and is_discrete(column.values) for column in columns)

    @classmethod
    def build(cls, columns: Sequence[MeasuredColumn], floor: float, clusters: Sequence[Codes] = ()) -> ContingencyTest:
        """Of the columns' levels; rows are taken for independent draws."""
        if clusters:
            raise ValueError("tables of counts take rows for independent draws: they know of no clusters")
        return cls([_codes(column.values) for column in columns if column.values is not None], floor)

    def __init__(
        self,
        codes: Sequence[npt.NDArray[np.integer]],
        floor: float = 0.0,
        statistic: Literal["both", "gsq", "chisq"] = "both",
        weights: Floats | None = None,
    ) -> None:
        if len({len(c) for c in codes}) != 1:
            raise ValueError(f"columns must have as many rows as each other, got {[len(c) for c in codes]}")
        if empty := [k for k, c in enumerate(codes) if not (c >= 0).any()]:
            raise ValueError(f"columns {empty} have no value")
        if weights is not None and (weights.shape != codes[0].shape or not (weights >= 0).all() or not weights.any()):
            raise ValueError(f"weights must be {len(codes[0])} numbers, none negative and not all 0")
        self.floor, self.statistic, self.weights = floor, statistic, weights
        self.rows = len(codes[0])
        self.gaps = [bool((c < 0).any()) for c in codes]
        self.levels = [int(c.max()) + 1 for c in codes]
        # A gap is one level more, which is cut off each table.
        self.codes = [
            np.where(c < 0, k, c).astype(np.int32) if gap else c.astype(np.int32)
            for c, k, gap in zip(codes, self.levels, self.gaps, strict=True)
        ]
        self._answers: dict[tuple[int, int, tuple[int, ...]], tuple[float, float]] = {}
        self._sums: dict[tuple[int, ...], float] = {}
        n = np.arange(self.rows + 1, dtype=np.float64)
        self._n_log_n = n * np.log(np.maximum(n, 1.0))
        self._most = max(1 << 12, min(MOST_CELLS, self.rows))
        self._tables, self._present, self._strata = _Kept(), _Kept(), _Kept()

    def test(self, x: int, y: int, given: Sequence[int] = ()) -> tuple[float, float]:
        """(p-value, strength) of nodes x and y given other nodes; the floor is not applied."""
        key = (min(x, y), max(x, y), tuple(sorted(given)))
        if key not in self._answers:
            self._answers[key] = self._test(*key)
        return self._answers[key]

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees."""
        p_value, strength = self.test(x, y, given)
        return 1.0 if strength < self.floor else p_value

    def _test(self, x: int, y: int, given: tuple[int, ...]) -> tuple[float, float]:
        from scipy.special import chdtrc

        everyone = any(self.gaps[k] for k in (x, y, *given))
        if self.statistic != "chisq" and not everyone:
            total, freedom, value = self._g2(x, y, given)
            g2 = value
        else:
            total, freedom, g2, chi2 = _of_table(self._stratified(x, y, given))
            value = chi2 if self.statistic == "chisq" else g2
        if freedom == 0:
            return 1.0, 0.0
        strength = float(np.sqrt(-np.expm1(min(0.0, -(g2 - freedom + 1) / total))))
        p_value = float(chdtrc(freedom, max(0.0, value)))
        if self.statistic == "both" and total < THIN * freedom * max(1.0, np.sqrt(freedom) / 50):
            p_value = max(p_value, float(chdtrc(freedom, max(0.0, self._exact_chi2(x, y, given)))))
        return p_value, strength

    def _g2(self, x: int, y: int, given: tuple[int, ...]) -> tuple[float, float, float]:
        """Rows, degrees of freedom and G2, from sums and presences that other tests use too."""
        h = self._sum
        g2 = 2.0 * (h(_with(given, x, y)) + h(given) - h(_with(given, x)) - h(_with(given, y)))
        a, b = self._others(x, given), self._others(y, given)
        # Single precision holds whole numbers up to 2^24.
        exact = np.float32 if len(a) * self.levels[x] * self.levels[y] < 1 << 24 else np.float64
        freedom = float(np.dot(a.astype(exact), b.astype(exact)))
        return self._total, freedom, g2

    def _exact_chi2(self, x: int, y: int, given: tuple[int, ...]) -> float:
        """Pearson's chi2 with the mean of its degrees of freedom, the sum over strata of (n - 1) / n chi2.

        chi2 of a stratum is n (sum over its cells of n_ij^2 / (n_i n_j) - 1): only cells that have rows are visited.
        """
        there = np.ones(self.rows, bool)
        for k in (x, y, *given):
            if self.gaps[k]:
                there &= self.codes[k] != self.levels[k]
        weights = (np.ones(self.rows) if self.weights is None else self.weights)[there]
        strata = self._coded(given)[there].astype(np.int64)
        of_x = strata * self.levels[x] + self.codes[x][there]
        of_y = strata * self.levels[y] + self.codes[y][there]
        cell, where = np.unique(of_x * self.levels[y] + self.codes[y][there], return_inverse=True)
        rows = np.bincount(where, weights)
        by_x, by_y, by_stratum = np.bincount(of_x, weights), np.bincount(of_y, weights), np.bincount(strata, weights)
        above, level = np.divmod(cell, self.levels[y])
        stratum = above // self.levels[x]
        product = by_x[above] * by_y[stratum * self.levels[y] + level]
        shares = np.divide(rows**2, product, out=np.zeros_like(rows), where=product > 0)
        apart = np.bincount(stratum, shares, len(by_stratum)) - 1.0
        return float((np.maximum(by_stratum - 1, 0) * apart)[by_stratum > 0].sum())

    @property
    def _total(self) -> float:
        return float(self.rows if self.weights is None else self.weights.sum())

    def _sum(self, columns: tuple[int, ...]) -> float:
        """Sum of n log n over the cells of a set of columns."""
        if columns not in self._sums:
            counts = self._table(columns) if self._dense(columns) else self._compact(columns)
            if self.weights is None:
                self._sums[columns] = float(self._n_log_n[counts].sum())
            else:
                counts = counts[counts > 0]
                self._sums[columns] = float(counts @ np.log(counts))
        return self._sums[columns]

    def _others(self, x: int, given: tuple[int, ...]) -> Small:
        """How many levels of x but one each stratum of the given columns has (0 where the stratum has no rows)."""
        other_levels = self._present.get((x, *given))
        if other_levels is not None:
            return other_levels
        # Whether strata without rows stand in the list depends on the condition alone: x and y have the same list.
        if self._dense(given, max(self.levels)):
            both = _with(given, x)
            return self._present.put((x, *given), _levels_there(self._table(both), both.index(x)))
        # A row's stratum takes longest to find: it then serves all columns that may be asked about.
        strata = self._coded(given)
        size = int(strata.max()) + 1
        for column in set(range(len(self.codes))) - set(given):
            joint = strata * np.int32(self.levels[column]) + self.codes[column]
            table = self._count(joint, size * self.levels[column]).reshape(size, -1)
            there = self._present.put((column, *given), _levels_there(table, 1))
            if column == x:
                other_levels = there
        assert other_levels is not None
        return other_levels

    def _dense(self, columns: tuple[int, ...], more: int = 1) -> bool:
        cells = more
        for k in columns:
            cells *= self.levels[k] + self.gaps[k]
        return cells <= self._most

    def _table(self, columns: tuple[int, ...]) -> Counts:
        """Counts, one axis per column in ascending order."""
        if (kept := self._tables.get(columns)) is not None:
            return kept
        shape = [self.levels[k] + self.gaps[k] for k in columns]
        joint = np.zeros(self.rows, np.int32)
        for k, size in zip(columns, shape, strict=True):
            np.multiply(joint, size, out=joint)
            np.add(joint, self.codes[k], out=joint)
        return self._tables.put(columns, self._count(joint, int(np.prod(shape, dtype=np.int64))).reshape(shape))

    def _count(self, codes: npt.NDArray[np.int32], size: int) -> Counts:
        return np.bincount(codes, self.weights, size)

    def _coded(self, columns: tuple[int, ...]) -> npt.NDArray[np.int32]:
        """A number for each row's stratum: those that have rows are numbered 0, 1, ..."""
        if (kept := self._strata.get(columns)) is not None:
            return kept
        if not columns:
            return np.zeros(self.rows, np.int32)
        before = self._coded(columns[:-1])
        joint = before * np.int32(self.levels[columns[-1]] + self.gaps[columns[-1]]) + self.codes[columns[-1]]
        number = np.cumsum(np.bincount(joint) > 0, dtype=np.int32) - np.int32(1)
        return self._strata.put(columns, number[joint])

    def _compact(self, columns: tuple[int, ...]) -> Counts:
        return self._count(self._coded(columns), 0)

    def _stratified(self, x: int, y: int, given: tuple[int, ...]) -> Counts:
        """Counts (strata, levels of x, levels of y) of the rows that have all values."""
        columns = _with(given, x, y)
        if self._dense(columns):
            order = [columns.index(k) for k in (*given, x, y)]
            table = self._table(columns).transpose(order)
            table = table[tuple(slice(self.levels[k]) for k in (*given, x, y))]
            return table.reshape(-1, self.levels[x], self.levels[y])
        strata = self._coded(given)
        size = int(strata.max()) + 1
        a, b = self.levels[x] + self.gaps[x], self.levels[y] + self.gaps[y]
        joint = (strata.astype(np.int64) * a + self.codes[x]) * b + self.codes[y]
        missing = np.zeros(self.rows, bool)
        for k in given:
            if self.gaps[k]:
                missing |= self.codes[k] == self.levels[k]
        weights = (~missing).astype(np.float64) if self.weights is None else self.weights * ~missing
        counts: Counts = np.bincount(joint, weights, size * a * b)
        return counts.reshape(size, a, b)[:, : self.levels[x], : self.levels[y]]


def _levels_there(table: Counts, axis: int) -> Small:
    """Of each stratum (the other axes), how many levels of the axis have rows, but one."""
    before = int(np.prod(table.shape[:axis], dtype=np.int64))
    there = (table > 0).view(np.uint8).reshape(before, table.shape[axis], -1)
    other_levels = there[:, 0].copy()
    for level in range(1, there.shape[1]):
        other_levels += there[:, level]
    other_levels -= other_levels > 0
    return other_levels.ravel()


def _with(given: tuple[int, ...], *more: int) -> tuple[int, ...]:
    return tuple(sorted((*given, *more)))


def _of_table(table: Floats) -> tuple[float, float, float, float]:
    """Rows, degrees of freedom, G2 and chi2 of counts (strata, levels of x, levels of y)."""
    of_x, of_y = table.sum(axis=2), table.sum(axis=1)
    of_s = of_x.sum(axis=1)
    freedom = float((np.maximum((of_x > 0).sum(axis=1) - 1, 0) * np.maximum((of_y > 0).sum(axis=1) - 1, 0)).sum())
    if freedom == 0:
        return float(of_s.sum()), 0.0, 0.0, 0.0
    there = of_s > 0
    table, of_x, of_y, of_s = table[there], of_x[there], of_y[there], of_s[there]
    expected = of_x[:, :, None] * of_y[:, None, :] / of_s[:, None, None]
    some = table > 0
    g2 = 2.0 * float((table[some] * np.log(table[some] / expected[some])).sum())
    possible = expected > 0
    chi2 = float(((table[possible] - expected[possible]) ** 2 / expected[possible]).sum())
    return float(of_s.sum()), freedom, g2, chi2


def _codes(values: pl.Series) -> Codes:
    """0, 1, ... by level; -1 where there is no value."""
    ranked = values.cast(pl.String) if values.dtype == pl.Categorical else values
    return (ranked.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
