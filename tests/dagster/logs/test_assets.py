"""The log assets on a home of one's own: late rows, gaps of the source, what a partition is made from."""

import polars as pl
import pytest
import yaml

from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.commands.home import create_home
from causalrec_assets.lake.store import Store
from tests.logs.worlds import FIRST, ITEMS, SECOND, SETTINGS, at, event, frame, settings
from tests.worlds import LOGS, materialise, table, words

COLUMNS = SETTINGS["events"]["columns"]
SHOWN = {"recommended": 1, "position": 1, "policy": "p", "action_propensity": 0.25}


def put(home, name, rows):
    path = home.landing / "events" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path)


@pytest.fixture
def shop(tmp_path):
    """A home of two landed days, with a mapping that a test may change before it runs."""
    home = create_home(tmp_path / "home")
    (home.landing / "items").mkdir(parents=True)
    ITEMS.write_parquet(home.landing / "items" / "items.parquet")
    put(
        home,
        f"day={FIRST}/a.parquet",
        frame(event("1", at(FIRST, 9), "hat", click=1, **SHOWN), event("2", at(FIRST, 9), "shoe")),
    )
    put(
        home,
        f"day={SECOND}/a.parquet",
        frame(event("3", at(SECOND, 9), "hat", **SHOWN), event("4", at(SECOND, 9), "sock")),
    )
    declare(home)
    return home


def declare(home, **changes):
    (home.data / "sources.yaml").write_text(yaml.safe_dump(settings(**changes)))


def run(home, day, names=LOGS):
    result = materialise(home, day, names)
    assert result.success, words(result)
    return result


def warned(result):
    return sorted(e.asset_key.path[-1] for e in result.get_asset_check_evaluations() if not e.passed)


def test_two_days_become_units_with_the_first_days_past(shop):
    run(shop, FIRST)
    run(shop, SECOND)
    units = table(shop, "units", SECOND)
    assert units.select("unit_id", "user_exposures", "user_clicks", "item_exposures").rows() == [
        ("3", 2, 1, 1),
        ("4", 2, 1, 0),
    ]
    notes = Store(shop.lake).pointer("units", SECOND).notes
    assert notes["cluster"] == "user_id"
    assert notes["action_context"] == ["hour", "weekday", "device", "position"]
    assert set(notes["roles"]) == set(units.columns)


def test_a_second_run_on_the_same_files_publishes_the_same_bytes(shop):
    run(shop, FIRST)
    before = {name: Store(shop.lake).pointer(name, FIRST).hash for name in LOGS}
    run(shop, FIRST)
    assert {name: Store(shop.lake).pointer(name, FIRST).hash for name in LOGS} == before


def test_a_late_row_changes_its_own_day_and_what_builds_on_it(shop):
    run(shop, FIRST)
    run(shop, SECOND)
    made_from = Store(shop.lake).pointer("clean_events", FIRST).inputs["landing:events"]
    assert LandingZone.of(shop).fingerprint("events", FIRST) == made_from
    put(shop, f"day={SECOND}/late.parquet", frame(event("late", at(FIRST, 20), "hat", click=1, **SHOWN)))
    assert LandingZone.of(shop).fingerprint("events", FIRST) != made_from
    run(shop, FIRST)
    run(shop, SECOND)
    assert table(shop, "clean_events", FIRST)["event_id"].to_list() == ["1", "2", "late"]
    assert table(shop, "units", SECOND)["user_clicks"].to_list() == [2, 2]


def test_a_new_catalogue_changes_the_fingerprint_of_items_only(shop):
    def landed(what, day):
        return LandingZone.of(shop).fingerprint(what, day)

    items, events, first = landed("items", SECOND), landed("events", SECOND), landed("items", FIRST)
    newer = shop.landing / "items" / f"day={SECOND}"
    newer.mkdir()
    ITEMS.head(1).write_parquet(newer / "items.parquet")
    assert landed("items", SECOND) != items
    assert landed("items", FIRST) == first
    assert landed("events", SECOND) == events
    assert landed("users", SECOND) == "none"


