"""How often an item is met without being recommended, per request in which it did not stand above a slot.

An item that was met three times in a month has a rate that is mostly chance, and a weight is divided by it. Each rate
is therefore drawn towards its category's, and each category's towards that of all items, the more the less was seen.

Source: Marshall (1991), Applied Statistics 40(2), section 2: empirical Bayes estimates of rates by moments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints

DEEPEST = 2**31
"""No slot is deeper: an item and a slot are one whole number."""
COUNTS = {"item_id": pl.String(), "impressions": pl.Int64(), "requests": pl.Int64()}
STOOD = {"item_id": pl.String(), "position": pl.Int64()}


@dataclass(frozen=True)
class MetCounts:
    """Counts over the days before the judged ones.

    Attributes:
        items: item_id, impressions (organic rows), requests (on days on which the catalogue listed the item).
        stood: item_id and position of every recommended row.
    """

    items: pl.DataFrame
    stood: pl.DataFrame

    @classmethod
    def of(cls, days: Iterable[tuple[pl.DataFrame, pl.DataFrame]]) -> MetCounts:
        """Count days.

        Args:
            days: Of each day its units (request_id, item_id, position, recommended) and its catalogue.
        """
        counted, stood = [pl.DataFrame(schema=COUNTS)], [pl.DataFrame(schema=STOOD)]
        for units, catalogue in days:
            asked = units.drop_nulls("request_id")
            organic = asked.filter(pl.col("recommended") == 0).group_by("item_id").agg(impressions=pl.len())
            requests = asked["request_id"].n_unique()
            listed = catalogue.select("item_id", requests=pl.lit(requests)).join(organic, on="item_id", how="left")
            counted.append(listed.select(pl.col(name).cast(kind).fill_null(0) for name, kind in COUNTS.items()))
            stood.append(asked.filter(pl.col("recommended") == 1).select("item_id", "position").drop_nulls())
        items = pl.concat(counted).group_by("item_id").sum().sort("item_id")
        return cls(items, pl.concat(stood))

    def rates(self, catalogue: pl.DataFrame) -> MetRates:
        """The rates of a catalogue's items, in its order; an item that was never listed before has its category's."""
        known = catalogue.select("item_id").join(self.items, on="item_id", how="left", maintain_order="left")
        impressions = known["impressions"].fill_null(0).to_numpy().astype(np.float64)
        requests = known["requests"].fill_null(0).to_numpy().astype(np.float64)
        categories = catalogue["category"] if "category" in catalogue.columns else None
        groups = np.zeros(catalogue.height, dtype=np.int64)
        if categories is not None:
            names = categories.unique(maintain_order=True)
            groups = (
                categories.to_frame()
                .join(names.to_frame().with_row_index("group"), on="category", nulls_equal=True, maintain_order="left")[
                    "group"
                ]
                .to_numpy()
                .astype(np.int64)
            )
        mean, strength = _by_category(impressions, requests, groups)
        places = catalogue.select("item_id").with_row_index("place")
        at = self.stood.join(places, on="item_id", how="inner")
        keys = at["place"].to_numpy().astype(np.int64) * DEEPEST + at["position"].to_numpy().astype(np.int64)
        return MetRates(impressions, requests, np.sort(keys), mean, strength)


@dataclass(frozen=True)
class MetRates:
    """Organic rates of the items of one catalogue.

    Attributes:
        impressions, requests: (items,) as counted.
        stood: The slots in which items stood, as item x `DEEPEST` + position, ascending.
        mean: (items,) the rate of the item's category.
        strength: (items,) how many requests that rate counts for; infinite where items of a category do not differ.
    """

    impressions: Floats
    requests: Floats
    stood: Ints
    mean: Floats
    strength: Floats

    def below(self, items: Ints, positions: Ints) -> Floats:
        """m_s(a): organic impressions of the item per request in which it did not stand above the slot.

        Args:
            items: (rows,) catalogue rows.
            positions: (rows,) of the slot, from 1.

        Returns:
            (rows,), above 0; NaN where no organic row was ever logged.
        """
        first = np.searchsorted(self.stood, items * DEEPEST)
        above = np.searchsorted(self.stood, items * DEEPEST + positions) - first
        # A request counts once, however often an item stood in it.
        requests = np.maximum(self.requests[items] - above, 0.0)
        mean, strength = self.mean[items], self.strength[items]
        pooled = np.isinf(strength)
        strength = np.where(pooled, 0.0, strength)
        own = np.divide(
            self.impressions[items] + strength * mean,
            requests + strength,
            out=mean.copy(),
            where=requests + strength > 0,
        )
        rate = np.where(pooled, mean, own)
        return np.asarray(np.where(rate > 0, rate, np.nan))


def _by_category(impressions: Floats, requests: Floats, groups: Ints) -> tuple[Floats, Floats]:
    """(items,) each category's rate, drawn towards that of all, and the requests that it counts for."""
    count = int(groups.max(initial=-1)) + 1
    met: Floats = np.bincount(groups, weights=impressions, minlength=count).astype(np.float64)
    asked: Floats = np.bincount(groups, weights=requests, minlength=count).astype(np.float64)
    overall, between = _moments(met, asked)
    means = _drawn(met, asked, overall, between)
    strength = np.full(count, np.inf)
    for group in range(count):
        own = groups == group
        _, varies = _moments(impressions[own], requests[own])
        if varies > 0:
            strength[group] = means[group] / varies
    return means[groups], strength[groups]


def _moments(events: Floats, exposures: Floats) -> tuple[float, float]:
    """The rate of some groups together, and the variance of their own rates beyond chance: s^2 - m / mean exposure."""
    total = float(exposures.sum())
    if total <= 0:
        return 0.0, 0.0
    seen = exposures > 0
    mean = float(events.sum()) / total
    spread = float((exposures[seen] * (events[seen] / exposures[seen] - mean) ** 2).sum()) / total
    return mean, max(0.0, spread - mean * int(seen.sum()) / total)


def _drawn(events: Floats, exposures: Floats, mean: float, between: float) -> Floats:
    if between <= 0:
        return np.full(len(events), mean)
    strength = mean / between
    return np.asarray((events + strength * mean) / (exposures + strength))
