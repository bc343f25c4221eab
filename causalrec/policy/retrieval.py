"""Which items are candidates of a large catalogue, and contexts scored against them: no grid of all with all.

The candidates of a context are the items of most value to somebody of whom nothing is known, at no time and in no
place: the model's own value at the means of what it reads of contexts, with what it knows of the item. That is one row
of the grid. It follows from the bundle, the catalogue and the history, so what is served is what is judged. Among the
candidates the whole context counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints
from causalrec.logs.units.covariates import AsOf, context_covariates, item_covariates
from causalrec.policy.bundle import Bundled
from causalrec.policy.columns import Candidates
from causalrec.policy.grid import CHUNK_PAIRS, Scored, pair_matrix, score_grid, shaped, unscored_grid
from causalrec.settings.logs.sources import Source

SAMPLED = 64
"""Items of the lump that are drawn for each context: they have a share `exploration` of the probability at most."""


@dataclass(frozen=True)
class Asked:
    """What must have a column besides the candidates.

    Attributes:
        row, item: (pairs,) rows of the contexts and of the catalogue, distinct, ascending.
        seed: Of the samples of the lump: equal seeds give equal samples.
    """

    row: Ints
    item: Ints
    seed: Sequence[int]

    @classmethod
    def nothing(cls, seed: Sequence[int]) -> Asked:
        """Slates are drawn, and nobody asks for an item."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), seed)


def score(
    contexts: pl.DataFrame, items: pl.DataFrame, state: AsOf, source: Source, bundle: Bundled, asked: Asked
) -> Iterator[Scored]:
    """Contexts against the items that a bundle's policy ranks, and those that are asked for.

    Args:
        contexts, items, state: As in `score_grid`.
        asked: Read where the candidates are fewer than the items.

    Raises:
        KeyError: The model reads a column that neither contexts nor items nor pairs have.
    """
    most, match = bundle.config.candidates, bundle.config.match
    if most is None or most >= items.height:
        yield from score_grid(contexts, items, state, source, bundle.model, bundle.vectors, match)
        return
    group, of = _groups(contexts, items, match)
    candidates = Candidates.best(value_to_anybody(contexts, items, state, source, bundle), group, most)
    of_items = item_covariates(items, state, source)
    prices = of_items["price"] if "price" in of_items.columns else None
    price = prices.to_numpy().astype(np.float64) if prices is not None and prices.null_count() == 0 else None
    vectors, model = bundle.vectors, bundle.model
    item_rows = vectors.rows(items["item_id"]) if vectors is not None and model.reads_content else None
    known = context_covariates(contexts, state)
    sampled = max(SAMPLED, bundle.config.slate_size)
    rng = np.random.default_rng(asked.seed)
    for run, first, last in _runs(candidates, of, asked, sampled):
        row, item = asked.row[first:last] - run.start, asked.item[first:last]
        columns = candidates.columns(of[run], row, item, sampled, rng)
        place, part = np.maximum(columns.items, 0), known[run]
        x = pair_matrix(part, of_items, state, model.design.columns, place).reshape(place.size, -1)
        p = model.predict_matrix(x, None if item_rows is None else item_rows[place].ravel(), vectors)
        rest = {f"rest_{name}": e.reshape(place.shape) for name, e in model.rest_of_request(x, p).items()}
        rest |= {f"{name}_unprompted": e.reshape(place.shape) for name, e in model.unprompted(x, p).items()}
        told = shaped(p, part.height, None if price is None else price[place])
        yield Scored(run, columns.eligible, *told, **rest, rest_of_slots=model.rest, columns=columns)


def unscored(
    contexts: pl.DataFrame, items: pl.DataFrame, match: Sequence[str], most: int | None, asked: Asked
) -> Iterator[Scored]:
    """The same without a model, for policies that read none: who can be shown is known all the same.

    Args:
        most: Of `policy.yaml: candidates`; where it is fewer than the items, columns are those that are asked for, and
            one that stands for all others.
    """
    if most is None or most >= items.height:
        yield from unscored_grid(contexts, items, match)
        return
    group, of = _groups(contexts, items, match)
    candidates = Candidates.best(np.zeros(items.height), group, 0)
    rng = np.random.default_rng(asked.seed)
    for run, first, last in _runs(candidates, of, asked, 1):
        columns = candidates.columns(of[run], asked.row[first:last] - run.start, asked.item[first:last], 1, rng)
        unknown = np.full(columns.items.shape, np.nan)
        yield Scored(run, columns.eligible, unknown, unknown, None, None, columns=columns)


def value_to_anybody(
    contexts: pl.DataFrame, items: pl.DataFrame, state: AsOf, source: Source, bundle: Bundled
) -> Floats:
    """(items,) the objective's value of showing each item to somebody of whom nothing is known.

    Args:
        contexts: Their columns are read, and no row.
    """
    (part,) = score_grid(contexts.clear(1), items, state, source, bundle.model, bundle.vectors, ())
    return np.asarray(bundle.objective.value(*bundle.objective.terms(part))[0])


def _groups(contexts: pl.DataFrame, items: pl.DataFrame, match: Sequence[str]) -> tuple[Ints, Ints]:
    """(items,) and (contexts,) which may go together: equal in all columns of `match`; -1: none, what is not known
    equals nothing."""
    if not match:
        return np.zeros(items.height, dtype=np.int64), np.zeros(contexts.height, dtype=np.int64)
    names = items.select(match).drop_nulls().unique(maintain_order=True).with_row_index("_group")

    def of(frame: pl.DataFrame) -> Ints:
        found = frame.select(match).join(names, on=list(match), how="left", maintain_order="left")["_group"]
        return found.cast(pl.Int64).fill_null(-1).to_numpy()

    return of(items), of(contexts)


def _runs(candidates: Candidates, of: Ints, asked: Asked, sampled: int) -> Iterator[tuple[slice, int, int]]:
    """Runs of contexts with at most about `CHUNK_PAIRS` pairs each, and where in `asked` each begins and ends."""
    ends = np.searchsorted(asked.row, np.arange(len(of) + 1))
    widths = candidates.table.shape[1] + np.diff(ends) + sampled
    start, widest = 0, 0
    for k, width in enumerate(widths.tolist()):
        widest = max(widest, width)
        if k > start and (k + 1 - start) * widest > CHUNK_PAIRS:
            yield slice(start, k), int(ends[start]), int(ends[k])
            start, widest = k, width
    if len(of):
        yield slice(start, len(of)), int(ends[start]), int(ends[-1])
