"""The correlation matrix of all that tests read: each node's columns, and the products of two nodes'.

Products are what two nodes do only together. Without them x and y would seem to depend on each other given a and b
wherever both depend on a x b. Products of all columns would be thousands; a node enters them with one or two
functions of it: its first column, and what else of it the other nodes depend on most (canonical variates of its block
with theirs).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from causalrec.arrays import Floats, Ints
from causalrec.graph.independence.columns import Column, Rows

CHUNK, CHUNKS_A_PART = 4_096, 12
"""Rows that are expanded at a time, 20 MB for six hundred columns; and what a thread takes in one go."""
BUDGET = 4e11
"""Rows x columns^2 of the matrix, about 10 seconds of two cores: products beyond it are not looked at."""
MOST_FUNCTIONS = 2
"""Functions of a node that enter products."""
FEWEST_ROWS = 2_000
"""Of fewer, products say more about the sample than about the world."""


@dataclass(frozen=True)
class Layout:
    """Where in the matrix each node's columns and each pair's products stand.

    Attributes:
        at: Node -> its columns.
        tested: Node -> those of them in which a test looks for dependence.
        plain: Node -> those of them without a number's polynomials.
        products: (a, b), a < b -> the products of functions of a and functions of b.
        functions: (functions, columns): each row one function of one node's columns.
        factors: (2, products): which two functions each product is of.
        width: Columns and products.
    """

    at: tuple[Ints, ...]
    tested: tuple[Ints, ...]
    plain: tuple[Ints, ...]
    products: dict[tuple[int, int], Ints]
    functions: Floats
    factors: Ints
    width: int

    def given(self, nodes: Sequence[int], most: float) -> Ints:
        """The columns that conditioning on these nodes takes out.

        Args:
            most: Of more columns, products and polynomials are left out: a pair of what fifty items are like is fifty
                draws, and thirty columns would explain most of them by chance.
        """
        pairs = [self.products[p] for p in combinations(sorted(nodes), 2) if p in self.products]
        columns = np.concatenate([self.at[k] for k in nodes] + pairs)
        return columns if len(columns) <= most else np.concatenate([self.plain[k] for k in nodes])


def plain_layout(columns: Sequence[Column]) -> Layout:
    """The nodes' columns alone."""
    edges = np.cumsum([0] + [column.width for column in columns])
    at = tuple(np.arange(a, b) for a, b in pairwise(edges))
    tested = tuple(place[: column.tested] for place, column in zip(at, columns, strict=True))
    plain = tuple(place[: column.plain] for place, column in zip(at, columns, strict=True))
    return Layout(at, tested, plain, {}, np.zeros((0, edges[-1])), np.zeros((2, 0), np.int64), int(edges[-1]))


def with_products(plain: Layout, correlation: Floats, rows: int) -> Layout:
    """Add the products of each pair of nodes that the budget allows.

    Args:
        plain: Without products.
        correlation: Of its columns.
        rows: How many there are.
    """
    room = int(np.sqrt(BUDGET / rows)) - plain.width
    nodes = len(plain.at)
    pairs = nodes * (nodes - 1) // 2
    number = min(MOST_FUNCTIONS, int(np.sqrt(max(0, room) / max(1, pairs))))
    if rows < FEWEST_ROWS or nodes < 3 or number == 0:
        return plain
    functions, owner = [], []
    for node, weights in enumerate(_leading(plain, correlation, number)):
        for one in weights:
            row = np.zeros(plain.width)
            row[plain.at[node]] = one
            functions.append(row)
            owner.append(node)
    factors: list[tuple[int, int]] = []
    products: dict[tuple[int, int], Ints] = {}
    of = {node: [k for k, o in enumerate(owner) if o == node] for node in range(nodes)}
    for a, b in combinations(range(nodes), 2):
        start = plain.width + len(factors)
        factors.extend((i, j) for i in of[a] for j in of[b])
        products[a, b] = np.arange(start, plain.width + len(factors))
    width = plain.width + len(factors)
    return Layout(plain.at, plain.tested, plain.plain, products, np.array(functions), np.array(factors).T, width)


def _leading(plain: Layout, correlation: Floats, number: int) -> list[Floats]:
    """For each node the functions that enter products, as weights on its standardised columns; (functions, width).

    First comes the first column itself (a number's score: what it does only together with another may leave no trace in
    what either does alone), then the canonical variates with all other nodes that are uncorrelated with it.
    """
    whiten = [_whitening(correlation[np.ix_(place, place)]) for place in plain.tested]
    functions = []
    for node, place in enumerate(plain.at):
        own = _whitening(correlation[np.ix_(place, place)])
        others = [k for k in range(len(plain.at)) if k != node]
        shared = np.hstack([own.T @ correlation[np.ix_(place, plain.tested[k])] @ whiten[k] for k in others])
        first = own.T @ correlation[place, place[0]]
        first = first[:, None] / np.linalg.norm(first)
        rest = shared - first @ (first.T @ shared)
        left, _, _ = np.linalg.svd(rest, full_matrices=False)
        most = min(number, own.shape[1])
        functions.append((own @ np.hstack([first, left])[:, :most]).T)
    return functions


