"""Where the nodes and edges of a causal graph go on a page: time runs from top to bottom, one band for each tier.

Within a band an effect is in a row below its causes. An edge that spans rows has a bend in each row that it crosses,
and a bend keeps its place in its row as a node does: so no edge runs through a node.

Source: Sugiyama, Tagawa and Toda (1981), IEEE Transactions on Systems, Man and Cybernetics 11(2), "Methods for visual
understanding of hierarchical system structures".
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[str, str]
Spot = str | tuple[Edge, int]
"""A node, or an edge's bend in a row."""
BEND = 0.17
"""Width that an edge takes in a row that it crosses."""
GAP = 0.2
PER_ROW = 7
SWEEPS = 24


@dataclass(frozen=True)
class Layout:
    """Places in inches; y grows downwards.

    Attributes:
        row: Node -> its row, from 0.
        x: Of the middle of each node and bend.
        rows: The nodes and bends of each row, from left to right.
        bands: Tier -> its first and last row.
    """

    row: Mapping[str, int]
    x: Mapping[Spot, float]
    rows: Sequence[Sequence[Spot]]
    bands: Mapping[int, tuple[int, int]]
    width: float

    def bends(self, edge: Edge) -> list[tuple[float, int]]:
        """(x, row) of the places that an edge goes through, from its upper end to its lower one."""
        upper, lower = sorted(edge, key=lambda node: self.row[node])
        between = [(self.x[edge, r], r) for r in range(self.row[upper] + 1, self.row[lower])]
        return [(self.x[upper], self.row[upper]), *between, (self.x[lower], self.row[lower])]


def lay_out(widths: Mapping[str, float], tiers: Mapping[str, int], edges: Sequence[tuple[str, str, bool]]) -> Layout:
    """Place a graph.

    Args:
        widths: Node -> the width of its box.
        tiers: Node -> the number of its tier.
        edges: (source, target, whether its direction is known).
    """
    row, bands = _rows_of(widths, tiers, edges)
    spots: dict[int, list[Spot]] = {r: [] for r in range(max(row.values(), default=-1) + 1)}
    for node in sorted(row):
        spots[row[node]].append(node)
    above: dict[Spot, list[Spot]] = defaultdict(list)
    below: dict[Spot, list[Spot]] = defaultdict(list)
    for a, b, _ in edges:
        upper, lower = (a, b) if row[a] < row[b] else (b, a)
        chain: list[Spot] = [upper, *(((a, b), r) for r in range(row[upper] + 1, row[lower])), lower]
        for place in chain[1:-1]:
            spots[row[upper] + chain.index(place)].append(place)
        for first, second in pairwise(chain):
            above[second].append(first)
            below[first].append(second)
    rows = _ordered([spots[r] for r in sorted(spots)], above, below)
    x = _spread(rows, widths, above, below)
    left = min((x[s] - _half(s, widths) for s in x), default=0.0)
    x = {spot: at - left for spot, at in x.items()}
    return Layout(row, x, rows, bands, max((x[s] + _half(s, widths) for s in x), default=0.0))


def _half(spot: Spot, widths: Mapping[str, float]) -> float:
    return widths[spot] / 2 if isinstance(spot, str) else BEND / 2


