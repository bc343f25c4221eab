"""Slates drawn without replacement, and the exact probability of every item in every slot.

One distribution p over the candidates of a context; the item in slot k given those above it has the probability
p(a_k) / (1 - sum of p of those above). Gumbel top-k draws such a slate at once.

Source: Plackett (1975), Applied Statistics 24(2); Kool, van Hoof and Welling (2019), ICML, section 2.
"""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats, Ints, Mask
from causalrec.policy.above import Above
from causalrec.policy.columns import Columns

LITTLE = 1e-4
"""Of the probability: with less of it left, what is left is summed itself."""
SLOTS_AT_ONCE = 10_000


def first_slot(
    value: Floats, eligible: Mask, temperature: float, exploration: float, columns: Columns | None = None
) -> Floats:
    """p = (1 - exploration) softmax(value / temperature) + exploration / n over the eligible candidates.

    Args:
        value: (contexts, items).
        eligible: (contexts, items); others get 0.
        columns: What the columns are, where they are not all items: the softmax is over candidates alone, and each
            item of the lump has exploration / n.

    Returns:
        (contexts, items), rows sum to 1; the row of a context without an eligible candidate is 0, since nothing can
        be shown there. A column that stands for several items has the probability of them together.
    """
    ranked = eligible if columns is None else eligible & ~columns.in_lump
    count = eligible.sum(axis=1, keepdims=True) if columns is None else columns.count[:, None]
    scaled = np.where(ranked, value / temperature, -np.inf)
    highest = np.where(count > 0, scaled.max(axis=1, keepdims=True, initial=-np.inf), 0.0)
    weight = np.exp(scaled - highest)
    softmax = weight / np.where(count > 0, weight.sum(axis=1, keepdims=True), 1.0)
    share = eligible if columns is None else eligible * columns.stands_for
    return np.asarray((1 - exploration) * softmax + exploration * share / np.maximum(count, 1))


def uniform(eligible: Mask, columns: Columns | None = None) -> Floats:
    """1 / n over the eligible candidates, (contexts, items); 0 where there is none."""
    if columns is not None:
        return np.asarray(eligible * columns.stands_for / np.maximum(columns.count[:, None], 1))
    return np.asarray(eligible / np.maximum(eligible.sum(axis=1, keepdims=True), 1))


def in_slot(p: Floats, row: Ints, shown: Ints, above: Above | Ints) -> tuple[Floats, Floats]:
    """The probability of the item shown in a slot given those above, and what the ones above leave.

    Args:
        p: (contexts, items) first-slot distribution.
        row: (slots,) context of each slot.
        shown: (slots,) item shown, which is a candidate of its context.
        above: The distinct items above each slot; as an array (slots, k), padded with -1.

    Returns:
        (slots,) p(shown) / left, in [0, 1], and (slots,) left = 1 - sum of p above.

    Raises:
        ValueError: The item shown stands above itself, or an item twice above a slot: no draw without replacement.
    """
    above = above if isinstance(above, Above) else Above.of(above)
    _require_one_draw(shown, above, p.shape[1])
    left = _left(p, p, np.ones(len(p)), row, above)
    # Rounding aside the item shown is among what is left.
    left = np.maximum(left, p[row, shown])
    return np.divide(p[row, shown], left, out=np.zeros(len(row)), where=left > 0), left


def given_above(p: Floats, row: Ints, item: Ints, above: Above) -> Floats:
    """The probability with which a slot would show an item, given those above it.

    Args:
        p: (contexts, items) first-slot distribution.
        row: (slots,) context of each slot.
        item: (slots,) any item, shown or not.
        above: The distinct items above each slot.

    Returns:
        (slots,) p(item) / left, in [0, 1]; 0 where the item stands above already.
    """
    stands = np.bincount(above.slots, weights=item[above.slots] == above.items, minlength=len(row)) > 0
    own = np.where(stands, 0.0, p[row, item])
    left = np.maximum(_left(p, p, np.ones(len(p)), row, above), own)
    return np.asarray(np.divide(own, left, out=np.zeros(len(row)), where=left > 0))


def expected(p: Floats, value: Floats, row: Ints, above: Above | Ints) -> Floats:
    """E[value] over the items of a slot given those above: (sum_a p v - sum over those above of p v) / left.

    Args:
        value: (contexts, items).

    Returns:
        (slots,); NaN where nothing is left to be shown.
    """
    above = above if isinstance(above, Above) else Above.of(above)
    product = p * value
    total = _left(p, product, np.asarray(product.sum(axis=1)), row, above)
    left = _left(p, p, np.asarray((p > 0).any(axis=1), dtype=np.float64), row, above)
    return np.asarray(np.divide(total, left, out=np.full(len(row), np.nan), where=left > 0), dtype=np.float64)


