"""Item vectors looked up by item id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True)
class ItemVectors:
    """Vectors in the order of their items.

    Attributes:
        item_ids: One per row of `matrix`.
        matrix: (items, dimensions) float32.
    """

    item_ids: tuple[str, ...]
    matrix: npt.NDArray[np.float32]

    @classmethod
    def from_frame(cls, embeddings: pl.DataFrame) -> ItemVectors:
        """From the published table `item_embeddings`."""
        return cls(
            tuple(embeddings["item_id"]), np.ascontiguousarray(embeddings["vector"].to_numpy(), dtype=np.float32)
        )

    @cached_property
    def _row(self) -> pl.DataFrame:
        return pl.DataFrame({"item_id": self.item_ids, "row": np.arange(len(self.item_ids))})

    def rows(self, item_ids: pl.Series) -> npt.NDArray[np.int64]:
        """The row of each item in `padded()`; an item without a vector gets the last one, which is all zeros."""
        requested = pl.DataFrame({"item_id": item_ids})
        row_numbers = requested.join(self._row, on="item_id", how="left", maintain_order="left")["row"]
        return np.asarray(row_numbers.fill_null(len(self.item_ids)).to_numpy(), dtype=np.int64)

    def padded(self) -> npt.NDArray[np.float32]:
        """(items + 1, dimensions): the vectors and a row of zeros for an item without text."""
        return np.concatenate([self.matrix, np.zeros((1, self.matrix.shape[1]), dtype=np.float32)])
