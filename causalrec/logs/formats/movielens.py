"""MovieLens (GroupLens) as a named source, in each of its layouts; the files are yours, nothing is fetched.

F. Maxwell Harper and Joseph A. Konstan (2015): The MovieLens Datasets: History and Context. ACM Transactions on
Interactive Intelligent Systems 5, 4. The data sets' own README files say what they may be used for.

| layout | files | data sets |
|---|---|---|
| `latest` | `ratings.csv`, `movies.csv` | ml-latest-small, ml-latest, ml-20m, ml-25m, ml-32m |
| `1m` | `ratings.dat`, `movies.dat`, `users.dat` where there is one | ml-1m, ml-10m |
| `100k` | `u.data`, `u.item`, `u.user` | ml-100k |

What is done to them, and nothing else:

- A rating becomes an event of its user and its film at the time of the rating, with the outcome `rating`. What was
  shown is not known: a row exists only where somebody rated, so there is no click, no arm, no propensity.
- A film has a title, its genres in one text, and its first genre as category. The year in a title is no day of
  publication. Tags are left out: they were written after films were seen.
- Users, where the layout lists them, have age, gender and occupation; the zip code is left out.
- Days. A few ratings a day, many days without any, over decades: `days` says what becomes of them (see `DAYS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.formats.layouts import (
    as_numbers,
    csv_pieces,
    header,
    read_csv,
    read_headless,
    require_folder,
    write,
    write_days,
)

RATINGS = ("user_id", "item_id", "rating", "timestamp")
CONSECUTIVE, AS_THEY_ARE = "last_60_with_data_as_consecutive", "as_they_are"
DAYS = (CONSECUTIVE, AS_THEY_ARE)
"""`last_60_with_data_as_consecutive`: of the last 60 days (UTC) that have ratings, the k-th becomes the k-th day of a
calendar that begins on 2001-01-01, whatever lay between them; the time of day stays, and `rated_at` keeps the time that
was logged. Weekday, season, recency and tenure are then not real. `as_they_are`: every day with ratings as it was."""
LAST_DAYS = 60
FIRST_DAY = date(2001, 1, 1)
"""Of the calendar of consecutive days: one that no reader takes for the data's own."""
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
GENRES_100K = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
FLAGS_FROM = 5
"""The columns of `u.item` before the genres' flags: id, title, release date, video release date, URL."""
NONE_LISTED = "(no genres listed)"
AGES_1M = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56 or more",
}


@dataclass(frozen=True)
class Layout:
    """How one generation of the data sets lies in its folder.

    Attributes:
        ratings: Pieces of ratings, under the names of `RATINGS`, as text.
        movies: Every film: item_id, title, genres (parted by `|`).
        users: Every user with age, gender and occupation; None where the layout lists none.
    """

    name: str
    ratings_file: Path
    ratings: Callable[[], Iterator[pl.DataFrame]]
    movies: Callable[[], pl.DataFrame]
    users: Callable[[], pl.DataFrame] | None = None


class MovieLens:
    """The source format: its settings know users where the layout lists some."""

    name = "movielens"
    label = "MovieLens"
    fetch = None

    def recognise(self, folder: Path) -> str | None:
        try:
            return f"is MovieLens (layout {movielens_layout(folder).name})"
        except InputError:
            return None  # most folders are not

    def overlay(self, folder: Path | None, home: Home) -> Path:
        if folder is None:
            users = (home.landing / "users").exists()
        else:
            users = movielens_layout(folder).users is not None
        return TEMPLATE / "demos" / ("movielens_users" if users else "movielens")

    def land(self, folder: Path, home: Home) -> list[str]:
        land_movielens(folder, home.landing)
        return [
            f"days: {CONSECUTIVE}. The last {LAST_DAYS} days with ratings became days in a row from {FIRST_DAY} on:",
            "weekday, season, recency and tenure are not real (sources.yaml says more).",
        ]


