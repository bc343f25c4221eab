"""FCI as a second opinion: hidden common causes are seen, and causal-learn's own use of tiers would not see them."""

import numpy as np

from causalrec.graph.discovery.fci import second_opinion
from causalrec.graph.discovery.pc import find_graph
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.mpdag import pair
from causalrec.settings.discovery import Search

SEARCH = Search()


def opinion(columns: dict[str, np.ndarray], tiers: dict[str, int] | None = None):
    tests = BlockTest([values[:, None] for values in columns.values()], SEARCH.floor)
    found = find_graph(tests, tiers or dict.fromkeys(columns, 0), SEARCH)
    return found, second_opinion(found, SEARCH)


def confounded(rows: int = 20_000) -> dict[str, np.ndarray]:
    """a -> x, b -> y, and what causes both x and y is not there."""
    rng = np.random.default_rng(1)
    hidden, a, b = rng.normal(size=(3, rows))
    return {
        "a": a,
        "b": b,
        "x": a + hidden + rng.normal(size=rows),
        "y": b + hidden + rng.normal(size=rows),
    }


def test_a_hidden_common_cause_is_listed():
    _, said = opinion(confounded())
    assert said.edges["x", "y"] == "x <-> y"
    assert [(d.a, d.b) for d in said.disagreements] == [("x", "y")]
    assert "not logged" in said.disagreements[0].says
    assert said.finished


def test_it_is_listed_also_where_tiers_say_which_would_come_first():
    found, said = opinion(confounded(), {"a": 0, "b": 1, "x": 1, "y": 2})
    assert ("x", "y") in found.graph.directed
    assert said.edges["x", "y"] == "x <-> y"


def test_without_hidden_causes_there_is_nothing_to_list():
    rng = np.random.default_rng(2)
    a, b, noise_x, noise_y = rng.normal(size=(4, 20_000))
    x = a + b + noise_x
    _, said = opinion({"a": a, "b": b, "x": x, "y": x + noise_y})
    assert said.disagreements == ()
    assert said.edges["x", "y"] == "x -> y"


def test_when_the_time_is_over_it_says_so_and_keeps_what_was_not_tried():
    rng = np.random.default_rng(3)
    base = rng.normal(size=5_000)
    columns = {f"v{k}": base + rng.normal(size=5_000) for k in range(7)}
    tests = BlockTest([values[:, None] for values in columns.values()], SEARCH.floor)
    found = find_graph(tests, dict.fromkeys(columns, 0), SEARCH)
    said = second_opinion(found, SEARCH, seconds=0.0)
    assert not said.finished
    assert set(said.edges) == found.graph.undirected | {pair(*e) for e in found.graph.directed}


def test_upstream_claims_with_tiers_that_a_confounded_pair_is_an_effect():
    """Fails when causal-learn's `fci` stops drawing a tail where a tier only forbids the other direction."""
    import contextlib
    import io

    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased.FCI import fci
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    columns = confounded(5_000)
    knowledge = BackgroundKnowledge()
    for name, tier in {"a": 0, "b": 1, "x": 1, "y": 2}.items():
        knowledge.add_node_to_tier(GraphNode(name), tier)
    with contextlib.redirect_stdout(io.StringIO()):
        graph, _ = fci(
            np.column_stack(list(columns.values())),
            "fisherz",
            0.001,
            background_knowledge=knowledge,
            show_progress=False,
            node_names=list(columns),
        )
    x, y = list(columns).index("x"), list(columns).index("y")
    assert (graph.graph[y, x], graph.graph[x, y]) == (1, -1)
