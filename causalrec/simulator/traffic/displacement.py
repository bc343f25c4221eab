"""Clicks that take clicks away: of lower slots, and of what is met without a recommendation in the same request.

Each click on a slot removes each click of a later slot with chance `displacement_slots`, and each click that is left on
a slot removes each organic click with chance `displacement_organic`, pair by pair. A purchase goes with its click.
"""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Floats, Mask
from causalrec.simulator.world.dials import WorldConfig


def draw_displaced(click: Mask, config: WorldConfig, rng: np.random.Generator) -> Mask:
    """Which clicks other clicks of their request remove.

    Args:
        click: Whether each event is clicked if nothing removes it, (requests, slate + organic), the slots first.

    Returns:
        In the shape of `click`; only clicks are removed.
    """
    chance, removed = rng.random(click.shape), np.zeros(click.shape, dtype=np.bool_)
    left = np.zeros(len(click))  # clicks on the slots above that were not removed
    for slot in range(config.slate):
        removed[:, slot] = click[:, slot] & (chance[:, slot] >= (1.0 - config.displacement_slots) ** left)
        left += click[:, slot] & ~removed[:, slot]
    organic = slice(config.slate, None)
    kept = (1.0 - config.displacement_organic) ** left
    removed[:, organic] = click[:, organic] & (chance[:, organic] >= kept[:, None])
    return removed


def expected_clicks(p_click: Floats, config: WorldConfig) -> tuple[Floats, Floats]:
    """P(click) of each slot with displacement in it, and the share of organic clicks that is left; exact.

    The number of clicks on the slots above is all that matters: its law is carried from slot to slot.

    Args:
        p_click: P(click) of each slot if nothing removes it, (..., slots).

    Returns:
        P(click) of each slot, (..., slots), and E[(1 - displacement_organic)^clicks on slots], (...).
    """
    slots = p_click.shape[-1]
    left = 1.0 - np.array([config.displacement_slots, config.displacement_organic])
    counted = np.zeros((*p_click.shape[:-1], slots + 1))  # P(so many clicks above)
    counted[..., 0] = 1.0
    after, organic_left = left[0] ** np.arange(slots + 1), left[1] ** np.arange(slots + 1)
    clicked = np.empty(p_click.shape)
    for slot in range(slots):
        gains = counted * after * p_click[..., slot, None]
        clicked[..., slot] = gains.sum(axis=-1)
        counted = counted - gains
        counted[..., 1:] += gains[..., :-1]
    return clicked, np.asarray((counted * organic_left).sum(axis=-1))
