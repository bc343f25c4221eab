"""What the table `discovered_graph` says beside its edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from causalrec.graph.discovery.result import Dropped


@dataclass(frozen=True)
class EdgeDisagreement:
    """An edge that FCI reads in another way than PC.

    Attributes:
        pc, fci: The edge in each.
        says: What follows, in words.
        share_of_draws: In which share of the draws FCI reads it so; None without draws.
    """

    pc: str
    fci: str
    says: str
    share_of_draws: float | None


@dataclass(frozen=True)
class NodesNotes:
    """Of any graph.

    Attributes:
        nodes: Its columns.
    """

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class WindowNotes(NodesNotes):
    """What is so of a window's units, whatever an expert says of them.

    Attributes:
        tiers: Node -> the number of its tier.
        roles: Column -> role in the questions.
        dropped: The columns that are no nodes, each with its reason.
        disagreements: Where FCI reads an edge in another way than PC.
        draws: How sure of the edges one is, in words.
        organic_rows: Which impressions nobody recommended were logged.
        rows: The units that were searched.
        rates: Outcome -> its mean among them, None where it is known of none.
        split: Whether the graph was found on one half of the clusters, for effects to be estimated on the other.
    """

    tiers: Mapping[str, int]
    roles: Mapping[str, str]
    dropped: tuple[Dropped, ...]
    disagreements: tuple[EdgeDisagreement, ...]
    draws: str
    organic_rows: str
    rows: int
    rates: Mapping[str, float | None]
    split: bool


@dataclass(frozen=True)
class DiscoveryNotes(WindowNotes):
    """Of the table `discovered_graph`.

    Attributes:
        separations: (a, b, p, r) of each pair that a test has parted: its p-value, and the partial correlation.
        shares: (a, b, share) of the pairs without an edge that a draw joined: how sure an edge is.
        colliders: (a, c, b): both point to c.
    """

    separations: tuple[tuple[str, str, float, float], ...]
    shares: tuple[tuple[str, str, float], ...]
    colliders: tuple[tuple[str, str, str], ...]
