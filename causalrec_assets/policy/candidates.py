"""What could have been shown: every context with every candidate, and the model's potential outcomes of each pair.

Pairs are never rows of a frame. A covariate belongs to the context, to the item, or to the two together: each part is
turned into numbers once and spread over the grid, so that millions of pairs cost what the network costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.logs.covariates import PAIR_HISTORY, AsOf, context_covariates, item_covariates, pair_covariates
from causalrec_assets.logs.sources import Source
from causalrec_assets.model.design_matrix import DesignMatrix, Matrix
from causalrec_assets.model.outcome_model import PotentialOutcomes

Ints = npt.NDArray[np.int64]
CELLS = 262_144
"""Pairs that are in memory at a time."""


class OutcomePredictor(Protocol):
    """What the policy needs of an outcome model."""

    @property
    def design(self) -> DesignMatrix: ...

    @property
    def purchases(self) -> bool: ...

    @property
    def reads_content(self) -> bool: ...

    def predict_matrix(self, x: Matrix, items: Ints | None, vectors: ItemVectors | None) -> PotentialOutcomes: ...


@dataclass(frozen=True)
class Day:
    """What is known at the end of the day before a day.

    Attributes:
        state: The history.
        items: The candidates' covariates, one row per item of the catalogue.
        source: What the logs mean.
    """

    state: AsOf
    items: pl.DataFrame
    source: Source

    @classmethod
    def of(cls, state: AsOf, catalogue: pl.DataFrame, source: Source) -> Day:
        """From a day's catalogue (rows of `items`)."""
        return cls(state, item_covariates(catalogue, state, source), source)


@dataclass(frozen=True)
class Contexts:
    """Distinct contexts: two slots whose user, time and place are the same to every model are scored once.

    Attributes:
        frame: One row per context, with its covariates.
        of_slot: (slots,) the row of `frame` of each slot.
    """

    frame: pl.DataFrame
    of_slot: Ints


def distinct_contexts(slots: pl.DataFrame, day: Day, read: Iterable[str], match: Sequence[str]) -> Contexts:
    """The contexts of a day's slots.

    Args:
        slots: With `time`, `user_id`, the source's context columns, and `position` where a model reads it.
        read: Columns that any model reads.
        match: Columns by which candidates are chosen.
    """
    read = set(read)
    frame = context_covariates(slots, day.state)
    key = [c for c in frame.columns if c in read or c in match]
    if read & set(PAIR_HISTORY) and "user_id" not in key:
        key.append("user_id")
    if not key:
        return Contexts(frame.head(1), np.zeros(frame.height, dtype=np.int64))
    contexts = frame.unique(key, keep="first", maintain_order=True)
    codes = frame.select(key).join(
        contexts.select(key).with_row_index("context"), on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    return Contexts(contexts, np.asarray(codes["context"].to_numpy(), dtype=np.int64))


def blocks(contexts: pl.DataFrame, items: pl.DataFrame, match: Sequence[str], cells: int = CELLS) -> Iterator[tuple[Ints, Ints]]:
    """Rows of contexts and rows of the items that are candidates for all of them, at most `cells` pairs at a time.

    A context without any candidate is in no block.

    Raises:
        KeyError: A column of `match` is not known of contexts and items both.
    """
    for side, frame in (("contexts", contexts), ("items", items)):
        if missing := [c for c in match if c not in frame.columns]:
            raise KeyError(f"candidates are matched by {missing}, which {side} do not have (policy.yaml: candidates.match)")
    if not match:
        groups = [(np.arange(contexts.height), np.arange(items.height))]
    else:
        by_context, by_item = _rows_by(contexts, match), _rows_by(items, match)
        groups = [(rows, by_item[key]) for key, rows in by_context.items() if key in by_item]
    for rows, candidates in groups:
        if not len(candidates):
            continue
        step = max(1, cells // len(candidates))
        for start in range(0, len(rows), step):
            yield rows[start : start + step], candidates


def predict_pairs(
    model: OutcomePredictor, vectors: ItemVectors | None, contexts: pl.DataFrame, items: pl.DataFrame, day: Day
) -> PotentialOutcomes:
    """The potential outcomes of every context with every item; each array has the shape (contexts, items).

    Raises:
        KeyError: The model reads a column that neither contexts nor items have.
    """
    shape = (contexts.height, items.height)
    x = pair_matrix(model.design, contexts, items, day)
    content = np.tile(vectors.rows(items["item_id"]), shape[0]) if vectors is not None and model.reads_content else None
    flat = model.predict_matrix(x, content, vectors)

    def grid(values: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
        return None if values is None else values.reshape(shape)

    return PotentialOutcomes(
        click_if_recommended=flat.click_if_recommended.reshape(shape), click_if_not=grid(flat.click_if_not),
        purchase_if_recommended=grid(flat.purchase_if_recommended), purchase_if_not=grid(flat.purchase_if_not),
    )


def pair_matrix(design: DesignMatrix, contexts: pl.DataFrame, items: pl.DataFrame, day: Day) -> Matrix:
    """What the model reads of every pair, (contexts x items, width), items running fastest.

    Raises:
        KeyError: The model reads a column that neither contexts nor items have.
    """
    x = np.empty((contexts.height, items.height, design.width), dtype=np.float32)
    start = 0
    for column in design.columns:
        part = x[:, :, start : start + column.width]
        if column.name in PAIR_HISTORY:
            counts, item_group = _pair_counts(column.name, contexts, items, day)
            part[:] = column.transform(counts).reshape(contexts.height, -1, column.width)[:, item_group]
        elif column.name in contexts.columns:
            part[:] = column.transform(contexts[column.name])[:, None, :]
        elif column.name in items.columns:
            part[:] = column.transform(items[column.name])[None, :, :]
        else:
            raise KeyError(f"the outcome model reads `{column.name}`, which neither a context nor an item has")
        start += column.width
    return x.reshape(contexts.height * items.height, design.width)


def _pair_counts(name: str, contexts: pl.DataFrame, items: pl.DataFrame, day: Day) -> tuple[pl.Series, Ints]:
    """The counts of every context with every category, and the category of each item: pairs repeat within a category."""
    categories = items.select("category").unique(maintain_order=True).with_row_index("group")
    pairs = contexts.select("user_id").join(categories.select("category"), how="cross", maintain_order="left_right")
    group = items.select("category").join(categories, on="category", how="left", nulls_equal=True, maintain_order="left")
    return pair_covariates(pairs, day.state)[name], np.asarray(group["group"].to_numpy(), dtype=np.int64)


def _rows_by(frame: pl.DataFrame, columns: Sequence[str]) -> dict[tuple[object, ...], Ints]:
    grouped = frame.select(columns).with_row_index("row").group_by(columns, maintain_order=True).agg("row")
    return {tuple(row[:-1]): np.asarray(row[-1], dtype=np.int64) for row in grouped.rows()}
