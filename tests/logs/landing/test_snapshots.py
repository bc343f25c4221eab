"""Items and users as of a day."""

from datetime import date

import pytest

from causalrec.answers import InputError
from causalrec.logs.landing.files import snapshot_files
from causalrec.logs.landing.snapshots import item_snapshot, user_snapshot
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, SECOND, source

USERS = {"columns": {"user_id": "id", "age_group": "age"}, "sensitive": ["age_group"]}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_last_row_of_an_item_holds_as_of_each_day(tmp_path):
    write(
        tmp_path / "all.csv",
        "item_id,category,price,published_at\nhat,head,20,2026-02-20\nsock,feet,5,2026-02-01\n",
    )
    write(
        tmp_path / f"day={SECOND}" / "new.csv",
        "item_id,category,price,published_at\nhat,head,18,2026-02-20\n",
    )
    first = item_snapshot(snapshot_files(tmp_path, FIRST), source())
    second = item_snapshot(snapshot_files(tmp_path, SECOND), source())
    assert first.select("item_id", "price", "published_at").rows() == [
        ("hat", 20.0, date(2026, 2, 20)),
        ("sock", 5.0, date(2026, 2, 1)),
    ]
    assert second["price"].to_list() == [18.0, 5.0]


def test_what_the_source_does_not_know_of_items_is_null(tmp_path):
    path = write(tmp_path / "items.csv", "item_id,category,price,published_at\nhat,head,20,2026-02-20\n")
    assert item_snapshot([path], source())["title"].to_list() == [None]


def test_extra_columns_have_their_declared_kind(tmp_path):
    path = write(tmp_path / "items.csv", "id,weight,brand\nhat,12,7\n")
    columns = {"item_id": "id", "weight": "weight", "brand": "brand"}
    of = source(items={"columns": columns, "extra": {"weight": "number", "brand": "text"}})
    assert item_snapshot([path], of).select("weight", "brand").row(0) == (12.0, "7")


def test_an_impossible_number_of_the_catalogue_is_named_with_its_row(tmp_path):
    path = write(tmp_path / "items.csv", "id,kg,cost\nhat,12,99999999\nsock,,1\nshoe,1e12,1\n")
    columns = {"item_id": "id", "weight": "kg", "price": "cost"}
    of = source(items={"columns": columns, "extra": {"weight": "number"}})
    rules = CleaningRules(bounds={"weight": (0, 100), "price": (0, 10)})
    with pytest.raises(InputError, match=r"items.csv, row 3: `kg` is 1e\+12, which is not from 0 to 100 \(1 such row"):
        item_snapshot([path], of, rules)
    assert item_snapshot([path], of)["weight"].to_list() == [12.0, 1e12, None]


def test_users_have_their_attributes_as_text(tmp_path):
    path = write(tmp_path / "users.csv", "id,age\nann,30\nbob,\n")
    assert user_snapshot([path], source(users=USERS)).rows() == [("ann", "30"), ("bob", None)]


def test_nothing_landed_says_what_is_mapped_and_what_to_do():
    with pytest.raises(InputError, match=r"sources.yaml maps `items`, but no such file has been landed"):
        item_snapshot([], source())
    with pytest.raises(InputError, match=r"sources.yaml maps `users`"):
        user_snapshot([], source(users=USERS))


def test_a_row_without_an_id_is_named(tmp_path):
    path = write(tmp_path / "users.csv", "id,age\n,30\nbob,20\n")
    with pytest.raises(InputError, match=r"users\.csv: 1 row\(s\) have no `id`"):
        user_snapshot([path], source(users=USERS))


def test_a_missing_column_is_named(tmp_path):
    path = write(tmp_path / "users.csv", "id\nbob\n")
    with pytest.raises(InputError, match=r"users\.csv: the column\(s\) \['age'\] are missing"):
        user_snapshot([path], source(users=USERS))
