"""How sure the graph is of each edge and direction: the search on users drawn anew, many times.

A draw takes as many users as there are, with replacement, each with all of its rows: rows of one user are not
independent, users are. A draw's tests use the same columns, each row counted as often as its user was drawn.

The share of draws with an edge says how sure it is, but is no probability: at a small alpha an edge that half of the
draws find is nearly always there. Two numbers turn a share into one, fitted where the truth is known (`EDGE`,
`DIRECTION`). What comes out speaks of the noise of the sample, not of what no sample tells: a common cause that nobody
logged gives an edge that every draw finds.

Source: Friedman, Goldszmidt and Wyner (1999), UAI, "Data analysis with Bayesian networks: a bootstrap approach".
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec.graph.discovery.pc import Discovered, find_graph
from causalrec.graph.independence.protocol import RedrawnTests
from causalrec.graph.mpdag import Edge, pair
from causalrec.settings.discovery import Search

MEMORY, FEWEST, MOST = 256 * 1024**2, 50, 400
"""Bytes of the groups' sums; and how many groups there are: the spread of draws of 50 is known to a tenth."""


EDGE, DIRECTION = (3.19, 3.71), (0.64, 1.29)
"""Intercept and slope of the log odds that an edge, or a direction, is true on the normal quantile of its share of
draws: fitted on the worlds of seeds 1 to 20 of benchmarks/graph/confidence.py, whose own figures are of later seeds."""


@dataclass(frozen=True)
class Confidence:
    """What the draws say.

    Attributes:
        draws: How many there were; 0 where none was asked for, and then nothing is known.
        asked: How many were asked for; more than `draws` where the time was over.
        adjacent: Pair -> in how many draws it had an edge.
        directed: (cause, effect) -> in how many draws it had this direction.
    """

    draws: int
    asked: int
    adjacent: Mapping[Edge, int]
    directed: Mapping[Edge, int]
    seconds: float = 0.0

    def share(self, a: str, b: str) -> float | None:
        """Share of draws in which the two were adjacent."""
        return self.adjacent.get(pair(a, b), 0) / self.draws if self.draws else None

    def direction_share(self, a: str, b: str) -> float | None:
        """Of the draws in which the two were adjacent, the share in which a -> b; an open edge is half of each."""
        adjacent_draws = self.adjacent.get(pair(a, b), 0)
        if not adjacent_draws:
            return None
        forward, backward = self.directed.get((a, b), 0), self.directed.get((b, a), 0)
        return (forward + (adjacent_draws - forward - backward) / 2) / adjacent_draws

    def edge(self, a: str, b: str) -> float | None:
        """How sure it is that the two are adjacent."""
        share = self.share(a, b)
        return None if share is None else calibrated(share, self.draws, EDGE)

    def direction(self, a: str, b: str) -> float | None:
        """How sure the direction a -> b is that the graph gives an edge, if there is one."""
        share = self.direction_share(a, b)
        return None if share is None else calibrated(share, self.adjacent[pair(a, b)], DIRECTION)

    def in_words(self) -> str:
        """How many draws there were, for the metadata."""
        if not self.asked:
            return "not asked for (discovery.yaml: bootstraps)"
        short = "" if self.draws == self.asked else f" of {self.asked}: the time was over (bootstrap_seconds)"
        return f"{self.draws} draw{'s' * (self.draws != 1)} of users{short}"


def calibrated(share: float, draws: int, line: tuple[float, float]) -> float:
    """The probability that a share of draws stands for.

    Args:
        line: `EDGE` or `DIRECTION`.

    Source:
        Platt (1999), "Probabilistic outputs for support vector machines", on the quantile of the share; half a draw is
        added to each side, so that no share is 0 or 1.
    """
    from scipy.special import expit, ndtri

    intercept, slope = line
    return float(expit(intercept + slope * ndtri((share * draws + 0.5) / (draws + 1))))


NO_DRAWS = Confidence(0, 0, {}, {})


def bootstrap(
    tests: RedrawnTests,
    tiers: Mapping[str, int],
    search: Search,
    users: npt.NDArray[np.int64],
    seed: int,
    progress: Callable[[str], object] | None = None,
    each: Callable[[Discovered], object] | None = None,
) -> Confidence:
    """Search the graph of `search.bootstraps` draws, or of those that `search.bootstrap_seconds` allow.

    Of many users, groups of users are drawn in their place, dealt at random: a group's sums of products are all that a
    draw needs of it, and groups of independent users are independent. So the rows are read once for all draws.

    Args:
        tests: Between the nodes, in the order of `tiers`.
        users: (rows,) codes; rows of one code are drawn together.
        seed: Of the draws.
        progress: Told after each draw.
        each: Shown what each draw found.
    """
    if not search.bootstraps:
        return NO_DRAWS
    rng, started = np.random.default_rng(seed), time.perf_counter()
    groups = _dealt(users, _most_groups(tests.bytes_of_a_group), rng)
    grouped, number = tests.in_groups(groups), int(groups.max()) + 1
    adjacent: Counter[Edge] = Counter()
    directed: Counter[Edge] = Counter()
    draws = 0
    while draws < search.bootstraps and (not draws or time.perf_counter() - started < search.bootstrap_seconds):
        times_drawn = np.bincount(rng.integers(0, number, number), minlength=number).astype(np.float64)
        drawn = find_graph(grouped.counted(times_drawn), dict(tiers), search)
        graph = drawn.graph
        adjacent.update(pair(a, b) for a, b in graph.directed | graph.undirected)
        directed.update(graph.directed)
        draws += 1
        if each:
            each(drawn)
        if progress:
            progress(f"bootstrap {draws} of {search.bootstraps}")
    return Confidence(draws, search.bootstraps, adjacent, directed, time.perf_counter() - started)


def _most_groups(size: int) -> int:
    """As many as `MEMORY` holds, and no more than say anything further."""
    return int(np.clip(MEMORY / size, FEWEST, MOST))


def _dealt(users: npt.NDArray[np.int64], most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The group of each row: its user's own, or of more users than `most` one of that many, dealt like cards."""
    _, codes = np.unique(users, return_inverse=True)
    number = int(codes.max()) + 1
    if number <= most:
        return np.asarray(codes, dtype=np.int64)
    return np.asarray((rng.permutation(number) % most)[codes], dtype=np.int64)
