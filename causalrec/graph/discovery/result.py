"""What a discovery says, before any expert is heard: what knowledge then orients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import polars as pl

from causalrec.graph.mpdag import MPDAG, Edge, pair
from causalrec.graph.roles import place_of

Collider = tuple[str, str, str]
"""(a, c, b) for a -> c <- b."""


@dataclass(frozen=True)
class Dropped:
    """A column that is no node.

    Attributes:
        same_as: The node that it is identical to.
        follows_from: The nodes that it is a linear function of.
    """

    column: str
    reason: str
    same_as: str | None = None
    follows_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class EdgeEvidence:
    """What data say of a pair; None where they were not asked.

    Attributes:
        strength, p_value: Of the test.
        confidence: How sure it is that the pair has an edge (`bootstrap`).
        direction_confidence: How sure the direction is that a row speaks of.
    """

    strength: float | None = None
    p_value: float | None = None
    confidence: float | None = None
    direction_confidence: float | None = None

    def turned(self) -> EdgeEvidence:
        """The same of the opposite direction."""
        share = None if self.direction_confidence is None else 1 - self.direction_confidence
        return EdgeEvidence(self.strength, self.p_value, self.confidence, share)


EVIDENCE = tuple(f.name for f in fields(EdgeEvidence))
"""The columns of a table of edges that say what data say of a pair."""


@dataclass(frozen=True)
class Discovery:
    """A graph that data and time give, and how sure it is.

    Attributes:
        graph: Nodes and edges from data and tiers.
        roles: Of all columns of `units`: an expert may speak of a column that data could not place, such as `position`.
        colliders: The unshielded colliders that data suggest, the surest first.
        separations: Of the pairs that data called independent, (p-value, strength).
        edges: The graph as a table: source, target, strength, p_value and, where asked for, confidence and
            direction_confidence. None: nobody asked.
        shares: Of pairs without an edge: how sure one is.
    """

    graph: MPDAG
    roles: Mapping[str, str]
    colliders: tuple[Collider, ...] = ()
    separations: Mapping[Edge, tuple[float, float]] = field(default_factory=dict)
    edges: pl.DataFrame | None = None
    shares: Mapping[Edge, float] = field(default_factory=dict)

    @cached_property
    def skeleton(self) -> frozenset[Edge]:
        """The pairs with an edge, each in alphabetical order."""
        return frozenset(pair(a, b) for a, b in self.graph.directed | self.graph.undirected)

    @cached_property
    def arrows_from_data(self) -> frozenset[Edge]:
        """The arrows that come from data, not from the time order."""
        return frozenset(edge for edge in self.graph.directed if not self.follows_time(edge))

    def follows_time(self, edge: Edge) -> bool:
        """Whether the default time order alone gives a pair of columns this direction."""
        if not set(edge) <= self.roles.keys():
            return False
        cause, effect = (place_of(column, self.roles[column]) for column in edge)
        return cause < effect

    @cached_property
    def evidence(self) -> Mapping[Edge, EdgeEvidence]:
        """What data say of each pair, in both directions."""
        of_pair: dict[Edge, EdgeEvidence] = {}
        for (a, b), (p_value, strength) in self.separations.items():
            of_pair[a, b] = EdgeEvidence(strength, p_value, self.shares.get(pair(a, b)))
        for row in self.edges.iter_rows(named=True) if self.edges is not None else ():
            of_pair[row["source"], row["target"]] = EdgeEvidence(*(row.get(name) for name in EVIDENCE))
        return {edge[::-1]: evidence.turned() for edge, evidence in of_pair.items()} | of_pair
