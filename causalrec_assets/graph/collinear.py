"""Columns that are a linear function of several others: named, with what they follow from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec_assets.graph.columns import Column, Flags, Floats, Rows, Whole
from causalrec_assets.graph.covariance import correlate, plain_layout

LEFT = 1e-8
"""A column of which less than this share of its variance is left follows from the others."""


@dataclass(frozen=True)
class Raw:
    """A number as it is (0 at gaps), with its gaps; or the indicators of a nominal column."""

    values: Floats | None
    gap: Flags | None
    levels: Column | None = None

    def column(self) -> Column:
        if self.levels is not None:
            return self.levels
        assert self.values is not None and self.gap is not None
        known = self.values[~self.gap & np.isfinite(self.values)]
        centre, spread = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
        return _Number(self.values, self.gap, centre, spread)


@dataclass(frozen=True)
class _Number(Whole):
    values: Floats
    gap: Flags
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
    matrix, _ = correlate(list(columns.values()), layout)
    gone: dict[str, tuple[str, ...]] = {}
    for name in reversed(may_go):
        others = [other for other in columns if other != name and other not in gone]
        if _left(matrix, at, name, others) > LEFT:
            continue
        for other in reversed(others.copy()):
            fewer = [o for o in others if o != other]
            if fewer and _left(matrix, at, name, fewer) <= LEFT:
                others = fewer
        gone[name] = tuple(others)
    return gone


def _left(matrix: Floats, at: Mapping[str, npt.NDArray[np.int64]], name: str, others: Sequence[str]) -> float:
    """The largest share of variance that a column of the block keeps once the others are known."""
    mine, theirs = at[name], np.concatenate([at[other] for other in others])
    values, vectors = np.linalg.eigh(matrix[np.ix_(theirs, theirs)])
    sound = values > 1e-10 * values[-1]
    shares = vectors[:, sound].T @ matrix[np.ix_(theirs, mine)]
    return float((1.0 - (shares**2 / values[sound, None]).sum(axis=0)).max())
