"""The demo: land logs, materialise every asset through Dagster, and say what came of it.

    python -m causalrec_assets.demo               the simulated shop, whose truth is known
    python -m causalrec_assets.demo --logs obd    the Open Bandit sample

A second run rebuilds what is not current, and says so when nothing is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from causalrec_assets.home import CHECKOUT, Home, create_home, remember

if TYPE_CHECKING:
    from causalrec_assets.backfill import Built

HOMES = {"simulated": "demo", "obd": "obd"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--logs", choices=sorted(HOMES), default="simulated")
    parser.add_argument("--home", type=Path, help="a folder of your own instead of .home/demo or .home/obd")
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    home = create_home(given.home or CHECKOUT / ".home" / HOMES[given.logs], overlay=given.logs)
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    if given.home is None:
        remember(home)
    land(home, given.logs)
    built = materialise(home)
    if built.failed or built.waits:
        say("\n" + "\n".join([*built.failed, *built.waits]))
        return 1
    conclude(home, given.logs)
    nothing = "Everything was current: nothing was rebuilt."
    if built.partitions:
        nothing = f"{built.partitions} asset partitions were built."
    say(
        f"\n{nothing} {time.perf_counter() - started:.0f} s.\nOpen the runs with: make ui"
        + (" LOGS=obd" if given.logs == "obd" else "")
    )
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def land(home: Home, logs: str) -> None:
    """Fill the landing zone, once; a landing that was interrupted is made again."""
    landed = home.landing / ".landed"
    if landed.exists():
        say(f"Logs are landed in {home.landing}.")
        return
    if logs == "simulated":
        from causalrec_assets.simulator.landing import simulate
        from causalrec_assets.simulator.world import WorldConfig

        say(f"Simulating a shop into {home.landing}")
        simulate(WorldConfig(), home.landing, home.truth)
    else:
        from causalrec_assets.logs.open_bandit import fetch_open_bandit, land_open_bandit

        say("Fetching the Open Bandit sample (once; its checksum is verified)")
        land_open_bandit(fetch_open_bandit(CHECKOUT / ".home" / "cache"), home.landing)
    landed.touch()


def materialise(home: Home) -> Built:
    """Bring every day's log assets and the newest day's learning assets up to date."""
    from causalrec_assets.backfill import Built, bring_up_to_date
    from causalrec_assets.logs.landing_zone import LandingZone

    zone = LandingZone.of(home)
    if zone.newest_day is None:
        return Built(waits=[f"Nothing is landed in {zone.events.root}."])
    return bring_up_to_date(home, zone.span, [zone.newest_day], say)


def conclude(home: Home, logs: str) -> None:
    """The short table, the verdict, and where the report is."""
    from causalrec_assets.gate.store import open_store
    from causalrec_assets.logs.landing_zone import LandingZone

    store, day = open_store(home), LandingZone.of(home).newest_day
    assert day is not None

    def table(name: str) -> pl.DataFrame:
        pointer = store.pointer(name, day)
        assert pointer is not None
        return store.read_frame(pointer)

    say("")
    if logs == "simulated":
        for line in _against_the_truth(home, day, table("effects")):
            say(line)
    else:
        for row in table("evaluation_report").filter(pl.col("section") == "gap").iter_rows(named=True):
            say(f"  {row['subject']}: {row['status']} ({row['headline']})")
    release = table("release").row(0, named=True)
    say(f"\nRelease of {day}: {release['verdict']}, {release['decision']}.\n  {release['reason']}")
    say(f"\nReport: {home.reports / f'{day}.html'}")


def _against_the_truth(home: Home, day: date, effects: pl.DataFrame) -> Iterator[str]:
    """The naive and the causal estimate of each question beside the simulator's answer over the same units."""
    from causalrec_assets.gate.inputs import read_setting
    from causalrec_assets.gate.windows import learning_window, parse_learning
    from causalrec_assets.simulator.comparison import compare_effects

    settings = parse_learning(read_setting(home, "learning.yaml"), read_setting(home, "sources.yaml"))
    days = learning_window(day, settings).train_days
    yield "What recommending changes, in percentage points (the truth is the simulator's):"
    yield f"  {'question':<24}{'naive':>8}{'causal':>9}   {'95 % interval':<18}{'truth':>7}"
    for row in compare_effects(effects, home.truth, days).iter_rows(named=True):
        if row["causal"] is None:
            yield f"  {row['question']:<24}cannot be told from these logs; the report says why"
            continue
        naive, causal, truth = (f"{100 * row[name]:+.2f}" for name in ("naive", "causal", "truth"))
        interval = f"{100 * row['lower']:+.2f} to {100 * row['upper']:+.2f}"
        yield f"  {row['question']:<24}{naive:>8}{causal:>9}   {interval:<18}{truth:>7}"


if __name__ == "__main__":
    sys.exit(main())
