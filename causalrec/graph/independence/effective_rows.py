"""How many independent rows clustered rows are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from causalrec.arrays import Codes, Floats, Singles
from causalrec.graph.independence.columns import Column

CHUNK = 32_768
"""Rows whose products are summed in single precision."""


def effective_rows(columns: Sequence[Column], clusters: Sequence[Codes]) -> Floats:
    """How many independent rows each pair of nodes is worth, (nodes, nodes).

    A pair's rows n are worth n (sum of e_i^2) / (sum over clusters of (sum of e_i)^2), e_i the influence of row i on
    the pair's correlation; two ways of clustering add up, less the rows counted twice. The mean over a few contrasts of
    each node stands for that over all of them.

    Args:
        clusters: Integer codes, one array (rows,) per way of clustering.

    Source:
        Cameron, Gelbach and Miller (2011), JBES 29, eq. 2.11, with single rows in place of the intersections; Rao and
        Scott (1981), JASA 76, for the mean of design effects.
    """
    nodes, rows = len(columns), columns[0].rows
    pairs = np.full((nodes, nodes), float(rows))
    if not clusters:
        return pairs
    owner, contrasts = [], []
    for node, column in enumerate(columns):
        for one in column.contrasts():
            owner.append(node)
            contrasts.append(((one - one.mean()) / (one.std() or 1.0)).astype(np.float32))
    z: Singles = np.stack(contrasts)
    square: Singles = np.square(z)
    # Sums over rows of a^2 b^2, a^3 b and a^4 give the sum of squared influences without forming them.
    r, mixed = _product(z, z) / rows, _product(square, square)
    fourth = _product(square * z, z)
    own = np.diag(mixed)
    single = mixed - r * (fourth + fourth.T) + r**2 / 4 * (own[:, None] + own[None, :] + 2 * mixed)
    clustered = np.zeros_like(r)
    for codes in clusters:
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        ordered = z[:, order]
        squares = np.stack([np.add.reduceat(a * a, starts, dtype=np.float64) for a in ordered])
        for i in range(len(z)):
            for j in range(i):
                if owner[i] != owner[j]:
                    product = np.add.reduceat(ordered[i] * ordered[j], starts, dtype=np.float64)
                    influence = product - (r[i, j] / 2) * (squares[i] + squares[j])
                    clustered[i, j] += influence @ influence
    clustered += clustered.T - (len(clusters) - 1) * single
    inflation = np.maximum(1.0, clustered / np.maximum(single, 1e-12 * rows))
    of = np.array(owner)
    for x in range(nodes):
        for y in range(x):
            pairs[x, y] = pairs[y, x] = rows / float(inflation[np.ix_(of == x, of == y)].mean())
    return pairs


def _product(a: Singles, b: Singles) -> Floats:
    """a b' over many rows, summed in chunks so that single precision is enough for each."""
    total = np.zeros((len(a), len(b)))
    for start in range(0, a.shape[1], CHUNK):
        total += a[:, start : start + CHUNK] @ b[:, start : start + CHUNK].T
    return total
