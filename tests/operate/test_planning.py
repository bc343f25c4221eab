"""Plans from real landed files and a real lake: which days, which assets, in which waves, and when a chain ends."""

from datetime import date, timedelta

import polars as pl
import pytest

from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.gate import publishing
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.store import open_store
from causalrec_assets.operate.assets import CODE_VERSIONS
from causalrec_assets.operate.planning import DATA, Planner
from tests.faults.shop import Audits
from tests.worlds import FIRST, make_home, materialise, tiny, words

DAYS = [FIRST + timedelta(days=k) for k in range(4)]
ALL = ("items", "users", "clean_events", "history", "units")


class Shop:
    """A home of four days, and the loop that Dagster's sensor is: plan, run, plan again."""

    def __init__(self, home):
        self.home, self.tried = home, set()

    def plan(self, only=DATA, arriving=(), days=None):
        zone = LandingZone.of(self.home)
        lake = Snapshot(open_store(self.home))
        planner = Planner(self.home, zone, lake, {"code": lambda asset, _: CODE_VERSIONS[asset]}, only, self.tried)
        return planner.logs(days or planner.span, arriving)

    def heal(self, limit=40):
        """Runs every plan until none is left; the (day, assets) that were run, in order."""
        ran = []
        for _ in range(limit):
            plan = self.plan()
            if not plan.requests:
                return ran
            for request in plan.requests:
                self.tried.add(request.key)
                materialise(self.home, request.day, request.assets)
                ran.append((request.day, set(request.assets)))
        raise AssertionError("the plans do not end")

    def hashes(self):
        lake = Snapshot(open_store(self.home))
        return {(name, day): lake.pointer(name, day).hash for name in ALL for day in lake.days(name)}

    def folder(self, day):
        return self.home.landing / "events" / f"day={day}"


