"""Columns that are a linear function of several others: named, with what they follow from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats, Mask
from causalrec.graph.independence.columns import Column, Rows, Whole
from causalrec.graph.independence.covariance import correlate, plain_layout
from causalrec.logs.far_values import HUGE, fences, within_fences

LEFT = 1e-8
"""A column of which less than this share of its variance is left follows from the others."""


@dataclass(frozen=True)
class Raw:
    """A number as it is (0 at gaps), with its gaps; or the indicators of a nominal column."""

    values: Floats | None
    gap: Mask | None
    levels: Column | None = None

    def column(self) -> Column:
        if self.levels is not None:
            return self.levels
        assert self.values is not None and self.gap is not None
        known = within_fences(self.values[~self.gap & np.isfinite(self.values)])
        centre, spread = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
        return _Number(np.clip(self.values, -HUGE, HUGE), self.gap, centre, spread)

    def far(self) -> Mask | None:
        """Rows beyond the fences, or none."""
        if self.values is None or self.gap is None:
            return None
        known = ~self.gap & np.isfinite(self.values)
        if not known.any():
            return None
        low, high = fences(self.values[known])
        return known & ((self.values < low) | (self.values > high))


@dataclass(frozen=True)
class _Number(Whole):
    values: Floats
    gap: Mask
    centre: float
    spread: float

    @property
    def rows(self) -> int:
        return len(self.values)

    @property
    def width(self) -> int:
        return 2 if self.gap.any() else 1

    def write(self, part: Rows, out: Floats) -> None:
        known = ~self.gap[part] & np.isfinite(self.values[part])
        out[0] = np.where(known, (self.values[part] - self.centre) / self.spread, 0.0)
        if len(out) > 1:
            out[1] = self.gap[part]

    def contrasts(self) -> list[Floats]:
        return [self.values]


def follows_from(raw: Mapping[str, Raw], may_go: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns to leave out so that no column of `may_go` is a linear function of others, and of which.

    The last one goes first: of a, b and their sum it is the sum, if it stands last.

    Args:
        raw: Columns that may explain others.
        may_go: Those that may be left out, in order.

    Returns:
        Column -> a smallest set of columns (none can be spared) that it is a function of.
    """
    if len(raw) < 2:
        return {}
    columns = {name: one.column() for name, one in raw.items()}
    layout = plain_layout(list(columns.values()))
    at = dict(zip(columns, layout.at, strict=True))
    # Two columns with an absurd value in one row are nearly one column, as far as sums of products go. So a column that
    # follows from others does so among all rows, and among those without such values.
    far = np.zeros(next(iter(columns.values())).rows, dtype=np.bool_)
    for one in raw.values():
        beyond = one.far()
        far |= False if beyond is None else beyond
    matrices = [correlate(list(columns.values()), layout)[0]]
    if far.any() and not far.all():
        matrices.append(correlate(list(columns.values()), layout, (~far).astype(np.float64))[0])

    rows = len(far)

    def left(name: str, others: Sequence[str]) -> float:
        # As many columns as rows explain anything.
        if sum(len(at[other]) for other in others) + 1 >= rows:
            return 1.0
        return max(_left(matrix, at, name, others) for matrix in matrices)

    gone: dict[str, tuple[str, ...]] = {}
    for name in reversed(may_go):
        others = [other for other in columns if other != name and other not in gone]
        if left(name, others) > LEFT:
            continue
        for other in reversed(others.copy()):
            fewer = [o for o in others if o != other]
            if fewer and left(name, fewer) <= LEFT:
                others = fewer
        gone[name] = tuple(others)
    return gone


def _left(matrix: Floats, at: Mapping[str, npt.NDArray[np.int64]], name: str, others: Sequence[str]) -> float:
    """The largest share of variance that a column of the block keeps once the others are known."""
    own_columns, other_columns = at[name], np.concatenate([at[other] for other in others])
    values, vectors = np.linalg.eigh(matrix[np.ix_(other_columns, other_columns)])
    sound = values > 1e-10 * values[-1]
    shares = vectors[:, sound].T @ matrix[np.ix_(other_columns, own_columns)]
    return float((1.0 - (shares**2 / values[sound, None]).sum(axis=0)).max())
