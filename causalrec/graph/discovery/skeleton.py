"""causal-learn's PC: which pairs depend on each other whatever they are conditioned on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalrec.graph.independence.blocks import Separated, Tests, register
from causalrec.settings.discovery import Search


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
    found = pc(
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
    matrix = np.asarray(found.G.graph, dtype=np.int64)
    pairs = [(i, j) for j in range(len(names)) for i in range(j)]
    edges = frozenset((i, j) for i, j in pairs if matrix[i, j] or matrix[j, i])
    separated: dict[tuple[int, int], tuple[tuple[int, ...], ...]] = {}
    for i, j in pairs:
        if (i, j) in edges:
            continue
        if remembered is not None:
            separated[i, j] = (remembered[i, j],)
        else:
            separated[i, j] = tuple(tuple(int(k) for k in s) for s in found.sepset[i, j] or [()])
    return Skeleton(edges, separated, matrix)