def _left(p: Floats, quantity: Floats, whole: Floats, row: Ints, above: Above) -> Floats:
    """(slots,) the sum of a quantity over the items that those above leave.

    Where they leave next to nothing the difference of two sums near 1 has no digits left, and the rest is summed.

    Args:
        quantity: (contexts, items).
        whole: (contexts,) its sum over all items.
    """

    def taken(values: Floats) -> Floats:
        weights = values[row[above.slots], above.items]
        return np.asarray(np.bincount(above.slots, weights=weights, minlength=len(row)), dtype=np.float64)

    left = whole[row] - taken(quantity)
    little = np.flatnonzero(1.0 - taken(p) < LITTLE)
    for start in range(0, len(little), SLOTS_AT_ONCE):
        slots = little[start : start + SLOTS_AT_ONCE]
        rest, taken_above = quantity[row[slots]], above.take(slots)
        rest[taken_above.slots, taken_above.items] = 0.0
        left[slots] = rest.sum(axis=1)
    return np.asarray(left)


def _require_one_draw(shown: Ints, above: Above, items: int) -> None:
    slots = above.slots
    if (shown[slots] == above.items).any() or len(np.unique(slots * items + above.items)) < len(slots):
        raise ValueError("an item stands twice in a slate: its rows are no one draw without replacement")


def draw_slates(p: Floats, size: int, rng: np.random.Generator, columns: Columns | None = None) -> tuple[Ints, Floats]:
    """A slate per context, with the exact action propensity of each slot.

    Args:
        p: (contexts, items); items of probability 0 are never drawn.
        columns: What the columns are, where they are not all items. The sample of the lump must be at least as large
            as a slate, and no item of the lump be asked for.

    Returns:
        Items (columns) and propensities, (contexts, min(size, candidates of the richest context)). The slate of a
        context ends with its candidates: below them its propensities are 0, and its items say nothing.

    Raises:
        ValueError: The columns cannot say what the lower slots show.
    """
    candidates = (p > 0).sum(axis=1) if columns is None else columns.count
    size = min(size, int(candidates.max(initial=0)))
    with np.errstate(divide="ignore"):
        keys = rng.standard_exponential(p.shape) / p
    each = p
    if columns is not None:
        each = p / columns.stands_for
        keys = _keys_with_lump(keys, p, size, columns, rng)
    order = np.argsort(keys, axis=1, kind="stable")[:, :size]
    chosen = np.take_along_axis(each, order, axis=1)
    above = np.cumsum(chosen, axis=1) - chosen
    there = np.arange(size) < candidates[:, None]
    rest = p.copy()
    np.put_along_axis(rest, order, 0.0, axis=1)
    summed = rest.sum(axis=1, keepdims=True) + np.cumsum(chosen[:, ::-1], axis=1)[:, ::-1]
    if columns is not None:
        # Of a column that stands for several items one is drawn, and the others are left.
        summed = summed + (np.take_along_axis(p, order, axis=1) - chosen).sum(axis=1, keepdims=True)
    left = np.where(1.0 - above < LITTLE, summed, 1.0 - above)
    return order, np.divide(chosen, left, out=np.zeros_like(chosen), where=there)


def _keys_with_lump(keys: Floats, p: Floats, size: int, columns: Columns, rng: np.random.Generator) -> Floats:
    """Keys in which the sampled columns, which stand in random order, have the lump's smallest keys, ascending.

    Of L independent exponential keys of rate r the smallest is exponential of rate L r, and each next one lies above
    by one of rate (L - k) r.

    Source: Renyi (1953), Acta Mathematica Hungarica 4.
    """
    lump = np.where(columns.sampled, columns.stands_for, 0.0).sum(axis=1)
    drawn = columns.sampled.sum(axis=1)
    if (drawn < np.minimum(lump.round(), size)).any() or (columns.in_lump & ~columns.sampled).any():
        raise ValueError("the sample of the lump is smaller than a slate, or items of the lump are asked for")
    rank = np.cumsum(columns.sampled, axis=1) - 1
    rate = np.where(columns.sampled, (lump[:, None] - rank) * p / columns.stands_for, 1.0)
    with np.errstate(divide="ignore"):
        steps = np.where(columns.sampled, rng.standard_exponential(p.shape) / rate, 0.0)
    return np.where(columns.sampled, np.cumsum(steps, axis=1), keys)
