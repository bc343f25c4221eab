"""Pairs of a request with an item that its slate does not show: what was met of them, and a sample of what was not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Floats
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.covariates import AsOf, as_of_covariates, context_columns
from causalrec.model.outcome.own_organic import OwnOrganicRows
from causalrec.settings.logs.sources import Source

OUTCOMES = ("click", "purchase")
DRAWS = 20
"""Items that are drawn for each request, of the whole catalogue."""
MOST_REQUESTS = 4_000
"""Of a window."""


@dataclass(frozen=True)
class DayPairs:
    """Pairs of a day.

    Attributes:
        pairs: Columns of the request, `item_id`, the outcomes (null where not known) and `weight`.
        features: (pairs,) rows.
        shown: Shown slots' features; still: their items' outcomes without a recommendation.
    """

    pairs: pl.DataFrame
    features: Floats
    shown: Floats
    still: pl.DataFrame


@dataclass(frozen=True)
class ItemsNotShown:
    """Draws the pairs of a day.

    Attributes:
        reads: Columns of a slot that the model reads beside the context, e.g. position.
        features: Of rows with covariates, (rows, features).
        most: Requests of a day; of more, so many are drawn.
    """

    source: Source
    reads: Sequence[str]
    features: Callable[[pl.DataFrame], Floats]
    most: int = MOST_REQUESTS

    def of_day(self, units: pl.DataFrame, catalogue: pl.DataFrame, state: AsOf, seed: Sequence[int]) -> DayPairs | None:
        """The pairs of requests that show a slate; None where there are none.

        Args:
            units: Of the day, all rows.
            catalogue, state: Of the day.
        """
        rng = np.random.default_rng(seed)
        listed = units.filter(
            pl.col("request_id").is_not_null() & pl.col("item_id").is_in(catalogue["item_id"].implode())
        )
        asked = listed.filter(pl.col("recommended") == 1).unique("request_id", keep="first", maintain_order=True)
        if not asked.height:
            return None
        asked = asked[np.sort(rng.permutation(asked.height)[: self.most])]
        columns = ["time", *(["user_id"] if self.source.has("user_id") else []), *context_columns(self.source)]
        context = asked.select("request_id", *dict.fromkeys([*columns, *self.reads]))
        known = [_known(name).alias(f"_{name}") for name in OUTCOMES]
        context = context.join(
            units.group_by("request_id").agg(known), on="request_id", how="left", maintain_order="left"
        )
        rows = listed.filter(pl.col("request_id").is_in(context["request_id"].implode()))
        key = ["request_id", "item_id"]
        met = rows.filter(pl.col("recommended") == 0).group_by(key, maintain_order=True)
        met_rows = met.agg(pl.col(*OUTCOMES).cast(pl.Float64).max())
        slate = rows.filter(pl.col("recommended") == 1).unique(key, maintain_order=True).select(key)
        drawn = context.select(pl.col("request_id").repeat_by(DRAWS).explode())
        drawn = drawn.with_columns(
            catalogue["item_id"].gather(rng.integers(0, catalogue.height, drawn.height)).alias("item_id"),
            *(pl.lit(0.0).alias(name) for name in OUTCOMES),
            pl.lit(catalogue.height / DRAWS).alias("weight"),
        )
        met_unshown = met_rows.join(slate, on=key, how="anti", maintain_order="left").with_columns(weight=pl.lit(1.0))
        not_met = drawn.join(rows.select(key), on=key, how="anti", maintain_order="left")
        pairs = self._with_context(pl.concat([met_unshown, not_met]), context, catalogue, state)
        still = slate.join(met_rows, on=key, how="left", maintain_order="left").with_columns(
            pl.col(*OUTCOMES).fill_null(0.0)
        )
        still = self._with_context(still, context, catalogue, state)
        return DayPairs(pairs, self.features(pairs), self.features(still), still.select(OUTCOMES))

    def _with_context(
        self, rows: pl.DataFrame, context: pl.DataFrame, catalogue: pl.DataFrame, state: AsOf
    ) -> pl.DataFrame:
        """Rows with covariates as of the day, and outcomes that are null in requests where one is not known."""
        joined = rows.join(context, on="request_id", how="left", maintain_order="left")
        joined = joined.with_columns(pl.when(pl.col(f"_{name}")).then(name).alias(name) for name in OUTCOMES)
        return as_of_covariates(joined.drop(f"_{name}" for name in OUTCOMES), state, catalogue, self.source)


def own_organic_rows(days: Iterable[DayPairs | None], cluster: str) -> OwnOrganicRows | None:
    """The pairs of some days together; None where there is none.

    Args:
        cluster: What users' outcomes are told apart by, of the notes of `units`.
    """
    parts = [day for day in days if day is not None]
    if not parts:
        return None
    pairs = pl.concat([day.pairs for day in parts], how="diagonal")
    pairs = pairs if "user_id" in pairs.columns else pairs.with_columns(pl.lit(None, pl.String).alias("user_id"))
    still = pl.concat([day.still for day in parts])

    def values(frame: pl.DataFrame) -> dict[str, Floats]:
        of = {name: frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in OUTCOMES}
        return {name: value for name, value in of.items() if not np.isnan(value).all()}

    outcome, still_outcome = values(pairs), still.cast(pl.Float64)
    return OwnOrganicRows(
        np.concatenate([day.features for day in parts]),
        outcome,
        pairs["weight"].to_numpy(),
        cluster_codes(pairs, cluster),
        np.concatenate([day.shown for day in parts]),
        {name: still_outcome[name].fill_null(np.nan).to_numpy() for name in outcome},
    )


def _known(name: str) -> pl.Expr:
    """Whether an outcome of all organic rows of a request is known."""
    return (pl.col(name).is_not_null() | (pl.col("recommended") == 1)).all()
