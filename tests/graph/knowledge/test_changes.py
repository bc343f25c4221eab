"""The change since the last partition, and when it is more than noise."""

from datetime import date

import polars as pl
import pytest

from causalrec.answers import ANSWERED, insufficient_evidence
from causalrec.graph.knowledge.changes import changes_since, compare
from causalrec.home import Home
from causalrec_assets.graph.causal_graph import earlier_graph
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import open_store

COLUMNS = ["source", "target", "mark", "strength", "confidence", "direction_confidence"]


def table(*edges):
    rows = []
    for words, strength, *sure in edges:
        a, mark, b = words.split()
        rows.append((a, b, "directed" if mark == "->" else "undirected", strength, *(sure or (None, None))))
    schema = dict.fromkeys(COLUMNS[:3], pl.String) | dict.fromkeys(COLUMNS[3:], pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def changed(before, after, nodes=("a", "b", "c", "d"), nodes_after=None):
    return compare(before, list(nodes), after, list(nodes_after or nodes))


@pytest.mark.parametrize(
    ("before", "after", "change", "words"),
    [
        ([], ["a -> b"], "gained", "a -> b is new"),
        (["a -> b"], [], "lost", "a -> b is gone"),
        (["a -> b"], ["b -> a"], "turned", "a -> b is b -> a now"),
        (["a - b"], ["b -> a"], "directed", "b -> a: its direction was open"),
        (["b -> a"], ["a - b"], "opened", "b -> a: its direction is open now"),
    ],
)
def test_each_change_has_a_word(before, after, change, words):
    changes = changed(table(*((e, 0.1) for e in before)), table(*((e, 0.1) for e in after)))
    assert changes.table.select("change", "in_words").rows() == [(change, words)]
    assert (changes.distance, changes.edges, changes.per_edge) == (1, 1, 1.0)


def test_nothing_changed_and_an_open_edge_written_the_other_way_round_is_the_same():
    changes = changed(table(("a - b", 0.1), ("b -> c", 0.1)), table(("b - a", 0.11), ("b -> c", 0.1)))
    assert changes.table.is_empty() and changes.distance == 0 and changes.verdict(0.0)[0]


def test_a_strength_that_moved_is_told_and_is_no_distance():
    changes = changed(table(("a -> b", 0.1)), table(("a -> b", 0.3)))
    assert changes.table.row(0, named=True)["change"] == "stronger" and changes.distance == 0


def test_only_sure_edges_count_for_the_verdict_where_there_are_any():
    before = table(("a -> b", 0.1, 0.95, 0.9), ("b -> c", 0.1, 0.9, 0.6), ("a -> d", 0.1, 0.3, 0.9))
    after = table(("a -> b", 0.1, 0.9, 0.9), ("c -> b", 0.1, 0.9, 0.6))
    changes = changed(before, after)
    # The unsure edge is gone, and the sure one turned was not sure of its direction.
    assert (changes.distance, changes.sure_edges, changes.sure_changed) == (2, 2, 0)
    assert changes.verdict(0.1)[0] and "of the sure ones 0 of 2" in changes.verdict(0.1)[1]
    gone = changed(before, after.filter(pl.col("source") != "a"))
    assert gone.sure_changed == 1 and not gone.verdict(0.4)[0]


def test_a_new_edge_that_is_sure_counts_and_a_new_one_that_is_not_does_not():
    before = table(("a -> b", 0.1, 0.95, 0.9))
    for confidence, changed_of in ((0.9, (1, 2)), (0.4, (0, 1))):
        changes = changed(before, table(("a -> b", 0.1, 0.95, 0.9), ("c -> d", 0.1, confidence, 0.9)))
        assert (changes.sure_changed, changes.sure_edges) == changed_of


def test_without_confidence_all_edges_count():
    changes = changed(table(("a -> b", 0.1), ("b -> c", 0.1)), table(("a -> b", 0.1)))
    assert changes.sure_share is None and not changes.verdict(0.4)[0] and changes.verdict(0.5)[0]


def test_a_column_that_is_gone_is_told_and_is_no_drift():
    changes = changed(table(("a -> b", 0.1), ("b -> d", 0.1)), table(("a -> b", 0.1)), nodes_after=("a", "b", "c"))
    assert (changes.distance, changes.edges) == (0, 1) and "nodes gone: d" in changes.against
    assert "`d` is no node now" in changes.table["in_words"][0]


def test_a_table_of_an_older_version_without_confidence_is_compared():
    old = table(("a -> b", 0.1)).select("source", "target", "mark")
    assert changed(old, table(("a -> b", 0.1, 0.9, 0.9))).distance == 0


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_the_earlier_partition_is_read_and_recorded(home):
    first, second, third = (date(2026, 3, k) for k in (1, 2, 4))
    edges = table(("a -> b", 0.1))

    def since():
        inputs = Inputs(home, open_store(home), "causal_graph", "code", second, "run")
        changes = changes_since(earlier_graph(inputs, second), edges, ["a", "b"])
        return changes, inputs.recorded["latest:causal_graph:2026-03-02"]

    changes, recorded = since()
    assert changes.verdict(0.0) == (True, "no earlier day has a causal graph: nothing to compare with")
    assert recorded == "none"
    pointer = publish(home, first, edges)
    publish(home, third, edges.clear())
    changes, recorded = since()
    # The later day is not read: the same earlier days give the same comparison.
    assert (changes.distance, changes.against, recorded) == (0, "since 2026-03-01", pointer.hash)
    publish(home, first, edges.clear(), after=1, answer=insufficient_evidence("too few"))
    assert "the graph of 2026-03-01 says `insufficient_evidence` (too few)" in since()[0].verdict(0.0)[1]


def publish(home, day, rows, after=0, answer=ANSWERED):
    store = open_store(home)
    staged = store.staging("causal_graph", day, "run")
    rows.write_parquet(staged)
    version = Version("causal_graph", day, rows.height, answer, {"nodes": ["a", "b"]}, {}, {}, "run")
    return store.publish(staged, version, after)
