"""How likely each item is among the first few of a draw without replacement, without counting all orders.

A Plackett-Luce draw is a race: item a arrives at an exponential time of rate p(a), and the first `size` to arrive are
drawn. So

    P(a is drawn) = integral over t of p(a) exp(-p(a) t) P(fewer than `size` others have arrived by t),

where the number of others is a sum of independent Bernoulli variables of chance 1 - exp(-p(b) t). Its lowest terms come
from multiplying the factors (1 - F_b) + F_b z up to the power size - 1. Without a: among the few largest items the
others are multiplied anew; of all others a's factor is divided out, which is stable since many items are as large.

Source: Yellott (1977), Journal of Mathematical Psychology 15(2), for the race; Takahasi and Mori (1974), "Double
exponential formulas", for the nodes.
"""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats, Ints

STEP = 0.12
"""Between nodes of the integral, in the logarithm of time: relative errors below 1e-6 (tests)."""
NODES = 20
"""Nodes in the logarithm of p, between which the chance of small items is interpolated (Chebyshev)."""
ANGLES = np.pi * (np.arange(NODES) + 0.5) / NODES
ROWS = 256


def inclusion(weight: Floats, size: int) -> Floats:
    """P(item is among the first `size` drawn without replacement), in proportion to `weight`.

    Args:
        weight: (rows, items), at least `size` of each row above 0; what is 0 is never drawn.

    Returns:
        (rows, items), rows sum to `size`.

    Raises:
        ValueError: Fewer than `size` items of a row have a weight.
    """
    if ((weight > 0).sum(axis=1) < size).any():
        raise ValueError(f"a row has fewer than {size} items to draw from")
    if size == 0:
        return np.zeros(weight.shape)
    parts = [_rows(weight[start : start + ROWS], size) for start in range(0, len(weight), ROWS)]
    return np.concatenate(parts) if parts else np.zeros(weight.shape)


def inclusion_without(weight: Floats, taken: Ints, size: int) -> Floats:
    """The same of one distribution that all rows share, without some items of each row: much faster if it is even.

    Args:
        weight: (items,).
        taken: What each row cannot draw, (rows, some), all different.

    Returns:
        (rows, items), 0 for what is taken; rows sum to `size`.
    """
    p = weight / weight.sum()
    time, step = _times_of(np.sort(p)[None, ::-1], size)
    terms = _ones(time, size)
    for one in p:
        terms = _times(terms, one[None, None], time)
    terms = np.repeat(terms, len(taken), axis=1)
    for column in taken.T:
        terms = _divided(terms, np.exp(-p[column][:, None] * time))
    positive = p[p > 0]
    nodes, edges = _nodes(np.log(positive.min())[None], np.log(positive.max())[None])
    values = np.stack(
        [
            (stays * _divided(terms, np.broadcast_to(stays, terms.shape[1:])).sum(axis=0) * step).sum(axis=1)
            for stays in np.exp(-nodes[0][:, None] * time)
        ],
        axis=1,
    )
    found = np.zeros((len(taken), len(p)))
    found[:, p > 0] = positive * _between(values, np.broadcast_to(positive, (len(taken), len(positive))), edges)
    np.put_along_axis(found, taken, 0.0, axis=1)
    with np.errstate(invalid="ignore"):
        right = np.abs(found.sum(axis=1) - size).max(initial=0.0) < 1e-6
    if right:
        return found
    # Some items are so large that dividing them out loses the digits: multiply anew.
    rows = np.tile(weight, (len(taken), 1))
    np.put_along_axis(rows, taken, 0.0, axis=1)
    return inclusion(rows, size)


def _rows(weight: Floats, size: int) -> Floats:
    top = min(2 * size + 2, weight.shape[1])
    order = np.argsort(-weight, axis=1, kind="stable")
    p = np.take_along_axis(weight, order, axis=1)
    p = p / p.sum(axis=1, keepdims=True)
    time, step = _times_of(p, size)
    rest = _ones(time, size)
    for b in range(top, p.shape[1]):
        rest = _times(rest, p[:, b, None], time)
    before = [rest]
    for b in range(top):
        before.append(_times(before[-1], p[:, b, None], time))
    found, after = np.zeros(p.shape), _ones(time, size)
    for a in reversed(range(top)):
        # The sum of the products' terms below z^size.
        fewer = sum(before[a][k] * after[: size - k].sum(axis=0) for k in range(size))
        found[:, a] = (p[:, a, None] * np.exp(-p[:, a, None] * time) * fewer * step).sum(axis=1)
        after = _times(after, p[:, a, None], time)
    if p.shape[1] > top:
        found[:, top:] = p[:, top:] * _of_small(p[:, top:], before[top], time, step)
    out = np.empty(weight.shape)
    np.put_along_axis(out, order, found, axis=1)
    return out


