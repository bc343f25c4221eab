"""Effects against the truth over many simulated worlds: every registered estimator, from landed logs through the causal
graph.

    python -m benchmarks.effects --seeds 20

Prints a row a world, the mean and spread of each estimator's error, and the share of worlds whose interval covers
the mean effect over the same units; last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.graph.discovery.pc import discover
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.knowledge.entries import parse_knowledge
from causalrec.graph.knowledge.orient import graph_with_knowledge
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.landing.files import snapshot_files
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.history import advance, empty_history
from causalrec.logs.units.units import build_units, unit_roles
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.study import EffectStudy
from causalrec.settings.discovery import Search
from causalrec.settings.file import read_yaml
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.model import ModelSettings
from causalrec.settings.questions import Questions
from causalrec.simulator.comparison import true_effects
from causalrec.simulator.landing import simulate
from causalrec.simulator.world.world import WorldConfig


def setting(file: str) -> dict[str, object]:
    return dict(read_yaml(TEMPLATE / file))


def units_of(landing: Path, source: Source, days: list[date], cache: Path) -> pl.DataFrame:
    """All units of the days, through the log stage's functions."""
    zone = LandingZone(Home(cache), source, CleaningRules(), landing)
    cache.mkdir(exist_ok=True)
    before, states, logged, parts = empty_history(), {}, {}, []
    for day in days:
        items = item_snapshot(snapshot_files(landing / "items", day), source)
        logged[day] = clean_day(zone.landed_day(day), source, zone.rules, cache / "clean", cache / "aside").events
        parts.append(build_units(logged[day], before, items, source, day))
        before = states[day] = advance(states, logged, items, source, day)
    return pl.concat(parts)


def run(config: WorldConfig, folder: Path) -> Iterator[dict[str, object]]:
    """Estimates and truth of each question in one world."""
    simulate(config, folder / "landing", folder / "truth")
    source = parse_source(setting("demos/simulated/sources.yaml"))
    days = [config.first_day + timedelta(days=k) for k in range(config.days)]
    units = units_of(folder / "landing", source, days, folder / "cache")
    roles = {c: r for c, r in unit_roles(source).items() if c in units.columns}
    questions = Questions.parse(setting("questions.yaml"))
    knowledge = parse_knowledge(setting("demos/simulated/expert_graph.yaml"))
    search = Search.parse(setting("discovery.yaml"))
    nodes, dropped = choose_nodes(units, roles, [q.outcome for q in questions.questions])
    clusters = cluster_codes(units, source.cluster)
    discovered = discover(nodes, search, [clusters, cluster_codes(units, "item_id")])
    discovery = Discovery(discovered.graph, roles, discovered.colliders, discovered.separations)
    graph = graph_with_knowledge(discovery, knowledge)
    settings, truth = ModelSettings.parse(setting("model.yaml")), true_effects(folder / "truth", days)
    for question in questions.questions:
        reasons = {d.column: d.reason for d in dropped}
        logged = LoggedColumns(roles, reasons, organic_rows=source.organic_rows)
        chosen = adjust(question, graph, logged, questions.adjustment)
        columns = list(chosen.columns)
        fitted = treatment_propensities(units, question.treatment, columns, clusters, settings, config.seed)
        asked_of = {"treatment": question.treatment, "outcome": question.outcome, "columns": columns}
        result = estimate_effect(EffectStudy(units, asked_of, fitted, clusters, settings, config.seed))
        value = truth[question.outcome]
        row: dict[str, object] = {
            "seed": config.seed,
            "question": question.name,
            "truth": value,
            "adjusted_for": ", ".join(columns),
        }
        for name, estimate in result.estimates.items():
            row[name] = estimate.value
            row[f"{name}_covers"] = estimate.lower <= value <= estimate.upper
        yield row


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean error, its spread over worlds, and coverage."""
    lines = []
    for (question,), part in rows.group_by("question", maintain_order=True):
        for name in EFFECT_ESTIMATORS:
            error = (part[name] - part["truth"]).to_numpy()
            lines.append(
                {
                    "question": question,
                    "estimator": name,
                    "mean_truth": part["truth"].mean(),
                    "mean_error": float(error.mean()),
                    "spread": float(np.std(error, ddof=1)) if len(error) > 1 else 0.0,
                    "covered": int(part[f"{name}_covers"].sum()),
                    "worlds": part.height,
                }
            )
    return pl.DataFrame(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--rows", type=int, default=20_000, help="events a day")
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    for seed in range(1, arguments.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            config = WorldConfig(seed=seed, days=arguments.days, events_per_day=arguments.rows)
            for row in run(config, Path(folder)):
                rows.append(row)
                print(
                    " ".join(f"{k}={v:.5f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()), flush=True
                )
    table = summary(pl.DataFrame(rows))
    with pl.Config(tbl_rows=-1, tbl_width_chars=160):
        print(table)
    print(json.dumps(table.to_dicts()))


if __name__ == "__main__":
    main()
