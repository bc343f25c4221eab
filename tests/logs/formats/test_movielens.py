"""MovieLens in each of its layouts, from files of a few rows."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.formats.movielens import AS_THEY_ARE, FIRST_DAY, consecutive, land_movielens, movielens_layout
from causalrec.logs.landing.snapshots import item_snapshot, user_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import parse_source

# 2000-07-30 18:45:03, 2000-07-30 18:20:47, and 2018-09-24 14:27:30 UTC.
STAMPS = (964982703, 964981247, 1537799250)


def latest(folder, ratings=None, movies=None):
    folder.mkdir(exist_ok=True)
    rows = f"1,1,4.0,{STAMPS[0]}\n1,3,4.5,{STAMPS[1]}\n2,1,0.5,{STAMPS[2]}\n"
    films = (
        '1,Toy Story (1995),Adventure|Animation\n3,"American President, The (1995)",Comedy\n'
        "9,Untold,(no genres listed)\n"
    )
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + (rows if ratings is None else ratings))
    (folder / "movies.csv").write_text("movieId,title,genres\n" + (movies or films))
    return folder


def one_million(folder):
    folder.mkdir()
    (folder / "ratings.dat").write_text(f"1::1::5::{STAMPS[0]}\n2::2::1::{STAMPS[2]}\n")
    films = "1::Toy Story (1995)::Animation|Children's\n2::Misérables, Les (1995)::Drama|Musical\n"
    (folder / "movies.dat").write_bytes(films.encode("latin-1"))
    (folder / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")
    return folder


def hundred_thousand(folder):
    folder.mkdir()
    (folder / "u.data").write_text(f"1\t1\t5\t{STAMPS[0]}\n2\t2\t1\t{STAMPS[2]}\n")
    flags = {"1": "0|0|0|1|1|1" + "|0" * 13, "2": "1" + "|0" * 18}
    films = [f'{k}|"Caf\xe9" {k} (1995)|01-Jan-1995||http://x|{f}\n' for k, f in flags.items()]
    (folder / "u.item").write_bytes("".join(films).encode("latin-1"))
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    return folder


def source(overlay):
    return parse_source(yaml.safe_load((TEMPLATE / "demos" / overlay / "sources.yaml").read_text()))


def clean(landing, overlay, tmp_path, day):
    zone = LandingZone(Home(tmp_path), source(overlay), CleaningRules(), landing)
    return clean_day(zone.landed_day(day), zone.source, zone.rules, tmp_path / "c.parquet", tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("make", "name", "overlay"),
    [
        (latest, "latest", "movielens"),
        (one_million, "1m", "movielens_users"),
        (hundred_thousand, "100k", "movielens_users"),
    ],
)
def test_each_layout_is_recognised_and_its_mapping_reads_what_is_landed(make, name, overlay, tmp_path):
    landing = tmp_path / "landing"
    assert land_movielens(make(tmp_path / "ml"), landing).name == name
    cleaned = clean(landing, overlay, tmp_path, date(2001, 1, 1))
    assert cleaned.set_aside.is_empty()
    first = cleaned.events.row(cleaned.rows - 1, named=True)
    assert (first["user_id"], first["item_id"]) == ("1", "1")
    assert first["time"] == first["rating_time"] == datetime(2001, 1, 1, 18, 45, 3, tzinfo=UTC)
    nothing = ("click", "recommended", "policy", "action_propensity", "position", "purchase", "price")
    assert [first[c] for c in nothing] == [None] * len(nothing)
    assert (landing / "users").exists() == (overlay == "movielens_users")


def test_films_have_title_genres_and_the_first_as_category_and_the_year_is_no_day(tmp_path):
    land_movielens(latest(tmp_path / "ml"), tmp_path / "landing")
    items = item_snapshot([tmp_path / "landing/items/items.parquet"], source("movielens"))
    assert items.select("item_id", "title", "description", "category", "published_at").rows() == [
        ("1", "Toy Story (1995)", "Adventure, Animation", "Adventure", None),
        ("3", "American President, The (1995)", "Comedy", "Comedy", None),
        ("9", "Untold", None, None, None),
    ]


@pytest.mark.parametrize(
    ("make", "title", "people"),
    [
        (one_million, "Misérables, Les (1995)", [("1", "under 18", "F", "10"), ("2", "56 or more", "M", "16")]),
        (hundred_thousand, '"Café" 2 (1995)', [("1", "18-24", "M", "technician"), ("2", "50-55", "F", "other")]),
    ],
)
def test_latin_1_titles_and_sensitive_users(make, title, people, tmp_path):
    land_movielens(make(tmp_path / "ml"), tmp_path / "landing")
    mapping = source("movielens_users")
    items = item_snapshot([tmp_path / "landing/items/items.parquet"], mapping)
    assert items["title"][1] == title
    assert items["category"][0] == "Animation"
    users = user_snapshot([tmp_path / "landing/users/users.parquet"], mapping)
    assert users.select("user_id", "age", "gender", "occupation").rows() == people
    assert mapping.sensitive == ("age", "gender")


def test_an_unknown_genre_is_none(tmp_path):
    land_movielens(hundred_thousand(tmp_path / "ml"), tmp_path / "landing")
    items = pl.read_parquet(tmp_path / "landing/items/items.parquet")
    assert items["genres"].to_list() == ["Animation, Children's, Comedy", None]


def test_the_last_days_with_data_become_days_in_a_row_and_keep_hour_and_order():
    times = [datetime(1990 + k, 5, 1 + k % 20, k % 24, 30, tzinfo=UTC) for k in range(64)]
    column = pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    moved = consecutive(pl.DataFrame({"time": column, "rated_at": column}))
    assert moved["rated_at"].to_list() == times[4:]
    assert moved["time"].dt.date().to_list() == [FIRST_DAY + _days(k) for k in range(60)]
    assert (moved["time"].dt.time() == moved["rated_at"].dt.time()).all()


def _days(k):
    return date.fromordinal(1 + k) - date.fromordinal(1)


def test_the_calendar_of_consecutive_days_is_the_mappings():
    for overlay in ("movielens", "movielens_users"):
        found = source(overlay)
        assert (found.first_day, found.last_day) == (FIRST_DAY, FIRST_DAY + _days(59))
        assert "last_60_with_data_as_consecutive" in found.about
        assert "not real" in found.about


def test_days_as_they_are_stay(tmp_path):
    land_movielens(latest(tmp_path / "ml"), tmp_path / "landing", AS_THEY_ARE)
    days = sorted(path.name for path in (tmp_path / "landing/events").iterdir())
    assert days == ["day=2000-07-30", "day=2018-09-24"]
    with pytest.raises(InputError, match="`days` must be one of"):
        land_movielens(tmp_path / "ml", tmp_path / "landing", "weekly")


def test_with_and_without_users_differ_by_the_users_alone():
    one, two = TEMPLATE / "demos/movielens", TEMPLATE / "demos/movielens_users"
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    for name in names:
        a, b = (yaml.safe_load((folder / name).read_text()) for folder in (one, two))
        b.pop("users", None)
        assert a == b, name


@pytest.mark.parametrize(
    ("ratings", "says"),
    [
        ("1,1,4.0,964982703\n1,2,x,964982703\n", r"ratings.csv, row 2: `rating` is 'x', which is not a number"),
        ("1,1,9.0,964982703\n", r"row 1: .*'rating': 9.0.*a rating is from 0.5 to 5"),
        ("1,1,4.0,964982703000\n", r"row 1: .*a timestamp counts seconds"),
        ("1,a,4.0,964982703\n", r"row 1: `item_id` is 'a', which is not a whole number"),
        ("", r"holds no rating"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_nothing_is_landed(ratings, says, tmp_path):
    with pytest.raises(InputError, match=says):
        land_movielens(latest(tmp_path / "ml", ratings), tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist; name the folder that holds the files of MovieLens"):
        movielens_layout(tmp_path / "gone")
    archive = tmp_path / "ml-latest-small.zip"
    archive.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"is a file \(an archive\? unpack it\)"):
        movielens_layout(archive)
    with pytest.raises(
        InputError, match=r"not laid out like MovieLens.*it has \['ml-latest-small.zip'\].*describe-source"
    ):
        movielens_layout(tmp_path)
    half = latest(tmp_path / "ml")
    (half / "movies.csv").unlink()
    with pytest.raises(InputError, match=r"movies.csv does not exist"):
        land_movielens(half, tmp_path / "landing")
    with pytest.raises(InputError, match=r"row 2: the film 1 stands there more than once"):
        land_movielens(latest(tmp_path / "ml", movies="1,A,Drama\n1,B,Drama\n"), tmp_path / "landing")
    short = one_million(tmp_path / "short")
    (short / "ratings.dat").write_text("1::1::5::978300760\n1::2::5\n")
    with pytest.raises(InputError, match=r"ratings.dat, row 2: '1::2::5' has fewer than 4 cells"):
        land_movielens(short, tmp_path / "landing")


def test_the_small_data_set(tmp_path):
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "movielens-latest-small"
    if not folder.exists():
        pytest.skip(f"{folder} is not here: MovieLens lies beside the project in CI, and is not part of it")
    land_movielens(folder, tmp_path / "landing")
    rows = [pl.read_parquet(path).height for path in sorted((tmp_path / "landing/events").rglob("*.parquet"))]
    assert (len(rows), sum(rows)) == (60, 1617)
    cleaned = clean(tmp_path / "landing", "movielens", tmp_path, date(2001, 3, 1))
    assert cleaned.set_aside.is_empty()
    assert cleaned.rows == rows[-1]
