"""The shown slots of a training day, each with the rest of its request and with items that might have stood there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.covariates import AsOf, as_of_covariates, context_columns
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.rest import RestRows, rest_features
from causalrec.settings.logs.sources import Source

DRAWS, AGAIN = 16, 4
"""Items that are drawn for each slot, to centre its features and to tell its context."""
MOST_SLOTS = 40_000
"""Of a window."""


def rest_of_requests(units: pl.DataFrame, price: bool) -> pl.DataFrame:
    """The recommended rows of a day of which it is known what stood above them, each with the rest of its request.

    Args:
        units: Rows of `units` of one day.
        price: Whether purchases have a price.

    Returns:
        `units` with `rest_click`, `rest_purchase` and `rest_sales`: sums over the request's other rows; null where one
        of them is not known.
    """
    sold = (pl.col("purchase") * pl.col("price") if price else pl.lit(None, pl.Float64)).cast(pl.Float64)
    sales = pl.when(pl.col("purchase") == 0).then(0.0).otherwise(sold) if price else sold
    rows = units.with_columns(sales.alias("sales"))
    of_request = [
        pl.when(pl.col(name).is_not_null().all().over("request_id"))
        .then(pl.col(name).cast(pl.Float64).sum().over("request_id") - pl.col(name).cast(pl.Float64))
        .alias(f"rest_{name}")
        for name in ("click", "purchase", "sales")
    ]
    known = rows.filter(pl.col("request_id").is_not_null()).with_columns(of_request)
    shown = known.filter((pl.col("recommended") == 1) & (pl.col("action_propensity") > 0))
    one_draw = [
        pl.struct("request_id", column).is_unique().all().over("request_id")
        for column in (("item_id", "position") if shown["position"].null_count() < shown.height else ("item_id",))
    ]
    return shown.filter(one_draw).drop("sales")


@dataclass(frozen=True)
class DaySlots:
    """Shown slots of a day.

    Attributes:
        slots: Of `rest_of_requests`, n of them.
        shown: Features of the item that was shown, (n, features).
        drawn, again: Their means over `DRAWS` items that were drawn in its place, and over `AGAIN` others.
        weight: (n,), mean 1.
    """

    slots: pl.DataFrame
    shown: Floats
    drawn: Floats
    again: Floats
    weight: Floats


@dataclass(frozen=True)
class InTheirPlaces:
    """Draws items that might have stood in the slots of a day.

    An item is drawn from the day's slots, so as often as it was shown; not one that stands above the slot or is no
    candidate of its context, for that cannot stand in it.

    Attributes:
        match: Columns in which an item must equal its context.
        most: Slots of a day; of more, so many are drawn.
    """

    source: Source
    model: OutcomeModel
    vectors: ItemVectors | None
    match: Sequence[str] = ()
    most: int = MOST_SLOTS

    def of_day(self, slots: pl.DataFrame, catalogue: pl.DataFrame, state: AsOf, seed: Sequence[int]) -> DaySlots:
        """The slots in whose place some item could be drawn, with the features of both.

        Args:
            slots: Of `rest_of_requests`.
            catalogue, state: Of the day.
        """
        rng, listed = np.random.default_rng(seed), slots["item_id"].is_in(catalogue["item_id"].implode())
        numbered = slots.with_row_index("_slot")
        asked = numbered.filter(listed)
        asked = asked if asked.height <= self.most else asked[np.sort(rng.permutation(asked.height)[: self.most])]
        drawn = asked.select(pl.col("_slot").repeat_by(DRAWS + AGAIN).explode())
        drawn = drawn.with_columns(
            slots["item_id"].filter(listed).gather(rng.integers(0, int(listed.sum()), drawn.height)).alias("item_id")
            if drawn.height
            else pl.lit(None, pl.String).alias("item_id"),
            pl.Series("_again", np.tile(np.arange(DRAWS + AGAIN) >= DRAWS, asked.height), dtype=pl.Boolean),
        )
        columns = ["time", *(["user_id"] if self.source.has("user_id") else []), *context_columns(self.source)]
        columns += [c for c in ("position",) if c in self.model.design.names]
        drawn = _without_those_above(drawn, numbered).join(
            asked.select("_slot", *columns), on="_slot", how="left", maintain_order="left"
        )
        drawn = drawn.filter(self._candidates(drawn, catalogue))
        known = drawn.group_by("_slot").agg(pl.col("_again").n_unique().alias("kinds")).filter(pl.col("kinds") == 2)
        kept = known["_slot"].sort()
        asked, drawn = (rows.filter(pl.col("_slot").is_in(kept.implode())) for rows in (asked, drawn))
        pairs = as_of_covariates(drawn, state, catalogue, self.source)
        of_pairs, place = self.features(pairs), kept.search_sorted(pairs["_slot"]).to_numpy()
        again = pairs["_again"].to_numpy()
        shares = asked.join(slots.group_by("item_id").len("_times"), on="item_id", how="left", maintain_order="left")
        weight = shares["_times"].to_numpy() / shares["action_propensity"].to_numpy()
        return DaySlots(
            asked.drop("_slot"),
            self.features(asked),
            _means(of_pairs[~again], place[~again], asked.height),
            _means(of_pairs[again], place[again], asked.height),
            # Of each day by itself: its shares are of so many slots.
            weight / weight.mean() if len(weight) else weight,
        )

    def _candidates(self, drawn: pl.DataFrame, catalogue: pl.DataFrame) -> pl.Series:
        """Which draws equal their context; what is not known equals nothing."""
        if not self.match:
            return pl.Series([True]).new_from_index(0, drawn.height)
        of_items = catalogue.select("item_id", *(pl.col(c).alias(f"_of_item_{c}") for c in self.match))
        both = drawn.join(of_items, on="item_id", how="left", maintain_order="left")
        same = pl.all_horizontal((pl.col(c) == pl.col(f"_of_item_{c}")).fill_null(False) for c in self.match)
        return both.select(same).to_series()

    def features(self, rows: pl.DataFrame) -> Floats:
        """Of rows with covariates, (rows, features)."""
        x, reads = self.model.design.transform(rows), self.vectors is not None and self.model.reads_content
        items = self.vectors.rows(rows["item_id"]) if reads and self.vectors is not None else None
        return rest_features(x, self.model.predict_matrix(x, items, self.vectors).known)


def rest_rows(days: Iterable[DaySlots], cluster: str) -> RestRows | None:
    """The slots of some days together; None where there is none.

    Args:
        cluster: What users' outcomes are told apart by, of the notes of `units`.
    """
    parts = [day for day in days if day.slots.height]
    if not parts:
        return None
    frame = pl.concat([day.slots for day in parts])
    outcomes = {
        name: values
        for name in ("click", "purchase", "sales")
        if not np.isnan(values := frame[f"rest_{name}"].cast(pl.Float64).fill_null(np.nan).to_numpy()).all()
    }
    return RestRows(
        outcomes,
        np.concatenate([day.shown for day in parts]),
        np.concatenate([day.drawn for day in parts]),
        np.concatenate([day.again for day in parts]),
        np.concatenate([day.weight for day in parts]),
        frame["position"].fill_null(0).clip(lower_bound=0).to_numpy().astype(np.int64),
        cluster_codes(frame, cluster),
        frame["price"].cast(pl.Float64).fill_null(np.nan).to_numpy() if "price" in frame.columns else None,
    )


def _without_those_above(drawn: pl.DataFrame, slots: pl.DataFrame) -> pl.DataFrame:
    """Draws of items that do not stand above their slot."""
    keys = slots.select("_slot", "request_id", "position")
    stands = slots.select("request_id", "item_id", pl.col("position").alias("_stands"))
    rows = drawn.join(keys, on="_slot", how="left", maintain_order="left")
    rows = rows.join(stands, on=["request_id", "item_id"], how="left", maintain_order="left")
    return rows.filter((pl.col("_stands") < pl.col("position")).fill_null(False).not_()).select(drawn.columns)


def _means(values: Floats, group: Ints, groups: int) -> Floats:
    sums = np.zeros((groups, values.shape[1]))
    np.add.at(sums, group, values)
    return np.asarray(sums / np.bincount(group, minlength=groups)[:, None])
