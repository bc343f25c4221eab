"""Users with more events in an hour than a person can have: all of their day is set aside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.logs.row_rules import BOT

BUCKETS = 2**20


class BotWatch:
    """Counts events in buckets of users as they come, repeats and all; who is no bot is told from that alone.

    A user's events of an hour are at most their bucket's of the day (a count-min sketch with one row; Cormode and
    Muthukrishnan 2005), so only users of full buckets are looked at again.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most or 0
        self._counts = np.zeros(BUCKETS, np.int64)

    def add(self, rows: pl.DataFrame) -> None:
        if self.most and "user_id" in rows.columns:
            known = rows["user_id"].drop_nulls()
            self._counts += np.bincount(_buckets(known), minlength=BUCKETS)

    @property
    def suspects(self) -> bool:
        """Whether there is a full bucket."""
        return bool(self.most) and bool((self._counts > self.most).any())

    def bots(self, slices: Iterator[pl.DataFrame | None]) -> pl.Series:
        """The users that have too many events in an hour when each event counts once.

        Args:
            slices: The day's rows, with `kind` where one is not to be counted.
        """
        full, counts = self._counts > self.most, []
        for rows in slices:
            if rows is None:
                continue
            counted = rows.filter(pl.col("kind").is_null() & pl.col("user_id").is_not_null())
            suspected = counted.filter(pl.Series(full[_buckets(counted["user_id"])]))
            hours = suspected.group_by("user_id", pl.col("time").dt.hour().alias("hour"))
            counts.append(hours.agg(pl.len().alias("events")))
        summed = pl.concat(counts).group_by("user_id", "hour").agg(pl.col("events").sum())
        return summed.filter(pl.col("events") > self.most)["user_id"].unique()


def _buckets(users: pl.Series) -> npt.NDArray[np.int64]:
    return np.asarray(users.hash(seed=0).to_numpy() & np.uint64(BUCKETS - 1), dtype=np.int64)


def set_bots_aside(rows: pl.DataFrame, bots: pl.Series) -> pl.DataFrame:
    """Mark the bots' rows, with `kind` and `reason`."""
    if not len(bots):
        return rows
    bot = pl.col("user_id").is_in(bots) & pl.col("kind").is_null()
    said = pl.lit("more events in an hour than cleaning.yaml believes of a person")
    return rows.with_columns(
        pl.when(bot).then(pl.lit(BOT)).otherwise("kind").alias("kind"),
        pl.when(bot).then(said).otherwise("reason").alias("reason"),
    )
