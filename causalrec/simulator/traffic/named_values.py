"""The true value of any policy under each name: raw, given met, given not shown, own and organic, total.

One slot of a logged slate is filled by the policy; what stands above it is as logged. A value is the mean over slots.

raw                  outcomes of the slot
given met            the same, less those of an organic impression of the same item in the same request
given not shown      the same, less those of the item where it is offered neither in this slot nor below: the logging
                     policy fills both from the other items, and the item is met without a recommendation or not at all
own and organic      outcomes of the slot and of what is met without a recommendation in the request; the slots below
                     are drawn anew by the logging policy
total                all outcomes of the request, likewise

Outcomes are never drawn: their probabilities are taken. Raw and given met are exact. Of the others, the slots below are
drawn, once for all items that the policy may put in the slot: one ranking (Gumbel top-k) says what stands below for
each of them, so that what a policy changes is not blurred by the luck of the draw. Who meets what is exact
(`inclusion`) but for the item that the aisles show instead of one that the slate shows already. Two independent draws
give the error that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.traffic.displacement import expected_clicks
from causalrec.simulator.traffic.slates import Slates

RAW, GIVEN_MET, GIVEN_NOT_SHOWN = "raw", "given_met", "given_not_shown"
OWN_AND_ORGANIC, TOTAL = "own_and_organic", "total"
NAMES = (RAW, GIVEN_MET, GIVEN_NOT_SHOWN, OWN_AND_ORGANIC, TOTAL)
DRAWS = 2


@dataclass(frozen=True)
class NamedValues:
    """The values of one policy, slot by slot.

    Attributes:
        draws: By name, (2, requests, slots): of two independent draws; equal where nothing is drawn.
    """

    draws: Mapping[str, Floats]

    def value(self, name: str) -> float:
        """The mean over slots."""
        return float(self.draws[name].mean())

    def error(self, name: str) -> float:
        """The standard error of `value` as a mean of the draws, over these slots."""
        first, second = self.draws[name]
        return float(np.sqrt(((first - second) ** 2).sum()) / 2 / first.size)

    def __sub__(self, other: NamedValues) -> NamedValues:
        """The differences of two policies in the same slots, drawn with the same seed: their errors cancel."""
        return NamedValues({name: own - other.draws[name] for name, own in self.draws.items()})

    def by_slot(self, name: str) -> Floats:
        """Its mean over the draws, (requests, slots)."""
        return np.asarray(self.draws[name].mean(axis=0))


def named_values(slates: Slates, probabilities: Floats, outcome: str = "click", seed: int = 0) -> NamedValues:
    """All values of a policy in the slots of some logged slates.

    Args:
        probabilities: The policy's of each item in each slot given what was logged above it, (requests, slots, items);
            0 for what stands above, rows sum to 1.
        outcome: "click", "purchase" or "revenue".
        seed: Of the draws of the slots below.

    Raises:
        ValueError: The shape is another, a row does not sum to 1, or an item above has a probability.
    """
    return values_of_policies(slates, {"": probabilities}, outcome, seed)[""]


def values_of_policies(
    slates: Slates,
    policies: Mapping[str, Floats],
    outcome: str = "click",
    seed: int = 0,
    names: Sequence[str] = NAMES,
) -> dict[str, NamedValues]:
    """`named_values` of several policies, with the same draws.

    Args:
        names: The values that are wanted; of raw and given met alone nothing is drawn.
    """
    n, size = slates.slate.shape
    for probabilities in policies.values():
        _check(slates, probabilities)
    values = {policy: {name: np.empty((DRAWS, n, size)) for name in names} for policy in policies}
    for slot in range(size):
        for draw in range(DRAWS):
            one = _Slot(slates, slot, outcome, np.random.default_rng([seed, slot, draw]))
            for policy, probabilities in policies.items():
                for name, value in one.values(probabilities[:, slot], names).items():
                    values[policy][name][draw, :, slot] = value
    return {policy: NamedValues(of_policy) for policy, of_policy in values.items()}


def _check(slates: Slates, probabilities: Floats) -> None:
    shape = (*slates.slate.shape, slates.world.config.items)
    if probabilities.shape != shape:
        raise ValueError(f"action probabilities must be {shape}, got {probabilities.shape}")
    if not np.allclose(probabilities.sum(axis=2), 1.0) or (probabilities < 0).any():
        raise ValueError("action probabilities must not be negative, and each slot's must sum to 1")
    for slot in range(1, shape[1]):
        if (np.take_along_axis(probabilities[:, slot], slates.slate[:, :slot], axis=1) > 0).any():
            raise ValueError(f"a policy gives a probability to an item above slot {slot + 1}")


def what_recommending_adds(slates: Slates, outcome: str = "click") -> Floats:
    """Outcomes of each request less those it would have without a slate, (requests,); exact given the slate.

    What a random holdout estimates.
    """
    shown_worth, organic_worth = slates.worth(outcome)
    clicked, left = expected_clicks(slates.slate_click(slates.slate), slates.world.config)
    met = slates.organic_click * organic_worth
    came = slates.comes_for * met
    none = np.empty((len(met), 0), dtype=np.int64)
    with_slate = (slates.browsed(slates.slate) * met).sum(axis=1) + came.sum(axis=1)
    with_slate -= np.take_along_axis(came, slates.slate, axis=1).sum(axis=1)
    without = (slates.browsed(none) * met).sum(axis=1) + came.sum(axis=1)
    own = (clicked * np.take_along_axis(shown_worth, slates.slate, axis=1)).sum(axis=1)
    return np.asarray(own + with_slate * left - without)


class _Slot:
    """One slot of all requests, with one draw of what stands below it and of the aisles."""

    def __init__(self, slates: Slates, slot: int, outcome: str, rng: np.random.Generator) -> None:
        self.slates, self.slot, self.config = slates, slot, slates.world.config
        self.above = slates.slate[:, :slot]
        self.below = slates.slate.shape[1] - slot - 1
        self.shown_worth, self.organic_worth = slates.worth(outcome)
        self.met = slates.organic_click * self.organic_worth
        self.click = slates.shown_click(slot)
        self.rng = rng

    @cached_property
    def drawn(self) -> tuple[Ints, Ints]:
        """The logging policy's ranking and that of the aisles, without what stands above.

        Of each one more than can be needed: what takes the place of an item that the slot shows already.
        """
        rows, below = self.slates.first_slot.shape, self.below + 1
        ranking = self._ranked(self.slates.first_slot, self.rng.gumbel(size=rows), below)
        aisle = np.broadcast_to(self.slates.browse, rows)
        return ranking, self._ranked(aisle, self.rng.gumbel(size=rows), self.config.organic + below)

    @property
    def ranking(self) -> Ints:
        return self.drawn[0]

    @property
    def aisle(self) -> Ints:
        return self.drawn[1]

    def values(self, pi: Floats, names: Sequence[str]) -> dict[str, Floats]:
        """The values of a policy by name, (requests,) each."""
        own, found = self.own(pi), {}
        if RAW in names:
            found[RAW] = own
        if GIVEN_MET in names:
            found[GIVEN_MET] = own - self.if_met(pi)
        if GIVEN_NOT_SHOWN in names:
            found[GIVEN_NOT_SHOWN] = own - self.if_not_shown(pi)
        if OWN_AND_ORGANIC in names or TOTAL in names:
            rest, organic = self.rest(pi)
            both = {OWN_AND_ORGANIC: own + organic, TOTAL: own + rest + organic}
            found |= {name: value for name, value in both.items() if name in names}
        return found

    def own(self, pi: Floats) -> Floats:
        """Outcomes of the slot, (requests,)."""
        above = self.slates.slate_click(self.slates.slate[:, : self.slot + 1])
        above[:, -1] = 1.0  # clicked for sure, unless a click above removes it
        reached = expected_clicks(above, self.config)[0][:, -1]
        return np.asarray((pi * self.click * self.shown_worth).sum(axis=1) * reached)

    def if_met(self, pi: Floats) -> Floats:
        """Outcomes of an organic impression of the policy's item in the request as it was logged, (requests,)."""
        left = expected_clicks(self.slates.slate_click(self.slates.slate), self.config)[1]
        return np.asarray((pi * self.met).sum(axis=1) * left)

    def if_not_shown(self, pi: Floats) -> Floats:
        """Outcomes of the policy's item where it is offered neither here nor below, (requests,)."""
        return np.asarray((pi * self._unshown).sum(axis=1))

    @cached_property
    def _unshown(self) -> Floats:
        """Outcomes of each item where it is offered neither here nor below, (requests, items).

        With weight 1{not drawn} / P(not drawn) of the drawn slots, and the request as logged as the control variate:
        the weight's mean is known to be 1.
        """
        drawn_slate = np.concatenate([self.above, self.ranking], axis=1)
        logged = self._if_not_shown(self.slates.slate, self.slates.browsed_as_logged)
        drawn = self._if_not_shown(drawn_slate, self.slates.browsed(drawn_slate))
        first = self.slates.first_slot
        weight, left = np.ones(first.shape), np.ones(len(first))
        left -= np.take_along_axis(first, self.above, axis=1).sum(axis=1)
        for item in self.ranking.T:
            weight /= np.maximum(1.0 - first / left[:, None], 1e-12)
            left = left - np.take_along_axis(first, item[:, None], axis=1)[:, 0]
        np.put_along_axis(weight, self.ranking, 0.0, axis=1)
        return np.asarray(self.met * (logged + weight * (drawn - logged)))

    def rest(self, pi: Floats) -> tuple[Floats, Floats]:
        """Outcomes of the other slots and of what is met without a recommendation, (requests,) each.

        For nearly all items the slots below are the same: only what stands in the drawn ranking, or in the drawn
        aisles, changes what follows if the slot shows it.
        """
        others, left, met, came = self._usual
        p = pi * self.click
        clicked, organic_left = p.sum(axis=1), pi.sum(axis=1) * left[0] + p.sum(axis=1) * left[1]
        slots = others[0] + others[1] * clicked
        organic = met * organic_left - (p * came).sum(axis=1) * left[1] - (pi * came).sum(axis=1) * left[0]
        # The aisles as they are on average, instead of as they were drawn.
        organic = organic + (self._browsed - self._aisle(self._below)) * organic_left
        for item, new, change in self._changes:
            chance = np.where(new, np.take_along_axis(pi, item[:, None], axis=1)[:, 0], 0.0)
            slots, organic = slots + chance * change[0], organic + chance * change[1]
        return slots, organic

    @property
    def _below(self) -> Ints:
        """The usual slots below, (requests, below)."""
        return self.ranking[:, : self.below]

    @cached_property
    def _usual(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats, Floats]:
        """With the usual slots below: `_linear` of them, what is met besides, (requests,), and what people came for."""
        aisle, came = self._aisle(self._below), self.slates.comes_for * self.met
        taken = np.concatenate([self.above, self._below], axis=1)
        goes = came.sum(axis=1) - np.take_along_axis(came, taken, axis=1).sum(axis=1)
        return *self._linear(self._below), aisle + goes, came

    @cached_property
    def _changes(self) -> list[tuple[Ints, Mask, tuple[Floats, Floats]]]:
        """Items that change what follows, (requests,) each; whether each is told for the first time; and `_changed`."""
        seen: list[Ints] = []
        changes = []
        for item in (*self._below.T, *self.aisle.T):
            new = np.all([item != other for other in seen], axis=0) if seen else np.ones(len(item), dtype=np.bool_)
            seen.append(item)
            changes.append((item, new, self._changed(item, self._usual)))
        return changes

    @cached_property
    def _browsed(self) -> Floats:
        """Outcomes of what the aisles show, expected given the usual slots below, (requests,)."""
        taken = np.concatenate([self.above, self._below], axis=1)
        return np.asarray((self.slates.browsed(taken) * self.met).sum(axis=1))

    def _changed(
        self, item: Ints, usual: tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats, Floats]
    ) -> tuple[Floats, Floats]:
        """By how much the slots' and organic outcomes differ if the slot shows `item`, from what `usual` says of it."""
        others, left, organic, came = usual
        rank = self.ranking.shape[1]
        kept = np.argsort(self.ranking == item[:, None], axis=1, kind="stable")[:, : rank - 1]
        below = np.take_along_axis(self.ranking, kept, axis=1)
        p, own = self._at(self.click, item), self._at(came, item)
        true_others, true_left = self._linear(below)
        taken = np.concatenate([self.above, below, item[:, None]], axis=1)
        true_organic = self._aisle(np.concatenate([below, item[:, None]], axis=1)) + came.sum(axis=1)
        true_organic = true_organic - np.take_along_axis(came, taken, axis=1).sum(axis=1)
        slots = true_others[0] - others[0] + (true_others[1] - others[1]) * p
        now = true_organic * (true_left[0] + true_left[1] * p)
        return slots, now - (organic - own) * (left[0] + left[1] * p)

    def _linear(self, below: Ints) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Outcomes of the other slots, and the share of organic clicks left: at P(click) 0 here, and the slope in it.

        Both are linear in it: it is the chance of one click more.
        """
        slates, slot = self.slates, self.slot
        p = np.empty((len(below), slates.slate.shape[1]))
        p[:, :slot], p[:, slot + 1 :] = slates.slate_click(self.above), slates.slate_click(below, slot + 1)
        worth = np.zeros(p.shape)
        worth[:, :slot] = np.take_along_axis(self.shown_worth, self.above, axis=1)
        worth[:, slot + 1 :] = np.take_along_axis(self.shown_worth, below, axis=1)
        ends = []
        for own in (0.0, 1.0):
            p[:, slot] = own
            clicked, left = expected_clicks(p, self.config)
            ends.append(((clicked * worth).sum(axis=1), left))
        (low, low_left), (high, high_left) = ends
        return (low, high - low), (low_left, high_left - low_left)

    def _aisle(self, shown: Ints) -> Floats:
        """Outcomes of what the drawn aisles show to those who browse, besides the slots above and `shown`."""
        free = ~(self.aisle[:, :, None] == shown[:, None, :]).any(axis=2)
        first = free & (free.cumsum(axis=1) <= self.config.organic)
        worth = np.take_along_axis(self.met, self.aisle, axis=1)
        return np.asarray((1.0 - self.config.go_anyway) * (worth * first).sum(axis=1))

    def _if_not_shown(self, slate: Ints, browsed: Floats) -> Floats:
        """P(met without a recommendation, and its click left) of each item, given a slate, (requests, items)."""
        left = expected_clicks(self.slates.slate_click(slate), self.config)[1]
        return (browsed + self.slates.comes_for) * left[:, None]

    def _ranked(self, p: Floats, gumbel: Floats, size: int) -> Ints:
        """The first `size` of a draw without replacement and without what stands above, (requests, size)."""
        with np.errstate(divide="ignore"):
            key = np.log(p) + gumbel
        np.put_along_axis(key, self.above, -np.inf, axis=1)
        top = np.argpartition(-key, size - 1, axis=1)[:, :size]
        return np.take_along_axis(top, np.argsort(-np.take_along_axis(key, top, axis=1), axis=1), axis=1)

    @staticmethod
    def _at(values: Floats, item: Ints) -> Floats:
        return np.take_along_axis(values, item[:, None], axis=1)[:, 0]
