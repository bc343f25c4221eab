"""Who may hold a lake: a store that creates a name once, or one that is said to have a single writer."""

import errno
import os
from pathlib import Path

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.durable import create_exclusively
from causalrec.home import TEMPLATE, Home
from causalrec.settings.deployment.lake import LakeSettings, Retention
from causalrec_assets.lake.storage import objects
from causalrec_assets.lake.storage.bucket import S3, StoreFailed
from causalrec_assets.lake.storage.objects import Folder, local_path
from causalrec_assets.lake.store import _bucket_store, open_store


@pytest.fixture
def lake(tmp_path):
    """A function that opens the lake that some settings describe."""

    def opened(**settings):
        home = Home(tmp_path / "home")
        home.data.mkdir(parents=True, exist_ok=True)
        (home.data / "lake.yaml").write_text(yaml.safe_dump(settings))
        return open_store(home)

    return opened


def test_objects_are_created_once_written_listed_and_deleted(store, tmp_path):
    where = store.objects
    where.create("a/1", b"one")
    with pytest.raises(FileExistsError):
        where.create("a/1", b"two")
    assert where.read("a/1") == b"one"
    where.write("a/1", b"three")
    (tmp_path / "file").write_bytes(b"four")
    where.upload(tmp_path / "file", "a/b/2")
    assert [(found.name, found.size) for found in where.find("a")] == [("a/1", 5), ("a/b/2", 4)]
    where.download("a/b/2", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"four"
    assert [found.name for found in where.find() if found.name.startswith("a/b")] == ["a/b/2"]
    assert where.find("b") == []
    where.delete(["a/1", "a/never"])
    assert [found.name for found in where.find("a")] == ["a/b/2"]
    with pytest.raises(FileNotFoundError):
        where.read("a/1")
    with pytest.raises(FileNotFoundError):
        where.download("a/1", tmp_path / "nothing")


def test_where_an_object_is_is_a_path_or_a_url(tmp_path):
    assert local_path(Folder(tmp_path), "a") == tmp_path / "a"
    assert local_path(S3("s3://bucket/lake", {}), "a") is None
    assert S3("s3://bucket/lake", {}).where("a") == "s3://bucket/lake/a"


def test_the_template_says_what_is_assumed_where_nothing_is_said():
    assert (
        LakeSettings.parse(yaml.safe_load((TEMPLATE / "lake.yaml").read_text()))
        == LakeSettings()
        == LakeSettings.parse({})
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"root": "elsewhere", "storage_options": {"key": "a"}}, "belong to a URL"),
        ({"root": "nosuch://bucket"}, "creates a name only once"),
        ({"root": "nosuch://bucket", "single_writer": True}, "opens no file system"),
    ],
)
def test_a_wrong_setting_names_file_and_key(lake, settings, words):
    with pytest.raises(InputError, match=words) as refused:
        lake(**settings)
    assert "lake.yaml" in str(refused.value)


def test_days_are_numbers_and_versions_may_be_one():
    assert LakeSettings.parse({"retention": {"versions": 1, "quarantine_days": 0}}).retention == Retention(
        versions=1, staging_days=2, quarantine_days=0
    )


def test_a_folder_elsewhere_is_a_lake(lake, tmp_path):
    assert lake(root=str(tmp_path / "other")).folder("a", _day()) == tmp_path / "other" / "a" / "day=2026-03-02"
    assert lake(root="mine").folder("a", _day()).is_relative_to(tmp_path / "home" / "mine")
    assert lake(root=f"file://{tmp_path}/other").folder("a", _day()).is_relative_to(tmp_path / "other")


def test_a_store_that_is_not_known_to_create_a_name_once_is_refused_unless_it_has_one_writer(lake):
    with pytest.raises(InputError, match="say `single_writer: true`"):
        lake(root="memory://lake")
    one = lake(root="memory://lake", single_writer=True).objects
    one.create("a/1", b"one")
    with pytest.raises(FileExistsError):
        one.create("a/1", b"two")
    one.write("a/b/2", b"2")
    assert [(found.name, found.size) for found in one.find("a")] == [("a/1", 3), ("a/b/2", 1)]
    assert one.find("c") == []
    one.delete(["a/1", "a/never"])
    assert [found.name for found in one.find()] == ["a/b/2"]


def test_a_bucket_that_ignores_create_only_writes_is_refused_each_time(lake, new_bucket):
    root = new_bucket("careless")
    for _ in range(2):
        with pytest.raises(InputError, match="ignores `If-None-Match`"):
            lake(root=root)
    assert lake(root=root, single_writer=True).objects.find() != []


def test_a_bucket_is_tried_with_one_request_a_process_once_it_is_known(lake, new_bucket, s3_server):
    root = new_bucket()
    lake(root=root)
    _bucket_store.cache_clear()
    before = len(s3_server.faults.requests)
    lake(root=root)
    tried = [r for r in s3_server.faults.requests[before:] if r.startswith("PUT")]
    assert len(tried) == 1
    before = len(s3_server.faults.requests)
    lake(root=root)
    assert s3_server.faults.requests[before:] == []


