"""With which probability a policy whose bundle is stored would have shown what people met beside its slates.

The bundle is scored again. Whether that is what was scored when the slates were drawn is tried on what they show: the
probability of every shown item, given those above, was logged. A share of a distribution changes whenever what the
distribution is over, or any value in it that matters, changes, so slates whose every slot has the logged probability
were drawn from this distribution, up to rounding. Others are not known, and nothing is guessed of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints, Mask
from causalrec.policy.above import Above
from causalrec.policy.grid import Scored
from causalrec.policy.organic.rows import OrganicRows
from causalrec.policy.plackett_luce import given_above, in_slot
from causalrec.policy.slots import Slots

ROUNDING = 1e-3
"""Of a probability: what single precision and six digits in a file leave lies well below."""
LOGGED = "logged"
NOT_WHOLE = "not every slot of the slate is logged with its action propensity"
CONTRADICTS = "what is logged of them contradicts the action propensities of the slots"


@dataclass(frozen=True)
class Then:
    """Judged slots, by what was scored when they were drawn.

    Attributes:
        row: (slots,) the context of each; -1: it was none of those that were scored.
        item: (items,) the row that each item of the day's catalogue had in the catalogue of then; -1: it had none.
    """

    row: Ints
    item: Ints

    def known(self, slots: Slots) -> Mask:
        """(slots,) whether the context was scored, and what it shows and stands above it was listed."""
        unlisted = np.bincount(slots.above.slots, weights=self.item[slots.above.items] < 0, minlength=len(self.row))
        return np.asarray((self.row >= 0) & (self.item[slots.shown] >= 0) & (unlisted == 0))

    def asked(self, slots: Slots, organic: OrganicRows) -> tuple[Ints, Ints]:
        """Which items of the catalogue of then are asked for in which context: shown, above, or met beside.

        Returns:
            (asked,) rows of the contexts and of the catalogue, distinct, ascending.
        """
        known = self.known(slots)
        above = slots.above.slots
        row = np.concatenate([self.row, self.row[above], self.row[organic.slot]])
        item = self.item[np.concatenate([slots.shown, slots.above.items, organic.item[organic.row]])]
        of = np.concatenate([known, known[above], known[organic.slot]]) & (item >= 0)
        one, other = np.unique(np.column_stack([row[of], item[of]]), axis=0).T
        return one, other


@dataclass(frozen=True)
class ScoredAgain:
    """What a policy would have shown.

    Attributes:
        shown: (slots,) the probability of the item shown, given those above; NaN where nobody can tell.
        met: (pairs,) pi0_l(item | above_l) of each organic row's item; NaN where nobody can tell.
    """

    shown: Floats
    met: Floats


def score_again(
    parts: Iterable[Scored], probabilities: Callable[[Scored], Floats], then: Then, slots: Slots, organic: OrganicRows
) -> ScoredAgain:
    """The probabilities of the items shown and met.

    Args:
        parts: The contexts of then against the catalogue of then, in order, with the columns of `Then.asked`.
        probabilities: The policy's distribution of the first slot, (contexts, items) of a part.

    Returns:
        Of an item that the catalogue of then did not list, 0: it could not be shown.
    """
    known = then.known(slots)
    shown, met = np.full(len(then.row), np.nan), np.full(len(organic.row), np.nan)
    item = then.item[organic.item[organic.row]]
    met[known[organic.slot] & (item < 0)] = 0.0
    for part in parts:
        p = probabilities(part)
        inside = known & (then.row >= part.contexts.start) & (then.row < part.contexts.stop)
        here = np.flatnonzero(inside)
        row, above = then.row[here] - part.contexts.start, _above(part, then, slots, here)
        shown[here], _ = in_slot(p, row, part.column(row, then.item[slots.shown[here]]), above)
        pairs = np.flatnonzero(inside[organic.slot] & (item >= 0))
        row = then.row[organic.slot[pairs]] - part.contexts.start
        above = _above(part, then, slots, organic.slot[pairs])
        met[pairs] = given_above(p, row, part.column(row, item[pairs]), above)
    return ScoredAgain(shown, met)


def _above(part: Scored, then: Then, slots: Slots, which: Ints) -> Above:
    """The items above some slots, as columns of the part."""
    above = slots.above.take(which)
    row = then.row[which][above.slots] - part.contexts.start
    return Above(part.column(row, then.item[above.items]), above.counts)


@dataclass(frozen=True)
class Held:
    """Probabilities that were scored again, held against what was logged.

    Attributes:
        off: (slots,) by which share of the logged propensity the one scored again differs; NaN where nobody can tell.
        agrees: (slots,) whether all slots of the request that are asked about have the logged propensity.
    """

    off: Floats
    agrees: Mask


def held_against(shown: Floats, slots: Slots, asked: Mask) -> Held:
    """Hold probabilities against the logged propensities, request by request.

    Args:
        shown: (slots,) of `ScoredAgain`.
        asked: (slots,) which are asked about: those that the policy has drawn.
    """
    logged = slots.frame["action_propensity"].cast(pl.Float64).to_numpy()
    off = np.abs(np.divide(shown, logged, out=np.full(len(shown), np.nan), where=logged > 0) - 1)
    fine = (off <= ROUNDING) | ~asked
    # Without a request a slot is alone.
    alone = pl.col("request_id").is_null()
    each = slots.frame.select("request_id").with_columns(fine=pl.Series(fine, dtype=pl.Boolean))
    whole = each.select(pl.when(alone).then("fine").otherwise(pl.col("fine").all().over("request_id")))
    return Held(off, np.asarray(whole.to_series().to_numpy(), dtype=bool) & asked)


@dataclass(frozen=True)
class InSlots:
    """With which probability the logging policy would have shown organic rows' items in the slots of their requests.

    Attributes:
        here: (pairs,) pi0_l(item | above_l); NaN where it is not known.
        said: (pairs,) where it is from; where it is not known, why. Null: the slate itself says that it is 0.
    """

    here: Floats
    said: pl.Series

    def or_else(self, here: Floats, said: pl.Series) -> InSlots:
        """With other probabilities, and what is said of them, where these are not known."""
        unknown = np.isnan(self.here)
        taken = pl.select(pl.when(pl.Series(unknown, dtype=pl.Boolean)).then(said).otherwise(self.said)).to_series()
        return InSlots(np.where(unknown, here, self.here), taken)


def with_origins(organic: OrganicRows, in_slots: InSlots, whole: Mask) -> OrganicRows:
    """Organic rows that say where what they are weighed by is from.

    Args:
        organic: Of `with_left_out`, by the same probabilities.
        whole: (slots,) of `whole_slates`.

    Returns:
        With the columns `not_shown_from` and, where that is null, `not_shown_unknown`: why nobody knows.

    Raises:
        ValueError: It was never asked how likely each item was left out.
    """
    if organic.out is None:
        raise ValueError("how likely each item was left out of the slates is asked first (with_left_out)")
    unknown = np.isnan(organic.out.here)
    pairs = pl.DataFrame({"row": organic.row, "unknown": unknown, "whole": whole[organic.slot]}).with_columns(
        said=in_slots.said.cast(pl.String), known=pl.Series(~np.isnan(in_slots.here), dtype=pl.Boolean)
    )
    why = pl.when(~pl.col("whole")).then(pl.lit(NOT_WHOLE)).when("known").then(pl.lit(CONTRADICTS)).otherwise("said")
    rows = pairs.group_by("row", maintain_order=True).agg(
        not_shown_from=pl.when(~pl.col("unknown").any()).then(
            pl.col("said").drop_nulls().unique().sort().str.join(" and ").replace("", LOGGED)
        ),
        not_shown_unknown=why.filter("unknown").first(),
    )
    numbered = organic.frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    return replace(organic, frame=numbered.join(rows, on="row", how="left", maintain_order="left").drop("row"))
