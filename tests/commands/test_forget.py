"""A forgotten user: no row of theirs in the lake, and every log table as if they had never been there."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError
from causalrec.home import Home
from causalrec.logs.cleaning.forgotten import plain_hash
from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.commands.backfill import bring_up_to_date
from causalrec_assets.commands.forget import clear_quarantine, forget, publish_without
from causalrec_assets.commands.home import create_home
from causalrec_assets.forgetting.landed_users import landed_with
from causalrec_assets.forgetting.traces import rows_in_lake, texts_in_home
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import open_store
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


@pytest.mark.slow
def test_a_forgotten_user_has_left_every_table_as_if_they_had_never_been_there(shop, tmp_path, monkeypatch, capsys):
    bring_up_to_date(shop, DAYS, [], silent)
    path = shop.landing / "events" / f"day={DAYS[1]}" / "events.parquet"
    user = pl.read_parquet(path)["user_id"].drop_nulls().mode().sort()[0]
    # A refused attempt holds the user too, and a line of theirs is refused.
    good, late = path.read_bytes(), shop.landing / "events" / f"day={DAYS[2]}" / "late.jsonl"
    late.write_text(json.dumps({"user_id": user}) + f'\n{{"user_id": "{user}", oops}}\n')
    pl.read_parquet(path).with_columns(action_propensity=pl.lit(0.0)).write_parquet(path)
    bring_up_to_date(shop, DAYS, [], silent)
    path.write_bytes(good)
    late.unlink()
    refused = [json.loads(p.read_text())["reasons"][0] for p in shop.lake.rglob("refusal.json")]
    assert any("line 2 is no JSON" in reason for reason in refused)
    assert not any(user in reason for reason in refused)
    assert rows_in_lake(open_store(shop), user)["quarantine"] > 0

    forgotten = forget(shop, user)

    assert {table: after for table, (before, after) in forgotten.rows.items()} == dict.fromkeys(forgotten.rows, 0)
    assert forgotten.whole
    assert forgotten.landed == sorted(str(p) for p in landed(shop) if user in pl.read_parquet(p)["user_id"])
    # Nothing of theirs in lake, scratch, pages, Dagster's databases.
    assert forgotten.texts == forgotten.databases == {}
    assert set(forgotten.rows) == {"clean_events", "history", "units", "users", "quarantine"}
    listed = (shop.data / "forgotten.yaml").read_text()
    assert plain_hash(user) not in listed
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
    assert "list of fingerprints" in built.failed[0]


def test_a_slate_that_nothing_builds_again_is_published_without_them(shop):
    store = open_store(shop)
    slates = pl.DataFrame({"user_id": ["a", "b", None], "item_id": ["x", "x", "y"]})
    staged = store.staging("recommendations", FIRST, "run")
    slates.write_parquet(staged)
    about = {"answer": ANSWERED, "notes": {"entry": 1}, "inputs": {"code:serving": "c"}, "run_id": "run"}
    store.publish(staged, Version("recommendations", FIRST, 3, files={"card.json": b"{}"}, **about), after=0)

    publish_without(store, "a", ["recommendations"])
    publish_without(store, "nobody", ["recommendations"])

    now = store.pointer("recommendations", FIRST)
    assert (now.number, now.rows, now.notes, now.inputs) == (2, 2, {"entry": 1}, {"code:serving": "c"})
    assert store.read_frame(now)["user_id"].to_list() == ["b", None]
    assert store.read_file(now, "card.json") == b"{}"


def test_quarantine_is_freed_of_a_user_and_keeps_the_rows_of_others_and_the_reasons(tmp_path):
    store = open_store(create_home(tmp_path / "home"))
    rows = pl.DataFrame(
        {
            "user_id": ["u17", "u2", None],
            "item_id": ["i", "i", "i"],
            "reason": ["sent again", "`position` is 'x1', which", "`position` is 'u17', which"],
        }
    )
    for name in ("set_aside.parquet", "table.parquet", "offending_rows.parquet"):
        store.quarantine.keep("clean_events", FIRST, "run", name, rows)
    quoted = [
        '/x/late.jsonl cannot be read as jsonl: line 1 is no JSON (Expecting value): {"user_id":"u17", "t". Land the',
        "/x/late.csv cannot be read as csv: CSV parse error: Row #3: Expected 9 columns, got 3: u17,oops,3. Land the",
        "/x/a.csv, row 3: `time` is 'u17', which is not a time",
        "the user u17 is there",
    ]
    store.quarantine.refuse("clean_events", FIRST, "run", 0, quoted)
    before = store.quarantine.standing("clean_events", FIRST)

    clear_quarantine(store, "u17")

    folder = store.quarantine.folder("clean_events", FIRST, "run")
    for name in ("set_aside.parquet", "table.parquet", "offending_rows.parquet"):
        assert pl.read_parquet(folder / name)["user_id"].to_list() == ["u2"]
    reasons = store.quarantine.standing("clean_events", FIRST).reasons
    assert reasons == [
        "/x/late.jsonl cannot be read as jsonl: line 1 is no JSON (Expecting value). Land the",
        "/x/late.csv cannot be read as csv: CSV parse error: Row #3: Expected 9 columns, got 3. Land the",
        "/x/a.csv, row 3: `time` is 'a99', which is not a time",
        "the user ... is there",
    ]
    assert before.after_pointer == store.quarantine.standing("clean_events", FIRST).after_pointer
    assert texts_in_home(Home(tmp_path / "home"), store, "u17") == {}


@pytest.mark.parametrize("ids", [[17, None], [17.0, None], ["17", None]])
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_an_id_is_found_in_landed_files_however_it_is_stored(tmp_path, ids, ending):
    home = create_home(tmp_path / "home", "simulated")
    if ending == "csv" and isinstance(ids[0], float):
        pytest.skip("a text that a float wrote is refused unless sources.yaml says what it is")
    frame = pl.DataFrame({"user_id": ids, "item_id": ["i", "j"], "age_group": ["x", "y"], "region": ["a", "b"]})
    path = home.landing / "users" / f"users.{ending}"
    path.parent.mkdir(parents=True)
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "jsonl": frame.write_ndjson}[ending](path)
    (path.parent / "poison.parquet").write_bytes(b"PAR1 no, u17")
    holding, unread = landed_with(LandingZone.of(home), "17")
    assert holding == [str(path)]
    assert len(unread) == 1 and "poison.parquet" in unread[0]
    assert landed_with(LandingZone.of(home), "7")[0] == []


def test_the_command_takes_the_id_as_it_is_and_says_that_nobody_has_it(tmp_path):
    home = create_home(tmp_path / "home", "simulated")
    path = home.landing / "users" / "users.csv"
    path.parent.mkdir(parents=True)
    path.write_text("user_id,age_group,region\nu1,x,y\n")
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "causalrec_assets.commands.forget"],
        env=os.environ | {"CAUSALREC_HOME": str(home.root), "CAUSALREC_USER_ID": "-u$1 '\u00eb"},
        capture_output=True,
        text=True,
    )
    assert completed.returncode == 1
    assert 'no table and no landed file has the user id "-u$1 \'\u00eb"' in completed.stderr
    assert not (home.root / "forgotten.key").exists()
