"""Everything that the data say of the graph, on one window's units: PC, how sure it is, and FCI's second opinion."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.arrays import Codes
from causalrec.engine.threads import one_thread
from causalrec.graph.discovery.bootstrap import Confidence, bootstrap
from causalrec.graph.discovery.fci import SecondOpinion, second_opinion
from causalrec.graph.discovery.nodes import Node
from causalrec.graph.discovery.pc import Discovered, find_graph
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.discovery.sample_split import is_discovery_half
from causalrec.graph.independence import clustered_tests_of
from causalrec.graph.mpdag import Edge
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.settings.discovery import Search

DISAGREEMENTS: dict[str, pl.DataType] = {
    "pc": pl.String(),
    "fci": pl.String(),
    "says": pl.String(),
    "share_of_draws": pl.Float64(),
}


@dataclass(frozen=True)
class DiscoveryEvidence:
    """What was found.

    Attributes:
        opinion: None where FCI was not asked.
        doubted: Pair -> in how many draws FCI read its edge in another way than PC.
    """

    found: Discovered
    confidence: Confidence
    opinion: SecondOpinion | None
    doubted: Mapping[Edge, int]

    @one_thread()
    def table(self) -> pl.DataFrame:
        """The edges: source, target, mark, p_value, strength, confidence; of directed ones direction_confidence."""
        edges = self.found.table()
        rows = list(edges.select("source", "target", "mark").iter_rows())
        sure = [self.confidence.edge(a, b) for a, b, _ in rows]
        directed = [self.confidence.direction(a, b) if mark == "directed" else None for a, b, mark in rows]
        return edges.with_columns(
            pl.Series("confidence", sure, pl.Float64), pl.Series("direction_confidence", directed, pl.Float64)
        )

    def shares(self) -> dict[Edge, float]:
        """Of the pairs without an edge that a draw joined: how sure an edge is."""
        return {e: self.confidence.edge(*e) or 0.0 for e in self.found.separations if self.confidence.share(*e)}

    def discovery(self, roles: Mapping[str, str]) -> Discovery:
        """What knowledge can orient.

        Args:
            roles: Of all columns, also of those that are no nodes.
        """
        pc = self.found
        return Discovery(pc.graph, roles, pc.colliders, pc.separations, self.table(), self.shares())

    def disagreements(self) -> pl.DataFrame:
        """Where FCI reads an edge of PC in another way: pc, fci, says, and the share of draws in which it does."""
        rows = []
        for d in self.opinion.disagreements if self.opinion else ():
            share = self.doubted.get((d.a, d.b), 0) / self.confidence.draws if self.confidence.draws else None
            rows.append((d.pc, d.fci, d.says, share))
        return pl.DataFrame(rows, schema=DISAGREEMENTS, orient="row")


@one_thread()
def gather(
    nodes: Sequence[Node],
    search: Search,
    clusters: Sequence[Codes],
    seed: int,
    progress: Callable[[str], object] | None = None,
) -> DiscoveryEvidence:
    """Search, draw anew, ask FCI, as far as the settings want it.

    Args:
        clusters: Codes of each row's user (or request, or hour), which are drawn anew, and item. None at all: rows are
            independent, and are drawn one by one.
        seed: Of the draws.
        progress: Told how far it is.

    """
    say = progress or (lambda _: None)
    started = time.perf_counter()
    tests = clustered_tests_of(nodes, search.floor, clusters)
    discovered = find_graph(tests, {node.name: node.tier for node in nodes}, search, started)
    say(f"graph found in {discovered.seconds:.1f} s")
    opinion = second_opinion(discovered, search) if search.fci else None
    doubted: Counter[Edge] = Counter()

    def doubt(drawn: Discovered) -> None:
        doubted.update((d.a, d.b) for d in second_opinion(drawn, search).disagreements)

    confidence = bootstrap(
        tests,
        discovered.tiers,
        search,
        clusters[0] if clusters else np.arange(tests.rows),
        seed,
        say,
        # Whether chance made FCI say so is asked only where it says something.
        doubt if opinion and opinion.disagreements else None,
    )
    return DiscoveryEvidence(discovered, confidence, opinion, doubted)


def rows_to_search(units: pl.DataFrame, notes: UnitsNotes, search: Search) -> pl.DataFrame:
    """The window's units without those of held-out policies, the graph's half of them where they are split, and whole
    clusters of what is too much.

    Args:
        notes: Of `units`.
    """
    cluster, rows = notes.cluster, without_held_out(units, notes.held_out_policies)
    if search.split:
        rows = rows.filter(is_discovery_half(rows, cluster))
    if rows.height > search.max_rows:
        kept = cluster_codes(rows, cluster) % -(-rows.height // search.max_rows) == 0
        rows = rows.filter(pl.Series(kept))
    return rows
