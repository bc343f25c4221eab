"""What stands above each slot, as long as each slot's list is: one deep slate does not widen all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Ints


@dataclass(frozen=True)
class Above:
    """The items above some slots.

    Attributes:
        items: All lists, one after the other.
        counts: (slots,) how many items each slot's list has.
    """

    items: Ints
    counts: Ints

    @classmethod
    def of(cls, padded: Ints) -> Above:
        """From (slots, k), padded with -1."""
        there = padded >= 0
        return cls(padded[there], there.sum(axis=1))

    @classmethod
    def runs(cls, items: Ints, starts: Ints, counts: Ints) -> Above:
        """The lists that begin at `starts` in `items`."""
        return cls(items[_runs(starts, counts)], counts)

    @property
    def slots(self) -> Ints:
        """(items,) the slot of each item."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def take(self, slots: Ints) -> Above:
        """The lists of some slots."""
        starts = np.cumsum(self.counts) - self.counts
        return Above.runs(self.items, starts[slots], self.counts[slots])

    def lists(self) -> list[list[int]]:
        """For people: a list for each slot."""
        return [part.tolist() for part in np.split(self.items, np.cumsum(self.counts)[:-1])] if len(self.counts) else []


def _runs(starts: Ints, counts: Ints) -> Ints:
    """starts[0], starts[0] + 1, ... of each run."""
    first = np.cumsum(counts) - counts
    return np.asarray(np.repeat(starts - first, counts) + np.arange(int(counts.sum())), dtype=np.int64)
