"""A good day is not replaced by less: what fell is refused until a person says that it is right, and then builds."""

import shutil
from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.home import Home
from causalrec_assets.gate import publishing
from causalrec_assets.lake.store import open_store
from tests.faults.shop import Audits, Shop
from tests.worlds import FIRST, make_home, tiny

SECOND = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two days, built; the same contract on the same table is audited once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "audit", Audits())
        shop = Shop(make_home(tmp_path_factory.mktemp("built") / "home", tiny(days=2, events_per_day=200)))
        shop.heal()
        yield shop


@pytest.fixture
def shop(built, tmp_path):
    """A copy, to change."""
    shutil.copytree(built.home.root, tmp_path / "home")
    return Shop(Home(tmp_path / "home"))


def folder(shop, day=SECOND):
    return shop.home.landing / "events" / f"day={day}"


def landed(shop, day=SECOND):
    return folder(shop, day) / "events.parquet"


def refused(shop, table="clean_events", day=SECOND):
    refusal = open_store(shop.home).quarantine.standing(table, day)
    return " ".join(refusal.reasons) if refusal else ""


def current(shop, table="clean_events", day=SECOND):
    return open_store(shop.home).pointer(table, day)


def keep(shop, rows, day=SECOND):
    pl.read_parquet(landed(shop, day)).head(rows).write_parquet(landed(shop, day))


def from_nothing(shop, tmp_path):
    """What a build of the landed files in an empty lake gives."""
    other = Shop(Home(tmp_path / "other"))
    shutil.copytree(shop.home.data, other.home.data)
    other.heal()
    return other.hashes()


def no_rows(shop):
    keep(shop, 0)


def header_only(shop):
    pl.read_parquet(landed(shop)).clear().write_csv(landed(shop).with_suffix(".csv"))
    landed(shop).unlink()


def no_bytes(shop):
    landed(shop).with_suffix(".csv").write_bytes(b"")
    landed(shop).unlink()


@pytest.mark.parametrize("lose", [no_rows, header_only, no_bytes])
def test_a_day_that_lost_all_its_rows_stays_until_it_is_declared_empty(shop, tmp_path, lose):
    before = shop.hashes()
    lose(shop)
    plan = shop.heal()
    assert shop.hashes() == before
    assert "_EMPTY" in refused(shop)
    assert any("failed with what is there now" in wait for wait in plan.waits)
    (folder(shop) / "_EMPTY").touch()
    shop.heal()
    assert (current(shop).number, current(shop).rows, refused(shop)) == (2, 0, "")
    assert shop.hashes() == from_nothing(shop, tmp_path)


@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_a_days_folder_that_is_gone_changes_nothing_and_is_said(shop, day):
    before = shop.hashes()
    shutil.rmtree(folder(shop, day))
    shop.heal()
    assert "nothing has been landed" in refused(shop, day=day)
    assert shop.hashes() == before


def test_all_folders_that_are_gone_change_nothing_and_are_said_once(shop):
    before = shop.hashes()
    shutil.rmtree(shop.home.landing / "events")
    plan = shop.heal()
    assert "nothing is landed any more" in " ".join(plan.waits)
    assert (refused(shop, day=FIRST), "nothing has been landed" in refused(shop)) == ("", True)
    assert shop.hashes() == before


def test_a_day_that_lost_much_stays_until_a_person_says_how_many_rows_are_right(shop, tmp_path):
    before, rows = shop.hashes(), current(shop).rows
    keep(shop, 100)
    shop.heal()
    assert shop.hashes() == before
    said = refused(shop)
    assert f"`clean_events` of {SECOND} would fall from {rows} rows to 100" in said
    assert f"day={SECOND}/_FEWER that holds `rows: 100`" in said

    (folder(shop) / "_FEWER").write_text("101\n")
    shop.heal()
    assert shop.hashes() == before
    (folder(shop) / "_FEWER").write_text("100\n")
    shop.heal()
    assert (current(shop).number, current(shop).rows, refused(shop)) == (2, 100, "")
    assert shop.hashes() == from_nothing(shop, tmp_path)

    # Said of 100 rows, and of no fewer.
    keep(shop, 40)
    shop.heal()
    assert current(shop).rows == 100
    assert "would fall from 100 rows to 40" in refused(shop)


def test_a_day_that_lost_little_or_grew_is_built_without_asking(shop):
    rows = current(shop).rows
    keep(shop, rows - 20)
    shop.heal()
    assert (current(shop).number, current(shop).rows) == (2, rows - 20)


def test_the_good_files_landed_again_end_the_refusal(shop):
    before, good = shop.hashes(), landed(shop).read_bytes()
    keep(shop, 50)
    shop.heal()
    assert refused(shop)
    landed(shop).write_bytes(good)
    shop.heal()
    assert (shop.hashes(), refused(shop)) == (before, "")


def test_how_much_may_go_unnoticed_is_a_setting(shop):
    settings = shop.home.data / "cleaning.yaml"
    settings.write_text(settings.read_text().replace("share: 0.2 ", "share: 0.9 "))
    keep(shop, 40)
    shop.heal()
    assert current(shop).rows == 40