def test_a_bucket_that_is_not_there_says_what_to_check(lake, new_bucket):
    with pytest.raises(InputError, match="Check that the bucket exists"):
        lake(root=new_bucket() + "x")


def test_a_store_that_refuses_the_connection_is_named_and_its_secrets_are_not(lake):
    quick = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 2}}
    where = {"endpoint_url": "http://127.0.0.1:9", "key": "me", "secret": "hush-hush", **quick}
    with pytest.raises(StoreFailed, match=r"the store s3://nobody/prefix does not answer.*run it again") as failed:
        lake(root="s3://nobody/prefix", storage_options=where)
    assert "hush" not in str(failed.value)
    store = lake(root="s3://nobody/prefix", storage_options=where, single_writer=True)
    for ask in (store.objects.find, lambda: store.objects.read("a"), lambda: store.objects.create("a", b"")):
        with pytest.raises(StoreFailed, match="does not answer") as failed:
            ask()
        assert "hush" not in str(failed.value)


@pytest.mark.parametrize("root", ["s3://me:s3cr3t@bucket/x", "sftp://ann:s3cr3t@host/lake", "https://h/l?sig=s3cr3t"])
@pytest.mark.parametrize("single_writer", [True, False])
def test_a_secret_in_the_lakes_address_is_refused_and_not_repeated(lake, root, single_writer):
    with pytest.raises(InputError, match=r"`root: .*\*\*\*.* holds a ") as refused:
        lake(root=root, single_writer=single_writer)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [{"root": ["sftp://ann:s3cr3t@host"]}, {"storage_options": "s3cr3t"}, {"storage_options": {1: "s3cr3t"}}],
)
def test_a_wrong_setting_of_the_lake_repeats_no_secret(lake, settings):
    with pytest.raises(InputError) as refused:
        lake(**settings)
    assert "s3cr3t" not in str(refused.value)


def test_missing_credentials_say_where_they_come_from(lake, new_bucket, monkeypatch):
    root = new_bucket()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match="AWS_ACCESS_KEY_ID"):
        lake(root=root, storage_options={"skip_instance_cache": True})


def test_a_write_whose_answer_was_lost_is_known_again_as_ones_own(new_bucket):
    root = new_bucket("forgetful")
    S3(root, {}).create("a", b"one")
    assert S3(root, {}).read("a") == b"one"
    with pytest.raises(FileExistsError):
        S3(root, {}).create("a", b"one")


def test_a_conflict_that_is_undecided_is_asked_again(new_bucket):
    root = new_bucket("busy")
    S3(root, {}).create("a", b"one")
    with pytest.raises(FileExistsError):
        S3(root, {}).create("a", b"two")


def test_all_days_and_all_refusals_of_a_table_cost_one_listing_each(new_bucket, lake, s3_server):
    from tests.lake.test_store import publish

    store = lake(root=new_bucket() + "/lake")
    publish(store, day=_day())
    store.quarantine.refuse("sales", _day(), "run", 1, ["broken"])
    store.quarantine.all_standing("sales")
    store.pointer("sales", _day(), 1)
    before = len(s3_server.faults.requests)
    store.current("sales")
    assert len(s3_server.faults.requests) - before == 1
    store.quarantine.all_standing("sales")  # the quarantine, then what is current; a record is read once
    store.pointer("sales", _day(), 1)  # and so is a pointer
    assert len(s3_server.faults.requests) - before == 3
    assert all(r.startswith("GET") and "list-type=2" in r for r in s3_server.faults.requests[before:])


def test_a_file_system_without_hard_links_is_refused_unless_it_has_one_writer(tmp_path, monkeypatch):
    def none(*_):
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", none)
    with pytest.raises(InputError, match="no hard links"):
        Folder(tmp_path).create("a", b"one")
    assert Folder(tmp_path).find() == []
    Folder(tmp_path, single_writer=True).create("a", b"one")
    with pytest.raises(FileExistsError):
        Folder(tmp_path, single_writer=True).create("a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_scratch_may_be_on_another_file_system_than_the_lake(tmp_path, monkeypatch):
    (tmp_path / "staged").write_bytes(b"rows")
    replace = Path.replace

    def across(self, target):
        if self.name == "staged":
            raise OSError(errno.EXDEV, "another device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", across)
    Folder(tmp_path / "lake").upload(tmp_path / "staged", "a/1")
    assert [found.name for found in Folder(tmp_path / "lake").find()] == ["a/1"]


def test_a_draft_is_never_left_behind(tmp_path):
    create_exclusively(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError):
        create_exclusively(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_s3fs_is_imported_only_by_a_lake_in_a_bucket():
    source = Path(objects.__file__).read_text()
    assert "\nimport fsspec" not in source
    assert "\nimport s3fs" not in source


def _day():
    from datetime import date

    return date(2026, 3, 2)
