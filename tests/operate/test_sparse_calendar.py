"""A source whose days are sparse: a day for which nothing was landed needs no partition, and nothing waits for it."""

from datetime import timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.lake.windows import days_hash
from causalrec_assets.operate.planning import DATA, Planner
from tests.worlds import FIRST, make_home, tiny

DAYS = [FIRST + timedelta(days=k) for k in range(5)]
ALL = ("items", "users", "clean_events", "history", "units")
LANDED = ALL[:3]
HOLES = (DAYS[0], DAYS[2])


@pytest.fixture
def home(tmp_path):
    home = make_home(tmp_path / "home", tiny(days=5, events_per_day=200))
    for day in HOLES:
        remove(home, day)
    return home


def sparse(home):
    path = home.data / "sources.yaml"
    path.write_text(path.read_text() + "\nsparse: true\n")
    return home


def remove(home, day):
    for path in (home.landing / "events" / f"day={day}").iterdir():
        path.unlink()


class Lake:
    """What is published, as a snapshot says it: (table, day) -> the inputs that its pointer recorded."""

    def __init__(self, tables=()):
        self.tables = dict(tables)

    def pointer(self, table, day):
        inputs = self.tables.get((table, day))
        return None if inputs is None else SimpleNamespace(hash=f"{table} {day}", number=1, inputs=inputs)

    def number(self, table, day):
        return int((table, day) in self.tables)

    def days(self, table):
        return sorted(day for name, day in self.tables if name == table)

    def lost(self, table, day):
        return None

    def standing_refusal(self, table, day):
        return None


def published(*days, **inputs):
    """A lake in which every log table of some days is current."""
    return Lake({(name, day): inputs.get(name, {}) for name in ALL for day in days})


def planner(home, lake=None):
    return Planner(home, LandingZone.of(home), lake or Lake(), {}, DATA, set())


def plan(home, days=None, lake=None):
    plans = planner(home, lake)
    return plans.logs(days or plans.zone.span)


def asked(found):
    return [(request.day, request.assets) for request in found.requests]


def test_without_sparse_a_hole_is_waited_for(home):
    assert LandingZone.of(home).span == DAYS[1:]
    assert [wait for wait in plan(home).waits if "nothing was landed" in wait] == [
        f"{DAYS[2]}: nothing was landed; land its events, or declare the day empty"
    ]


def test_with_sparse_a_hole_needs_no_partition_and_nothing_waits_for_it(home):
    zone = LandingZone.of(sparse(home))
    assert zone.span == [DAYS[1], DAYS[3], DAYS[4]]
    assert [zone.day_before(day) for day in DAYS] == [None, None, DAYS[1], DAYS[1], DAYS[3]]
    found = plan(home)
    # The first landed day is asked for whole, though it is not the source's first.
    assert asked(found) == [(DAYS[1], ALL), (DAYS[3], LANDED), (DAYS[4], LANDED)]
    assert not any("nothing was landed" in wait or "declared empty" in wait for wait in found.waits)
    assert asked(plan(home, DAYS)) == asked(found)


def test_what_is_carried_on_is_the_last_landed_days(home):
    landed = {(name, day): {} for name in LANDED for day in DAYS if day not in HOLES}
    lake = Lake({**landed, **{(name, DAYS[1]): {} for name in ("history", "units")}})
    found = plan(sparse(home), lake=lake)
    assert asked(found) == [(DAYS[3], ("history", "units"))]
    assert found.waits == ()
    waiting = plan(home, lake=Lake(landed), days=[DAYS[3]])
    assert waiting.waits == (f"{DAYS[3]}: `history` of {DAYS[1]} must be published before it can go on",)


def test_a_day_that_is_landed_late_fills_its_hole_and_what_follows_is_stale(home):
    lake = published(DAYS[1], DAYS[3], DAYS[4])
    lake.tables[("history", DAYS[3])] = {"before:history": str(DAYS[1])}
    assert planner(sparse(home), lake).stale("history", DAYS[3]) is None
    rows = pl.read_parquet(home.landing / "events" / f"day={DAYS[1]}" / "events.parquet")
    later = rows.with_columns(
        pl.format("late-{}", "event_id").alias("event_id"), pl.col("timestamp").dt.offset_by("1d")
    )
    later.write_parquet(home.landing / "events" / f"day={DAYS[2]}" / "late.parquet")
    assert planner(home, lake).stale("history", DAYS[3]) == "its input `before:history` has changed"
    assert asked(plan(home, lake=lake)) == [(DAYS[2], ALL)]


def test_a_day_whose_files_were_removed_again_is_not_passed_over(home):
    lake = published(DAYS[1], DAYS[3], DAYS[4], clean_events={"landing:events": "as it was"})
    remove(sparse(home), DAYS[3])
    plans = planner(home, lake)
    assert plans.day_before(DAYS[4]) == DAYS[3]
    assert DAYS[3] in [day for day, _ in asked(plans.logs(DAYS))]


def test_learning_asks_for_the_days_that_are_there_and_is_stale_when_another_comes(home):
    waits = planner(sparse(home)).learning(DAYS[4], {}).waits
    assert f"`units` of {DAYS[1]}" in waits[0]
    assert str(DAYS[2]) not in waits[0]
    lake = published(DAYS[1], DAYS[3], DAYS[4])
    assert planner(home, lake).learning(DAYS[4], {}).waits == ()
    lake.tables[("effects", DAYS[4])] = {"days:units": days_hash([DAYS[1], DAYS[3], DAYS[4]])}
    assert planner(home, lake).stale("effects", DAYS[4]) is None
    (home.landing / "events" / f"day={DAYS[2]}" / "_EMPTY").touch()
    assert planner(home, lake).stale("effects", DAYS[4]) == "its input `days:units` has changed"


def test_an_outcome_of_a_sparse_source_is_final_once_later_files_came(tmp_path):
    home = make_home(tmp_path / "home", tiny(days=4, events_per_day=200))
    path = home.data / "sources.yaml"
    text = path.read_text().replace("    purchase: purchase\n", "").replace("    revenue: revenue\n", "")
    text = text.replace("purchase: {maturity_days: 0}", "purchase: {maturity_days: 1}")
    text = text.replace("  revenue: {maturity_days: 0}\n", "").replace("purchase_needs_click: true", "")
    text += (
        "\noutcome_streams:\n  orders:\n    columns: {time: at, user_id: u, item_id: i}\n"
        "    gives: [purchase]\n    join: [user_id, item_id]\n    window_hours: 24\n"
    )
    path.write_text(text)
    assert LandingZone.of(home).immature(DAYS[1]) == ["purchase"]
    zone = LandingZone.of(sparse(home))
    assert zone.immature(DAYS[1]) == []
    assert zone.immature(DAYS[3]) == ["purchase"]
