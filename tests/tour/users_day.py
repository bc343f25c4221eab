"""The user's day, step by step. Each step does as a person would and asserts what the person would see."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import polars as pl
from playwright.sync_api import expect

from causalrec_assets.lake.storage.pointer import Pointer
from tests.tour.deployment import LAKE_IS_WHOLE, Deployment, Run
from tests.tour.ui import STAGES, UI
from tests.worlds import FIRST, LEARNING

DAYS = [FIRST + timedelta(days=k) for k in range(6)]
NEWEST = DAYS[-1]
BAD, LATE = DAYS[2], DAYS[3]
LOG_ASSETS = {"clean_events", "history", "units"}


class UsersDay:
    """One day of one user at one deployment."""

    def __init__(self, shop: Deployment, ui: UI) -> None:
        self.shop, self.ui = shop, ui

    @property
    def steps(self) -> dict[str, Callable[[], str]]:
        """What the user does, in order; each says in a line what came of it."""
        return {
            "open the graph": self.open_the_graph,
            "materialise a day": self.materialise_a_day,
            "see its checks": self.see_its_checks,
            "turn the sensor on": self.turn_the_sensor_on,
            "read what was learnt": self.read_what_was_learnt,
            "land a bad file": self.land_a_bad_file,
            "land a good one": self.land_a_good_one,
            "land a late file": self.land_a_late_file,
            "launch a backfill": self.launch_a_backfill,
            "turn the schedule on": self.turn_the_schedule_on,
        }

    # -- the first hour ------------------------------------------------------------------------------------------------

    def open_the_graph(self) -> str:
        self.ui.page.get_by_text("Hide navigation").click()
        self.ui.go("/asset-groups")
        self.ui.sees("Global asset lineage")
        self.ui.in_graph_settings("Change graph to vertical orientation")
        with self.ui.whole_graph():
            for asset in ("landed_events", "discovered_graph", "release", "evaluation_report"):
                self.ui.sees(asset)
            self.ui.picture("day-1-graph", settle=4)
        return f"{len(STAGES)} stages, from landed files to recommendations"

    def materialise_a_day(self) -> str:
        began = time.time()
        self.ui.choose_days("log_assets", str(FIRST))
        self.ui.sees("1 partition")
        self.ui.picture("day-2-materialise")
        self.ui.launch()
        run = self.shop.wait_for_run(lambda run: run.job == "log_assets" and run.day == str(FIRST), began)
        assert run.status == "SUCCESS", run
        self.ui.partition("clean_events", str(FIRST))
        self.ui.sees("Materialized")
        self.ui.sees(str(self.shop.current("clean_events", FIRST).rows))
        return f"{self.shop.current('clean_events', FIRST).rows} events of {FIRST} are published"

    def see_its_checks(self) -> str:
        self.ui.check("clean_events", "contract")
        self.ui.sees("This is a blocking asset check", 10)
        self.ui.sees("Passed")
        self.ui.sees(str(FIRST))
        self.ui.show_markdown("rules")
        self.ui.sees("the treatment is 0 or 1")
        assert self.ui.page.get_by_text("broken", exact=True).count() == 0
        self.ui.picture("day-3-contract")
        self.ui.close()
        return "the contract held, rule by rule"

    def turn_the_sensor_on(self) -> str:
        began = time.time()
        self.ui.go("/automation")
        self.ui.turn_on("new_data")
        said = self.shop.wait_for_sensor(LAKE_IS_WHOLE, began, 900)
        for day in DAYS:
            self.shop.current("units", day)
        learnt = [run for run in self.shop.runs(began) if run.job == "learning_assets"]
        assert [(run.day, run.status) for run in learnt] == [(str(NEWEST), "SUCCESS")], learnt
        assert learnt[0].assets == set(LEARNING)
        self.ui.link("new_data")
        self.ui.sees("Compares the landing zone with the lake")
        self.ui.picture("day-4-sensor", settle=3)
        return f"{len(self.shop.runs(began))} runs in {time.time() - began:.0f} s, then: {said}"

    def read_what_was_learnt(self) -> str:
        self.ui.open("/assets/units")
        self.ui.sees("Row count")
        self.ui.sees("action_propensity")
        self.ui.picture("day-5-units", settle=3)
        self.ui.partition("release", str(NEWEST))
        for text in ("dagster/row_count", "learning_window", "trained on 2026-03-02 to 2026-03-05", "verdict"):
            self.ui.sees(text)
        self.ui.sees("is opened, for nothing has been released yet")
        self.ui.bring_to_view("learning_window")
        self.ui.picture("day-6-release")
        self.ui.partition("evaluation_report", str(NEWEST))
        self.ui.sees(f"{NEWEST}.html")
        self.ui.sees("section")
        self.ui.partition("off_policy_report", str(NEWEST))
        self.ui.show_markdown("challenger_satisfaction")
        image = self.ui.page.get_by_role("dialog").locator("img")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.naturalWidth") > 0, "the plot is empty"
        self.ui.picture("day-7-evidence")
        self.ui.close()
        pointer = self.shop.current("release", NEWEST)
        return f"the release of {NEWEST} is published in version {pointer.number}, with its evidence"

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def land_a_bad_file(self) -> str:
        good, began = self._good(), time.time()
        path = self.shop.events_folder(BAD) / "events.parquet"
        self.kept = path.read_bytes()
        rows = pl.read_parquet(path)
        # A few such rows would be set aside; of so many, the file is wrong and not the rows.
        _land(path, rows.with_columns(action_propensity=pl.col("action_propensity") * 0))
        said = self.shop.wait_for_sensor("failed with what is there now", began)
        runs = self.shop.runs(began)
        # The day after looks back at it, and comes out as it was.
        assert {(run.day, run.status) for run in runs} == {(str(BAD), "FAILURE"), (str(LATE), "SUCCESS")}, runs
        failed = next(run for run in runs if run.status == "FAILURE")
        # Two more looks ask for nothing.
        self.shop.wait_for_sensor("failed with what is there now", time.time())
        self.shop.wait_for_sensor("failed with what is there now", time.time())
        assert self.shop.runs(began) == runs, "the sensor asked for the bad day again"
        assert self._good() == good, "the last good version is no longer what readers see"
        self._see_why(failed.id)
        return f"{BAD}: {said.partition('(')[2]}"

    def _see_why(self, run: str) -> None:
        self.ui.go("/runs")
        self.ui.sees("Failure")
        self.ui.link(run[:8])
        self.ui.sees("Errored (1)")
        self.ui.page.get_by_text("clean_events", exact=True).locator("visible=true").last.click()
        self.ui.sees("few_rows_are_wrong")
        self.ui.sees("stays readable")
        self.ui.picture("day-8-blocked", above="Stack Trace:")
        # Each day shows its own result: one failed and another passed at the same time. Which of the days that looked
        # at the file came last, and so stands on top, is chance.
        self.ui.check("clean_events", "contract")
        self.ui.sees("Failed")
        self.ui.tab("Execution history")
        assert self.ui.row_with(str(BAD)).startswith("Failed"), self.ui.row_with(str(BAD))
        assert self.ui.row_with(str(NEWEST)).startswith("Passed"), self.ui.row_with(str(NEWEST))
        self.ui.picture("day-9-why")
        self.ui.tab("Partitions")
        self.ui.sees("Failed (1)")
        self.ui.sees("Passed (5)")
        self.ui.partition("clean_events", str(BAD))
        self.ui.sees("failed, and did not materialize this asset")
        self.ui.sees("Failed (1)")

    def land_a_good_one(self) -> str:
        good, began = self._good(), time.time()
        (self.shop.events_folder(BAD) / "events.parquet").write_bytes(self.kept)
        self.shop.wait_for_sensor(LAKE_IS_WHOLE, began)
        runs = self.shop.runs(began)
        assert {(run.day, run.status) for run in runs} == {(str(BAD), "SUCCESS"), (str(LATE), "SUCCESS")}, runs
        healed = self._good()
        assert healed.hash == good.hash and healed.number == good.number + 1, healed
        self.ui.partition("clean_events", str(BAD))
        self.ui.sees("Failed (0)")
        return f"{BAD} is published again, byte for byte as before"

    def _good(self) -> Pointer:
        return self.shop.current("clean_events", BAD)

    def land_a_late_file(self) -> str:
        began = time.time()
        late = pl.read_parquet(self.shop.events_folder(LATE) / "events.parquet").head(3)
        late = late.with_columns(pl.format("late-{}", c).alias(c) for c in ("event_id", "request_id"))
        _land(self.shop.events_folder(NEWEST) / "late.parquet", late)
        self.shop.wait_for_sensor(LAKE_IS_WHOLE, began)
        runs = self.shop.runs(began)
        expected = [
            ("rebuilt_logs", str(LATE), LOG_ASSETS),
            # The day after looks back at it.
            ("rebuilt_logs", str(DAYS[4]), {"clean_events"}),
            ("rebuilt_logs", str(DAYS[4]), {"history", "units"}),
            ("rebuilt_logs", str(NEWEST), {"history", "units"}),
        ]
        assert [(run.job, run.day, set(run.assets)) for run in runs[:4]] == expected, runs
        assert [(run.job, run.day) for run in runs[4:]] == [("learning_assets", str(NEWEST))], runs
        assert {run.status for run in runs} == {"SUCCESS"}, runs
        self.ui.go("/runs")
        for run in runs:
            self.ui.sees(run.id[:8])
        self.ui.picture("day-10-late", settle=3)
        return f"{', '.join(f'{run.day[5:]} {run.job}' for run in runs)}; nothing else"

    # -- the last hour -------------------------------------------------------------------------------------------------

    def launch_a_backfill(self) -> str:
        began = time.time()
        days = DAYS[1:3]
        self.ui.choose_days("log_assets", f"[{days[0]}...{days[1]}]")
        self.ui.sees("2 partitions")
        self.ui.launch()
        ran = [self.shop.wait_for_run(partial(_backfilled, day), began) for day in days]
        assert [run.status for run in ran] == ["SUCCESS", "SUCCESS"], ran
        self.ui.open("/runs?view=backfills")
        self.ui.sees("log_assets")
        self.ui.sees(re.compile("Completed|Success"), 60)
        self.ui.picture("day-11-backfill", settle=3)
        return f"{days[0]} and {days[1]} were built again"

    def turn_the_schedule_on(self) -> str:
        self.ui.go("/automation")
        self.ui.turn_on("retrain_every_day")
        self.ui.sees("Scheduled At 03:30 AM UTC")
        self.ui.picture("day-12-automation", settle=3)
        return "tomorrow's retrain is due at 03:30 UTC"


def _backfilled(day: date, run: Run) -> bool:
    return bool(run.backfill) and run.day == str(day)


def _land(path: Path, rows: pl.DataFrame) -> None:
    """Write a file elsewhere and move it to where it lands, so that no look sees half of it."""
    half = path.with_suffix(".half")
    rows.write_parquet(half)
    half.rename(path)