def _times_of(p: Floats, size: int) -> tuple[Floats, Floats]:
    """The nodes of the integral over time and their weights, (rows, times) each.

    Args:
        p: (rows, items), sorted from the largest, rows sum to 1.
    """
    # When `size` items have arrived is about `size` over the mass of what is not large; the first come earlier.
    late = size / np.maximum(1.0 - p[:, : size - 1].sum(axis=1), 1e-12) if size > 1 else np.ones(len(p))
    first, last = np.log(np.minimum(late, 1.0 / p[:, 0]) / 4.0), np.log(late / 4.0)
    nodes = int(np.ceil(((last - first).max() + 7.4) / STEP))
    x = np.linspace(first - 3.2, last + 4.2, nodes, axis=1)  # (rows, times)
    early = np.exp(first[:, None] - x)
    time = np.exp(x - early)
    step = (x[:, 1] - x[:, 0])[:, None] * (1.0 + early) * time  # dt
    return time, step


def _ones(time: Floats, size: int) -> Floats:
    one = np.zeros((size, *time.shape))
    one[0] = 1.0
    return one


def _times(terms: Floats, p: Floats, time: Floats) -> Floats:
    """The lowest terms of the product with (1 - F) + F z."""
    stays = np.exp(-p * time)
    product = terms * stays
    product[1:] += terms[:-1] * (1.0 - stays)
    return product


def _divided(terms: Floats, stays: Floats) -> Floats:
    """The terms without a factor (1 - F) + F z, from the lowest up; `stays` is 1 - F."""
    out = np.empty(terms.shape)
    before: Floats = np.zeros(stays.shape)
    stays = np.maximum(stays, 1e-300)
    with np.errstate(over="ignore", invalid="ignore"):  # of what is too large to be divided out; who calls, checks
        for k, term in enumerate(terms):
            out[k] = before = (term - (1.0 - stays) * before) / stays
    return out


def _of_small(p: Floats, terms: Floats, time: Floats, step: Floats) -> Floats:
    """P(drawn) / p of the items that are not among the largest: a smooth function of log p, interpolated."""
    positive = np.where(p > 0, p, np.nan)
    with np.errstate(all="ignore"):
        low, high = np.log(np.nanmin(positive, axis=1)), np.log(np.nanmax(positive, axis=1))
    nodes, edges = _nodes(*(np.where(np.isfinite(edge), edge, 0.0) for edge in (low, high)))
    values = np.empty(nodes.shape)
    for k in range(NODES):
        stays = np.exp(-nodes[:, k, None] * time)
        values[:, k] = (stays * _divided(terms, stays).sum(axis=0) * step).sum(axis=1)
    return np.where(p > 0, _between(values, np.where(p > 0, p, 1.0), edges), 0.0)


def _nodes(low: Floats, high: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    """Chebyshev nodes of p between edges of its logarithm, (rows, nodes), and the middle and half width of these."""
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-9)
    return np.exp(middle[:, None] + half[:, None] * np.cos(ANGLES)), (middle, half)


def _between(values: Floats, p: Floats, edges: tuple[Floats, Floats]) -> Floats:
    """The polynomial in log p through the values at the nodes, at p, (rows, items)."""
    coefficients = values @ np.cos(np.outer(ANGLES, np.arange(NODES))) * 2.0 / NODES
    coefficients[:, 0] /= 2.0
    at = np.clip((np.log(p) - edges[0][:, None]) / edges[1][:, None], -1.0, 1.0)
    last, before = np.zeros(p.shape), np.zeros(p.shape)
    for order in range(NODES - 1, 0, -1):  # Clenshaw
        last, before = 2.0 * at * last - before + coefficients[:, order, None], last
    return np.asarray(at * last - before + coefficients[:, :1])
