"""Slates drawn without replacement, and the exact probability of every item in every slot.

One distribution p over the candidates of a context; the item in slot k given those above it has the probability
p(a_k) / (1 - sum of p of those above). Gumbel top-k draws such a slate at once.

Source: Plackett (1975), Applied Statistics 24(2); Kool, van Hoof and Welling (2019), ICML, section 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def first_slot(value: Floats, eligible: Bools, temperature: float, exploration: float) -> Floats:
    """p = (1 - exploration) softmax(value / temperature) + exploration / n over the eligible candidates.

    Args:
        value: (contexts, items).
        eligible: (contexts, items); others get 0.

    Returns:
        (contexts, items), rows sum to 1.

    Raises:
        ValueError: A context has no eligible candidate.
    """
    count = eligible.sum(axis=1, keepdims=True)
    if (count == 0).any():
        raise ValueError("a context has no eligible candidate: see `match` in policy.yaml")
    scaled = np.where(eligible, value / temperature, -np.inf)
    weight = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    softmax = weight / weight.sum(axis=1, keepdims=True)
    return np.asarray((1 - exploration) * softmax + exploration * eligible / count)


def in_slot(p: Floats, row: Ints, shown: Ints, above: Ints) -> tuple[Floats, Floats]:
    """The probability of the item shown in a slot given those above, and what the ones above leave.

    Args:
        p: (contexts, items) first-slot distribution.
        row: (slots,) context of each slot.
        shown: (slots,) item shown.
        above: (slots, k) items above, padded with -1.

    Returns:
        (slots,) p(shown) / left and (slots,) left = 1 - sum of p above.
    """
    taken = np.where(above >= 0, p[row[:, None], np.maximum(above, 0)], 0.0).sum(axis=1)
    left = 1.0 - taken
    return p[row, shown] / left, left


def expected(p: Floats, value: Floats, row: Ints, above: Ints) -> Floats:
    """E[value] over the items of a slot given those above: (sum_a p v - sum over those above of p v) / left.

    Args:
        value: (contexts, items).

    Returns:
        (slots,).
    """
    product = p * value
    padded = np.maximum(above, 0)
    there = above >= 0
    total = product.sum(axis=1)[row] - np.where(there, product[row[:, None], padded], 0.0).sum(axis=1)
    left = 1.0 - np.where(there, p[row[:, None], padded], 0.0).sum(axis=1)
    return np.asarray(total / left)


def draw_slates(p: Floats, size: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """A slate per context, with the exact action propensity of each slot.

    Args:
        p: (contexts, items); items of probability 0 are never drawn.

    Returns:
        Items and propensities, (contexts, min(size, candidates of the poorest context)).
    """
    size = min(size, int((p > 0).sum(axis=1).min()))
    with np.errstate(divide="ignore"):
        keys = rng.standard_exponential(p.shape) / p
    order = np.argsort(keys, axis=1, kind="stable")[:, :size]
    chosen = np.take_along_axis(p, order, axis=1)
    above = np.cumsum(chosen, axis=1) - chosen
    return order, chosen / (1.0 - above)
