"""Contexts with their candidates: covariates as of the day before, and their potential outcomes, in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints, Mask, Singles
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.units.covariates import AsOf, context_covariates, item_covariates, pair_covariates
from causalrec.model.design_matrix import Column
from causalrec.model.outcome.model import OutcomeModel, PotentialOutcomes
from causalrec.model.outcome.rest import RestModel
from causalrec.policy.columns import Columns
from causalrec.settings.logs.sources import Source

CHUNK_PAIRS = 250_000


@dataclass(frozen=True)
class Scored:
    """A run of contexts against all items, or against `columns` of them; every array is (contexts of the run, items).

    Attributes:
        contexts: Which rows of the contexts these are.
        click, purchase: P(Y = 1) if recommended.
        click_if_not, purchase_if_not: P(Y = 1) if met and not recommended; None where that arm was never seen.
        click_unprompted, purchase_unprompted: The same as an effect is told by: of the recommended arm and a shrunk
            lift. None where there is no such lift, and an effect is the difference of both arms.
        rest_click, rest_purchase: E[outcomes of the rest of the request] if shown, but for what the slot adds to it;
            None without a model of the rest.
        rest_sales: Of the rest, price x purchases, in units of currency.
        rest_of_slots: Tells what a slot's position adds to the rest.
        price: (items,), or (contexts, columns); None unless every item of the catalogue has one: an item without a
            price has no revenue that could be compared, and must not be ranked as if it had none.
        columns: What the columns are, where they are few; None: column k is item k of the catalogue.
    """

    contexts: slice
    eligible: Mask
    click: Floats
    purchase: Floats | None
    price: Floats | None
    click_if_not: Floats | None
    purchase_if_not: Floats | None = None
    rest_click: Floats | None = None
    rest_purchase: Floats | None = None
    rest_sales: Floats | None = None
    rest_of_slots: RestModel | None = None
    columns: Columns | None = None
    click_unprompted: Floats | None = None
    purchase_unprompted: Floats | None = None

    @property
    def by_arms(self) -> Scored:
        """With what each arm's own units say of it, which is what outcomes are held against."""
        return replace(self, click_unprompted=None, purchase_unprompted=None)

    @property
    def count(self) -> Ints:
        """(contexts,) how many items can be shown."""
        return self.eligible.sum(axis=1) if self.columns is None else self.columns.count

    def column(self, row: Ints, item: Ints) -> Ints:
        """The column of each item, by its catalogue row, in its context of the run."""
        return item if self.columns is None else self.columns.of(row, item)

    def item(self, row: Ints, column: Ints) -> Ints:
        """The catalogue row of each column in its context of the run."""
        return column if self.columns is None else np.asarray(self.columns.items[row, column])


def score_grid(
    contexts: pl.DataFrame,
    items: pl.DataFrame,
    state: AsOf,
    source: Source,
    model: OutcomeModel,
    vectors: ItemVectors | None,
    match: Sequence[str],
) -> Iterator[Scored]:
    """Score all pairs.

    Args:
        contexts: time, user_id (where the source has one), context columns, and what else of a slot the model reads.
        items: The catalogue of the day, in the order of the result's columns.
        state: The history at the end of the day before.
        match: Columns in which an item must equal its context.

    Raises:
        KeyError: The model reads a column that neither contexts nor items nor pairs have.
    """
    of_items = item_covariates(items, state, source)
    priced = "price" in of_items.columns and of_items["price"].null_count() == 0
    price = of_items["price"].to_numpy().astype(np.float64) if priced else None
    item_rows = vectors.rows(items["item_id"]) if vectors is not None and model.reads_content else None
    for start, part in _runs(context_covariates(contexts, state), of_items):
        x = pair_matrix(part, of_items, state, model.design.columns).reshape(part.height * items.height, -1)
        content = np.tile(item_rows, part.height) if item_rows is not None else None
        p = model.predict_matrix(x, content, vectors)
        eligible = eligible_candidates(part, of_items, match)
        prices = np.tile(price, part.height) if price is not None else None
        rest = {f"rest_{name}": e.reshape(eligible.shape) for name, e in model.rest_of_request(x, p, prices).items()}
        rest |= {f"{name}_unprompted": e.reshape(eligible.shape) for name, e in model.unprompted(x, p).items()}
        run, added = slice(start, start + part.height), model.rest
        yield Scored(run, eligible, *shaped(p, part.height, price), **rest, rest_of_slots=added, columns=None)


