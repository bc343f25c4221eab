"""A search finds an id in rows of any kind of file and in any text, as a word of its own."""

import json
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from causalrec_assets.commands.home import create_home
from causalrec_assets.forgetting.databases import clear_databases
from causalrec_assets.forgetting.traces import can_be_searched_for, holds_text, rows_of, texts_in_home
from causalrec_assets.lake.store import open_store

HOSTILE = ["user-00029", "o'hara", 'say "hi"', "Zo\u00eb \u5f20", "a.b*c", "u$17", "x\\y"]


@pytest.mark.parametrize("user", HOSTILE)
def test_an_id_is_found_wherever_it_stands(tmp_path, user):
    home = create_home(tmp_path / "home")
    store = open_store(home)
    other = user + "0"

    def put(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    for name, text in (("mine", user), ("others", other)):
        put(home.reports / name / "page.html", f"<p>{text}</p>".encode())
        put(home.work / name / "kept.json", json.dumps({"user": text}).encode())
        put(home.root / "notes" / name, text.encode("utf-16"))
        put(home.lake / "t" / name / "note.json", json.dumps([text], ensure_ascii=False).encode())
        pl.DataFrame({"text": [f"row of {text}."]}).write_parquet(home.work / name / "a.parquet")
        with sqlite3.connect(home.dagster / f"{name}.db") as database:
            database.execute("create table runs (body text)")
            database.execute("insert into runs values (?)", [f"it was {text}, so it failed"])
        put(home.landing / name, text.encode())
    found = texts_in_home(home, store, user)
    others = {place: [file for file in files if "mine" not in file] for place, files in found.items()}
    # UTF-16 has no words.
    assert others == {place: ["others"] if place == "notes" else [] for place in found}
    mine = {place: sorted(file for file in files if "mine" in file) for place, files in found.items()}
    assert mine == {
        "reports": ["mine/page.html"],
        "work": ["mine/a.parquet", "mine/kept.json"],
        "notes": ["mine"],
        "lake": ["t/mine/note.json"],
        "dagster": ["mine.db"],
    }


def test_rows_are_a_users_by_their_id_and_elsewhere_by_any_text():
    frame = pl.DataFrame(
        {
            "user_id": ["u17", "u1", None, None, "u170"],
            "item_id": ["i", "u17", "u17", "i", "i"],
            "reason": [None, "x", "x", "`position` is 'u17', which", "x"],
            "tags": [["a"], ["u17"], [], None, ["u17-a", "b"]],
        }
    )
    assert rows_of(frame, "u17").to_list() == [True, False, False, False, False]
    assert rows_of(frame, "u17", everywhere=True).to_list() == [True, True, False, True, True]
    assert rows_of(frame.select("item_id"), "u17").to_list() == [False] * 5
    assert rows_of(frame.clear(), "u17").to_list() == []
    numbers = pl.DataFrame({"user_id": ["7", "70"], "reason": ["row 7", "row 7"]})
    assert rows_of(numbers, "7", everywhere=True).to_list() == [True, False]
    long = pl.DataFrame({"reason": ["`user_id` is '4930123.0', which", "49301234"]})
    assert rows_of(long, "4930123", everywhere=True).to_list() == [True, False]


@pytest.mark.parametrize(
    ("user", "can"), [("7", False), ("12345", False), ("123456", True), ("ab", False), ("u17", True)]
)
def test_what_stands_everywhere_is_not_searched_for_as_text(user, can):
    assert can_be_searched_for(user) == can


@pytest.mark.parametrize("user", HOSTILE)
def test_an_id_leaves_the_homes_databases_also_what_was_deleted_and_json_within_json(tmp_path, user):
    home = create_home(tmp_path / "home")
    path, other = home.dagster / "history" / "index.db", user + "0"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma journal_mode=wal")
        database.execute('create table checks (id integer primary key, "limit" text, body text)')
        for id_ in (user, other):
            for text in (id_, json.dumps({"a": id_}), json.dumps({"b": json.dumps({"a": f"row of {id_}."})})):
                database.execute("insert into checks (body) values (?)", [text])
                database.execute('insert into checks ("limit") values (?)', [text])
        database.execute("delete from checks where id = 1")
        database.commit()
    (home.dagster / "not.db").write_text(f"{user}: no database")
    assert set(clear_databases(home, user)) == {"dagster/history/index.db"}
    with closing(sqlite3.connect(path)) as database:
        found = [value for row in database.execute('select "limit", body from checks') for value in row if value]
    assert sum("..." in text for text in found) == 5
    # Whoever has a longer id stays.
    assert found[-2:] == [json.dumps({"b": json.dumps({"a": f"row of {other}."})})] * 2
    assert [json.loads(json.loads(text)["b"]) for text in found[3:5]] == [{"a": "row of ...."}] * 2
    assert not [file for file in path.parent.iterdir() if holds_text(file, user)]
    assert clear_databases(home, user) == {}


def test_a_database_in_use_is_said_and_left(tmp_path, monkeypatch):
    monkeypatch.setattr("causalrec_assets.forgetting.databases.WAIT_SECONDS", 0.1)
    home = create_home(tmp_path / "home")
    with closing(sqlite3.connect(home.dagster / "runs.db")) as database:
        database.execute("create table runs (body text)")
        database.execute("insert into runs values ('u17')")
        database.commit()
        database.execute("begin exclusive")
        assert "left as it is (database is locked)" in clear_databases(home, "u17")["dagster/runs.db"]
    assert holds_text(home.dagster / "runs.db", "u17")
