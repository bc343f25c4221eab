"""Users with more events in an hour than a person can have: all of their day is set aside."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from causalrec_assets.logs.row_rules import BOT


class UserHours:
    """Events of each user in each hour, counted as they come, repeats and all; users as 8-byte hashes."""

    def __init__(self, most: int | None) -> None:
        self.most = most or 0
        self._counts: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        if not self.most or "user_id" not in rows.columns:
            return
        known = rows.select(
            pl.col("user_id").hash().alias("user"), pl.col("time").dt.hour().alias("hour"), known="user_id"
        )
        counts = known.drop_nulls("known").group_by("user", "hour").agg(pl.len().alias("events"))
        self._counts.append(counts)
        if len(self._counts) >= 16:
            self._counts = [_summed(self._counts)]

    def suspects(self) -> pl.Series:
        """Hashes of the users with too many events."""
        if not self._counts:
            return pl.Series("user", [], pl.UInt64)
        counts = _summed(self._counts)
        return counts.filter(pl.col("events") > self.most)["user"].unique()


def _summed(counts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counts).group_by("user", "hour").agg(pl.col("events").sum())


def bots_among(slices: Iterator[pl.DataFrame | None], suspects: pl.Series, most: int) -> pl.Series:
    """The suspects that have too many events in an hour when each event counts once.

    Args:
        slices: The day's rows, with `kind` where one is not to be counted.
    """
    counts = [
        rows.filter(pl.col("kind").is_null() & pl.col("user_id").hash().is_in(suspects))
        .group_by("user_id", pl.col("time").dt.hour().alias("hour"))
        .agg(pl.len().alias("events"))
        for rows in slices
        if rows is not None
    ]
    found = pl.concat(counts).group_by("user_id", "hour").agg(pl.col("events").sum())
    return found.filter(pl.col("events") > most)["user_id"].unique()


def set_bots_aside(rows: pl.DataFrame, bots: pl.Series) -> pl.DataFrame:
    """Mark the bots' rows, with `kind` and `reason`."""
    if not len(bots):
        return rows
    bot = pl.col("user_id").is_in(bots) & pl.col("kind").is_null()
    return rows.with_columns(
        pl.when(bot).then(pl.lit(BOT)).otherwise("kind").alias("kind"),
        pl.when(bot)
        .then(pl.lit("more events in an hour than cleaning.yaml believes of a person"))
        .otherwise("reason")
        .alias("reason"),
    )
