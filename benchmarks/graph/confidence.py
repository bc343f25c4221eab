"""What the stated confidence is worth: of the edges, and directions, of which it says 0.7 to 0.8, how many are true?

Worlds whose graph is known: those of `mixed` and of `unit_scm`, most with few rows, so that much is uncertain. Every
pair that any draw joined counts, whether the published graph has it or not; directions, where the pair is truly
adjacent and the published graph directs it within a tier. A bin speaks where it holds 50 or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.figures import Figure, say
from benchmarks.graph import mixed
from benchmarks.graph import unit_scm as scm
from causalrec.graph.discovery.bootstrap import Confidence, bootstrap
from causalrec.graph.discovery.frames import discover_frame
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.graph.discovery.pc import Discovered, discover
from causalrec.graph.mpdag import pair
from causalrec.settings.discovery import Search
from causalrec.simulator.world import unit_scm

DRAWS, ENOUGH = 50, 50
FIRST = 21
"""The first seed: the worlds of the twenty before gave the two numbers that turn shares of draws into confidence."""
ROWS = (250, 500, 1_000, 2_500)
"""Of each seed's worlds of `mixed`."""
UNITS = (2_000, 10_000, 40_000)
"""Of those of `unit_scm`, in turn."""
SEARCH = Search(bootstraps=DRAWS, bootstrap_seconds=3600.0)


@dataclass(frozen=True)
class Stated:
    """A pair or a direction: how sure the draws are, and whether it is so."""

    kind: str
    confidence: float
    true: bool


def run(seeds: int = 20) -> list[Figure]:
    stated = pl.DataFrame([s for seed in range(FIRST, FIRST + seeds) for s in worlds(seed)])
    figures = []
    for kind in ("edge", "direction"):
        bins = calibration(stated.filter(pl.col("kind") == kind))
        with pl.Config(tbl_rows=-1):
            say(f"{kind}s by stated confidence\n{bins}")
        spoken = bins.filter(pl.col("number") >= ENOUGH)
        gap = spoken.select((pl.col("stated") - pl.col("true")).abs().max()).item()
        how = "; ".join(
            f"{row['stated']:.2f}: {row['true']:.2f} of {row['number']}" for row in spoken.iter_rows(named=True)
        )
        figures.append(Figure(f"{kind}s: largest gap of stated and true share", gap, 0.1, how=how))
    return figures


def calibration(stated: pl.DataFrame) -> pl.DataFrame:
    """Ten bins: the mean stated confidence, the true share, how many."""
    return (
        stated.with_columns((pl.col("confidence") * 10).floor().clip(0, 9).alias("bin"))
        .group_by("bin")
        .agg(pl.col("confidence").mean().alias("stated"), pl.col("true").mean(), pl.len().alias("number"))
        .sort("bin")
    )


def worlds(seed: int) -> Iterator[Stated]:
    """All that is stated of one seed's worlds."""
    for number, rows in enumerate(ROWS):
        frame, arrows = mixed.world(100 * number + seed, rows)
        found = discover_frame(frame, search=SEARCH).discovered
        sure = bootstrap(found.tests, found.tiers, SEARCH, np.arange(rows), seed)
        yield from said(found, sure, arrows)
    rows = UNITS[seed % len(UNITS)]
    units, users = unit_scm.sample(rows, seed), np.arange(rows) // 10
    nodes, _ = choose_nodes(units, scm.ROLES, ["click", "purchase"])
    found = discover(nodes, SEARCH, [users])
    sure = bootstrap(found.tests, found.tiers, SEARCH, users, seed)
    yield from said(found, sure, scm.arrows_between(found.graph.nodes))
    say(f"seed {seed} done")


def said(found: Discovered, sure: Confidence, arrows: set[tuple[str, str]]) -> Iterator[Stated]:
    there = {pair(a, b) for a, b in arrows}
    for edge in sorted(sure.adjacent):
        yield Stated("edge", sure.edge(*edge) or 0.0, edge in there)
    for a, b in sorted(found.graph.directed):
        if pair(a, b) in there and found.tiers[a] == found.tiers[b] and sure.edge(a, b):
            yield Stated("direction", sure.direction(a, b) or 0.0, (a, b) in arrows)
