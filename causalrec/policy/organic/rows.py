"""The organic rows of the requests that have judged slots, each beside every judged slot of its request.

A row's item was met in the request without being recommended. What a policy does with it, slot by slot, says what of
its outcomes belongs to "it would have happened anyway".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints, Mask
from causalrec.policy.organic.rates import MetRates
from causalrec.policy.slots import Slots, places


@dataclass(frozen=True)
class LeftOutOfSlate:
    """Of pairs of an organic row with a judged slot of its request.

    Attributes:
        probability: (pairs,) with which the logging policy leaves the item out of this slot and all below it, given
            what stands above each as logged; NaN where it is not known.
        shown: (pairs,) whether it showed the item in one of them.
        here: (pairs,) with which it would have shown the item in this slot, given what stands above; NaN where it is
            not known.
    """

    probability: Floats
    shown: Mask
    here: Floats

    def least(self, row: Ints, rows: int) -> Floats:
        """The least probability of each row's pairs, (rows,); NaN where one of them is not known.

        Args:
            row: (pairs,) which row each is of.
        """
        known = np.isfinite(self.probability)
        least = np.full(rows, np.inf)
        np.minimum.at(least, row[known], self.probability[known])
        least[row[~known]] = np.nan
        return least


@dataclass(frozen=True)
class OrganicRows:
    """Organic rows, and pairs of a row with a judged slot of its request.

    Attributes:
        frame: unit_id, request_id; a row each.
        item: (rows,) its item, by its row in the day's catalogue.
        first: (rows,) the first judged slot of its request, in whose context its own outcome is expected.
        row, slot: (pairs,) which row, and which slot.
        met: (pairs,) m_s(a), how often the item is met per request in which it did not stand above the slot; None:
            not every organic impression is logged.
        out: How likely the logging policy left the item out; None: nobody knows.
    """

    frame: pl.DataFrame
    item: Ints
    first: Ints
    row: Ints
    slot: Ints
    met: Floats | None = None
    out: LeftOutOfSlate | None = None

    def with_met(self, rates: MetRates, positions: Ints) -> OrganicRows:
        """With how often each item is met.

        Args:
            positions: (slots,) of the judged slots, from 1.
        """
        return replace(self, met=rates.below(self.item[self.row], positions[self.slot]))


def organic_rows(units: pl.DataFrame, items: pl.DataFrame, slots: Slots) -> OrganicRows:
    """The organic rows of a day that belong to judged slots, and whose item the catalogue lists.

    Args:
        units: Of the day.
        items: Its catalogue.
        slots: Its judged slots.
    """
    judged = slots.frame.select("request_id", "position").with_row_index("slot").drop_nulls("request_id")
    found = (
        units.filter(pl.col("recommended") == 0)
        .select("unit_id", "request_id", "item_id")
        .join(judged.select("request_id").unique(), on="request_id", how="semi", maintain_order="left")
        .join(places(items), on="item_id", how="inner", maintain_order="left")
        .with_row_index("row")
    )
    pairs = found.select("row", "request_id").join(judged, on="request_id", how="inner").sort("row", "position", "slot")
    first = pairs.group_by("row", maintain_order=True).agg(pl.col("slot").first())["slot"]
    return OrganicRows(
        found.select("unit_id", "request_id"),
        found["place"].to_numpy().astype(np.int64),
        first.to_numpy().astype(np.int64),
        pairs["row"].to_numpy().astype(np.int64),
        pairs["slot"].to_numpy().astype(np.int64),
    )


def slot_numbers(slots: Slots) -> Ints:
    """(slots,) the position of each judged slot; 1 where a slot alone has none."""
    return np.asarray(slots.frame["position"].fill_null(1).to_numpy().astype(np.int64))