def movielens_layout(folder: Path) -> Layout:
    """Recognise a MovieLens folder by its files.

    Raises:
        InputError: It is none.
    """
    require_folder(folder, "MovieLens")
    if header(folder / "ratings.csv")[:4] == ["userId", "movieId", "rating", "timestamp"]:
        return _latest(folder)
    if (folder / "ratings.dat").is_file():
        return _one_million(folder)
    if (folder / "u.data").is_file():
        return _hundred_thousand(folder)
    there = sorted(path.name for path in folder.iterdir())[:12]
    raise InputError(
        f"{folder} is not laid out like MovieLens: expected ratings.csv with the columns userId,movieId,rating,"
        f"timestamp (ml-latest, ml-25m), ratings.dat (ml-1m) or u.data (ml-100k); it has {there}. Name the folder that "
        "holds them, or map your files in sources.yaml (make describe-source FILE=...)."
    )


def land_movielens(folder: Path, landing: Path, days: str = CONSECUTIVE) -> Layout:
    """Write `events/day=D/ratings.parquet`, `items/items.parquet`, and `users/users.parquet` where there are users.

    Args:
        days: One of `DAYS`.

    Raises:
        InputError: The folder is not MovieLens's, a file is missing, or a value is not what the data set has there.
    """
    if days not in DAYS:
        raise InputError(f"MovieLens: `days` must be one of {list(DAYS)}, got {days!r}")
    layout = movielens_layout(folder)
    # All is read and verified before anything is written.
    items, users = _items(layout.movies()), layout.users() if layout.users else None
    ratings = _ratings(layout)
    write_days(consecutive(ratings) if days == CONSECUTIVE else ratings, landing, "ratings", "time")
    write(items, landing / "items" / "items.parquet")
    if users is not None:
        write(users, landing / "users" / "users.parquet")
    return layout


def consecutive(ratings: pl.DataFrame) -> pl.DataFrame:
    """The last `LAST_DAYS` days with ratings as days in a row from `FIRST_DAY` on; `rated_at` is what was logged."""
    day = pl.col("rated_at").dt.date()
    last = ratings.select(day.unique().sort())["rated_at"].tail(LAST_DAYS)
    moved = [FIRST_DAY + timedelta(days=k) for k in range(len(last))]
    calendar = pl.DataFrame({"day": last, "moved": pl.Series(moved, dtype=pl.Date)})
    rows = ratings.with_columns(day.alias("day")).join(calendar, on="day", how="inner", maintain_order="left")
    at = pl.col("moved").cast(pl.Datetime("us", "UTC")) + (
        pl.col("rated_at") - pl.col("day").cast(pl.Datetime("us", "UTC"))
    )
    return rows.with_columns(at.alias("time")).select(ratings.columns)


def _ratings(layout: Layout) -> pl.DataFrame:
    parts, before = [], 0
    for piece in layout.ratings():
        numbers = as_numbers(piece, ["timestamp"], layout.ratings_file, pl.Int64, before)
        numbers = as_numbers(numbers, ["rating"], layout.ratings_file, pl.Float64, before)
        # Ids stay numbers until they are written: 25 million texts are some gigabytes.
        parts.append(as_numbers(numbers, ["user_id", "item_id"], layout.ratings_file, pl.Int64, before))
        before += piece.height
    if not before:
        raise InputError(f"{layout.ratings_file} holds no rating")
    read = pl.concat(parts)
    ratings = read.with_columns(pl.from_epoch("timestamp", time_unit="s").dt.replace_time_zone("UTC").alias("time"))
    wrong = ~ratings["time"].is_between(EARLIEST, datetime.now(UTC)) | ~ratings["rating"].is_between(0.5, 5)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        shown = {name: ratings[name][row] for name in ("rating", "timestamp")}
        raise InputError(
            f"{layout.ratings_file}, row {row + 1}: {shown}; a rating is from 0.5 to 5, and a timestamp counts seconds "
            "since 1970 from 1995 on"
        )
    time = pl.col("time").cast(pl.Datetime("us", "UTC"))
    return ratings.select("user_id", "item_id", "rating", time, time.alias("rated_at"))