def test_fewer_rows_for_a_setting_of_a_person_are_the_persons_doing(shop):
    settings = shop.home.data / "cleaning.yaml"
    settings.write_text(settings.read_text().replace("events_an_hour: 5000", "events_an_hour: 1"))
    assert shop.run(SECOND, ["clean_events"]) == {}
    assert current(shop).rows < 100


@pytest.mark.parametrize("table", ["items", "users"])
def test_a_catalogue_that_lost_its_rows_stays_as_it_was_also_for_days_to_come(shop, table):
    (path,) = [path for path in (shop.home.landing / table).rglob("*") if path.is_file()]
    rows = pl.read_parquet(path)
    before, was = shop.hashes(), rows.height
    rows.head(3).write_parquet(path)
    shop.heal()
    assert shop.hashes() == before
    assert f"`{table}` of {SECOND} would fall from {was} rows to 3" in refused(shop, table)
    rows.clear().write_parquet(path)
    shop.heal()
    assert "no landed file has a row" in refused(shop, table)
    rows.head(3).write_parquet(path)
    (shop.home.landing / table / "_FEWER").write_text("3")
    shop.heal()
    assert (current(shop, table).rows, refused(shop, table)) == (3, "")


@pytest.mark.parametrize("table", ["items", "users"])
def test_a_snapshot_that_cannot_be_read_does_not_vanish_and_days_are_cleaned_all_the_same(shop, table):
    before = shop.hashes()
    (shop.home.landing / table / "more.parquet").write_bytes(b"PAR1 no")
    rows = pl.read_parquet(landed(shop)).with_columns(revenue=pl.col("revenue") * 2)
    rows.write_parquet(landed(shop))
    shop.heal()
    assert "more.parquet cannot be read" in refused(shop, table)
    after = shop.hashes()
    assert after[table, SECOND] == before[table, SECOND]
    assert after["clean_events", SECOND] != before["clean_events", SECOND]


@pytest.mark.parametrize("place", ["items", "users", "events"])
def test_odd_things_outside_of_the_days_stop_nothing_and_are_said(shop, place):
    before = shop.hashes()
    (shop.home.landing / place / "README.md").write_text("who lands what")
    (shop.home.landing / place / "link.parquet").symlink_to("/etc/hostname")
    (shop.home.landing / place / "day=2026-02-30").mkdir()
    (shop.home.landing / place / "day=2026-02-30" / "x.parquet").write_bytes(b"x")
    rows = pl.read_parquet(landed(shop)).with_columns(revenue=pl.col("revenue") * 2)
    rows.write_parquet(landed(shop))
    plan = shop.heal()
    assert len(plan.passed_over) == 3
    assert plan.waits == ()
    assert shop.hashes()["clean_events", SECOND] != before["clean_events", SECOND]


@pytest.mark.parametrize("table", ["clean_events", "history", "items"])
def test_a_lake_that_was_copied_half_way_is_healed_to_the_same_bytes(shop, table):
    before, store = shop.hashes(), open_store(shop.home)
    store.data_path(current(shop, table, FIRST)).unlink()
    path = store.data_path(current(shop, table))
    path.write_bytes(path.read_bytes()[:200])
    shop.heal()
    shop.check(whole=True)
    assert (shop.hashes(), current(shop, table).number) == (before, 2)


@pytest.fixture
def with_orders(shop):
    """The same days, with purchases and revenue as a stream of their own."""
    path = shop.home.data / "sources.yaml"
    settings = yaml.safe_load(path.read_text())
    for name in ("purchase", "revenue"):
        del settings["events"]["columns"][name]
    settings |= {
        "purchase_needs_click": False,
        "outcome_streams": {
            "orders": {
                "columns": {"time": "at", "request_id": "request", "item_id": "item", "revenue": "paid"},
                "gives": ["purchase", "revenue"],
                "join": ["request_id", "item_id"],
                "window_hours": 24,
            }
        },
        "outcomes": {"click": {}, "purchase": {"maturity_days": 1}, "revenue": {"maturity_days": 1}},
    }
    path.write_text(yaml.safe_dump(settings))
    for day in (FIRST, SECOND):
        bought = pl.read_parquet(landed(shop, day)).filter(pl.col("request_id").is_not_null())
        orders = bought.head(30).select(
            at=pl.col("timestamp") + pl.duration(minutes=1), request="request_id", item="item_id", paid=pl.lit(5.0)
        )
        target = shop.home.landing / "orders" / f"day={day}" / "orders.parquet"
        target.parent.mkdir(parents=True)
        orders.write_parquet(target)
    assert shop.run(FIRST, ["clean_events"]) == {}
    return shop


def rowless(path):
    pl.read_parquet(path).clear().write_parquet(path)


def gone(path):
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("lose", [rowless, gone])
def test_outcomes_that_are_gone_with_their_files_are_not_taken_for_none(with_orders, lose):
    shop, before = with_orders, current(with_orders, day=FIRST)
    lose(shop.home.landing / "orders" / f"day={FIRST}" / "orders.parquet")
    shop.run(FIRST, ["clean_events"])
    assert f"`clean_events` of {FIRST} would fall from 30 purchase to 0" in refused(shop, day=FIRST)
    assert current(shop, day=FIRST) == before
    (folder(shop, FIRST) / "_FEWER").write_text("purchase: 0\nrevenue: 0\n")
    assert shop.run(FIRST, ["clean_events"]) == {}
    assert current(shop, day=FIRST).number == before.number + 1
