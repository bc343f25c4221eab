"""Random models of 0/1 nodes: every probability is known, under observation and under intervention."""

from __future__ import annotations

import networkx as nx
import numpy as np


class Scm:
    """Each node is 1 with a chance that rises with each of its parents."""

    def __init__(self, rng: np.random.Generator, nodes, arrows) -> None:
        graph = nx.DiGraph(list(arrows))
        graph.add_nodes_from(nodes)
        self.order = list(nx.lexicographical_topological_sort(graph))
        self.parents = {node: sorted(graph.predecessors(node)) for node in nodes}
        self.bias = {node: rng.uniform(-2.0, 0.0) for node in nodes}
        self.weights = {node: rng.uniform(0.8, 2.5, len(self.parents[node])) for node in nodes}
        self.states = np.indices([2] * len(self.order)).reshape(len(self.order), -1).T

    def column(self, node: str) -> np.ndarray:
        return self.states[:, self.order.index(node)]

    def _chance(self, node: str, values) -> np.ndarray:
        score = self.bias[node] + sum(
            w * values(p) for w, p in zip(self.weights[node], self.parents[node], strict=True)
        )
        return 1 / (1 + np.exp(-score))

    def joint(self, do=None) -> np.ndarray:
        """The probability of each state."""
        p = np.ones(len(self.states))
        for node in self.order:
            x = self.column(node)
            if do and node in do:
                p = p * (x == do[node])
            else:
                one = self._chance(node, self.column)
                p = p * np.where(x == 1, one, 1 - one)
        return p

    def mean(self, node: str, do=None) -> float:
        return float(self.joint(do) @ self.column(node))

    def draw(self, uniforms: dict[str, np.ndarray], do=None) -> dict[str, np.ndarray]:
        """The same units in another world: what chance decides is in `uniforms`."""
        values: dict[str, np.ndarray] = {}
        for node in self.order:
            if do and node in do:
                values[node] = np.broadcast_to(do[node], uniforms[node].shape)
            else:
                values[node] = (uniforms[node] < self._chance(node, values.__getitem__)).astype(float)
        return values

    def table(self, names) -> dict[tuple[int, ...], float]:
        """The observed joint of some nodes."""
        p, found = self.joint(), {}
        for key, weight in zip(zip(*(self.column(n) for n in names), strict=True), p, strict=True):
            found[tuple(int(k) for k in key)] = found.get(tuple(int(k) for k in key), 0.0) + weight
        return found
