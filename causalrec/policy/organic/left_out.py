"""With which probability the logging policy left an item out of the slate that it showed, from a slot on.

Of a slate drawn slot by slot without replacement the probability of an item in slot l, given those above, is known
where its first-slot probability p is logged: p / left_l, with left_1 = 1 and left_{l+1} = left_l (1 - the logged action
propensity of slot l). Along the slate as logged, the item is left out of slots s, s + 1, ... with the probability

    prod over l >= s of (1 - pi0_l(item | above_l)),

and dividing by it what came of an item that was left out gives what comes of it if slots s, s + 1, ... are drawn by a
logging policy that cannot offer it: each of its slots is drawn with a probability that is larger by 1 / (1 - pi0_l).

Source: Robins (1986), Mathematical Modelling 7: weights of a sequence of treatments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Mask
from causalrec.policy.organic.rows import LeftOutOfSlate, OrganicRows
from causalrec.policy.slots import Slots

FIRST_SLOT = "first_slot_propensity"
SLACK = 1e-6
"""A probability above 1 by more than this contradicts the slots' own."""


def with_left_out(organic: OrganicRows, slots: Slots, logged: Floats, whole: Mask) -> OrganicRows:
    """With the probabilities that each item is left out.

    Args:
        logged: (pairs,) pi0_l(item | above_l) of each organic row's item in each judged slot of its request; NaN where
            it is not known.
        whole: (slots,) of `whole_slates`.
    """
    known = np.where(whole[organic.slot] & (logged >= 0) & (logged <= 1 + SLACK), np.clip(logged, 0.0, 1.0), np.nan)
    pairs = pl.DataFrame(
        {"row": organic.row, "stays": 1 - known, "own": slots.shown[organic.slot] == organic.item[organic.row]}
    )
    # The pairs of a row stand in the order of the slots.
    onwards = pairs.select(
        pl.col("stays").cum_prod(reverse=True).over("row"), pl.col("own").cum_max(reverse=True).over("row")
    )
    return replace(organic, out=LeftOutOfSlate(onwards["stays"].to_numpy(), onwards["own"].to_numpy(), known))


def whole_slates(units: pl.DataFrame, slots: Slots) -> Mask:
    """(slots,) whether all recommended rows of a slot's request are judged slots, in the positions 1, 2, ... n."""
    rows = units.filter(pl.col("recommended") == 1).group_by("request_id").agg(rows=pl.len())
    judged = slots.frame.select("request_id", "position").join(rows, on="request_id", how="left", maintain_order="left")
    many = pl.len().over("request_id")
    last, first = pl.col("position").max().over("request_id"), pl.col("position").min().over("request_id")
    whole = (pl.col("rows") == many) & (first == 1) & (last == many) & pl.col("request_id").is_not_null()
    different = pl.col("position").n_unique().over("request_id") == many
    return np.asarray(judged.select((whole & different).fill_null(False)).to_series().to_numpy(), dtype=bool)


def logged_in_slots(units: pl.DataFrame, slots: Slots, organic: OrganicRows) -> Floats:
    """(pairs,) pi0_l(item | above_l), from the first-slot probabilities that organic rows carry.

    Args:
        units: Of the day, with `first_slot_propensity`.
    """
    first = units.select("unit_id", FIRST_SLOT)
    own = organic.frame.join(first, on="unit_id", how="left", maintain_order="left")[FIRST_SLOT]
    ordered = slots.frame.select("request_id", "position", "action_propensity").with_row_index("slot")
    left = (
        ordered.sort("request_id", "position")
        .with_columns(left=(1 - pl.col("action_propensity")).cum_prod().shift(1, fill_value=1.0).over("request_id"))
        .sort("slot")["left"]
        .to_numpy()
    )[organic.slot]
    p = own.cast(pl.Float64).fill_null(np.nan).to_numpy()[organic.row]
    return np.where(stands_above(slots, organic), 0.0, np.divide(p, left, out=np.full(len(p), np.nan), where=left > 0))


def stands_above(slots: Slots, organic: OrganicRows) -> Mask:
    """(pairs,) whether the row's item stands above the slot."""
    above, item = slots.above.take(organic.slot), organic.item[organic.row]
    hits = np.bincount(above.slots, weights=item[above.slots] == above.items, minlength=len(item))
    return np.asarray(hits > 0)
