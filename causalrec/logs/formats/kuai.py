"""KuaiRand and KuaiRec (Kuaishou's short videos) as named sources; the files are yours, nothing is fetched.

Chongming Gao et al. (2022): KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly Exposed Videos.
arXiv:2208.08696. Chongming Gao et al. (2022): KuaiRec: A Fully-Observed Dataset and Insights for Evaluating Recommender
Systems. arXiv:2202.10842. Both are CC BY-SA 4.0. This was written from their descriptions and tested on files of a few
rows in their layout: the data themselves were not at hand.

What is done to KuaiRand (27K, 1K or Pure; `log_standard_*.csv`, `log_random_*.csv`, `user_features_*.csv`,
`video_features_basic_*.csv`), and nothing else:

- A row of a log is a video in a feed: time from `time_ms`, click from `is_click` (in the two-column page a click, in
  the single-column page a play of more than 7 seconds or to the end), `tab` as context. The other signals are left out.
- The policy is `random` where `is_rand` is 1, else `standard`. What is known of `random`: each recommended video had an
  equal chance of being replaced by a video drawn from a pool of 7,583; some 0.37 % of the interactions are such. That
  chance is in no file, so no action propensity is landed. Of `standard` (15 policies, one for each `tab`) none is
  known.
- A video has its day of upload, its type, its duration, and the first of its tags as category; a tag is a number. Users
  have how active they are, and followers, friends and age of their account in groups. Encrypted features, and
  statistics of videos over the whole month, which know the future, are left out.

What is done to KuaiRec (version 2; `big_matrix.csv`, `small_matrix.csv`, `item_categories.csv`, `user_features.csv`):

- A row is a view at `timestamp`, with the outcome `rating` = `watch_ratio` (the time played over the video's duration:
  at least 0, above 1 where it was played again). There is no click.
- The policy is the name of the matrix. `small_matrix` is the one in which nearly each of its users saw each of its
  videos; which policy chose when and in which order is not known. A row without a timestamp is left out and counted.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.formats.layouts import as_numbers, csv_pieces, header, read_csv, require_folder, write, write_days

RAND_LOG = ("user_id", "video_id", "time_ms", "is_click", "is_rand", "tab")
REC_MATRIX = ("user_id", "video_id", "timestamp", "watch_ratio", "video_duration")
RAND_FILES, REC_FILES = "log_standard_*.csv", "big_matrix.csv"
"""By these a folder is recognised."""
MATRICES = ("big_matrix", "small_matrix")
VIDEO = ("video_id", "video_type", "upload_dt", "video_duration", "tag")
USER = (
    "user_id",
    "user_active_degree",
    "follow_user_num_range",
    "fans_user_num_range",
    "friend_user_num_range",
    "register_days_range",
)
UTC_TIME = pl.Datetime("us", "UTC")


class KuaiRand:
    """The source format."""

    name = "kuairand"
    label = "KuaiRand"
    fetch = None

    def recognise(self, folder: Path) -> str | None:
        return f"is laid out like {self.name}" if _holding(folder, RAND_FILES) else None

    def overlay(self, folder: Path | None, home: Home) -> Path:
        return TEMPLATE / "demos" / self.name

    def land(self, folder: Path, home: Home) -> list[str]:
        land_kuairand(folder, home.landing)
        return []


class KuaiRec:
    """The source format."""

    name = "kuairec"
    label = "KuaiRec"
    fetch = None

    def recognise(self, folder: Path) -> str | None:
        return f"is laid out like {self.name}" if _holding(folder, REC_FILES) else None

    def overlay(self, folder: Path | None, home: Home) -> Path:
        return TEMPLATE / "demos" / self.name

    def land(self, folder: Path, home: Home) -> list[str]:
        without_time = land_kuairec(folder, home.landing)
        return [f"{without_time:,} views have no timestamp, and were left out."] if without_time else []


def land_kuairand(folder: Path, landing: Path) -> None:
    """Write `events/day=D/LOG-PIECE.parquet`, `items/items.parquet` and `users/users.parquet`.

    Raises:
        InputError: The folder is not laid out like KuaiRand, a file is missing, or a value is not what it has there.
    """
    folder = _data_folder(folder, RAND_FILES, "KuaiRand")
    logs = sorted([*folder.glob(RAND_FILES), *folder.glob("log_random_*.csv")])
    if not any(path.name.startswith("log_random_") for path in logs):
        raise InputError(
            f"{folder} has no log_random_*.csv: the random exposures are a part of KuaiRand; unpack it all"
        )
    for path in logs:
        if missing := [name for name in RAND_LOG if name not in header(path)]:
            raise InputError(f"{path}: the column(s) {missing} are missing; the file has {header(path)}")
    _write_catalogue(_only(folder, "video_features_basic*.csv"), _only(folder, "user_features*.csv"), landing)
    for path in logs:
        before = 0
        for number, piece in enumerate(csv_pieces(path, RAND_LOG)):
            rows = as_numbers(piece, [*RAND_LOG], path, pl.Int64, before)
            before += piece.height
            write_days(_exposures(rows, path), landing, f"{path.stem}-{number:05d}", "time")


def land_kuairec(folder: Path, landing: Path) -> int:
    """Write `events/day=D/MATRIX-PIECE.parquet`, `items/items.parquet` and `users/users.parquet`.

    Returns:
        How many views were left out because they have no timestamp.

    Raises:
        InputError: The folder is not laid out like KuaiRec, a file is missing, or a value is not what it has there.
    """
    folder, without_time = _data_folder(folder, REC_FILES, "KuaiRec"), 0
    users = folder / "user_features.csv"
    categories = read_csv(folder / "item_categories.csv", ["video_id", "feat"])
    items = categories.select(
        pl.col("video_id").cast(pl.Int64).alias("item_id"),
        pl.col("feat").str.extract(r"(\d+)").alias("category"),
    )
    write(items, landing / "items" / "items.parquet")
    write(read_csv(users, USER), landing / "users" / "users.parquet")
    for matrix in MATRICES:
        path, before = folder / f"{matrix}.csv", 0
        for number, piece in enumerate(csv_pieces(path, REC_MATRIX)):
            rows = as_numbers(piece, ["user_id", "video_id"], path, pl.Int64, before)
            rows = as_numbers(rows, ["watch_ratio", "video_duration"], path, pl.Float64, before)
            before += piece.height
            timed = rows.filter(pl.col("timestamp").is_not_null())
            without_time += rows.height - timed.height
            views = as_numbers(timed, ["timestamp"], path, pl.Float64).select(
                "user_id",
                pl.col("video_id").alias("item_id"),
                (pl.col("timestamp") * 1_000_000).round().cast(pl.Int64).cast(UTC_TIME).alias("time"),
                "watch_ratio",
                "video_duration",
                pl.lit(matrix).alias("policy"),
            )
            write_days(views, landing, f"{matrix}-{number:05d}", "time")
    return without_time


def _exposures(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    for name in ("is_click", "is_rand"):
        if not (rows[name].is_in([0, 1])).all():
            raise InputError(f"{path}: `{name}` is neither 0 nor 1 in some rows; KuaiRand has it as a binary signal")
    return rows.select(
        "user_id",
        pl.col("video_id").alias("item_id"),
        pl.from_epoch("time_ms", time_unit="ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("time"),
        pl.col("is_click").cast(pl.Int8).alias("click"),
        pl.when(pl.col("is_rand") == 1).then(pl.lit("random")).otherwise(pl.lit("standard")).alias("policy"),
        pl.col("tab").cast(pl.String),
    )


def _write_catalogue(videos: Path, users: Path, landing: Path) -> None:
    for number, piece in enumerate(csv_pieces(videos, VIDEO)):
        items = piece.select(
            pl.col("video_id").cast(pl.Int64).alias("item_id"),
            "video_type",
            pl.col("upload_dt").str.to_date("%Y-%m-%d", strict=False).alias("published_at"),
            pl.col("video_duration").cast(pl.Float64, strict=False).alias("duration_ms"),
            pl.col("tag").str.extract(r"(\d+)").alias("category"),
        )
        write(items, landing / "items" / f"items-{number:05d}.parquet")
    write(read_csv(users, USER), landing / "users" / "users.parquet")


def _data_folder(folder: Path, holds: str, of: str) -> Path:
    """The folder, or its `data`, whichever holds the logs."""
    require_folder(folder, of)
    if (holding := _holding(folder, holds)) is not None:
        return holding
    there = sorted(path.name for path in folder.iterdir())[:12]
    raise InputError(
        f"{folder} is not laid out like {of}: expected {holds} there or in its folder data; it has {there}"
    )


def _holding(folder: Path, pattern: str) -> Path | None:
    return next((place for place in (folder, folder / "data") if any(place.glob(pattern))), None)


def _only(folder: Path, pattern: str) -> Path:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise InputError(f"{folder} has {len(files)} files {pattern}, expected one; unpack one version of the data set")
    return files[0]
