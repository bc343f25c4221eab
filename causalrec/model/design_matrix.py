"""Covariates as numbers, learned on the training window and written down as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Floats, Mask, Singles
from causalrec.logs.far_values import HUGE, within_fences

MAX_LEVELS = 50
BEND = 8.0
"""Standard deviations: what lies further is hardly ever met, and says no more the further it is."""
FURTHEST = 20.0


@dataclass(frozen=True)
class Column:
    """How one covariate becomes numbers.

    Attributes:
        levels: Of a text column: one indicator each. A level that training did not see (or that is too rare
            to have its own), and a missing one, is all zeros: an indicator of its own would have a weight
                that nothing taught.
        log: log(1 + x) first, for counts with a long tail.
        mean, scale: Of the (logged) training values, those beyond the fences moved to them: one absurd value among
            them moves neither.
        bend: Standardised numbers beyond it grow as logarithms, and end at `FURTHEST`; None: they are not bent.
        missing: Whether training had missing numbers: a second column then says so, and the number is the
            mean. Where training had none, a missing number is the mean and nothing else is said.
    """

    name: str
    levels: tuple[str, ...] | None
    log: bool
    mean: float
    scale: float
    missing: bool = False
    bend: float | None = None

    @property
    def width(self) -> int:
        if self.levels is not None:
            return len(self.levels)
        return 2 if self.missing else 1

    def transform(self, values: pl.Series) -> Singles:
        """(rows, width) float32, standardised, finite: for a network.

        Raises:
            InputError: A number is infinite.
        """
        if self.levels is not None:
            return self._indicators(values).astype(np.float32)
        x = _numbers(values)
        gone = np.isnan(x)
        x = np.log1p(np.maximum(x, 0)) if self.log else x
        standard = np.where(gone, 0.0, (x - self.mean) / self.scale)
        if self.bend is not None:
            size = np.abs(standard)
            bent = np.minimum(self.bend + np.log1p(np.maximum(size - self.bend, 0)), FURTHEST)
            standard = np.where(size > self.bend, np.sign(standard) * bent, standard)
        parts = [standard, gone] if self.missing else [standard]
        return np.column_stack(parts).astype(np.float32)

    def plain(self, values: pl.Series) -> Floats:
        """(rows, width) float64, finite, not scaled: for trees, which compare values and ask for no scale.

        Raises:
            InputError: A number is infinite.
        """
        if self.levels is not None:
            return self._indicators(values).astype(np.float64)
        x = _numbers(values)
        gone = np.isnan(x)
        x = np.where(gone, self.mean, np.log1p(np.maximum(x, 0)) if self.log else x)
        return np.column_stack([x, gone] if self.missing else [x])

    def _indicators(self, values: pl.Series) -> Mask:
        levels = {level: k for k, level in enumerate(self.levels or ())}
        codes = values.cast(pl.String).replace_strict(levels, default=-1, return_dtype=pl.Int32).to_numpy()
        return np.asarray(codes[:, None] == np.arange(len(levels))[None, :])


@dataclass(frozen=True)
class DesignMatrix:
    """Columns in order; `transform` gives (rows, width) float32, `plain` float64."""

    columns: tuple[Column, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, columns: Sequence[str]) -> DesignMatrix:
        """Learn levels, means and scales on the training window.

        Raises:
            KeyError: A column is not in the frame.
            InputError: A column is neither text nor a number, or holds an infinite number.
        """
        _require(frame, columns)
        return cls(tuple(_fit_column(frame[name]) for name in columns))

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def width(self) -> int:
        return sum(column.width for column in self.columns)

    def transform(self, frame: pl.DataFrame) -> Singles:
        """(rows, width); a design without columns gives (rows, 0).

        Raises:
            KeyError: A column is not in the frame.
            InputError: A number is infinite.
        """
        _require(frame, self.names)
        if not self.columns:
            return np.zeros((frame.height, 0), dtype=np.float32)
        return np.concatenate([column.transform(frame[column.name]) for column in self.columns], axis=1)

    def plain(self, frame: pl.DataFrame) -> Floats:
        """(rows, width), not scaled: no value of a column changes what another is.

        Raises:
            KeyError: A column is not in the frame.
            InputError: A number is infinite.
        """
        _require(frame, self.names)
        if not self.columns:
            return np.zeros((frame.height, 0))
        return np.concatenate([column.plain(frame[column.name]) for column in self.columns], axis=1)

    def to_json(self) -> str:
        return json.dumps([asdict(column) for column in self.columns])

    @classmethod
    def from_json(cls, text: str) -> DesignMatrix:
        def column(raw: dict[str, object]) -> Column:
            levels = raw["levels"]
            return Column(**{**raw, "levels": tuple(levels) if isinstance(levels, list) else None})  # type: ignore[arg-type]

        return cls(tuple(column(raw) for raw in json.loads(text)))


def _require(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    if missing := [c for c in columns if c not in frame.columns]:
        raise KeyError(f"covariates {missing} are not in the frame, which has {frame.columns}")


def _fit_column(values: pl.Series) -> Column:
    if isinstance(values.dtype, pl.String | pl.Categorical | pl.Enum):
        text = values.cast(pl.String).drop_nulls()
        counts = text.value_counts(name="rows").sort(["rows", values.name], descending=[True, False])
        kept = counts[values.name].head(MAX_LEVELS).sort().to_list()
        return Column(values.name, tuple(kept), False, 0.0, 1.0)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise InputError(
            f"the covariate `{values.name}` is {values.dtype}; a model reads text and numbers. Declare it "
            "as text or number in sources.yaml, or leave it out"
        )
    x = _numbers(values)
    known = x[~np.isnan(x)]
    log = values.dtype.is_integer() and _has_long_tail(known)
    known = within_fences(np.log1p(known) if log else known)
    mean, scale = (float(known.mean()), float(known.std())) if len(known) else (0.0, 1.0)
    return Column(values.name, None, log, mean, scale if scale > 0 else 1.0, len(known) < len(x), BEND)


def _numbers(values: pl.Series) -> Floats:
    """As floats, NaN where missing."""
    x = np.asarray(values.cast(pl.Float64).to_numpy(), dtype=np.float64)
    if np.isinf(x).any():
        raise InputError(f"the covariate `{values.name}` is infinite in row {int(np.isinf(x).argmax()) + 1}")
    return np.clip(x, -HUGE, HUGE)


def _has_long_tail(x: Floats) -> bool:
    """Whether counts lean far to the left, and their logarithm less so."""
    if not len(x) or x.min() < 0:
        return False
    plain, logged = _skewness(within_fences(x)), _skewness(within_fences(np.log1p(x)))
    return plain > 1 and abs(logged) < plain


def _skewness(x: Floats) -> float:
    spread = x.std()
    return float((((x - x.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
