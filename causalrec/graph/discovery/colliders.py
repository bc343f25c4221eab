"""Which unshielded triples are colliders: a -> c <- b where the set that separates a and b does not hold c.

Source: Ramsey (2016), arXiv 1610.00378, "Improving accuracy and scalability of the PC algorithm by maximizing p-value";
Colombo and Maathuis (2014), JMLR 15, "Order-independent constraint-based causal structure learning".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from causalrec.graph.discovery.skeleton import Skeleton
from causalrec.graph.independence.protocol import Tests
from causalrec.settings.discovery import Search

Triple = tuple[int, int, int]


def triples(skeleton: Skeleton) -> Iterator[Triple]:
    """(a, c, b), a < b: both beside c, not beside each other."""
    nodes = sorted({k for edge in skeleton.edges for k in edge})
    for c in nodes:
        for a, b in combinations(skeleton.neighbours(c), 2):
            if (a, b) not in skeleton.edges:
                yield a, c, b


def candidates(skeleton: Skeleton, a: int, b: int, most: int) -> list[tuple[int, ...]]:
    """All sets of a's neighbours, and of b's, of at most so many, and the set that PC separated them by."""
    sets = set(skeleton.separated[a, b])
    for node, other in ((a, b), (b, a)):
        beside = [k for k in skeleton.neighbours(node) if k != other]
        for size in range(min(most, len(beside)) + 1):
            sets.update(combinations(beside, size))
    return sorted(sets, key=lambda s: (len(s), s))


def decide(
    skeleton: Skeleton, tests: Tests, search: Search
) -> tuple[set[Triple], dict[tuple[int, int], tuple[int, ...]]]:
    """The unshielded colliders by the rule that the search names, and which set is believed to separate each pair."""
    if search.separating_sets == "stock":
        return stored(skeleton), {pair: sets[0] for pair, sets in skeleton.separated.items()}
    believed = {pair: sets[0] for pair, sets in skeleton.separated.items()} | strongest(
        skeleton, tests, search.max_conditioning
    )
    if search.separating_sets == "majority":
        return majority(skeleton, tests, search), believed
    return {(a, c, b) for a, c, b in triples(skeleton) if c not in believed[a, b]}, believed


def strongest(skeleton: Skeleton, tests: Tests, most: int) -> dict[tuple[int, int], tuple[int, ...]]:
    """For each pair with a common neighbour the set under which the two depend on each other least."""
    best: dict[tuple[int, int], tuple[int, ...]] = {}
    for a, b in sorted({(a, b) for a, _, b in triples(skeleton)}):
        sets = candidates(skeleton, a, b, most)
        # The largest p-value; among equal ones (all 0 in millions of rows) the least dependence, then the smallest.
        p_value, strength = zip(*(tests.test(a, b, s) for s in sets), strict=True)
        best[a, b] = sets[max(range(len(sets)), key=lambda k: (p_value[k], -strength[k], -k))]
    return best


def majority(skeleton: Skeleton, tests: Tests, search: Search) -> set[Triple]:
    """Colliders by the share of separating sets that hold c: fewer than half."""
    colliders = set()
    for a, c, b in triples(skeleton):
        sets = [s for s in candidates(skeleton, a, b, search.max_conditioning) if tests(a, b, s) > search.alpha]
        if sets and sum(c in s for s in sets) / len(sets) < 0.5:
            colliders.add((a, c, b))
    return colliders


def stored(skeleton: Skeleton) -> set[Triple]:
    """Colliders by the sets that PC recorded, causal-learn's rule."""
    return {(a, c, b) for a, c, b in triples(skeleton) if all(c not in s for s in skeleton.separated[a, b])}
