"""Columns in a compact form, and the columns of numbers that a test sees of each.

A million rows of sixteen columns are 100 MB this way; what the test sees of them, some hundred columns, is made a chunk
of rows at a time (`covariance`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.arrays import Floats, Ints, Mask, Singles

Rows = slice | Ints
"""Some rows: from one to another, or by their numbers."""
TESTED, MOST_POWERS = 3, 7
"""Of a number's polynomials: how many a test looks for dependence in, and how many it takes out of what it is given."""

NOMINAL_NUMBERS = ("hour", "weekday", "month")
MAX_LEVELS = 30
"""Of a nominal column; the rarest of more levels share one."""


class Column(Protocol):
    """What a test needs to know of a node's column."""

    @property
    def rows(self) -> int: ...

    @property
    def width(self) -> int:
        """How many columns of numbers it is, where it is conditioned on."""

    @property
    def tested(self) -> int:
        """How many of them, the first ones, stand for it where it is tested."""

    @property
    def plain(self) -> int:
        """How many of them, the first ones, stand for it where few independent rows allow few columns."""

    def write(self, part: Rows, out: Floats) -> None:
        """Write these rows into `out`, (width, rows of the part)."""

    def contrasts(self) -> list[Floats]:
        """A few functions of the column, (rows,) each: the sample of them in which clusters are weighed."""


@dataclass(frozen=True)
class Numbers:
    """A number as its normal score z and, so that dips, bends and waves are seen, Legendre's polynomials of its rank.

    Attributes:
        scores: z, (rows,), 0 where there is no value.
        powers: How many columns: z, P2, P3, ... of the rank between -1 and 1; fewer than the column has values.
        gap: Where there is no value. It is a column of the block: what is tested and conditioned on is what was
            logged, a value or none, so that a gap that says something is seen, and no made-up value is.
    """

    scores: Singles
    powers: int = MOST_POWERS
    gap: Mask | None = None

    @property
    def rows(self) -> int:
        return len(self.scores)

    @property
    def width(self) -> int:
        return self.powers + (self.gap is not None)

    @property
    def tested(self) -> int:
        return min(TESTED, self.powers) + (self.gap is not None)

    @property
    def plain(self) -> int:
        return 1 + (self.gap is not None)

    def write(self, part: Rows, out: Floats) -> None:
        from scipy.special import ndtr

        at = 0
        if self.gap is not None:
            out[0] = self.gap[part]
            at = 1
        z = out[at]
        z[:] = self.scores[part]
        if self.powers == 1:
            return
        rank = 2.0 * ndtr(z) - 1.0
        before, now = np.ones_like(rank), rank
        for k in range(1, self.powers):
            before, now = now, ((2 * k + 1) * rank * now - k * before) / (k + 1)
            out[at + k] = now
            if self.gap is not None:
                out[at + k] *= ~self.gap[part]

    def contrasts(self) -> list[Floats]:
        return [self.scores.astype(np.float64)]


class Whole(ABC):
    """A column of which the same numbers stand for it wherever it is asked about."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many columns of numbers it is."""

    @property
    def tested(self) -> int:
        return self.width

    @property
    def plain(self) -> int:
        return self.width


@dataclass(frozen=True)
class Levels(Whole):
    """A nominal column: one indicator per level but the first, which is the reference.

    Attributes:
        codes: (rows,), 0 to levels - 1.
    """

    codes: npt.NDArray[np.uint8]
    levels: int

    @property
    def rows(self) -> int:
        return len(self.codes)

    @property
    def width(self) -> int:
        return self.levels - 1

    def write(self, part: Rows, out: Floats) -> None:
        np.equal(self.codes[part], np.arange(1, self.levels, dtype=np.uint8)[:, None], out=out, casting="unsafe")

    def contrasts(self) -> list[Floats]:
        """Signs drawn for the levels, each level weighing the same (Hutchinson's estimate of a mean over contrasts)."""
        share = np.bincount(self.codes, minlength=self.levels) / self.rows
        signs = np.random.default_rng(self.levels).choice([-1.0, 1.0], size=(2 if self.levels > 2 else 1, self.levels))
        signs[:, 0] = 1.0
        if self.levels == 2:
            signs[0, 1] = -1.0
        weights = signs / np.sqrt(np.maximum(share, 1.0 / self.rows))
        return [row[self.codes] for row in weights]


@dataclass(frozen=True)
class Plain(Whole):
    """Columns of numbers as they are, (width, rows)."""

    block: Floats

    @property
    def rows(self) -> int:
        return int(self.block.shape[1])

    @property
    def width(self) -> int:
        return len(self.block)

    def write(self, part: Rows, out: Floats) -> None:
        out[:] = self.block[:, part]

    def contrasts(self) -> list[Floats]:
        return list(self.block)


def rare_rows(column: Column) -> Floats:
    """(width,): how many rows the rarer value of each of a column's numbers has where there are two, else infinity."""
    rare = np.full(column.width, np.inf)
    if isinstance(column, Levels):
        counts = np.bincount(column.codes, minlength=column.levels)[1:]
        rare[:] = np.minimum(counts, column.rows - counts)
    elif isinstance(column, Numbers):
        there = column.scores
        if column.gap is not None:
            gaps = int(column.gap.sum())
            rare[0] = min(gaps, column.rows - gaps)
            there = there[~column.gap]
        if column.powers == 1 and len(there):
            low = int((there == there.min()).sum())
            rare[-1] = min(low, len(there) - low) or np.inf
    return rare


def as_column(block: Column | Floats) -> Column:
    """An array (rows, width) is centred and scaled, so that sums of squares keep their digits."""
    if not isinstance(block, np.ndarray):
        return block
    scale = block.std(axis=0)
    return Plain(np.ascontiguousarray(((block - block.mean(axis=0)) / np.where(scale > 0, scale, 1.0)).T))


def numbers(values: Floats, gap: Mask | None = None, most: int = MOST_POWERS) -> Numbers:
    """A number's ranks as normal scores, ranked among the rows that have a value.

    Args:
        values: (rows,); what stands at a gap is not read.
        most: Columns that it may become.
    """
    gap = gap if gap is not None and gap.any() else None
    present = values if gap is None else values[~gap]
    present_scores = normal_scores(present)
    # With k values, k - 1 columns say all that there is to say.
    powers = max(1, _distinct_up_to(present_scores, most + 1) - 1)
    if gap is None:
        return Numbers(present_scores.astype(np.float32), powers)
    scores = np.zeros(len(values), np.float32)
    scores[~gap] = present_scores
    return Numbers(scores, powers, gap)


def _distinct_up_to(values: Floats, most: int) -> int:
    """How many values there are; `most` where there are more."""
    seen, rest = 0, values
    while len(rest) and seen < most:
        seen += 1
        rest = rest[rest != rest[0]]
    return seen


def normal_scores(x: Floats) -> Floats:
    """Ranks turned into standard normal quantiles, ties at their mean rank: the Gaussian copula's scale."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(x) / (len(x) + 1)))


def is_discrete(values: pl.Series) -> bool:
    """Whether a table can be made of a column: levels, or few whole numbers."""
    few = values.n_unique() <= MAX_LEVELS
    return few and (is_nominal(values) or values.dtype.is_integer() or isinstance(values.dtype, pl.Enum))


def is_nominal(values: pl.Series) -> bool:
    """Whether a column's values have no order."""
    return values.dtype in (pl.String, pl.Categorical, pl.Boolean) or values.name in NOMINAL_NUMBERS