def test_without_a_user_id_history_and_users_are_not_available_and_units_are_made(shop):
    columns = {k: v for k, v in COLUMNS.items() if k != "user_id"}
    declare(shop, events={"folder": "events", "columns": columns})
    result = run(shop, FIRST)
    store = Store(shop.lake)
    assert store.pointer("history", FIRST).answer.status == "not_available"
    assert "no user id" in store.pointer("users", FIRST).answer.reason
    assert {"history", "users"} <= set(warned(result))
    assert table(shop, "units", FIRST).height == 2
    assert store.pointer("units", FIRST).notes["cluster"] == "request_id"


def test_a_source_that_does_not_mark_recommendations_is_answered_not_failed(shop):
    columns = {k: v for k, v in COLUMNS.items() if k not in ("recommended", "action_propensity")}
    declare(shop, events={"folder": "events", "columns": columns}, organic_rows="none")
    result = run(shop, FIRST)
    assert table(shop, "units", FIRST)["recommended"].to_list() == [None, None]
    assert {"clean_events", "units"} <= set(warned(result))


def test_a_source_without_items_is_not_available_and_units_are_made(shop):
    declare(shop, items=None)
    run(shop, FIRST)
    assert Store(shop.lake).pointer("items", FIRST).answer.status == "not_available"
    assert "category" not in table(shop, "units", FIRST).columns


def test_units_and_history_wait_for_the_day_before(shop):
    for name in ("history", "units"):
        result = materialise(shop, SECOND, ["items", "users", "clean_events", name])
        assert not result.success
        assert f"needs `history` of {FIRST}" in words(result)


def test_a_user_list_marks_who_is_not_on_it(shop):
    (shop.landing / "users").mkdir()
    pl.DataFrame({"id": ["bob"]}).write_parquet(shop.landing / "users" / "users.parquet")
    declare(shop, users={"columns": {"user_id": "id"}})
    result = run(shop, FIRST)
    assert table(shop, "units", FIRST).select("unknown_item", "unknown_user").rows() == [(0, 1), (0, 1)]
    shown = {
        e.asset_key.path[-1]: e.step_materialization_data.materialization.metadata
        for e in result.get_asset_materialization_events()
    }
    assert (shown["units"]["users_not_listed"].value, shown["units"]["items_not_in_catalogue"].value) == (2, 0)


def test_an_order_of_the_next_day_rebuilds_the_events_and_not_the_history_of_the_day_before(shop):
    """Its clean events change, so that its history is made again, and comes out as it was: the chain ends."""
    columns = COLUMNS | {"purchase_time": "bought_at"}
    declare(
        shop, events={"folder": "events", "columns": columns}, outcomes={"click": {}, "purchase": {"maturity_days": 1}}
    )
    at_nine = event("1", at(FIRST, 9), "hat", click=1, **SHOWN)

    def landed(**values):
        rows = frame(at_nine | values).with_columns(
            bought_at=pl.lit(at(SECOND, 7) if values else None, pl.Datetime("us", "UTC"))
        )
        put(shop, f"day={FIRST}/a.parquet", rows)

    landed()
    for path in (shop.landing / "events" / f"day={SECOND}").iterdir():
        path.unlink()
    (shop.landing / "events" / f"day={SECOND}" / "_EMPTY").touch()
    run(shop, FIRST)
    run(shop, SECOND)
    store = Store(shop.lake)
    before = {name: store.pointer(name, FIRST).hash for name in LOGS}
    landed(purchase=1)
    run(shop, FIRST)
    after = {name: store.pointer(name, FIRST).hash for name in LOGS}
    assert after["clean_events"] != before["clean_events"]
    assert after["history"] == before["history"]
    assert store.pointer("history", SECOND).inputs[f"table:clean_events:{FIRST}"] == before["clean_events"]
    run(shop, SECOND)
    bought = table(shop, "history", SECOND).filter(pl.col("entity") == "user")
    assert bought.select("user_id", "exposures", "purchases").rows() == [("ann", 1, 1)]


def test_a_wrong_mapping_fails_the_step_with_the_keys_name(shop):
    declare(shop, organic_rows="sometimes")
    result = materialise(shop, FIRST, ["items", "clean_events"])
    assert not result.success
    assert "`organic_rows` must be every_impression, interactions_only or none, got 'sometimes'" in words(result)
    assert result.get_asset_materialization_events() == []
