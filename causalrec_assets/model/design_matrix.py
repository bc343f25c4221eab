"""Covariates as numbers, learned on the training window and written down as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Matrix = npt.NDArray[np.float32]
MAX_LEVELS = 50
COUNTS = ("_exposures", "_clicks", "_purchases", "_days")


@dataclass(frozen=True)
class Column:
    """How one covariate becomes numbers.

    Attributes:
        levels: Of a text column: one indicator each; any other level, and a missing one, is all zeros.
        log: log(1 + x) first, for counts with a long tail.
        mean, scale: Of the (logged) training values; a missing number becomes the mean.
    """

    name: str
    levels: tuple[str, ...] | None
    log: bool
    mean: float
    scale: float

    @property
    def width(self) -> int:
        return 1 if self.levels is None else len(self.levels)

    def transform(self, values: pl.Series) -> Matrix:
        if self.levels is not None:
            codes = values.cast(pl.String).replace_strict(
                {level: k for k, level in enumerate(self.levels)}, default=-1, return_dtype=pl.Int32
            ).to_numpy()
            return np.asarray(codes[:, None] == np.arange(len(self.levels))[None, :], dtype=np.float32)
        x = values.cast(pl.Float64).to_numpy()
        x = np.log1p(np.maximum(x, 0)) if self.log else x
        return np.asarray(np.nan_to_num((x - self.mean) / self.scale, nan=0.0), dtype=np.float32)[:, None]


@dataclass(frozen=True)
class DesignMatrix:
    """Columns in order; `transform` gives (rows, width) float32."""

    columns: tuple[Column, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, columns: Sequence[str]) -> DesignMatrix:
        """Learn levels, means and scales.

        Raises:
            KeyError: A column is not in the frame.
        """
        if missing := [c for c in columns if c not in frame.columns]:
            raise KeyError(f"covariates {missing} are not in the frame, which has {frame.columns}")
        return cls(tuple(_fit_column(frame[name]) for name in columns))

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def width(self) -> int:
        return sum(column.width for column in self.columns)

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """(rows, width); a frame without columns to read gives (rows, 0)."""
        if not self.columns:
            return np.zeros((frame.height, 0), dtype=np.float32)
        return np.concatenate([column.transform(frame[column.name]) for column in self.columns], axis=1)

    def to_json(self) -> str:
        return json.dumps([asdict(column) for column in self.columns])

    @classmethod
    def from_json(cls, text: str) -> DesignMatrix:
        return cls(tuple(
            Column(**{**raw, "levels": None if raw["levels"] is None else tuple(raw["levels"])}) for raw in json.loads(text)
        ))


def _fit_column(values: pl.Series) -> Column:
    if values.dtype == pl.String:
        counts = values.drop_nulls().value_counts(name="rows").sort(["rows", values.name], descending=[True, False])
        return Column(values.name, tuple(counts[values.name].head(MAX_LEVELS).sort().to_list()), False, 0.0, 1.0)
    log = values.dtype.is_integer() and values.name.endswith(COUNTS)
    x = values.cast(pl.Float64).drop_nulls().to_numpy()
    x = np.log1p(np.maximum(x, 0)) if log else x
    mean, scale = (float(x.mean()), float(x.std())) if len(x) else (0.0, 1.0)
    return Column(values.name, None, log, mean, scale if scale > 0 else 1.0)
