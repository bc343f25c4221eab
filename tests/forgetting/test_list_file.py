"""The list of forgotten users names nobody to others, loses nobody unnoticed, and is whole whatever is killed."""

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.logs.cleaning.forgotten import FILE, plain_hash, without_forgotten
from causalrec_assets.commands.home import create_home
from causalrec_assets.forgetting import list_file as forgotten_list
from causalrec_assets.forgetting.list_file import (
    KEY,
    RECORDS,
    begin_anew,
    given_user_id,
    main,
    put_on_the_list,
    read_forgotten,
    repair,
    take_back,
)
from causalrec_assets.lake.store import open_store

HOSTILE = [
    "u$17",
    " u7 ",
    "-u7",
    "--help",
    "o'hara",
    'a"b',
    "Zo\u00eb \u5f20",
    "`id`",
    "$(id)",
    "a\nb",
    "u;7",
    "\\",
    "*",
]


@pytest.fixture
def home(tmp_path):
    return create_home(tmp_path / "home")


@pytest.fixture
def store(home):
    return open_store(home)


def test_whoever_is_put_on_the_list_is_passed_over_and_named_to_nobody(home, store):
    for user in HOSTILE:
        put_on_the_list(home, store, user)
    forgotten, said = read_forgotten(home, store)
    rows = pl.DataFrame({"user_id": [*HOSTILE, "U$17", "u7", None]})
    assert without_forgotten(rows, forgotten)["user_id"].to_list() == ["U$17", "u7", None]
    assert said == []
    written = (home.data / FILE).read_text() + "".join(p.read_text() for p in (home.lake / RECORDS).iterdir())
    assert not any(plain_hash(user) in written for user in HOSTILE)
    assert "o'hara" not in written
    assert written.startswith("# Users whose rows no table may hold")


def test_the_key_is_secret_made_once_and_not_among_the_settings(home, store):
    put_on_the_list(home, store, "ann")
    key = home.root / KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    put_on_the_list(home, store, "bob")
    assert key.read_bytes() == before
    assert before.decode().strip() not in (home.data / FILE).read_text()
    key.chmod(0o644)
    assert "chmod 600" in read_forgotten(home, store)[1][0]


def test_two_homes_name_the_same_user_differently(home, store, tmp_path):
    other = create_home(tmp_path / "other")
    for one in (home, other):
        put_on_the_list(one, open_store(one), "ann")
    assert read_forgotten(home, store)[0].keyed != read_forgotten(other, open_store(other))[0].keyed


@pytest.mark.parametrize("what", ["vanished", "the template's", "one is missing", "{}", "empty", "cut"])
def test_nobody_leaves_the_list_unnoticed(home, store, what):
    for user in ("ann", "bob"):
        put_on_the_list(home, store, user)
    path = home.data / FILE
    whole = path.read_text()
    if what == "vanished":
        path.unlink()
    elif what == "one is missing":
        path.write_text("\n".join(whole.splitlines()[:-1]))
    else:
        path.write_text({"the template's": "users: []\n", "{}": "{}", "empty": "", "cut": whole[:-20]}[what])
    with pytest.raises(InputError, match=r"forgotten\.yaml"):
        read_forgotten(home, store)
    path.touch()
    assert repair(home, store) == 2
    assert {user for user in ("ann", "bob", "cy") if read_forgotten(home, store)[0].holds(user)} == {"ann", "bob"}


def test_a_lost_or_foreign_key_stops_reading_and_a_new_list_is_begun_on_purpose_only(home, store):
    put_on_the_list(home, store, "ann")
    key = home.root / KEY
    right = key.read_bytes()
    for content, says in ((None, "is gone"), (b"00" * 32, "is not the key"), (b"x", "is no key"), (b"", "is empty")):
        key.unlink()
        if content is not None:
            key.write_bytes(content)
        else:
            with pytest.raises(InputError, match=says):
                put_on_the_list(home, store, "bob")
            key.touch()
            key.unlink()
        with pytest.raises(InputError, match=says):
            read_forgotten(home, store)
        key.touch()
    key.write_bytes(right)
    assert read_forgotten(home, store)[0].holds("ann")
    begin_anew(home, store)
    assert len(read_forgotten(home, store)[0]) == 0
    put_on_the_list(home, store, "bob")
    assert not read_forgotten(home, store)[0].holds("ann")


