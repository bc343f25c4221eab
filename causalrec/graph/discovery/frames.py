"""Discovery on any frame: no roles, no settings files, no lake.

import polars as pl
from causalrec.graph.discovery.frames import discover_frame
discover_frame(pl.read_parquet("units.parquet"), tiers={"click": 1}).table()
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.engine.threads import one_thread
from causalrec.graph.discovery.nodes import Node, column_policies, plain_nodes
from causalrec.graph.discovery.pc import Discovered, find_graph, rows_enough
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.independence import tests_of
from causalrec.graph.mpdag import MPDAG
from causalrec.settings.discovery import Search


@dataclass(frozen=True)
class FrameGraph:
    """A frame's graph, and what was made of each column.

    Attributes:
        discovered: Graph, separations, tests.
        nodes, dropped: Columns that are nodes, and those that are not, with the reason.
        rows: Of the frame.
    """

    discovered: Discovered
    nodes: tuple[Node, ...]
    dropped: tuple[Dropped, ...]
    rows: int

    @property
    def answer(self) -> Answer:
        """Whether the rows can tell a graph; without them there are no edges, which says nothing."""
        return rows_enough(self.rows)

    @property
    def graph(self) -> MPDAG:
        return self.discovered.graph

    def table(self) -> pl.DataFrame:
        """The edges: source, target, mark (directed or undirected), p_value, strength."""
        return self.discovered.table()

    def columns(self) -> pl.DataFrame:
        """What was made of each column: column, node (whether it is one), how."""
        return column_policies(self.nodes, self.dropped)


@one_thread()
def discover_frame(
    frame: pl.DataFrame, *, tiers: Mapping[str, int] | None = None, search: Search | None = None
) -> FrameGraph:
    """Search the graph of a frame's columns; of a pandas frame that of `pl.from_pandas(frame)`.

    Text and booleans are nominal, `pl.Enum` is ordered, numbers and dates are ranked. The first registered test of
    independence that fits is asked: G2 on tables of counts if all columns are discrete, else the test of blocks.
    Constant, duplicate, collinear and empty columns are left out and named in `columns()`. Of too few rows nothing can
    be told: no edges then, and `answer` says why.

        >>> import numpy as np, polars as pl
        >>> rng = np.random.default_rng(0)
        >>> price, income = rng.lognormal(size=(2, 5000))
        >>> bought = rng.random(5000) < 1 / (1 + np.exp(np.log(price) - np.log(income)))
        >>> frame = pl.DataFrame({"price": price, "income": income, "bought": bought})
        >>> discover_frame(frame).table().select("source", "target", "mark")
        shape: (2, 3)
        ┌────────┬────────┬──────────┐
        │ source ┆ target ┆ mark     │
        │ ---    ┆ ---    ┆ ---      │
        │ str    ┆ str    ┆ str      │
        ╞════════╪════════╪══════════╡
        │ income ┆ bought ┆ directed │
        │ price  ┆ bought ┆ directed │
        └────────┴────────┴──────────┘

    Args:
        tiers: Column -> its tier: one of a later tier causes none of an earlier one. Those not named are of tier 0.
        search: Its settings; None: `Search()`.

    Raises:
        InputError: A tier is given to a column that is not there, or fewer than two columns vary.
    """
    tiers, search = tiers or {}, search or Search()
    if foreign := sorted(set(tiers) - set(frame.columns)):
        raise InputError(f"tiers are given to {foreign}, which are no columns; the frame has {frame.columns}")
    started = time.perf_counter()
    nodes, dropped = plain_nodes(frame, tiers)
    if len(nodes) < 2:
        reasons = "; ".join(f"`{d.column}` is {d.reason}" for d in dropped)
        raise InputError(f"a graph needs at least two columns that vary: {reasons or 'the frame has one'}")
    tests = tests_of(nodes, search.floor)
    discovered = find_graph(tests, {node.name: node.tier for node in nodes}, search, started)
    return FrameGraph(discovered, tuple(nodes), tuple(dropped), frame.height)
