"""What a row is not independent of: rows that name nobody are nobody's, not one person's."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.effects.naive import naive_difference
from causalrec.estimators.intervals import clustered_mean
from causalrec.logs.clusters import ClusterCounts, cluster_codes, cluster_names, codes_of, count_clusters

NAMES = st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.sampled_from([None, "a", "b"])), max_size=30)
LATE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def frame(users, requests=None):
    columns = {"user_id": pl.Series(users, dtype=pl.String)}
    if requests is not None:
        columns["request_id"] = pl.Series(requests, dtype=pl.String)
    return pl.DataFrame(columns)


def partition(codes):
    return {tuple(np.flatnonzero(codes == c)) for c in np.unique(codes)}


def test_a_row_without_a_user_is_a_cluster_of_its_own():
    assert cluster_codes(frame(["b", None, "a", None, "b"]), "user_id").tolist() == [2, 3, 1, 4, 2]


def test_a_row_without_a_user_goes_with_its_request():
    rows = frame(["b", None, "b", None, None], ["b", "b", None, "b", None])
    assert partition(cluster_codes(rows, "user_id")) == {(0, 2), (1, 3), (4,)}


def test_a_row_without_a_request_is_a_cluster_of_its_own():
    rows = frame(["u", "u", "u"], [None, "r", None])
    assert partition(cluster_codes(rows, "request_id")) == {(0,), (1,), (2,)}


def test_hours_are_no_fallback():
    rows = frame([None, None]).with_columns(time=pl.lit(LATE))
    assert cluster_codes(rows, "user_id").tolist() == [1, 2]
    assert cluster_codes(rows, "hour").tolist() == [1, 1]


def test_nan_names_nobody():
    assert codes_of(pl.Series([1.0, float("nan"), None, float("nan"), 1.0])).tolist() == [1, 2, 3, 4, 1]


@given(NAMES)
def test_codes_names_and_counts_tell_the_same_clusters(names):
    rows = frame([u for u, _ in names], [r for _, r in names])
    rows = rows.with_columns(unit_id=pl.Series([f"e{k}" for k in range(rows.height)], dtype=pl.String))
    codes = cluster_codes(rows, "user_id")
    assert partition(codes) == partition(cluster_names(rows, "user_id").rank("dense").to_numpy())
    counts = count_clusters(rows, "user_id")
    assert counts.unnamed == sum(u is None for u, _ in names)
    assert counts.alone == sum(u is None and r is None for u, r in names)
    assert (codes > 0).all()


def test_what_names_nobody_is_said():
    assert ClusterCounts("user_id", 10, 0, 0).words == "by user"
    said = ClusterCounts("user_id", 10_000, 2_000, 4_000).words
    assert said == (
        "by user; 6,000 of 10,000 name no user: 2,000 of them count with their request and 4,000 each by itself"
    )


def some_users(rng, rows, missing):
    named = pl.Series(rng.integers(0, rows // 5, rows)).cast(pl.String).to_frame("user_id")
    return named.select(pl.when(pl.Series(rng.random(rows) >= missing)).then("user_id").alias("user_id"))


def covered(missing: float, draws: int, rows: int = 1_000) -> float:
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        users = some_users(rng, rows, missing)
        found = clustered_mean(rng.normal(size=rows), cluster_codes(users, "user_id"))
        hits += found.lower <= 0 <= found.upper
    return hits / draws


@pytest.mark.parametrize("missing", [0.5, 0.9, 0.99])
def test_intervals_cover_when_most_rows_name_nobody(missing):
    assert covered(missing, 200) >= 0.91


@pytest.mark.slow
def test_intervals_of_a_difference_cover_at_any_share_of_rows_that_name_nobody():
    """1,000 seeds a cell; a one-sided test against too little coverage at 1 %, Holm over the cells."""
    from scipy.stats import binom

    cells = []
    for missing, organic in ((0.0, 0), (0.5, 0), (0.9, 0), (0.99, 0), (0, 0.5), (0, 0.1), (0, 0.02)):
        hits = 0
        for seed in range(1000):
            rng = np.random.default_rng(seed)
            treated = (rng.random(4000) >= (organic or 0.5)).astype(float)
            outcome = (rng.random(4000) < 0.2 + 0.05 * treated).astype(float)
            users = some_users(rng, 4000, missing)
            asked = [f"r{k // 5}" if t else None for k, t in enumerate(treated)]
            rows, by = (frame([None] * 4000, asked), "request_id") if organic else (users, "user_id")
            found = naive_difference(outcome, treated, cluster_codes(rows, by))
            hits += found.lower <= 0.05 <= found.upper
        cells.append(binom.cdf(hits, 1000, 0.95))
    cells.sort()
    assert all(p > 0.01 / (len(cells) - at) for at, p in enumerate(cells)), cells