def test_plain_hashes_of_earlier_releases_count_are_said_and_are_keyed_without_the_ids(home, store):
    (home.data / FILE).write_text(f"# mine\nusers:\n- {plain_hash('ann')}\n- {plain_hash('bob')}\n")
    forgotten, said = read_forgotten(home, store)
    assert forgotten.holds("ann")
    assert "2 user(s) by plain hashes" in said[0]
    whole = (home.data / FILE).read_text()
    (home.data / FILE).write_text("users: []")
    with pytest.raises(InputError, match="lacks 2 of the 2"):
        read_forgotten(home, store)
    (home.data / FILE).write_text(whole)
    put_on_the_list(home, store, "cy")
    forgotten, said = read_forgotten(home, store)
    assert all(forgotten.holds(user) for user in ("ann", "bob", "cy"))
    assert said == []
    kept = [home.data / FILE, *(home.lake / RECORDS).iterdir()]
    assert not any(plain_hash("ann") in path.read_text() for path in kept)
    assert "# mine\n" in (home.data / FILE).read_text()


def test_a_user_put_on_the_list_by_mistake_is_taken_back(home, store):
    for user in ("ann", "bob"):
        put_on_the_list(home, store, user)
    take_back(home, store, "ann")
    assert not read_forgotten(home, store)[0].holds("ann")
    assert read_forgotten(home, store)[0].holds("bob")
    with pytest.raises(InputError, match="not on the list"):
        take_back(home, store, "ann")


def test_two_homes_of_one_lake_lose_nobody(home, store, monkeypatch):
    """The race for a record's number is lost once; the loser reads again."""
    create, lost = type(store.objects).create, []

    def raced(self, name, content):
        if name.startswith(RECORDS) and not lost:
            lost.append(name)
            create(self, name, json.dumps({"key": json.loads(content)["key"], "users": other}).encode())
        create(self, name, content)

    put_on_the_list(home, store, "ann")
    put_on_the_list(home, store, "bob")
    other = [f"hmac:{user}" for user in sorted(read_forgotten(home, store)[0].keyed)]
    monkeypatch.setattr(type(store.objects), "create", raced)
    put_on_the_list(home, store, "cy")
    assert lost
    assert all(read_forgotten(home, store)[0].holds(user) for user in ("ann", "bob", "cy"))


def test_a_kill_between_file_and_record_loses_nobody(home, store, monkeypatch):
    put_on_the_list(home, store, "ann")

    def killed(self, name, content):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(store.objects), "create", killed)
        with pytest.raises(KeyboardInterrupt):
            put_on_the_list(home, store, "bob")
    assert read_forgotten(home, store)[0].holds("bob")
    put_on_the_list(home, store, "cy")
    assert all(read_forgotten(home, store)[0].holds(user) for user in ("ann", "bob", "cy"))


@pytest.mark.parametrize("user", HOSTILE)
def test_an_id_is_taken_as_it_is_typed(user):
    assert given_user_id([], {"CAUSALREC_USER_ID": user}) == user
    assert given_user_id([user], {}) == user
    assert given_user_id(["--", user], {}) == user
    assert given_user_id([user], {"CAUSALREC_USER_ID": user}) == user


def test_an_id_reaches_a_process_as_it_is_typed():
    code = (
        "import os, sys; from causalrec_assets.forgetting.list_file import given_user_id\n"
        "print(ascii(given_user_id(sys.argv[1:], os.environ)))"
    )
    user = HOSTILE[6] + HOSTILE[0]
    said = subprocess.run([sys.executable, "-c", code, user], capture_output=True, text=True, check=True).stdout
    assert said.strip() == ascii(user)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ([], {}),
        ([""], {}),
        (["a", "b"], {}),
        (["a"], {"CAUSALREC_USER_ID": "b"}),
        (["\udcff"], {}),
        ([], {"CAUSALREC_USER_ID": ""}),
    ],
)
def test_no_id_or_two_is_an_error(arguments, environment):
    with pytest.raises(InputError):
        given_user_id(arguments, environment)


def test_the_list_is_changed_by_hand_with_words(home, store, monkeypatch, capsys):
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    put_on_the_list(home, store, "ann")
    assert main(["repair"]) == 0
    assert main(["take-back", "ann"]) == 0
    assert main(["begin-anew"]) == 0
    assert main(["-h"]) == 0
    assert main(["nonsense"]) == 2
    said = capsys.readouterr().out
    assert "names 1 user(s)" in said
    with pytest.raises(SystemExit, match="not on the list"):
        main(["take-back", "ann"])


def test_changes_at_once_are_all_kept(home, store):
    users = [f"u{k}" for k in range(6)]

    def put(user):
        with forgotten_list.one_at_a_time(home.root / ".forget.lock", "another", wait_seconds=60):
            put_on_the_list(home, store, user)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, users))
    assert all(read_forgotten(home, store)[0].holds(user) for user in users)
