"""A large catalogue as few columns: the candidates of each context, items that are asked for, a sample of the rest.

Items that are no candidates are the lump: each has the same probability, so that nothing has to be known of an item of
it but that it is in it. What a model expects of the lump is estimated from a sample, drawn anew for each context.

Source: Floyd in Bentley (1987), Communications of the ACM 30(9): a sample without replacement in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from causalrec.arrays import Floats, Ints, Mask

FAR = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Columns:
    """What the columns of a run of contexts are; arrays are (contexts, columns).

    A column is an item of probability p, or a sampled item of the lump that stands for k of them, with k p together.
    Sums over columns of a distribution are then sums over the catalogue.

    Attributes:
        items: By catalogue row; -1 where a context has fewer columns.
        eligible: Whether the item can be shown.
        in_lump: Whether it can be shown, and is no candidate.
        stands_for: How many items the column stands for: 1, or more in the sample.
        sampled: Whether the column is of the sample, whose columns stand in random order.
        count: (contexts,) eligible items of the catalogue.
    """

    items: Ints
    eligible: Mask
    in_lump: Mask
    stands_for: Floats
    sampled: Mask
    count: Ints

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints, int]:
        """Keys of (context, item) ascending, the column of each, and the width of an item's number."""
        width = int(self.items.max(initial=0)) + 1
        row, column = np.nonzero(self.items >= 0)
        keys = row * width + self.items[row, column]
        order = np.argsort(keys, kind="stable")
        return keys[order], column[order], width

    def of(self, row: Ints, item: Ints) -> Ints:
        """The column of each item in its context.

        Raises:
            KeyError: The context has no column of the item: it was not asked for.
        """
        keys, column, width = self._sorted
        wanted = row * width + item
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        if len(wanted) and (not len(keys) or ((keys[at] != wanted) | (item >= width)).any()):
            raise KeyError("an item that was not asked for has no column")
        return np.asarray(column[at])