def unscored_grid(contexts: pl.DataFrame, items: pl.DataFrame, match: Sequence[str]) -> Iterator[Scored]:
    """All pairs without a model: who is a candidate is known all the same, and what is expected of them is NaN.

    Args:
        contexts, items, match: As in `score_grid`.

    Returns:
        Runs of contexts in their order; `click` and `purchase` are NaN, there is no price and no `click_if_not`.
    """
    for start, part in _runs(contexts, items):
        eligible = eligible_candidates(part, items, match)
        unknown = np.full(eligible.shape, np.nan)
        yield Scored(slice(start, start + part.height), eligible, unknown, unknown, None, None)


def _runs(contexts: pl.DataFrame, items: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Runs of contexts with at most about `CHUNK_PAIRS` pairs each, and where each begins."""
    step = max(1, CHUNK_PAIRS // max(1, items.height))
    for start in range(0, contexts.height, step):
        yield start, contexts.slice(start, step)


def shaped(
    p: PotentialOutcomes, contexts: int, price: Floats | None
) -> tuple[Floats, Floats | None, Floats | None, Floats | None, Floats | None]:
    """click, purchase, price, click_if_not and purchase_if_not of `Scored`, (contexts, items) each."""

    def shape(values: Floats | None) -> Floats | None:
        return None if values is None else values.reshape(contexts, -1)

    return (
        p.click_if_recommended.reshape(contexts, -1),
        shape(p.purchase_if_recommended),
        price,
        shape(p.click_if_not),
        shape(p.purchase_if_not),
    )


def pair_matrix(
    contexts: pl.DataFrame, items: pl.DataFrame, state: AsOf, columns: Sequence[Column], place: Ints | None = None
) -> Singles:
    """(contexts, items, width): each column is a context's, an item's, or, through the item's category, the pair's.

    Args:
        place: (contexts, k) rows of `items`, each context's own; None: all of them.

    Raises:
        KeyError: The model reads a column that neither contexts nor items nor pairs have.
    """
    many = items.height if place is None else place.shape[1]
    out = np.empty((contexts.height, many, sum(c.width for c in columns)), dtype=np.float32)
    at = 0
    by_category: tuple[pl.DataFrame, Ints] | None = None
    for column in columns:
        span = slice(at, at + column.width)
        if column.name in contexts.columns:
            out[:, :, span] = column.transform(contexts[column.name])[:, None, :]
        elif column.name in items.columns:
            of_items = column.transform(items[column.name])
            out[:, :, span] = of_items[None, :, :] if place is None else of_items[place]
        else:
            by_category = by_category or _categories(contexts, items, state)
            frame, category = by_category
            if column.name not in frame.columns:
                raise KeyError(f"the model reads `{column.name}`, which neither contexts nor items nor pairs have")
            pair = column.transform(frame[column.name]).reshape(contexts.height, -1, column.width)
            own = category[None, :] if place is None else category[place]
            out[:, :, span] = pair[np.arange(contexts.height)[:, None], own, :]
        at += column.width
    return out


def _categories(contexts: pl.DataFrame, items: pl.DataFrame, state: AsOf) -> tuple[pl.DataFrame, Ints]:
    """Every context with every category (contexts outermost), and each item's category as its place in that order."""
    names = items.select("category").unique(maintain_order=True).with_row_index("place")
    place = items.join(names, on="category", how="left", maintain_order="left", nulls_equal=True)["place"]
    pairs = contexts.select("user_id").join(names.select("category"), how="cross", maintain_order="left_right")
    return pair_covariates(pairs, state), place.to_numpy().astype(np.int64)


def eligible_candidates(contexts: pl.DataFrame, items: pl.DataFrame, match: Sequence[str]) -> Mask:
    """(contexts, items): which candidates equal their context in every column of `match`.

    What is not known equals nothing: an item without a section is a candidate of none.
    """
    fine = np.ones((contexts.height, items.height), dtype=bool)
    for column in match:
        of_items, of_contexts = items[column], contexts[column]
        fine &= of_contexts.to_numpy()[:, None] == of_items.to_numpy()[None, :]
        fine &= of_contexts.is_not_null().to_numpy()[:, None] & of_items.is_not_null().to_numpy()[None, :]
    return fine