def _items(movies: pl.DataFrame) -> pl.DataFrame:
    genres = pl.col("genres").replace({NONE_LISTED: None, "": None})
    return movies.select(
        as_number_id("item_id"),
        pl.col("title").str.strip_chars(),
        genres.str.split("|").list.first().alias("category"),
        genres.str.replace_all("|", ", ", literal=True).alias("genres"),
    )


def as_number_id(name: str) -> pl.Expr:
    """An id as the ratings have it: a whole number."""
    return pl.col(name).str.strip_chars().cast(pl.Int64)


# -- the layouts -----------------------------------------------------------------------------------------------------


def _latest(folder: Path) -> Layout:
    ratings, movies = folder / "ratings.csv", folder / "movies.csv"

    def pieces() -> Iterator[pl.DataFrame]:
        for piece in csv_pieces(ratings, ["userId", "movieId", "rating", "timestamp"]):
            yield piece.rename(dict(zip(piece.columns, RATINGS, strict=True)))

    def films() -> pl.DataFrame:
        return _verified(read_csv(movies, ["movieId", "title", "genres"]).rename({"movieId": "item_id"}), movies)

    return Layout("latest", ratings, pieces, films)


def _one_million(folder: Path) -> Layout:
    ratings, movies, users = (folder / name for name in ("ratings.dat", "movies.dat", "users.dat"))

    def people() -> pl.DataFrame:
        read = read_headless(users, ["user_id", "gender", "age", "occupation"], "::")
        known = read.with_columns(pl.col("age").replace(AGES_1M))
        return known.select(as_number_id("user_id"), "age", "gender", "occupation")

    return Layout(
        "1m",
        ratings,
        lambda: iter([read_headless(ratings, RATINGS, "::")]),
        lambda: _verified(read_headless(movies, ["item_id", "title", "genres"], "::"), movies),
        people if users.is_file() else None,
    )


def _hundred_thousand(folder: Path) -> Layout:
    ratings, movies, users = (folder / name for name in ("u.data", "u.item", "u.user"))

    def films() -> pl.DataFrame:
        flags = [f"flag_{genre}" for genre in GENRES_100K]
        before = ["item_id", "title", *(f"unused_{k}" for k in range(2, FLAGS_FROM))]
        read = read_headless(movies, [*before, *flags], "|")
        named = [pl.when(pl.col(f"flag_{g}") == "1").then(pl.lit(g)) for g in GENRES_100K if g != "unknown"]
        return _verified(
            read.select("item_id", "title", pl.concat_str(named, separator="|", ignore_nulls=True).alias("genres")),
            movies,
        )

    def people() -> pl.DataFrame:
        read = read_headless(users, ["user_id", "age", "gender", "occupation"], "|")
        # Years of age as groups: as a text, each year would be a group of its own.
        years = as_numbers(read, ["age"], users, pl.Int64)
        bounds = [17, 24, 34, 44, 49, 55]
        groups = pl.col("age").cut(bounds, labels=list(AGES_1M.values())).cast(pl.String)
        return years.select(as_number_id("user_id"), groups.alias("age"), "gender", "occupation")

    return Layout("100k", ratings, lambda: iter([read_headless(ratings, RATINGS, "\t")]), films, people)


def _verified(movies: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Raises InputError: a film's id is no number, or stands twice."""
    ids = as_numbers(movies, ["item_id"], path, pl.Int64)["item_id"]
    if (twice := ~ids.is_first_distinct()).any():
        row = int(twice.arg_true()[0])
        raise InputError(f"{path}, row {row + 1}: the film {ids[row]} stands there more than once")
    return movies
