"""What changed in the causal graph since the last partition, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from causalrec.answers import Answer
from causalrec.graph.mpdag import Edge, pair

SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "target": pl.String(),
    "change": pl.String(),
    "in_words": pl.String(),
    "strength_before": pl.Float64(),
    "strength_after": pl.Float64(),
    "confidence_before": pl.Float64(),
    "confidence_after": pl.Float64(),
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """The difference between two graphs.

    Attributes:
        table: One row for each pair that changed, see `SCHEMA`.
        against: What it was compared with, or why with nothing.
        distance: Structural Hamming distance: pairs of nodes in both graphs whose edge is another one, or in one graph
            only. None without a comparison.
        edges: Pairs with an edge in either graph, between nodes in both.
        sure_edges: Edges that were sure in the earlier graph, or are new and sure.
        sure_changed: Those of them that are gone or new, or whose sure direction is another one now.
    """

    table: pl.DataFrame
    against: str
    distance: int | None = None
    edges: int = 0
    sure_edges: int = 0
    sure_changed: int = 0

    @property
    def per_edge(self) -> float | None:
        """Distance per edge: 0 where nothing changed, 1 where everything did."""
        return None if self.distance is None else self.distance / max(self.edges, 1)

    @property
    def sure_share(self) -> float | None:
        """Share of the sure edges that changed; None where none was sure or nobody asked how sure they are."""
        return self.sure_changed / self.sure_edges if self.sure_edges else None

    def verdict(self, most: float) -> tuple[bool, str]:
        """(whether the graph held still enough, in words), for a check.

        The share of sure edges that changed is asked about where there are any: unsure ones come and go by chance.

        Args:
            most: Share of edges that may change.
        """
        if self.distance is None or self.per_edge is None:
            return True, self.against
        share = self.per_edge if self.sure_share is None else self.sure_share
        what = f"{self.distance} of {self.edges} edges changed ({self.per_edge:.0%})"
        if self.sure_share is not None:
            what += f", of the sure ones {self.sure_changed} of {self.sure_edges} ({self.sure_share:.0%})"
        allowed = f"; up to {most:.0%} of {'the sure ones' if self.sure_share is not None else 'them'} may"
        return share <= most, f"{self.against}: {what}{allowed}"


@dataclass(frozen=True)
class EarlierGraph:
    """A graph that was published for an earlier day.

    Attributes:
        answer: Its answer; without one there are no edges.
        table: Its edges, as `causal_graph` publishes them.
        nodes: Its nodes.
    """

    day: date
    answer: Answer
    table: pl.DataFrame
    nodes: list[str]


def changes_since(
    earlier: EarlierGraph | None, table: pl.DataFrame, nodes: list[str], sure: float = 0.8, stronger: float = 0.05
) -> Changes:
    """Compare with an earlier partition's published graph.

    Args:
        earlier: The newest of an earlier day.
        table, nodes: Of this partition's graph.
        sure: Bootstrap share from which an edge, or a direction, counts as sure.
        stronger: A strength that moved by less is no change.
    """
    if earlier is None:
        return Changes(pl.DataFrame(schema=SCHEMA), "no earlier day has a causal graph: nothing to compare with")
    if not earlier.answer.answered:
        why = f"the graph of {earlier.day} says `{earlier.answer.status}` ({earlier.answer.reason})"
        return Changes(pl.DataFrame(schema=SCHEMA), f"{why}: nothing to compare with")
    return compare(earlier.table, earlier.nodes, table, nodes, f"since {earlier.day}", sure=sure, stronger=stronger)


def compare(
    before: pl.DataFrame,
    nodes_before: list[str],
    after: pl.DataFrame,
    nodes_after: list[str],
    against: str = "compared",
    *,
    sure: float = 0.8,
    stronger: float = 0.05,
) -> Changes:
    """Compare two tables of edges.

    An edge of a node that one graph does not have is told in words, and is not counted in the distance: that a column
    is there or not is no change of what causes what.
    """
    old, new = _by_pair(before), _by_pair(after)
    common = set(nodes_before) & set(nodes_after)
    rows, distance, sure_edges, sure_changed = [], 0, 0, 0
    for edge in sorted(old.keys() | new.keys()):
        first, second = old.get(edge), new.get(edge)
        change, words = _change(first, second, stronger)
        foreign = sorted(set(edge) - common)
        counts = not foreign and change not in ("", "stronger", "weaker")
        distance += counts
        reference = first or second or {}
        if not foreign and (reference.get("confidence") or 0.0) >= sure:
            sure_edges += 1
            direction = reference["mark"] == "directed" and (reference.get("direction_confidence") or 0.0) >= sure
            sure_changed += counts and (change in ("lost", "gained") or direction)
        if change:
            gone = [f"`{n}` is no node {'now' if n in nodes_before else 'before'}" for n in foreign]
            values = [row.get(k) if row else None for k in ("strength", "confidence") for row in (first, second)]
            shown = second or first or {}
            rows.append((shown["source"], shown["target"], change, "; ".join([words, *gone]), *values))
    edges = sum(set(edge) <= common for edge in old.keys() | new.keys())
    node_changes = [
        f"{word}: {', '.join(names)}"
        for word, names in (
            ("new nodes", sorted(set(nodes_after) - common)),
            ("nodes gone", sorted(set(nodes_before) - common)),
        )
        if names
    ]
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return Changes(table, "; ".join([against, *node_changes]), distance, edges, sure_edges, sure_changed)


def words_of(edge: Row) -> str:
    """An edge as people write it."""
    return f"{edge['source']} {'->' if edge['mark'] == 'directed' else '-'} {edge['target']}"


CHANGES: dict[str, Callable[[Row | None, Row | None], str]] = {
    "gained": lambda _, new: f"{words_of(new or {})} is new",
    "lost": lambda old, _: f"{words_of(old or {})} is gone",
    "turned": lambda old, new: f"{words_of(old or {})} is {words_of(new or {})} now",
    "directed": lambda _, new: f"{words_of(new or {})}: its direction was open",
    "opened": lambda old, _: f"{words_of(old or {})}: its direction is open now",
}


def _change(old: Row | None, new: Row | None, stronger: float) -> tuple[str, str]:
    """The kind of a pair's change and the change in words; nothing where there is none."""
    if old is None or new is None:
        kind = "lost" if new is None else "gained"
    elif words_of(old) == words_of(new):
        first, second = old.get("strength"), new.get("strength")
        if first is None or second is None or abs(second - first) < stronger:
            return "", ""
        kind = "stronger" if second > first else "weaker"
        return kind, f"{words_of(new)}: strength {first:.3f} was, {second:.3f} is"
    elif old["mark"] == new["mark"] == "directed":
        kind = "turned"
    else:
        kind = "directed" if new["mark"] == "directed" else "opened"
    return kind, CHANGES[kind](old, new)


def _by_pair(table: pl.DataFrame) -> dict[Edge, Row]:
    """Undirected edges in alphabetical order, so that one that stays is the same."""
    rows_by_pair: dict[Edge, Row] = {}
    for row in table.iter_rows(named=True):
        edge = pair(row["source"], row["target"])
        rows_by_pair[edge] = row if row["mark"] == "directed" else {**row, "source": edge[0], "target": edge[1]}
    return rows_by_pair
