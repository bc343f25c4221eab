"""The units that the graph is found on, and those that effects are estimated on."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from causalrec.graph.discovery.sample_split import is_discovery_half


def units(users: int = 2000, rows: int = 10_000) -> pl.DataFrame:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    return pl.DataFrame(
        {
            "user_id": [f"u{k % users}" for k in range(rows)],
            "request_id": [f"r{k // 5}" for k in range(rows)],
            "time": [start + timedelta(minutes=k) for k in range(rows)],
        }
    )


@pytest.mark.parametrize("cluster", ["user_id", "request_id", "hour"])
def test_a_cluster_is_on_one_side_and_the_sides_are_alike_in_size(cluster):
    frame = units()
    frame = frame.with_columns(
        is_discovery_half(frame, cluster).alias("half"), pl.col("time").dt.truncate("1h").alias("hour")
    )
    assert frame.group_by(cluster).agg(pl.col("half").n_unique())["half"].max() == 1
    assert 0.4 < frame["half"].mean() < 0.6


def test_a_unit_stays_where_it_is_when_others_come_or_go():
    frame = units()
    fewer = frame.gather_every(3)
    assert (
        is_discovery_half(frame, "user_id").gather_every(3).to_list() == is_discovery_half(fewer, "user_id").to_list()
    )


def test_units_that_name_no_cluster_are_dealt_one_by_one_and_stay_where_they_are():
    frame = units().with_columns(
        pl.lit(None, pl.String).alias("request_id"), unit_id=pl.Series(map(str, range(10_000)))
    )
    frame = frame.with_columns(user_id=pl.when(pl.int_range(pl.len()) % 10 == 0).then("user_id"))
    half = is_discovery_half(frame, "user_id")
    assert 0.4 < half.mean() < 0.6
    assert half.gather_every(3).to_list() == is_discovery_half(frame.gather_every(3), "user_id").to_list()


def test_units_without_a_user_go_with_their_request():
    frame = units().with_columns(pl.lit(None, pl.String).alias("user_id"))
    halves = frame.with_columns(half=is_discovery_half(frame, "user_id"))
    assert halves.group_by("request_id").agg(pl.col("half").n_unique())["half"].max() == 1
    assert 0.4 < halves["half"].mean() < 0.6