def _rows_of(
    widths: Mapping[str, float], tiers: Mapping[str, int], edges: Iterable[tuple[str, str, bool]]
) -> tuple[dict[str, int], dict[int, tuple[int, int]]]:
    """Rows: those of a tier below those of the earlier ones, an effect below its causes."""
    row: dict[str, int] = {}
    bands: dict[int, tuple[int, int]] = {}
    known = list(edges)
    for tier in sorted(set(tiers.values())):
        nodes_of_tier = sorted(n for n in widths if tiers[n] == tier)
        order = _in_order(nodes_of_tier, [(a, b) for a, b, sure in known if sure])
        place = {node: k for k, node in enumerate(order)}
        inside = [(a, b) if place[a] < place[b] else (b, a) for a, b, _ in known if a in place and b in place]
        earliest, latest = dict.fromkeys(order, 0), dict.fromkeys(order, 0)
        for node in order:
            earliest[node] = max((earliest[a] + 1 for a, b in inside if b == node), default=0)
        depth = max(*earliest.values(), -(-len(nodes_of_tier) // PER_ROW) - 1)
        taken = [0.0] * (depth + 1)
        for node in reversed(order):
            latest[node] = min((latest[b] - 1 for a, b in inside if a == node), default=depth)
            # The emptiest row that it may have, the lowest of equals: short edges.
            choice = min(range(latest[node], earliest[node] - 1, -1), key=lambda r: round(taken[r], 3))
            latest[node] = choice
            taken[choice] += widths[node] + GAP
        first = max((last for _, last in bands.values()), default=-1) + 1
        used = sorted(set(latest.values()))
        row |= {node: first + used.index(r) for node, r in latest.items()}
        bands[tier] = (first, first + len(used) - 1)
    return row, bands


def _in_order(nodes: Sequence[str], arrows: Iterable[Edge]) -> list[str]:
    """Causes before effects."""
    left, order = list(nodes), []
    pointed = [(a, b) for a, b in arrows if a in left and b in left]
    while left:
        free = next((n for n in left if not any(b == n and a in left for a, b in pointed)), left[0])
        order.append(free)
        left.remove(free)
    return order


def _ordered(
    rows: list[list[Spot]], above: Mapping[Spot, list[Spot]], below: Mapping[Spot, list[Spot]]
) -> list[list[Spot]]:
    """Rows in the order with few crossings: sweeps that put each spot at the mean of its neighbours."""
    best, fewest = [list(r) for r in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        beside = above if down else below
        for k in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            place = {spot: n for n, spot in enumerate(rows[k - 1 if down else k + 1])}
            own = {spot: n for n, spot in enumerate(rows[k])}
            scale = max(len(place), 1) / max(len(own), 1)

            def mean(
                spot: Spot,
                place: dict[Spot, int] = place,
                own: dict[Spot, int] = own,
                beside: Mapping[Spot, list[Spot]] = beside,
                scale: float = scale,
            ) -> float:
                near = beside.get(spot, [])
                return sum(place[n] for n in near) / len(near) if near else own[spot] * scale

            rows[k] = sorted(rows[k], key=mean)
        if (crossings := _crossings(rows, below)) < fewest:
            best, fewest = [list(r) for r in rows], crossings
    return best


def _crossings(rows: Sequence[Sequence[Spot]], below: Mapping[Spot, list[Spot]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {spot: n for n, spot in enumerate(lower)}
        ends = [n for spot in upper for n in sorted(place[b] for b in below.get(spot, []))]
        seen: list[int] = []
        for end in ends:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _spread(
    rows: Sequence[Sequence[Spot]],
    widths: Mapping[str, float],
    above: Mapping[Spot, list[Spot]],
    below: Mapping[Spot, list[Spot]],
) -> dict[Spot, float]:
    """Places in each row: near the neighbours above and below, in order, and apart."""
    apart: list[list[float]] = []
    for row in rows:
        at, total = [], 0.0
        for k, spot in enumerate(row):
            if k:
                total += _half(row[k - 1], widths) + _half(spot, widths)
                total += GAP if isinstance(spot, str) and isinstance(row[k - 1], str) else GAP / 2
            at.append(total)
        apart.append(at)
    x = {spot: at - apart[k][-1] / 2 for k, row in enumerate(rows) for spot, at in zip(row, apart[k], strict=True)}
    for sweep in range(60):
        order = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        for k in order:
            wished, weights = [], []
            for spot in rows[k]:
                near = [*above.get(spot, []), *below.get(spot, [])]
                # A bend beside a bend is held straight: a long edge that wavers is hard to follow.
                pull = [4.0 if not isinstance(spot, str) and not isinstance(n, str) else 1.0 for n in near]
                total = sum(pull)
                wished.append(sum(p * x[n] for p, n in zip(pull, near, strict=True)) / total if near else x[spot])
                weights.append(total or 0.1)
            kept = _rising([w - a for w, a in zip(wished, apart[k], strict=True)], weights)
            x |= {spot: at + a for spot, at, a in zip(rows[k], kept, apart[k], strict=True)}
    return x


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest values that do not fall (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            v, w, n = pools.pop()
            pool = ((v * w + pool[0] * pool[1]) / (w + pool[1]), w + pool[1], n + pool[2])
        pools.append(pool)
    return [v for v, _, n in pools for _ in range(n)]