@pytest.fixture(scope="module", autouse=True)
def audited_once():
    """The same contract on the same table is audited once: plans do not depend on how often it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "audit", Audits())
        yield


@pytest.fixture
def shop(tmp_path):
    return Shop(make_home(tmp_path / "home", tiny(days=4, events_per_day=200)))


def asked(plan):
    return [(request.day, request.assets) for request in plan.requests]


def test_a_first_load_asks_for_the_first_day_whole_and_for_what_reads_files_of_the_others(shop):
    landed = ("items", "users", "clean_events")
    assert asked(shop.plan()) == [(DAYS[0], ALL), *((day, landed) for day in DAYS[1:])]
    ran = shop.heal()
    assert ran[4:] == [(day, {"history", "units"}) for day in DAYS[1:]]
    assert shop.plan().requests == ()


def test_a_late_row_rebuilds_its_day_and_what_carries_on_and_nothing_else(shop):
    shop.heal()
    late = pl.read_parquet(shop.folder(DAYS[1]) / "events.parquet").head(3)
    late = late.with_columns(pl.format("late-{}", c).alias(c) for c in ("event_id", "request_id"))
    late.write_parquet(shop.folder(DAYS[3]) / "late.parquet")
    assert shop.heal() == [
        (DAYS[1], {"clean_events", "history", "units"}),
        # The day after looks back at it, and finds nothing sent again.
        (DAYS[2], {"clean_events"}),
        (DAYS[2], {"history", "units"}),
        (DAYS[3], {"history", "units"}),
    ]


def test_the_chain_ends_when_a_state_comes_out_as_it_was(shop):
    shop.heal()
    path = shop.folder(DAYS[1]) / "events.parquet"
    # Another revenue changes the day's events and units, and no count that history keeps.
    pl.read_parquet(path).with_columns(revenue=pl.col("revenue") * 2).write_parquet(path)
    assert shop.heal() == [(DAYS[1], {"clean_events", "history", "units"}), (DAYS[2], {"clean_events"})]


def test_a_late_a_resent_and_a_removed_file_end_in_the_bytes_of_a_rebuild_from_nothing(shop, tmp_path):
    shop.heal()
    rows = pl.read_parquet(shop.folder(DAYS[1]) / "events.parquet").with_row_index("k")
    for k in range(2):
        part = rows.filter(pl.col("k") % 2 == k).drop("k")
        part.write_parquet(shop.folder(DAYS[1]) / f"part-{k}.parquet")
    (shop.folder(DAYS[1]) / "events.parquet").unlink()
    shop.heal()
    (shop.folder(DAYS[1]) / "part-1.parquet").unlink()
    (shop.folder(DAYS[1]) / "_FEWER").write_text("90")
    resent = shop.folder(DAYS[2]) / "events.parquet"
    (shop.folder(DAYS[3]) / "again.parquet").write_bytes(resent.read_bytes())
    late = pl.read_parquet(shop.folder(DAYS[0]) / "events.parquet").head(5)
    late = late.with_columns(pl.format("l-{}", c).alias(c) for c in ("event_id", "request_id"))
    late.write_parquet(shop.folder(DAYS[3]) / "l.parquet")
    shop.heal()

    other = Shop(make_home(tmp_path / "other", tiny(days=4, events_per_day=200)))
    for day in DAYS:
        for path in other.folder(day).iterdir():
            path.unlink()
        for path in shop.folder(day).iterdir():
            (other.folder(day) / path.name).write_bytes(path.read_bytes())
    other.heal()
    assert shop.hashes() == other.hashes()


def test_a_bad_file_is_tried_once_and_healed_by_the_next(shop):
    shop.heal()
    before = shop.hashes()
    path = shop.folder(DAYS[1]) / "events.parquet"
    good = path.read_bytes()
    path.write_bytes(good[:100])
    # The day after looks back at it, so it waits for the file too, in its last good version.
    assert shop.heal() == [(DAYS[1], {"clean_events", "history", "units"}), (DAYS[2], {"clean_events"})]
    plan = shop.plan()
    assert plan.requests == ()
    assert any("failed with what is there now" in wait for wait in plan.waits)
    assert shop.hashes() == before
    path.write_bytes(good)
    shop.heal()
    assert shop.hashes() == before
    lake = open_store(shop.home)
    assert lake.quarantine.standing("clean_events", DAYS[1]) is None


def test_a_newest_day_whose_only_file_is_bad_is_asked_for_so_that_it_is_said_and_is_not_the_newest(shop):
    path = shop.folder(DAYS[3]) / "events.parquet"
    path.write_bytes(path.read_bytes()[:100])
    assert LandingZone.of(shop.home).newest_day == DAYS[2]
    ran = shop.heal()
    assert (DAYS[3], {"items", "users", "clean_events"}) in ran
    assert "cannot be read as parquet" in open_store(shop.home).quarantine.standing("clean_events", DAYS[3]).reasons[0]
    assert Snapshot(open_store(shop.home)).days("units") == DAYS[:3]


def test_a_file_that_cannot_be_placed_asks_for_one_run_that_says_so_not_for_all_days(shop):
    shop.heal()
    (shop.home.landing / "events" / "somewhere.parquet").write_bytes(b"PAR1 no")
    plan = shop.plan()
    assert [request.day for request in plan.requests] == [DAYS[3]]
    assert any("somewhere.parquet" in wait for wait in plan.waits)


def test_files_that_are_still_arriving_are_waited_for(shop):
    shop.heal()
    (shop.folder(DAYS[1]) / "events.parquet").unlink()
    assert asked(shop.plan(arriving={DAYS[1]})) == []
    assert asked(shop.plan(arriving={None})) == []
    assert [day for day, _ in asked(shop.plan())] == [DAYS[1], DAYS[2]]


def test_the_landing_zone_sees_what_was_written_just_now(shop):
    zone = LandingZone.of(shop.home)
    assert {day for _, day in zone.arriving(3600)} == {*DAYS, None}  # None: the catalogue's and the users' files
    assert zone.arriving(0) == []


def test_a_day_for_which_nothing_was_landed_is_named_and_the_days_after_it_wait(shop):
    for path in shop.folder(DAYS[1]).iterdir():
        path.unlink()
    shop.heal()
    plan = shop.plan()
    assert plan.requests == ()
    assert any(f"{DAYS[1]}: nothing was landed" in wait for wait in plan.waits)
    assert Snapshot(open_store(shop.home)).days("history") == DAYS[:1]
    (shop.folder(DAYS[1]) / "_EMPTY").touch()
    shop.heal()
    assert Snapshot(open_store(shop.home)).days("history") == DAYS


def test_a_changed_setting_is_left_to_people_unless_all_inputs_count(shop):
    shop.heal()
    contract = shop.home.data / "contracts" / "users.yaml"
    contract.write_text(contract.read_text() + "\n# looked at again\n")
    assert shop.plan().requests == ()
    assert asked(shop.plan(only=None)) == [(day, ("users",)) for day in DAYS]


def test_far_future_rows_make_no_newest_day(shop):
    path = shop.folder(DAYS[3]) / "events.parquet"
    ahead = pl.read_parquet(path).head(1)
    ahead = ahead.with_columns(timestamp=pl.lit(date(2999, 1, 1)).cast(pl.Datetime("us", "UTC")))
    ahead.with_columns(pl.lit("ahead").alias("event_id")).write_parquet(shop.home.landing / "events" / "ahead.parquet")
    assert LandingZone.of(shop.home).newest_day == DAYS[3]


LEARNING = {"discovered_graph": ["units"], "causal_graph": ["discovered_graph"], "adjustment_sets": ["causal_graph"]}


def test_learning_waits_for_its_window_then_builds_what_is_stale_and_what_follows(shop):
    def plan():
        planner = Planner(shop.home, LandingZone.of(shop.home), Snapshot(open_store(shop.home)), {}, DATA, shop.tried)
        return planner.learning(DAYS[3], LEARNING)

    assert plan().requests == ()
    assert "needs `units` of" in plan().waits[0]
    shop.heal()
    request = plan().requests[0]
    assert request.assets == tuple(LEARNING)
    result = materialise(shop.home, DAYS[3], LEARNING)
    assert result.success, words(result)
    assert plan() == type(plan())()
