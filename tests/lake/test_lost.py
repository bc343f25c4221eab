"""A lake that was copied half-way: what is missing or cut off is not current, and a new version heals it."""

import json
from datetime import date

import polars as pl
import pytest

from causalrec.answers import ANSWERED
from causalrec_assets.lake.lost import LostObject
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import Store

DAY = date(2026, 3, 2)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "lake")


def publish(store, after=0):
    staged = store.staging("sales", DAY, "run")
    pl.DataFrame({"item_id": ["hat"] * 50, "sold": list(range(50))}).write_parquet(staged)
    version = Version("sales", DAY, 50, ANSWERED, {}, {"card.json": b"{}"}, {}, "run")
    return store.publish(staged, version, after)


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def empty(path):
    path.write_bytes(b"")


def cut_inside(path):
    """The end is there, and something before it is not."""
    content = path.read_bytes()
    path.write_bytes(content[:30] + content[60:])


@pytest.mark.parametrize("harm", [remove, cut, empty, cut_inside])
def test_rows_that_are_missing_or_cut_off_are_not_read_and_not_current_until_they_are_published_again(store, harm):
    pointer = publish(store)
    rows = store.read_frame(pointer)
    assert Snapshot(store).lost("sales", DAY) is None
    harm(store.data_path(pointer))
    for read in (store.read_frame, store.local_data):
        with pytest.raises(LostObject, match=f"version 1 of `sales` of {DAY} is not whole.*make backfill FROM={DAY}"):
            read(pointer)
    assert pointer.data in Snapshot(store).lost("sales", DAY)
    again = publish(store, after=1)
    assert again.hash == pointer.hash
    assert Snapshot(store).lost("sales", DAY) is None
    assert store.read_frame(pointer).equals(rows)


@pytest.mark.parametrize("harm", [remove, empty])
def test_a_file_of_a_version_that_is_missing_or_cut_off_is_said(store, harm):
    pointer = publish(store)
    harm(store.file_path(pointer, "card.json"))
    with pytest.raises(LostObject, match=r"card\.json"):
        store.read_file(pointer, "card.json")
    assert "card.json" in Snapshot(store).lost("sales", DAY)


@pytest.mark.parametrize("harm", [cut, empty])
def test_a_pointer_that_is_cut_off_is_said_and_replaced_by_the_next_version(store, harm):
    publish(store)
    (path,) = (store.folder("sales", DAY) / "pointers").iterdir()
    harm(path)
    store = Store(store.root)
    with pytest.raises(LostObject, match=r"000001\.json is cut off or no record of ours.*make backfill"):
        store.pointer("sales", DAY)
    lake = Snapshot(store)
    assert lake.pointer("sales", DAY) is None
    assert lake.lost("sales", DAY) == "the pointer of its version 1 is cut off"
    publish(store, after=1)
    assert Snapshot(store).lost("sales", DAY) is None
    assert store.pointer("sales", DAY).number == 2


def test_a_version_of_an_earlier_release_has_no_sizes_and_is_missed_all_the_same(store):
    publish(store)
    (path,) = (store.folder("sales", DAY) / "pointers").iterdir()
    record = json.loads(path.read_bytes())
    del record["sizes"]
    path.write_text(json.dumps(record))
    store = Store(store.root)
    pointer = store.pointer("sales", DAY)
    assert pointer.sizes == ()
    assert Snapshot(store).lost("sales", DAY) is None
    empty(store.data_path(pointer))
    assert "is empty" in Snapshot(store).lost("sales", DAY)


def test_a_refusal_whose_record_is_cut_off_stops_nobody(store):
    publish(store)
    store.quarantine.refuse("sales", DAY, "run-2", 1, ["too few"])
    assert store.quarantine.standing("sales", DAY) is not None
    empty(store.quarantine.folder("sales", DAY, "run-2") / "refusal.json")
    assert Store(store.root).quarantine.standing("sales", DAY) is None
