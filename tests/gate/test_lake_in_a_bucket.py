"""The log assets through Dagster on a lake in a bucket: the same versions as in a folder, byte by byte."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from causalrec.home import Home
from causalrec_assets.lake.store import open_store
from tests.worlds import FIRST, LOGS, build, make_home, materialise, tiny, words

DAYS = [FIRST + timedelta(days=k) for k in range(2)]


@pytest.fixture
def homes(tmp_path, new_bucket):
    """The same tiny world twice, with a lake in a folder and with one in a bucket."""
    folder = make_home(tmp_path / "folder", tiny(days=2, events_per_day=300))
    bucket = make_home(tmp_path / "bucket", tiny(days=2, events_per_day=300))
    (bucket.data / "lake.yaml").write_text(f"root: {new_bucket()}/causalrec/lake\n")
    return folder, bucket


def versions(home: Home) -> dict[tuple[str, str], tuple[int, str, int]]:
    store = open_store(home)
    pointers = [(store.pointer(name, day)) for name in LOGS for day in DAYS]
    return {(p.table, str(p.day)): (p.number, p.hash, p.rows) for p in pointers}


def test_the_log_assets_make_the_same_versions_in_a_bucket_as_in_a_folder(homes):
    folder, bucket = homes
    for home in homes:
        build(home, len(DAYS), learning=())
    assert versions(bucket) == versions(folder)
    assert files(bucket.lake) == []  # nothing is written past the bucket,
    assert files(bucket.work / "staging") == []  # and nothing is left on this machine

    # A refused day leaves its good version, its reasons and its rows in the bucket.
    landed = bucket.landing / "events" / f"day={DAYS[1]}" / "events.parquet"
    rows = pl.read_parquet(landed)
    pl.concat([rows, rows.head(1)]).with_columns(click=pl.lit(0, pl.Int8), purchase=pl.lit(1, pl.Int8)).write_parquet(
        landed
    )
    before = versions(bucket)
    result = materialise(bucket, DAYS[1], ["clean_events"])
    assert not result.success
    assert versions(bucket) == before
    store = open_store(bucket)
    assert list(store.quarantine.all_standing("clean_events")) == [DAYS[1]], words(result)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