@dataclass(frozen=True)
class Candidates:
    """The candidates and the lump of each group of contexts that may be shown the same items.

    Attributes:
        group: (items,) of each item; -1: no context may be shown it.
        chosen: (items,) whether it is a candidate.
        table: (groups, candidates), ascending, padded with -1.
        lump: The items that are no candidates, group by group, ascending.
        start, size: (groups,) where each group's lump begins, and how large it is.
        place: (items,) the place of an item in its group's lump.
    """

    group: Ints
    chosen: Mask
    table: Ints
    lump: Ints
    start: Ints
    size: Ints
    place: Ints

    @classmethod
    def best(cls, value: Floats, group: Ints, most: int) -> Candidates:
        """The best items of each group; of equal ones the first.

        Args:
            value: (items,) by which they are chosen.
            group: (items,), from 0; -1: of none.
            most: Candidates of a group.
        """
        groups = int(group.max(initial=-1)) + 1
        order = np.lexsort((-value, group))
        first = np.searchsorted(group[order], np.arange(groups + 1))
        rank = np.arange(len(order)) - first[np.minimum(np.maximum(group[order], 0), groups)]
        chosen = np.zeros(len(value), dtype=bool)
        chosen[order[(rank < most) & (group[order] >= 0)]] = True
        there = np.bincount(group[chosen], minlength=groups)
        table = np.full((groups, int(there.max(initial=0))), -1, dtype=np.int64)
        listed = np.flatnonzero(chosen)
        listed = listed[np.argsort(group[listed], kind="stable")]
        table[group[listed], _ranks(group[listed])] = listed
        lump = np.flatnonzero(~chosen & (group >= 0))
        lump = lump[np.argsort(group[lump], kind="stable")]
        size = np.bincount(group[lump], minlength=groups).astype(np.int64)
        place = np.zeros(len(value), dtype=np.int64)
        place[lump] = _ranks(group[lump])
        return cls(group, chosen, table, lump, np.cumsum(size) - size, size, place)

    def columns(self, of: Ints, row: Ints, item: Ints, sampled: int, rng: np.random.Generator) -> Columns:
        """The columns of some contexts.

        The sample is of the items of the lump that are not asked for, so those are known and only the others estimated.

        Args:
            of: (contexts,) the group of each; -1: nothing may be shown there.
            row, item: (asked,) distinct pairs of a context and an item that must have a column, ascending.
            sampled: Items of the lump to draw for each context.
        """
        candidates = np.append(self.table, np.full((1, self.table.shape[1]), -1), axis=0)[of]
        extra = ~(self.chosen[item] & (self.group[item] == of[row]))
        row, item = row[extra], item[extra]
        rank = _ranks(row)
        asked = np.full((len(of), int(rank.max(initial=-1)) + 1), -1, dtype=np.int64)
        asked[row, rank] = item
        known = (asked >= 0) & (self.group[asked] == of[:, None]) & (of[:, None] >= 0)
        lump = np.append(self.size, 0)[of]
        drawn = self._sample(of, asked, known, sampled, rng)
        rest = lump - known.sum(axis=1)
        items = np.concatenate([candidates, asked, drawn], axis=1)
        eligible = np.concatenate([candidates >= 0, known, drawn >= 0], axis=1)
        stands = np.ones(items.shape)
        many = np.divide(rest, np.minimum(rest, sampled), out=np.ones(len(of)), where=rest > 0)
        stands[:, items.shape[1] - drawn.shape[1] :] = many[:, None]
        is_sampled = np.zeros(items.shape, dtype=bool)
        is_sampled[:, items.shape[1] - drawn.shape[1] :] = drawn >= 0
        in_lump = eligible.copy()
        in_lump[:, : candidates.shape[1]] = False
        return Columns(items, eligible, in_lump, stands, is_sampled, (candidates >= 0).sum(axis=1) + lump)

    def _sample(self, of: Ints, asked: Ints, known: Mask, sampled: int, rng: np.random.Generator) -> Ints:
        """(contexts, sampled) items of each context's lump that are not asked for, in random order, padded with -1."""
        places = without_replacement(np.append(self.size, 0)[of] - known.sum(axis=1), sampled, rng)
        # The k-th place that nobody asked for: places are moved beyond those that were.
        taken = np.sort(np.where(known, self.place[asked], FAR), axis=1)
        before = np.where(taken < FAR, taken - np.arange(taken.shape[1]), FAR)
        moved = places + (before[:, None, :] <= places[:, :, None]).sum(axis=2)
        found = np.append(self.start, 0)[of][:, None] + moved
        there = places >= 0
        return np.where(there, self.lump[np.where(there, found, 0)], -1) if len(self.lump) else np.where(there, 0, -1)


def without_replacement(many: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Samples of the numbers below `many`, each in random order, by Floyd's algorithm.

    Args:
        many: (rows,).

    Returns:
        (rows, size), padded with -1 where there are fewer numbers: then it is all of them.
    """
    chosen = np.tile(np.arange(size), (len(many), 1))
    full = np.flatnonzero(many > size)
    drawn = np.full((len(full), size), -1, dtype=np.int64)
    for k in range(size):
        highest = many[full] - size + k
        number = rng.integers(0, highest + 1)
        drawn[:, k] = np.where((drawn[:, :k] == number[:, None]).any(axis=1), highest, number)
    chosen[full] = drawn
    there = np.arange(size) < many[:, None]
    order = np.argsort(np.where(there, rng.random(chosen.shape), 2.0), axis=1)
    return np.asarray(np.take_along_axis(np.where(there, chosen, -1), order, axis=1))


def _ranks(sorted_keys: Ints) -> Ints:
    """0, 1, ... within each run of equal keys."""
    if not len(sorted_keys):
        return np.zeros(0, dtype=np.int64)
    begins = np.flatnonzero(np.append(True, sorted_keys[1:] != sorted_keys[:-1]))
    return np.asarray(np.arange(len(sorted_keys)) - np.repeat(begins, np.diff(np.append(begins, len(sorted_keys)))))
