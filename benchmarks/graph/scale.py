"""A million units of sixteen mixed columns: columns to graph, and with twenty bootstraps; seconds and peak memory.

The units are `unit_scm`'s, ten to a user. Reading them is not counted; turning them into nodes is.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figures import Figure, measured, say
from causalrec.graph.discovery.bootstrap import bootstrap
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.graph.discovery.pc import discover
from causalrec.settings.discovery import Search
from causalrec.simulator.world import unit_scm

ROWS, BOOTSTRAPS, ROWS_A_USER = 1_000_000, 20, 10
COLUMNS = (
    "month",
    "hour",
    "device",
    "category",
    "price",
    "item_age_days",
    "user_tenure_days",
    "user_exposures",
    "user_clicks",
    "user_category_click_rate",
    "item_exposures",
    "item_click_rate",
    "item_purchase_rate",
    "recommended",
    "click",
    "purchase",
)
ROLES = dict.fromkeys(COLUMNS, "pre_treatment") | {
    "recommended": "treatment",
    "click": "outcome",
    "purchase": "outcome",
}


def run(rows: int = ROWS) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="benchmark-graph-") as folder:
        path = Path(folder) / "units.parquet"
        unit_scm.sample(rows, seed=1).select(COLUMNS).write_parquet(path)
        once = measured(search, path, 0)
        say(f"once: {once.result['seconds']:.1f} s, {once.peak_gb:.2f} GB, {once.result}")
        again = measured(search, path, BOOTSTRAPS)
        say(f"with {BOOTSTRAPS} bootstraps: {again.result['seconds']:.1f} s, {again.peak_gb:.2f} GB")
    how = f"{rows:,} rows x {len(COLUMNS)}, {once.result['edges']} edges"
    return [
        Figure("units to graph: seconds", once.result["seconds"], 60, how=how),
        Figure("units to graph: peak GB", once.peak_gb, 2, how="imports and the frame counted"),
        Figure(
            f"with {BOOTSTRAPS} bootstraps: seconds",
            again.result["seconds"],
            600,
            how=f"{again.result['draws']} draws made, peak {again.peak_gb:.2f} GB",
        ),
    ]


def search(path: Path, bootstraps: int) -> dict[str, float]:
    """Seconds, edges and draws of one search."""
    units = pl.read_parquet(path)
    users = np.arange(units.height) // ROWS_A_USER
    asked = Search(max_rows=units.height, bootstraps=bootstraps, bootstrap_seconds=3600.0)
    started = time.perf_counter()
    nodes, _ = choose_nodes(units, ROLES, ["click", "purchase"])
    found = discover(nodes, asked, [users])
    confidence = bootstrap(found.tests, found.tiers, asked, users, seed=1)
    return {
        "seconds": time.perf_counter() - started,
        "edges": len(found.graph.directed) + len(found.graph.undirected),
        "draws": confidence.draws,
    }
