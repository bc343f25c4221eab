"""Users with more events in an hour, or loads of one page, than a person can have: all of their day is set aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.logs.cleaning.duplicates import AWAY, away_for
from causalrec.logs.cleaning.row_rules import BOT

BUCKETS = 2**20
LOAD_BUCKETS = 2**22
"""There are far more slots of requests than hours of users."""
HOUR = 3_600_000_000
"""Microseconds."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Takes what differs by little to buckets far apart."""


@dataclass
class _Counter:
    """How often each key of a user comes, in buckets: a key's count is at most its bucket's (a count-min sketch with
    one row; Cormode and Muthukrishnan 2005).

    Attributes:
        most: So often a person's key may come; 0: no limit.
        columns: That the key is made of.
        buckets: So many there are.
    """

    most: int
    columns: tuple[str, ...]
    buckets: int
    counts: npt.NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.buckets if self.most else 0, np.uint32)

    def asked_of(self, rows: pl.DataFrame) -> bool:
        return bool(self.most) and set(self.columns) <= set(rows.columns)

    def add(self, rows: pl.DataFrame) -> None:
        if self.asked_of(rows):
            known = rows.select(self.columns)
            if any(known[column].null_count() for column in self.columns):
                known = known.drop_nulls()
            np.add.at(self.counts, self._buckets(known), 1)

    @property
    def suspects(self) -> bool:
        return bool((self.counts > self.most).any())

    def suspected(self, rows: pl.DataFrame, away: pl.DataFrame) -> pl.DataFrame:
        """How often the keys of full buckets come in a slice."""
        full = (self.counts > self.most)[self._buckets(rows)]
        full[away["at"].to_numpy()] = False
        counted = rows.select(self.columns).filter(pl.Series(full)).drop_nulls()
        if "time" in self.columns:
            counted = counted.with_columns(pl.col("time").dt.truncate("1h"))
        return counted.group_by(self.columns).agg(pl.len().alias("events"))

    def _buckets(self, rows: pl.DataFrame) -> npt.NDArray[np.int64]:
        mixed = np.zeros(rows.height, np.uint64)
        for column in self.columns:
            if column == "time":
                part = (rows["time"].to_physical() // HOUR).to_numpy().view(np.uint64)
            else:
                part = rows[column].hash(seed=0).to_numpy()
            mixed = mixed * SPREAD + part
        mixed &= np.uint64(self.buckets - 1)
        return mixed.view(np.int64)


class BotWatch:
    """Counts a user's events of an hour, and loads of a slot of one request, as they come, repeats and all.

    Who is no bot is told from that alone: only the events of full buckets are looked at again.
    """

    def __init__(self, most: int | None, most_loads: int | None = None) -> None:
        self._counters = (
            _Counter(most or 0, ("time", "user_id"), BUCKETS),
            _Counter(most_loads or 0, ("request_id", "position", "user_id"), LOAD_BUCKETS),
        )

    def add(self, rows: pl.DataFrame) -> None:
        for counter in self._counters:
            counter.add(rows)

    @property
    def suspects(self) -> bool:
        """Whether there is a full bucket."""
        return any(counter.suspects for counter in self._counters)

    def bots(self, slices: Iterable[tuple[pl.DataFrame, pl.DataFrame]]) -> pl.Series:
        """The users that have too many events in an hour, or loads of a slot, when each event counts once.

        Args:
            slices: The day's rows, each slice with those that are not to be counted, as `AWAY`.
        """
        suspicious = [counter for counter in self._counters if counter.suspects]
        counts: list[list[pl.DataFrame]] = [[] for _ in suspicious]
        for rows, away in slices:
            for counter, parts in zip(suspicious, counts, strict=True):
                parts.append(counter.suspected(rows, away))
        users = [pl.Series("user_id", [], pl.String)]
        for counter, parts in zip(suspicious, counts, strict=True):
            summed = pl.concat(parts).group_by(counter.columns).agg(pl.col("events").sum())
            users.append(summed.filter(pl.col("events") > counter.most)["user_id"])
        return pl.concat(users).unique()


def bots_rows(rows: pl.DataFrame, bots: pl.Series) -> pl.DataFrame:
    """The bots' rows of a slice, as `AWAY`."""
    if not len(bots):
        return pl.DataFrame(schema=AWAY)
    at = rows["user_id"].is_in(bots.implode()).arg_true()
    return away_for(
        at, BOT, "more events in an hour, or loads of one page, than cleaning.yaml believes of a person (bots)"
    )
