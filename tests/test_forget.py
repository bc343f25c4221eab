"""A forgotten user: no row of theirs in the lake, and every log table as if they had never been there."""

import hashlib
from datetime import timedelta

import polars as pl
import pytest

from causalrec_assets.answers import ANSWERED, InputError
from causalrec_assets.backfill import bring_up_to_date
from causalrec_assets.forget import forget, publish_without, rows_of
from causalrec_assets.gate.store import open_store
from causalrec_assets.home import Home
from tests.worlds import FIRST, LOGS, make_home, tiny

DAYS = [FIRST + timedelta(days=k) for k in range(3)]


def silent(line: str) -> None:
    """Progress is for people."""


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Home:
    home = make_home(tmp_path / "home", tiny(days=3, events_per_day=300))
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    return home


def landed(home):
    return [*home.landing.glob("events/*/*.parquet"), *home.landing.glob("users/**/*.parquet")]


def hashes(home):
    store = open_store(home)
    return {(name, day): store.pointer(name, day).data for name in LOGS for day in DAYS}


def test_a_forgotten_user_has_left_every_table_as_if_they_had_never_been_there(shop, tmp_path, monkeypatch, capsys):
    bring_up_to_date(shop, DAYS, [], silent)
    path = shop.landing / "events" / f"day={DAYS[1]}" / "events.parquet"
    user = pl.read_parquet(path)["user_id"].drop_nulls().mode().sort()[0]
    # A refused attempt holds the user too.
    good = path.read_bytes()
    pl.read_parquet(path).with_columns(action_propensity=pl.lit(0.0)).write_parquet(path)
    bring_up_to_date(shop, DAYS, [], silent)
    path.write_bytes(good)
    assert rows_of(open_store(shop), user)["quarantine"] > 0

    found = forget(shop, user)

    assert {table: after for table, (before, after) in found.items()} == dict.fromkeys(found, 0)
    assert set(found) == {"clean_events", "history", "units", "users", "quarantine"}
    listed = (shop.data / "forgotten.yaml").read_text()
    assert hashlib.sha256(user.encode()).hexdigest() in listed
    assert user not in listed
    other = make_home(tmp_path / "other", tiny(days=3, events_per_day=300))
    for path in landed(other):
        pl.read_parquet(path).filter(pl.col("user_id").ne_missing(user)).write_parquet(path)
    monkeypatch.setenv("CAUSALREC_HOME", str(other.root))
    monkeypatch.setenv("DAGSTER_HOME", str(other.dagster))
    bring_up_to_date(other, DAYS, [], silent)
    assert hashes(shop) == hashes(other)


def test_an_unknown_user_is_no_success(shop):
    with pytest.raises(InputError, match="no table and no landed file"):
        forget(shop, "nobody")


def test_the_list_takes_no_plain_ids(shop):
    (shop.data / "forgotten.yaml").write_text("users: [u17]")
    built = bring_up_to_date(shop, DAYS[:1], [], silent)
    assert "64 hex digits" in built.failed[0]


def test_a_slate_that_nothing_builds_again_is_published_without_them(shop):
    store = open_store(shop)
    slates = pl.DataFrame({"user_id": ["a", "b", None], "item_id": ["x", "x", "y"]})
    staged = store.staging("recommendations", FIRST, "run")
    slates.write_parquet(staged)
    about = {"answer": ANSWERED, "notes": {"entry": 1}, "inputs": {"code:serving": "c"}, "run_id": "run"}
    store.publish(staged, table="recommendations", day=FIRST, after=0, rows=3, files={"card.json": b"{}"}, **about)

    publish_without(store, "a")
    publish_without(store, "nobody")

    now = store.pointer("recommendations", FIRST)
    assert (now.number, now.rows, now.notes, now.inputs) == (2, 2, {"entry": 1}, {"code:serving": "c"})
    assert store.read_frame(now)["user_id"].to_list() == ["b", None]
    assert store.read_file(now, "card.json") == b"{}"
