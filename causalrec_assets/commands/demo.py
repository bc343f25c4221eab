"""The demo: land logs, materialise every asset through Dagster, and say what came of it.

A second run rebuilds what is not current, and says so when nothing is.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from causalrec.answers import InputError
from causalrec.home import CHECKOUT, Home
from causalrec.logs.formats import SourceFormat, source_formats
from causalrec_assets.commands.backfill import INTERRUPTED, stop_like_ctrl_c
from causalrec_assets.commands.home import create_home
from causalrec_assets.commands.simulated_shop import SimulatedShop
from causalrec_assets.env_file import env_file_note

if TYPE_CHECKING:
    from causalrec_assets.commands.backfill import Built

SIMULATED = SimulatedShop()


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        formats = {SIMULATED.name: SIMULATED, **source_formats()}
    except InputError as error:
        say(str(error))
        return 1
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.demo",
        description=f"{__doc__}\n" + "\n".join(_listed(formats)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folders = ", ".join(name for name, source in formats.items() if source.fetch is None)
    parser.add_argument("--logs", choices=sorted(formats), default=SIMULATED.name)
    parser.add_argument("--dir", type=Path, help=f"the folder of the data set; with {folders}")
    parser.add_argument(
        "--home", type=Path, help="a folder of your own for the home instead of .home/demo, .home/obd, ..."
    )
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, stop_like_ctrl_c)
    try:
        return demo(formats[given.logs], given.dir, given.home)
    except InputError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. What was built stays; the same command goes on from there.")
        return INTERRUPTED


def _listed(formats: Mapping[str, SourceFormat]) -> Iterator[str]:
    for name, source in formats.items():
        options = f"--logs {name}" + (" --dir DIR" if source.fetch is None else "")
        yield f"    {options:<28}{source.label}"


def demo(source: SourceFormat, folder: Path | None, place: Path | None) -> int:
    """Land, materialise, conclude; what the process ends with.

    Args:
        folder: Of the data set, where nobody fetches it; not needed once it is landed.
        place: Of the home, if another than the logs' own.

    Raises:
        InputError: The folder is not named, or not what it should be.
    """
    started = time.perf_counter()
    home = Home((place or CHECKOUT / ".home" / home_name(source)).resolve())
    if folder is None and source.fetch is None and not _marker(home).exists():
        raise InputError(
            f"nobody fetches {source.name}: name the folder that holds it (--dir, or make demo LOGS={source.name} "
            "DIR=path)"
        )
    create_home(home.root, overlay=source.overlay(None if _marker(home).exists() else folder, home))
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    land(home, source, folder)
    built = materialise(home)
    if not built.whole:
        say("\n" + "\n".join([*built.last_words()] or ["Not all was built; what failed is said above."]))
        return INTERRUPTED if built.stopped is not None else 1
    conclude(home)
    nothing = "Everything was current: nothing was rebuilt."
    if built.partitions:
        nothing = f"{built.partitions} asset partitions were built."
    which = "" if source.name == SIMULATED.name else f" LOGS={source.name}"
    if place:
        which = f" DIR={shlex.quote(str(home.root))}"
    say(f"\n{nothing} {time.perf_counter() - started:.0f} s.\nOpen the runs with: make ui{which}")
    if note := env_file_note(CHECKOUT):
        say(note)
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def home_name(source: SourceFormat) -> str:
    """Of the home's folder below `.home`; the Makefile has the same rule."""
    return "demo" if source.name == SIMULATED.name else source.name


def _marker(home: Home) -> Path:
    """Is there when a landing is whole."""
    return home.landing / ".landed"


def land(home: Home, source: SourceFormat, folder: Path | None = None) -> None:
    """Fill the landing zone, once; a landing that was interrupted is made again."""
    landed = _marker(home)
    if landed.exists():
        again = f" {folder} is not read again; to land it anew, remove {home.root}." if folder else ""
        say(f"Logs are landed in {home.landing}.{again}")
        return
    origin = f" from {folder}" if source.fetch is None else ""
    say(f"Landing {source.label}{origin} in {home.landing}")
    if source.fetch is not None:
        folder = source.fetch(CHECKOUT / ".home" / "cache")
    assert folder is not None
    for line in source.land(folder, home):
        say(f"  {line}")
    landed.touch()


def materialise(home: Home) -> Built:
    """Bring every day's log assets and the newest day's learning assets up to date."""
    from causalrec.logs.landing.zone import LandingZone
    from causalrec_assets.commands.backfill import Built, bring_up_to_date

    zone = LandingZone.of(home)
    if zone.newest_day is None:
        return Built(waits=[f"Nothing is landed in {zone.events.root}."])
    return bring_up_to_date(home, zone.span, [zone.newest_day], say, workers=1, command="demo")


def conclude(home: Home) -> None:
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
    if home.truth.exists():
        for line in _against_the_truth(home, day, table("effects")):
            say(line)
    else:
        for row in table("evaluation_report").filter(pl.col("section") == "gap").iter_rows(named=True):
            say(f"  {row['subject']}: {row['status']} ({row['headline']})")
    release = table("release").row(0, named=True)
    say(f"\nRelease of {day}: {release['verdict']}, {release['decision']}.")
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", release["reason"]):
        say(f"  {sentence}")
    say(f"\nReport: {home.reports / f'{day}.html'}")


def _against_the_truth(home: Home, day: date, effects: pl.DataFrame) -> Iterator[str]:
    """The naive and the causal estimate of each question beside the simulator's answer over the same units."""
    from causalrec.estimators.effects import Role, first_of
    from causalrec.settings.file import read_setting
    from causalrec.settings.learning import parse_learning
    from causalrec.simulator.comparison import compare_effects
    from causalrec_assets.lake.windows import learning_window

    settings = parse_learning(read_setting(home, "learning.yaml"), read_setting(home, "sources.yaml"))
    days = learning_window(day, settings).train_days
    yield "What recommending changes, in percentage points (the truth is the simulator's):"
    yield f"  {'question':<24}{'naive':>8}{'causal':>9}   {'95 % interval':<18}{'truth':>7}"
    naive, robust = first_of(Role.NAIVE).name, first_of(Role.ROBUST).name
    compared = compare_effects(effects, home.truth, days)
    for (question,), rows in compared.group_by("question", maintain_order=True):
        of = {row["estimator"]: row for row in rows.iter_rows(named=True)}
        causal = of[robust]
        if causal["estimate"] is None:
            yield f"  {question:<24}cannot be told from these logs; the report says why"
            continue
        numbers = of[naive]["estimate"], causal["estimate"], causal["truth"]
        first, second, truth = (f"{100 * number:+.2f}" for number in numbers)
        interval = f"{100 * causal['lower']:+.2f} to {100 * causal['upper']:+.2f}"
        yield f"  {question:<24}{first:>8}{second:>9}   {interval:<18}{truth:>7}"


if __name__ == "__main__":
    sys.exit(main())
