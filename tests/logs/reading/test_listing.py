"""A feed's folder behind a URL: a listing that fails is not an empty one, and no secret is repeated."""

import socket
import uuid
from types import SimpleNamespace

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.logs.landing.files import landed_files, landing_root
from causalrec.logs.landing.index import index_landing
from causalrec.logs.reading.listing import Listing, _found, _list_remote, list_folder
from causalrec.settings.logs.sources import parse_source
from tests.logs.worlds import FIRST, SECOND, at, event, frame, settings, source


def landing(tmp_path, *names):
    place = f"memory://{uuid.uuid4().hex}/logs"
    rows = tmp_path / "rows.csv"
    frame(event("1", at(FIRST, 9), "hat")).write_csv(rows)
    for name in names:
        fsspec.filesystem("memory").pipe(f"{place}/events/{name}", rows.read_bytes())
    return landing_root(Home(tmp_path), source(landing=place))


class Walked(AbstractFileSystem):
    """A store of one file and two folders, the second of which cannot be listed; fsspec's own walk passes it over."""

    protocol = "walked"
    cachable = False

    def ls(self, path, detail=True, **kwargs):
        if path.endswith("broken"):
            raise ConnectionError("connection reset by peer")
        below = {"logs/events": ["good", "broken"], "logs/events/good": []}[path]
        folders = [{"name": f"{path}/{name}", "type": "directory", "size": 0} for name in below]
        return [{"name": f"{path}/a.csv", "type": "file", "size": 1}, *folders]


def test_a_place_below_a_url_that_cannot_be_listed_is_no_empty_one():
    assert Walked().find("logs/events") == ["logs/events/a.csv", "logs/events/good/a.csv"]
    with pytest.raises(ConnectionError):
        list(_found(Walked(), "logs/events"))
    listing = Listing()
    _list_remote(SimpleNamespace(fs=Walked(), path="logs/events"), listing)
    ((day, said),) = listing.problems
    assert day is None
    assert "cannot be listed (ConnectionError: connection reset by peer)" in said


def test_a_store_that_lists_at_once_and_fails_is_no_empty_one(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise ConnectionError("connection reset by peer")

    monkeypatch.setattr(MemoryFileSystem, "find", fails)
    monkeypatch.setattr(MemoryFileSystem, "ls", fails)
    root = landing(tmp_path, f"day={FIRST}/a.csv")
    found = index_landing(root, source(), tmp_path / "cache")
    with pytest.raises(InputError, match=r"events cannot be listed \(ConnectionError: connection reset by peer\)"):
        found.files_of(FIRST)
    with pytest.raises(InputError, match="cannot be listed"):
        landed_files(root / "events")


def test_odd_things_behind_a_url_are_said_as_in_a_folder(tmp_path):
    root = landing(
        tmp_path,
        f"day={FIRST}/a.csv",
        f"day={SECOND}/README",
        "notes.txt",
        "day=2026-02-30/b.csv",
        "_tmp/c.csv",
        ".hidden/d.csv",
        "e.csv.part",
    )
    found = list_folder(root / "events")
    assert [path.name for path in found.files] == ["a.csv"]
    assert [day for day, _ in found.problems] == [SECOND]
    assert [word in " ".join(found.passed_over) for word in ("notes.txt", "day=2026-02-30 is passed over")] == [
        True
    ] * 2


def test_nothing_below_a_url_is_nothing(tmp_path):
    root = landing(tmp_path)
    assert landed_files(root / "events") == []


def refused_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/logs", "s3://bucket/logs"])
def test_a_url_that_refuses_the_connection_is_a_failure_with_its_name(tmp_path, url):
    address = f"http://127.0.0.1:{refused_port()}"
    options = {}
    if url.startswith("s3"):
        options = {
            "endpoint_url": address,
            "key": "me",
            "secret": "hush-hush",
            "config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 2},
        }
    of = source(landing=url.format(port=address.rpartition(":")[2]), landing_options=options)
    found = index_landing(landing_root(Home(tmp_path), of), of, tmp_path / "cache")
    with pytest.raises(InputError, match="cannot be listed") as raised:
        found.files_of(FIRST)
    assert of.landing in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("landing", "options"),
    [
        ("sftp://ann:s3cr3t@host/logs", {}),
        ("https://ann:s3cr3t@host/logs", {}),
        ("https://host/logs?sig=s3cr3t", {}),
        ("warp://logs", {"password": "s3cr3t"}),
        ("memory://logs", {"skip_instance_cache": "s3cr3t", "no_such": {"deep": ["s3cr3t"]}}),
        ("ftp://127.0.0.1:1/logs", {"password": "s3cr3t"}),
        ("s3://bucket", {"s3cr3t": 1, "key": ["s3cr3t"], "client_kwargs": "s3cr3t"}),
    ],
)
def test_a_store_that_cannot_be_opened_is_named_and_its_secrets_are_not(tmp_path, landing, options):
    of = source(landing=landing, landing_options=options)
    try:
        said = index_landing(landing_root(Home(tmp_path), of), of, tmp_path / "cache").problems
    except InputError as error:
        said = str(error)
        assert error.__cause__ is None
    assert "s3cr3t" not in str(said)


@pytest.mark.parametrize(
    "folder", ["../../../etc", "/etc", "events/../../x", "~/x", "..", "C:\\logs", "s3://bucket/x", "\\\\host\\x"]
)
@pytest.mark.parametrize("feed", ["events", "items", "users"])
def test_a_feeds_folder_lies_below_the_landing_zone(folder, feed):
    given = settings(users={"columns": {"user_id": "customer"}})
    given[feed] = {**given[feed], "folder": folder}
    with pytest.raises(InputError, match=rf"`{feed}.folder` must be a folder below the landing zone"):
        parse_source(given)
