"""Values of a column that are far from all others: a stand-in for "unknown" (-999, 1e12, the year 9999), or a slip.

One of them among millions bends a mean and a spread as far as it likes. What is scaled is scaled by what lies within
`fences`; what is far is named, so that a person can say in `cleaning.yaml` what is possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.arrays import Floats

HUGE = 1e100
"""Larger magnitudes count as this one: their squares would overflow."""
REACH = 10.0
"""Fences stand so many quartile ranges beyond the quartiles: further than 13 standard deviations of a normal column."""
APART = 20.0
"""A far value lies so many times further from its neighbour than that one from the median."""
APART_OF_FEW = 100.0
"""The same for columns of few different values, which have gaps by nature."""
APART_OF_ONE = 10_000.0
"""The same for what lies beside the one value that most rows have."""
FEW = 9
SHARE_OF_SLIPS = 0.01
"""More far rows, of more than a few values, are another kind of row and no slip."""
NINES = tuple(float(10**k - 1) for k in range(1, 10))
"""How people write that a number is not known."""
SHARE_OF_STAND_IN = 0.001
TOLD = 5
"""Of the far values of a column so many are named."""


@dataclass(frozen=True)
class FarValue:
    """A value, or values of a column, far from the others.

    Attributes:
        value: The commonest of them, of equally common ones the largest in size.
        rows, of: So many rows have a far value on this side, of so many with a value.
        least, most: The range of the rest.
    """

    column: str
    value: float
    rows: int
    of: int
    least: float
    most: float

    @property
    def words(self) -> str:
        share = f"{100 * self.rows / self.of:.2g} %"
        return (
            f"`{self.column}` is {self.value:.12g} in {self.rows:,} of {self.of:,} rows ({share}), far from all others "
            f"({self.least:.6g} to {self.most:.6g})"
        )


def fences(values: Floats) -> tuple[float, float]:
    """How far the values of a column reach that its mean and spread may listen to.

    Args:
        values: Known numbers, none of them NaN; at least one.

    Returns:
        (low, high): the quartiles, widened by ten quartile ranges; of a column that is mostly one value, the same of
        the first wider pair of quantiles that differ. No fewer than a quarter of the rows (where the quartiles differ)
        can move them at will.

    Source:
        Tukey (1977), "Exploratory Data Analysis", chapter 2, the fences, further out.
    """
    values = np.clip(values, -HUGE, HUGE)
    for tail in (0.25, 0.05, 0.01, 0.001):
        low, high = (float(q) for q in np.quantile(values, (tail, 1 - tail)))
        if high > low:
            return low - REACH * (high - low), high + REACH * (high - low)
    centre = float(np.median(values))
    away = np.abs(values[values != centre] - centre)
    reach = REACH * float(np.median(away)) if len(away) else 0.0
    return centre - reach, centre + reach


def within_fences(values: Floats) -> Floats:
    """The values, those beyond the fences moved to them (winsorised)."""
    return np.clip(values, *fences(values)) if len(values) else values


def far_values(frame: pl.DataFrame, columns: Iterable[str] | None = None) -> list[FarValue]:
    """The values of number columns that are far from all others of their column, or stand in for "unknown".

    A value is far when the gap between it and the next towards the median is twenty times as wide as from there to the
    median. Fewer than half of the rows are far. Beside that a value that people write for "unknown" (-1, -9, -99, -999,
    ..., 99, 999, ...) is named where it is the only one below 0, or stands apart, in at least one row of a thousand.

    Args:
        columns: Those to look at; None: all numbers.
    """
    far: list[FarValue] = []
    for name in frame.columns if columns is None else columns:
        values = frame[name]
        if values.dtype.is_numeric():
            far.extend(_far_of(name, values))
    return far


def in_words(far: Sequence[FarValue]) -> bool | str:
    """True, or what is far, for a check's verdict."""
    if not far:
        return True
    listed = "; ".join(one.words for one in far[:TOLD])
    more = f"; and {len(far) - TOLD} more" if len(far) > TOLD else ""
    return (
        f"{listed}{more}. If such a value stands for 'unknown', land it as an empty field, or bound the column in "
        "cleaning.yaml; nothing is scaled by it, but models take it for a number"
    )


def _far_of(name: str, values: pl.Series) -> list[FarValue]:
    counted = values.cast(pl.Float64).fill_nan(None).drop_nulls().value_counts().sort(values.name)
    distinct, rows = counted[values.name].to_numpy(), counted["count"].to_numpy()
    if len(distinct) < 2:
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = _beyond(-distinct[::-1], rows[::-1]), len(distinct) - _beyond(distinct, rows)
        if low >= high:
            return []
        stands_in = _stand_ins(distinct[low:high], rows[low:high], int(rows.sum()))
    low, high = low + stands_in[0], high - stands_in[1]
    far, rest = [], distinct[low:high]
    for side in (slice(0, low), slice(high, len(distinct))):
        outlying, often = distinct[side], rows[side]
        if len(outlying):
            commonest = outlying[often == often.max()]
            value = float(commonest[np.abs(commonest).argmax()])
            far.append(FarValue(name, value, int(often.sum()), int(rows.sum()), float(rest[0]), float(rest[-1])))
    return far


def _beyond(distinct: Floats, rows: npt.NDArray[np.integer]) -> int:
    """How many of the largest values are far.

    Args:
        distinct: The values, each once, rising.
        rows: How many rows have each.
    """
    below, last = np.cumsum(rows), len(distinct) - 1
    total = int(below[-1])
    middle = int(np.searchsorted(below, total / 2))
    at = np.arange(middle, last)
    gap, few = distinct[at + 1] - distinct[at], at + 1 <= FEW
    # From the median to the value before the gap; where there is nothing between, the size of the values stands for it.
    spread = distinct[at] - distinct[middle]
    size = np.maximum(np.abs(distinct[at]), 1.0)
    lone = (spread == 0) & ~(few & (at > 0))
    wide = np.where(lone, APART_OF_ONE * size, np.where(few, APART_OF_FEW * np.maximum(spread, size), APART * spread))
    of_few_values = (last - at <= FEW) | (total - below[at] <= SHARE_OF_SLIPS * total)
    hit = np.flatnonzero((gap >= wide) & of_few_values)
    return int(last - at[hit[0]]) if len(hit) else 0


def _stand_ins(distinct: Floats, rows: npt.NDArray[np.integer], total: int) -> tuple[int, int]:
    """Whether the smallest, and the largest, is what people write for "unknown": 0 or 1 each.

    It is so where it is the only value below 0, or stands apart from all others by twice their range.
    """
    if len(distinct) < FEW + 2:
        return 0, 0
    enough = rows >= SHARE_OF_STAND_IN * total
    least, most = distinct[0], distinct[-1]
    low = enough[0] and least < 0 and -least in (1.0, *NINES)
    low = low and (distinct[1] >= 0 or distinct[1] - least >= 2 * (most - distinct[1]))
    high = enough[-1] and most in NINES and most > FEW and most - distinct[-2] >= 2 * (distinct[-2] - least)
    return int(low), int(high)
