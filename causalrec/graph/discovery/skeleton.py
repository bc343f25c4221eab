"""causal-learn's PC: which pairs depend on each other whatever they are conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats
from causalrec.graph.independence.protocol import Tests
from causalrec.settings.discovery import Search

Separated = dict[tuple[int, int], tuple[int, ...]]
"""For a pair of nodes (the lower first) a set that separates it."""


@dataclass(frozen=True)
class Skeleton:
    """What PC found between nodes 0, 1, ...

    Attributes:
        edges: Pairs (i, j), i < j, that no set separates.
        separated: For each other pair the sets that separate it: the first one found, or, with causal-learn's rule,
            those that it lists (each a union of several).
        matrix: causal-learn's graph: i -> j is written matrix[j, i] = 1 and matrix[i, j] = -1.
    """

    edges: frozenset[tuple[int, int]]
    separated: dict[tuple[int, int], tuple[tuple[int, ...], ...]]
    matrix: npt.NDArray[np.int64]

    def neighbours(self, node: int) -> list[int]:
        return sorted(b if a == node else a for a, b in self.edges if node in (a, b))


def find_skeleton(tests: Tests, tiers: Mapping[str, int], search: Search) -> Skeleton:
    """Run PC through causal-learn's public interface.

    causal-learn asks for every set of a size although one has separated the pair already. Unless its own rule is
    wanted, the registered test remembers separated pairs and calls them dependent at once: the same skeleton, a
    fraction of the tests.

    Args:
        tests: Between the nodes, in the order of `tiers`.
        tiers: Node -> its tier.
    """
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    names = list(tiers)
    knowledge = None
    if len(set(tiers.values())) > 1:
        knowledge = BackgroundKnowledge()
        for name, tier in tiers.items():
            knowledge.add_node_to_tier(GraphNode(name), tier)
    remembered: Separated | None = None if search.separating_sets == "stock" else {}
    no_rows = np.zeros((max(2, len(names) + 1), len(names)))
    causal_graph = pc(
        no_rows,
        search.alpha,
        register(),
        stable=True,
        background_knowledge=knowledge,
        show_progress=False,
        node_names=names,
        max_k=search.max_conditioning,
        blocks=tests,
        alpha_of_test=search.alpha,
        separated=remembered,
    )
    matrix = np.asarray(causal_graph.G.graph, dtype=np.int64)
    pairs = [(i, j) for j in range(len(names)) for i in range(j)]
    edges = frozenset((i, j) for i, j in pairs if matrix[i, j] or matrix[j, i])
    separated: dict[tuple[int, int], tuple[tuple[int, ...], ...]] = {}
    for i, j in pairs:
        if (i, j) in edges:
            continue
        if remembered is not None:
            separated[i, j] = (remembered[i, j],)
        else:
            separated[i, j] = tuple(tuple(int(k) for k in s) for s in causal_graph.sepset[i, j] or [()])
    return Skeleton(edges, separated, matrix)


TEST_NAME = "causalrec"


@lru_cache(maxsize=1)
def register() -> str:
    """Register the tests with causal-learn and return their name.

    A search is given `blocks=tests`, and, to stop early, `separated={}`: the first set that separates a pair is
    put there (`alpha_of_test` says what separates), and the pair is called dependent from then on.
    """
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class Registered(CIT_Base):  # type: ignore[misc]
        """causal-learn hands over the data; the tests come as a keyword of the search."""

        def __init__(
            self,
            data: Floats,
            blocks: Tests,
            alpha_of_test: float = 0.0,
            separated: Separated | None = None,
            **kwargs: Any,
        ) -> None:
            super().__init__(data, **kwargs)
            self.method, self.blocks, self.level, self.separated = TEST_NAME, blocks, alpha_of_test, separated

        def __deepcopy__(self, memo: object) -> Registered:
            # causal-learn copies its graph, and with it all that the tests have answered, to orient it.
            return self

        def __call__(self, x: int, y: int, condition_set: Sequence[int] | None = None) -> float:
            if self.separated is None:
                return self.blocks(int(x), int(y), [int(k) for k in condition_set or ()])
            pair = (int(x), int(y)) if x < y else (int(y), int(x))
            if pair in self.separated:
                return 0.0
            given = tuple(int(k) for k in condition_set or ())
            p_value = self.blocks(*pair, given)
            if p_value > self.level:
                self.separated[pair] = given
            return p_value

    register_ci_test(TEST_NAME, Registered)
    return TEST_NAME
