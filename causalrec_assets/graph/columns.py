"""Columns in a compact form, and the few columns of numbers that a test sees of each.

A million rows of sixteen columns are 50 MB this way; what the test sees of them (some ninety columns) is made a chunk
of rows at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
CHUNK = 32_768
"""Rows that are expanded at a time: 25 MB for a hundred columns."""


class Column(Protocol):
    """What a test needs to know of a node's column."""

    @property
    def rows(self) -> int: ...

    @property
    def width(self) -> int:
        """How many columns of numbers it is."""

    def write(self, part: slice, out: Floats) -> None:
        """Write these rows into `out`, (rows of the part, width)."""

    def contrasts(self) -> list[Floats]:
        """A few functions of the column, (rows,) each: the sample of them in which clusters are weighed."""


@dataclass(frozen=True)
class Numbers:
    """A number as its normal score z and, so that dips and bends are seen, the polynomials z^2 - 1 and z^3 - 3z.

    Attributes:
        scores: (rows,), 0 where there is no value.
        powers: How many of z, z^2 - 1, z^3 - 3z are used: fewer than the column has values.
        gap: Where there is no value. It is a column of the block: what is tested and conditioned on is what was
            logged, a value or none, so that a gap that says something is seen, and no made-up value is.
    """

    scores: npt.NDArray[np.float32]
    powers: int = 3
    gap: Flags | None = None

    @property
    def rows(self) -> int:
        return len(self.scores)

    @property
    def width(self) -> int:
        return self.powers + (self.gap is not None)

    def write(self, part: slice, out: Floats) -> None:
        z = self.scores[part].astype(np.float64)
        there = 1.0 if self.gap is None else ~self.gap[part]
        out[:, 0] = z
        if self.powers > 1:
            out[:, 1] = (z * z - 1.0) * there
        if self.powers > 2:
            out[:, 2] = (z * z - 3.0) * z
        if self.gap is not None:
            out[:, -1] = self.gap[part]

    def contrasts(self) -> list[Floats]:
        return [self.scores.astype(np.float64)]


@dataclass(frozen=True)
class Levels:
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

    def write(self, part: slice, out: Floats) -> None:
        out[:] = self.codes[part, None] == np.arange(1, self.levels, dtype=np.uint8)

    def contrasts(self) -> list[Floats]:
        """Signs drawn for the levels, each level weighing the same (Hutchinson's estimate of a mean over contrasts)."""
        share = np.bincount(self.codes, minlength=self.levels) / self.rows
        rng = np.random.default_rng(self.levels)
        signs = rng.choice([-1.0, 1.0], size=(2 if self.levels > 2 else 1, self.levels))
        signs[:, 0] = 1.0
        if self.levels == 2:
            signs[0, 1] = -1.0
        weights = signs / np.sqrt(np.maximum(share, 1.0 / self.rows))
        return [row[self.codes] for row in weights]


@dataclass(frozen=True)
class Plain:
    """Columns of numbers as they are, (rows, width)."""

    block: Floats

    @property
    def rows(self) -> int:
        return len(self.block)

    @property
    def width(self) -> int:
        return int(self.block.shape[1])

    def write(self, part: slice, out: Floats) -> None:
        out[:] = self.block[part]

    def contrasts(self) -> list[Floats]:
        return list(self.block.T)


def as_column(block: Column | Floats) -> Column:
    """An array's columns are centred and scaled, so that sums of their squares keep their digits."""
    if not isinstance(block, np.ndarray):
        return block
    scale = block.std(axis=0)
    return Plain((block - block.mean(axis=0)) / np.where(scale > 0, scale, 1.0))


def numbers(values: Floats, gap: Flags | None = None, most: int = 3) -> Numbers:
    """A number's ranks as normal scores, ranked among the rows that have a value.

    Args:
        values: (rows,); what stands at a gap is not read.
        most: Powers of the score, where the column has enough values for them.
    """
    gap = gap if gap is not None and gap.any() else None
    present = values if gap is None else values[~gap]
    found = normal_scores(present)
    # With k values, k - 1 columns say all that there is to say.
    powers = max(1, min(most, _distinct_up_to(found, most + 1) - 1))
    if gap is None:
        return Numbers(found.astype(np.float32), powers)
    scores = np.zeros(len(values), np.float32)
    scores[~gap] = found
    return Numbers(scores, powers, gap)


def _distinct_up_to(values: Floats, most: int) -> int:
    """How many values there are; `most` where there are more."""
    seen: set[float] = set()
    rest = values
    while len(rest) and len(seen) < most:
        seen.add(float(rest[0]))
        rest = rest[rest != rest[0]]
    return len(seen)


def normal_scores(x: Floats) -> Floats:
    """Ranks turned into standard normal quantiles, ties at their mean rank: the Gaussian copula's scale."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(x) / (len(x) + 1)))


def correlation(columns: Sequence[Column], width: int, rows: int, weights: Floats | None) -> Floats:
    """The correlation matrix of all blocks' columns, a chunk of rows at a time; BLAS uses every core.

    A column that does not vary correlates with nothing.
    """
    gram = np.zeros((width + 1, width + 1))
    chunk = np.empty((min(rows, CHUNK), width + 1))
    for start in range(0, rows, CHUNK):
        part = slice(start, min(rows, start + CHUNK))
        out = chunk[: part.stop - start]
        at = 0
        for column in columns:
            column.write(part, out[:, at : at + column.width])
            at += column.width
        out[:, width] = 1.0
        if weights is not None:
            out *= np.sqrt(weights[part])[:, None]
        gram += out.T @ out
    total = gram[width, width]
    mean = gram[width, :width] / total
    covariance = gram[:width, :width] / total - np.outer(mean, mean)
    variance = np.diag(covariance).copy()
    constant = variance <= 1e-12 * np.maximum(1.0, mean**2)
    scale = np.where(constant, 0.0, 1.0 / np.sqrt(np.where(constant, 1.0, variance)))
    correlation: Floats = covariance * np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation
