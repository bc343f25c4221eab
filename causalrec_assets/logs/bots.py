"""Users with more events in an hour than a person can have: all of their day is set aside."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.logs.duplicates import AWAY, away_for
from causalrec_assets.logs.row_rules import BOT

BUCKETS = 2**20
HOUR = 3_600_000_000
"""Microseconds."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Takes a user's hours to buckets far apart."""


class BotWatch:
    """Counts events in buckets of users and hours as they come, repeats and all; who is no bot is told from that alone.

    A user's events of an hour are at most their bucket's (a count-min sketch with one row; Cormode and Muthukrishnan
    2005), so only the events of full buckets are looked at again.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most or 0
        self._counts = np.zeros(BUCKETS, np.int64)

    def add(self, rows: pl.DataFrame) -> None:
        if self.most and "user_id" in rows.columns:
            known = rows.select("user_id", "time")
            if known["user_id"].null_count():
                known = known.drop_nulls("user_id")
            np.add.at(self._counts, _buckets(known), 1)

    @property
    def suspects(self) -> bool:
        """Whether there is a full bucket."""
        return bool(self.most) and bool((self._counts > self.most).any())

    def bots(self, slices: Iterable[tuple[pl.DataFrame, pl.DataFrame]]) -> pl.Series:
        """The users that have too many events in an hour when each event counts once.

        Args:
            slices: The day's rows, each slice with those that are not to be counted, as `AWAY`.
        """
        full, counts = self._counts > self.most, []
        for rows, away in slices:
            suspected = full[_buckets(rows)]
            suspected[away["at"].to_numpy()] = False
            counted = rows.select("user_id", "time").filter(pl.Series(suspected)).drop_nulls("user_id")
            hours = counted.group_by("user_id", pl.col("time").dt.hour().alias("hour"))
            counts.append(hours.agg(pl.len().alias("events")))
        summed = pl.concat(counts).group_by("user_id", "hour").agg(pl.col("events").sum())
        return summed.filter(pl.col("events") > self.most)["user_id"].unique()


def _buckets(rows: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The bucket of each row's user and hour."""
    hours = (rows["time"].to_physical() // HOUR).to_numpy().view(np.uint64)
    mixed = hours * SPREAD
    mixed += rows["user_id"].hash(seed=0).to_numpy()
    mixed &= np.uint64(BUCKETS - 1)
    return mixed.view(np.int64)


def bots_rows(rows: pl.DataFrame, bots: pl.Series) -> pl.DataFrame:
    """The bots' rows of a slice, as `AWAY`."""
    if not len(bots):
        return pl.DataFrame(schema=AWAY)
    theirs = rows["user_id"].is_in(bots.implode()).arg_true()
    return away_for(theirs, BOT, "more events in an hour than cleaning.yaml believes of a person")
