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
from typing import Any

import polars as pl

from causalrec_assets.home import CHECKOUT, Home, create_home, remember

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
    rebuilt, failed = materialise(home)
    if failed:
        say(f"\n{failed}")
        return 1
    conclude(home, given.logs)
    nothing = (
        "Everything was current: nothing was rebuilt." if not rebuilt else f"{rebuilt} asset partitions were built."
    )
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


def materialise(home: Home) -> tuple[int, str]:
    """Bring every day's log assets and the newest day's learning assets up to date.

    Returns:
        How many asset partitions were built, and what failed (empty: nothing).
    """
    import dagster as dg

    from causalrec_assets.definitions import defs
    from causalrec_assets.logs.landing_zone import LandingZone

    zone = LandingZone.of(home)
    graph = defs.resolve_asset_graph()
    order = [key.path[-1] for layer in graph.toposorted_asset_keys_by_level for key in layer]
    group = {key.path[-1]: graph.get(key).group_name for key in graph.get_all_asset_keys()}
    logs, learning = ([n for n in order if (group[n] == "logs") == wanted] for wanted in (True, False))
    if zone.newest_day is None:
        return 0, f"Nothing is landed in {zone.events.root}."
    plan = [(day, logs, f"logs {day}") for day in zone.span]
    plan += [(zone.newest_day, [name], name) for name in learning]
    built = 0
    with dg.DagsterInstance.get() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        for number, (day, names, title) in enumerate(plan, start=1):
            stale = _stale(home, day, names)
            if not stale:
                continue
            begun = time.perf_counter()
            result = job.execute_in_process(
                partition_key=day.isoformat(),
                asset_selection=[dg.AssetKey(n) for n in stale],
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            if not result.success:
                return built, _failure(result)
            built += len(stale)
            say(f"[{number:2d}/{len(plan)}] {title:<24} {time.perf_counter() - begun:5.1f} s  {_warnings(result)}")
    return built, ""


def _stale(home: Home, day: date, names: Sequence[str]) -> list[str]:
    """Of one day's assets in their order, those to build: not current, or after one that is not."""
    from causalrec_assets.definitions import defs
    from causalrec_assets.gate.currentness import stale_because
    from causalrec_assets.gate.releases import ReleaseLog
    from causalrec_assets.gate.store import open_store
    from causalrec_assets.logs.landing_zone import LandingZone

    store, resources = open_store(home), defs.resources or {}
    serves = ReleaseLog(store).champion_as_of(day)
    others = {
        "landing": lambda what, d: LandingZone.of(home).fingerprint(what, d),
        "newest": lambda _, d: str(d == _newest(home)),
        "serves": lambda _, __: serves.bundle_hash if serves else "none",
        "encoder": lambda _, __: resources["text_encoder"].fingerprint,
        "compute": lambda _, __: resources["compute"].fingerprint,
    }
    for at, name in enumerate(names):
        if stale_because(home, store, name, day, others):
            return list(names[at:])
    return []


def _newest(home: Home) -> date | None:
    from causalrec_assets.logs.landing_zone import LandingZone

    return LandingZone.of(home).newest_day


def _failure(result: Any) -> str:
    step = next(event for event in result.all_events if event.is_step_failure)
    error = step.event_specific_data.error
    while error.cause is not None:
        error = error.cause
    return f"FAILED {step.step_key}: {error.message.strip()}"


def _warnings(result: Any) -> str:
    warned = [e for e in result.get_asset_check_evaluations() if not e.passed]
    return "; ".join(sorted({f"{e.asset_key.path[-1]}: {e.check_name}" for e in warned}))


def conclude(home: Home, logs: str) -> None:
    """The short table, the verdict, and where the report is."""
    from causalrec_assets.gate.store import open_store

    store, day = open_store(home), _newest(home)
    assert day is not None

    def table(name: str) -> pl.DataFrame:
        pointer = store.pointer(name, day)
        assert pointer is not None
        return pl.read_parquet(store.data_path(pointer))

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
