"""Slates drawn without replacement, in a notebook."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.answers import InputError
from causalrec.arrays import Floats, Ints, Mask
from causalrec.policy.plackett_luce import draw_slates, first_slot, in_slot


@dataclass(frozen=True)
class PlackettLuce:
    """A policy that draws a slate item by item, each with a softmax over what is left.

    The first slot: p = (1 - exploration) softmax(value / temperature) + exploration / n over the eligible items.

    Attributes:
        temperature: Above 0; the smaller, the surer the best item stands first.
        exploration: The share of draws that are uniform, in [0, 1].

    Source:
        Plackett (1975), Applied Statistics 24(2); Kool, van Hoof and Welling (2019), ICML, section 2.
    """

    temperature: float = 1.0
    exploration: float = 0.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise InputError(f"temperature must be above 0, got {self.temperature!r}")
        if not 0 <= self.exploration <= 1:
            raise InputError(f"exploration must be in [0, 1], got {self.exploration!r}")

    def probabilities(self, value: Floats, eligible: Mask | None = None) -> Floats:
        """The probability of each item in the first slot.

        Args:
            value: (contexts, items), what an item is worth in a context.
            eligible: (contexts, items); None: all.

        Returns:
            (contexts, items); rows sum to 1, or to 0 where nothing is eligible.

        Raises:
            InputError: A shape differs, or a value is not finite; the message names the row and the item from 1.
        """
        values = np.asarray(value, dtype=np.float64)
        if values.ndim != 2:
            raise InputError(f"value must have a row a context and a column an item; got shape {values.shape}")
        if (wrong := ~np.isfinite(values)).any():
            row, item = np.argwhere(wrong)[0]
            raise InputError(f"value must be finite; in row {row + 1}, item {item + 1} it is {values[row, item]}")
        mask = np.ones(values.shape, dtype=np.bool_) if eligible is None else np.asarray(eligible, dtype=np.bool_)
        if mask.shape != values.shape:
            raise InputError(f"eligible has shape {mask.shape}, value has {values.shape}")
        return first_slot(values, mask, self.temperature, self.exploration)

    def draw(
        self, value: Floats, size: int, eligible: Mask | None = None, random_state: int = 0
    ) -> tuple[Ints, Floats]:
        """A slate for each context.

        Args:
            value, eligible: As in `probabilities`.
            size: Slots.
            random_state: Of the draw.

        Returns:
            The items' columns and the exact propensity of each, (contexts, size or as many as are eligible). A slot
            with a propensity of 0 is empty.
        """
        if size < 1:
            raise InputError(f"size must be at least 1, got {size!r}")
        return draw_slates(self.probabilities(value, eligible), size, np.random.default_rng(random_state))

    def propensities(self, value: Floats, slates: Ints, eligible: Mask | None = None) -> Floats:
        """The probability of each item of given slates, given those above it: what `Rounds` divides.

        Args:
            value, eligible: As in `probabilities`.
            slates: (contexts, slots), columns of `value`, the first slot first; -1 where a slot is empty.

        Returns:
            (contexts, slots); 0 where a slot is empty.

        Raises:
            InputError: A shape differs, an item is no column of `value`, or stands twice in a slate.
        """
        p = self.probabilities(value, eligible)
        shown = np.asarray(slates, dtype=np.int64)
        if shown.ndim != 2 or len(shown) != len(p):
            raise InputError(f"slates must have a row a context, {len(p):,}; got shape {shown.shape}")
        if (wrong := (shown < -1) | (shown >= p.shape[1])).any():
            row, slot = np.argwhere(wrong)[0]
            raise InputError(
                f"slates name columns of value, 0 to {p.shape[1] - 1}; in row {row + 1}, slot {slot + 1} stands "
                f"{shown[row, slot]}"
            )
        ranked = np.sort(shown, axis=1)
        if (twice := ((ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] >= 0)).any(axis=1)).any():
            raise InputError(f"an item stands twice in the slate of row {int(twice.argmax()) + 1}")
        row, slot = np.nonzero(shown >= 0)
        above = np.where(np.arange(shown.shape[1])[None, :] < slot[:, None], shown[row], -1)
        propensity = np.zeros(shown.shape)
        propensity[row, slot] = in_slot(p, row, shown[row, slot], above)[0]
        return propensity
