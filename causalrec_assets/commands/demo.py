"""The demo: land logs, materialise every asset through Dagster, and say what came of it.

    python -m causalrec_assets.commands.demo                              the simulated shop, whose truth is known
    python -m causalrec_assets.commands.demo --logs obd                   the Open Bandit sample, fetched
    python -m causalrec_assets.commands.demo --logs movielens --dir DIR   MovieLens, unpacked
    python -m causalrec_assets.commands.demo --logs kuairand --dir DIR    KuaiRand, unpacked
    python -m causalrec_assets.commands.demo --logs kuairec --dir DIR     KuaiRec, unpacked

A second run rebuilds what is not current, and says so when nothing is.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from causalrec.answers import InputError
from causalrec.home import CHECKOUT, Home
from causalrec_assets.commands.backfill import INTERRUPTED, stop_like_ctrl_c
from causalrec_assets.commands.home import create_home
from causalrec_assets.env_file import env_file_note

if TYPE_CHECKING:
    from causalrec_assets.commands.backfill import Built

HOMES = {"simulated": "demo", "obd": "obd", "movielens": "movielens", "kuairand": "kuairand", "kuairec": "kuairec"}
YOURS = ("movielens", "kuairand", "kuairec")
"""Logs that nobody fetches: a person has them in a folder."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--logs", choices=sorted(HOMES), default="simulated")
    parser.add_argument("--dir", type=Path, help=f"the folder of the data set; with {', '.join(YOURS)}")
    parser.add_argument(
        "--home", type=Path, help="a folder of your own for the home instead of .home/demo, .home/obd, ..."
    )
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, stop_like_ctrl_c)
    try:
        return demo(given.logs, given.dir, given.home)
    except InputError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. What was built stays; the same command goes on from there.")
        return INTERRUPTED


def demo(logs: str, folder: Path | None, place: Path | None) -> int:
    """Land, materialise, conclude; what the process ends with.

    Args:
        folder: Of the data set, where the logs are one of `YOURS`; not needed once it is landed.
        place: Of the home, if another than the logs' own.

    Raises:
        InputError: The folder is not named, or not what it should be.
    """
    started = time.perf_counter()
    root = place or CHECKOUT / ".home" / HOMES[logs]
    if folder is None and logs in YOURS and not _marker(Home(root.resolve())).exists():
        raise InputError(
            f"nobody fetches {logs}: name the folder that holds it (--dir, or make demo LOGS={logs} DIR=path)"
        )
    home = create_home(root, overlay=overlay_of(logs, folder, root))
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    land(home, logs, folder)
    built = materialise(home)
    if not built.whole:
        say("\n" + "\n".join([*built.last_words()] or ["Not all was built; what failed is said above."]))
        return INTERRUPTED if built.stopped is not None else 1
    conclude(home, logs)
    nothing = "Everything was current: nothing was rebuilt."
    if built.partitions:
        nothing = f"{built.partitions} asset partitions were built."
    which = f" DIR={shlex.quote(str(home.root))}" if place else f" LOGS={logs}" if logs != "simulated" else ""
    say(f"\n{nothing} {time.perf_counter() - started:.0f} s.\nOpen the runs with: make ui{which}")
    if note := env_file_note(CHECKOUT):
        say(note)
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def overlay_of(logs: str, folder: Path | None, root: Path) -> str:
    """The folder of `data/demos` with the settings of these logs."""
    if logs != "movielens":
        return logs
    landed = Home(root.resolve())
    if folder is None or _marker(landed).exists():
        users = (landed.landing / "users").exists()
    else:
        from causalrec.logs.formats.movielens import movielens_layout

        users = movielens_layout(folder).users is not None
    return "movielens_users" if users else "movielens"


def _marker(home: Home) -> Path:
    """Is there when a landing is whole."""
    return home.landing / ".landed"


def land(home: Home, logs: str, folder: Path | None = None) -> None:
    """Fill the landing zone, once; a landing that was interrupted is made again."""
    landed = _marker(home)
    if landed.exists():
        again = f" {folder} is not read again; to land it anew, remove {home.root}." if folder else ""
        say(f"Logs are landed in {home.landing}.{again}")
        return
    if logs == "simulated":
        from causalrec.simulator.landing import simulate
        from causalrec.simulator.world.world import WorldConfig

        say(f"Simulating a shop into {home.landing}")
        simulate(WorldConfig(), home.landing, home.truth)
    elif folder is not None and logs in YOURS:
        say(f"Landing {logs} from {folder} in {home.landing}")
        land_yours(logs, folder, home.landing)
    else:
        from causalrec.logs.formats.open_bandit import fetch_open_bandit, land_open_bandit

        say("Fetching the Open Bandit sample (once; its checksum is verified)")
        land_open_bandit(fetch_open_bandit(CHECKOUT / ".home" / "cache"), home.landing)
    landed.touch()


def land_yours(logs: str, folder: Path, landing: Path) -> None:
    """Land a data set that a person has in a folder.

    Raises:
        InputError: The folder does not hold it.
    """
    from causalrec.logs.formats import kuai, movielens

    if logs == "movielens":
        movielens.land_movielens(folder, landing)
        say(
            f"  days: {movielens.CONSECUTIVE}. The last 60 days with ratings became days in a row from "
            f"{movielens.FIRST_DAY} on:\n  weekday, season, recency and tenure are not real (sources.yaml says more)."
        )
    elif logs == "kuairand":
        kuai.land_kuairand(folder, landing)
    elif without_time := kuai.land_kuairec(folder, landing):
        say(f"  {without_time:,} views have no timestamp, and were left out.")


def materialise(home: Home) -> Built:
    """Bring every day's log assets and the newest day's learning assets up to date."""
    from causalrec.logs.landing.zone import LandingZone
    from causalrec_assets.commands.backfill import Built, bring_up_to_date

    zone = LandingZone.of(home)
    if zone.newest_day is None:
        return Built(waits=[f"Nothing is landed in {zone.events.root}."])
    return bring_up_to_date(home, zone.span, [zone.newest_day], say, workers=1, command="demo")


def conclude(home: Home, logs: str) -> None:
    """The short table, the verdict, and where the report is."""
    from causalrec.logs.landing.zone import LandingZone
    from causalrec_assets.lake.store import open_store

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
    from causalrec.settings.file import read_setting
    from causalrec.settings.learning import parse_learning
    from causalrec.simulator.comparison import compare_effects
    from causalrec_assets.lake.windows import learning_window

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
