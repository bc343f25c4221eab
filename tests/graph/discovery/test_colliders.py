"""Early stopping, and which set decides a collider."""

import numpy as np
import pytest

from causalrec.graph.discovery.colliders import decide
from causalrec.graph.discovery.pc import find_graph
from causalrec.graph.discovery.skeleton import Skeleton, find_skeleton
from causalrec.graph.independence.blocks import BlockTest
from causalrec.settings.discovery import Search


class Told:
    """Answers by a list of what is independent, and counts what it is asked."""

    floor = 0.0

    def __init__(self, independent: dict[tuple[int, int], dict[tuple[int, ...], float]]) -> None:
        self.independent, self.tested = independent, []

    def test(self, x, y, given=()):
        self.tested.append((x, y, tuple(given)))
        p_value = self.independent.get((min(x, y), max(x, y)), {}).get(tuple(sorted(given)), 0.0)
        return p_value, 0.0 if p_value else 1.0

    def __call__(self, x, y, given=()):
        return self.test(x, y, given)[0]


TIERS = dict.fromkeys("abcd", 0)


def gaussian(seed: int, rows: int = 5_000, nodes: int = 8) -> BlockTest:
    rng = np.random.default_rng(seed)
    values = np.zeros((rows, nodes))
    for k in range(nodes):
        weights = (rng.random(k) < 0.4) * rng.choice([-1, 1], k) * rng.uniform(0.3, 0.9, k)
        values[:, k] = values[:, :k] @ weights + rng.normal(size=rows)
    return BlockTest([v[:, None] for v in values.T], 0.0)


def test_stopping_early_gives_the_same_skeleton_with_fewer_tests():
    tiers = {f"v{k}": k // 3 for k in range(8)}
    for seed in range(4):
        counts, skeletons = {}, {}
        for rule in ("stock", "strongest"):
            tests = gaussian(seed)
            skeletons[rule] = find_skeleton(tests, tiers, Search(separating_sets=rule, max_conditioning=8))
            counts[rule] = len(tests._cache)
        assert skeletons["stock"].edges == skeletons["strongest"].edges, seed
        assert counts["strongest"] <= counts["stock"], seed


def test_upstream_goes_on_after_a_pair_is_separated_and_joins_all_sets():
    """a and d are separated by b and by c: causal-learn lists them as one set, and asks again from d's side."""
    tests = Told({(0, 3): {(1,): 0.9, (2,): 0.8}})
    stock = find_skeleton(tests, TIERS, Search(separating_sets="stock", max_conditioning=1))
    assert {frozenset(s) for s in stock.separated[0, 3]} == {frozenset({1, 2})}
    early = Told(tests.independent)
    ours = find_skeleton(early, TIERS, Search(max_conditioning=1))
    assert ours.edges == stock.edges and ours.separated[0, 3] == ((1,),)
    assert (0, 3, (2,)) not in early.tested


def test_the_strongest_set_decides_not_the_first():
    """a - c - b with a further neighbour d of a: c separates weakly, d strongly, so c is a collider."""
    edges = frozenset({(0, 2), (1, 2), (0, 3)})
    skeleton = Skeleton(edges, {(0, 1): ((2,),), (1, 3): ((),), (2, 3): ((),)}, np.zeros((4, 4), int))
    tests = Told({(0, 1): {(2,): 0.06, (3,): 0.9, (): 0.2, (2, 3): 0.01}, (2, 3): {(0,): 0.9}, (1, 3): {(): 0.9}})
    colliders, believed = decide(skeleton, tests, Search(alpha=0.05))
    assert believed[0, 1] == (3,) and (0, 2, 1) in colliders
    assert (0, 2, 1) not in decide(skeleton, tests, Search(alpha=0.05, separating_sets="stock"))[0]
    assert (0, 2, 1) in decide(skeleton, tests, Search(alpha=0.05, separating_sets="majority"))[0]


@pytest.mark.parametrize("rule", ["strongest", "majority", "stock"])
def test_the_order_of_the_columns_does_not_matter(rule):
    tests = gaussian(9)
    graph = find_graph(tests, {f"v{k}": 0 for k in range(8)}, Search(separating_sets=rule)).graph
    order = [3, 1, 7, 0, 2, 6, 5, 4]

    class Shuffled:
        floor = 0.0

        def test(self, x, y, given=()):
            return tests.test(order[x], order[y], [order[k] for k in given])

        def __call__(self, x, y, given=()):
            return self.test(x, y, given)[0]

    again = find_graph(Shuffled(), {f"v{k}": 0 for k in order}, Search(separating_sets=rule)).graph
    assert {frozenset(e) for e in graph.directed | graph.undirected} == {
        frozenset(e) for e in again.directed | again.undirected
    }
    if rule != "stock":
        assert (graph.directed, graph.undirected) == (again.directed, again.undirected)