def _whitening(correlation: Floats) -> Floats:
    """Weights that make the columns uncorrelated, (columns, those that are not functions of the others)."""
    values, vectors = np.linalg.eigh(correlation)
    sound = values > 1e-6 * values[-1]
    return np.asarray(vectors[:, sound] / np.sqrt(values[sound]))


Moments = tuple[Floats, Floats]
"""Mean of each column, and one over its spread."""


def correlate(
    columns: Sequence[Column],
    layout: Layout,
    weights: Floats | None = None,
    moments: Moments | None = None,
) -> tuple[Floats, Moments]:
    """The correlation matrix, a chunk of rows at a time, on all cores.

    Args:
        weights: How often each row counts; None: once.
        moments: Mean and scale of each column by which functions of it are standardised; as they are without weights.

    Returns:
        The matrix, in which a column that does not vary correlates with nothing, and the columns' means and scales.
    """
    # The parts do not depend on the cores, so that sums are the same everywhere.
    rows = columns[0].rows
    chunks: list[Rows] = [slice(start, min(rows, start + CHUNK)) for start in range(0, rows, CHUNK)]
    parts = [chunks[k : k + CHUNKS_A_PART] for k in range(0, len(chunks), CHUNKS_A_PART)]
    gram = np.zeros((layout.width + 1, layout.width + 1))
    for part_gram in _grams(columns, layout, parts, weights, moments):
        gram += part_gram
    return correlation_of(gram, layout.functions.shape[1])


def grams_of_groups(columns: Sequence[Column], layout: Layout, groups: Ints, moments: Moments) -> Floats:
    """The sums of products of each group's rows: what the matrix of any number of copies of the groups is made from.

    Args:
        groups: (rows,) codes from 0.

    Returns:
        (groups, (width + 1) (width + 2) / 2), the upper triangles; `correlation_of_groups` reads them.
    """
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(int(groups.max()) + 2))
    parts: list[list[Rows]] = [
        [order[at : min(at + CHUNK, b)] for at in range(a, b, CHUNK)] for a, b in pairwise(bounds.tolist())
    ]
    upper = np.triu_indices(layout.width + 1)
    grams = np.empty((len(parts), len(upper[0])))
    for group, gram in enumerate(_grams(columns, layout, parts, None, moments)):
        grams[group] = gram[upper]
    return grams


def correlation_of_groups(grams: Floats, times: Floats, layout: Layout) -> Floats:
    """The correlation matrix of groups of rows, each counted so many times."""
    gram = np.zeros((layout.width + 1, layout.width + 1))
    upper = np.triu_indices(layout.width + 1)
    gram[upper] = times @ grams
    gram.T[upper] = gram[upper]
    return correlation_of(gram, layout.functions.shape[1])[0]


def _grams(
    columns: Sequence[Column],
    layout: Layout,
    parts: Sequence[Sequence[Rows]],
    weights: Floats | None,
    moments: Moments | None,
) -> Iterator[Floats]:
    """For each part of the rows the sums of products of all columns and a column of ones."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    plain = layout.functions.shape[1]
    if len(layout.functions) and moments is None:
        raise ValueError("products need the moments of the columns")
    mean, scale = moments or (np.zeros(plain), np.ones(plain))
    functions = layout.functions * scale
    shift = (functions @ mean)[:, None]

    def gram_of(part: Sequence[Rows]) -> Floats:
        gram = np.zeros((layout.width + 1, layout.width + 1))
        chunk = np.empty((layout.width + 1, min(columns[0].rows, CHUNK)))
        for here in part:
            out = chunk[:, : here.stop - here.start if isinstance(here, slice) else len(here)]
            for place, column in zip(layout.at, columns, strict=True):
                column.write(here, out[place[0] : place[-1] + 1])
            if len(functions):
                values = functions @ out[:plain] - shift
                np.multiply(values[layout.factors[0]], values[layout.factors[1]], out=out[plain:-1])
            out[-1] = 1.0
            if weights is not None:
                out *= np.sqrt(weights[here])
            gram += out @ out.T
        return gram

    # A thread a core with BLAS kept to one thread each: BLAS's own threads wait for each other, which takes many times
    # as long where others use the machine.
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(gram_of, parts)


def correlation_of(gram: Floats, plain: int) -> tuple[Floats, Moments]:
    """The correlation matrix that sums of products give, and the moments of the first `plain` columns.

    Args:
        gram: Of the columns and, last, of ones.
    """
    total = gram[-1, -1]
    means = gram[-1, :-1] / total
    covariance = gram[:-1, :-1] / total - np.outer(means, means)
    variance = np.diag(covariance).copy()
    constant = variance <= 1e-12 * np.maximum(1.0, means**2)
    scales = np.where(constant, 0.0, 1.0 / np.sqrt(np.where(constant, 1.0, variance)))
    correlation: Floats = covariance * np.outer(scales, scales)
    np.fill_diagonal(correlation, 1.0)
    return correlation, (means[:plain], scales[:plain])
