"""Which units are not independent of each other: those of one user, else of one request, else of one hour.

Most of a shop's traffic is not signed in. A unit that names no user is of nobody that is known: all of them as one
cluster would be one enormous user, whose sum carries no law of large numbers, and intervals would be far too short. It
is a cluster with the others of its request, where it has one, and else of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

HOUR = "hour"


@dataclass(frozen=True)
class ClusterCounts:
    """How units name their clusters.

    Attributes:
        cluster: `user_id`, `request_id` or `hour`.
        rows: Units.
        by_request: Of them without a user, clustered with the others of their request.
        alone: Of them a cluster of their own.
    """

    cluster: str
    rows: int
    by_request: int
    alone: int

    @property
    def unnamed(self) -> int:
        return self.by_request + self.alone

    @property
    def how(self) -> str:
        """What the rows that name no cluster count as."""
        by_request = f"{self.by_request:,} of them count with their request and " if self.by_request else ""
        return f"{by_request}{self.alone:,} each by itself"

    @property
    def words(self) -> str:
        """For people: by what, and how many units name none."""
        name = self.cluster.removesuffix("_id")
        if not self.unnamed:
            return f"by {name}"
        return f"by {name}; {self.unnamed:,} of {self.rows:,} name no {name}: {self.how}"


def cluster_codes(units: pl.DataFrame, cluster: str) -> npt.NDArray[np.int64]:
    """The cluster of each unit as an integer code from 1: its user, its request, or its wall-clock hour.

    Args:
        units: With `time` for hours, else the cluster's column. Of units without a user, those of one `request_id`
            (where there is such a column) are one cluster; each that has neither is a cluster of its own.
        cluster: `hour`, or a column.
    """
    return codes_of(*_keys(units, cluster))


def codes_of(first: pl.Series, *others: pl.Series) -> npt.NDArray[np.int64]:
    """A code from 1 of each row: equal where the first of its keys that is known is equal; without any, its own."""
    codes, last = np.zeros(len(first), dtype=np.int64), 0
    for key in (first, *others):
        if last and codes.all():
            break
        # To NaN nothing is equal: it names nobody.
        rank = _rank(key.fill_nan(None) if key.dtype.is_float() else key)
        named = rank.is_not_null().to_numpy() & (codes == 0)
        codes[named] = last + rank.fill_null(0).to_numpy()[named].astype(np.int64)
        last = int(codes.max(initial=last))
    alone = codes == 0
    codes[alone] = last + 1 + np.arange(int(alone.sum()))
    return codes


def _rank(key: pl.Series) -> pl.Series:
    """The dense rank of each value, from 1; null of null.

    A report asks for it hundreds of times: that sorts the few names there are, and not the texts of all rows.
    """
    ranks = pl.DataFrame({"key": key.drop_nulls().unique().sort()}).with_row_index("rank", offset=1)
    return pl.DataFrame({"key": key}).join(ranks, on="key", how="left", maintain_order="left")["rank"]


def count_clusters(units: pl.DataFrame, cluster: str) -> ClusterCounts:
    """How many units name no cluster.

    Args:
        units, cluster: As in `cluster_codes`.
    """
    own, *fallback = _keys(units, cluster)
    unnamed = own.is_null()
    alone = (unnamed & fallback[0].is_null()) if fallback else unnamed
    by_request = unnamed & ~alone
    return ClusterCounts(cluster, units.height, int(by_request.sum()), int(alone.sum()))


def cluster_names(units: pl.DataFrame, cluster: str) -> pl.Series:
    """A text of each unit that only units of its cluster have, whatever other units there are.

    Args:
        units: As in `cluster_codes`, and `unit_id` where some units name no cluster (else their place stands for it).
        cluster: As in `cluster_codes`.
    """
    own = units["unit_id"] if "unit_id" in units.columns else pl.int_range(units.height, eager=True)
    keys = [*_keys(units, cluster), own]
    # Apart by kind: a user and a request may have one name.
    kinds = ["", *(f"{chr(31)}{k}{chr(31)}" for k in range(1, len(keys)))]
    frame = pl.DataFrame([key.cast(pl.String).alias(str(k)) for k, key in enumerate(keys)])
    return frame.select(
        pl.coalesce(pl.lit(kind) + pl.col(str(k)) for k, kind in enumerate(kinds)).alias("key")
    ).to_series()


def _keys(units: pl.DataFrame, cluster: str) -> Iterator[pl.Series]:
    """What tells a unit's cluster, the first that is known counts."""
    if cluster == HOUR:
        yield units["time"].dt.truncate("1h")
        return
    yield units[cluster]
    if cluster == "user_id" and "request_id" in units.columns:
        yield units["request_id"]
