"""DOT that parses, JSON that comes back, networkx."""

import json

import networkx as nx
import polars as pl
import pydot
import pytest

from causalrec.answers import InputError
from causalrec.graph.drawing.exports import GraphExport, from_json
from causalrec.graph.knowledge.edge_table import SCHEMA

EDGES = [
    ("price in €", "t", "directed", "conflict", 0.1, 0.2, 0.9, 0.7, "Ada", 'she said "so"', "2026-01-01"),
    ("a:b", "t", "directed", "both", 0.1, 0.2, None, None, "Ada", "w", "2026-01-01"),
    ("a:b", "price in €", "undirected", "data", 0.3, 0.0, 0.5, 0.5, None, None, None),
    ('taste"s', "y", "directed", "expert", None, None, None, None, "Ada", "w", "2026-01-01"),
]
GRAPH = GraphExport(
    pl.DataFrame(EDGES, schema=SCHEMA, orient="row"),
    ["price in €", "a:b", "t", "y", "node", 'taste"s'],
    {"price in €": 0, "a:b": 0, "t": 2, "y": 4, "node": 1},
    {"price in €": "pre_treatment", "a:b": "pre_treatment", "t": "treatment", "y": "outcome", "node": "pre_treatment"},
    dropped={"month": "constant: every unit has 3"},
    about={"day": "2026-03-15"},
)


def test_json_comes_back_as_it_was():
    again = from_json(GRAPH.to_json())
    assert again.table.equals(GRAPH.table) and again.table.schema == GRAPH.table.schema
    assert (again.nodes, again.tiers, again.roles) == (GRAPH.nodes, GRAPH.tiers, GRAPH.roles)
    assert (again.dropped, again.about, tuple(again.names)) == (GRAPH.dropped, GRAPH.about, GRAPH.names)
    assert again.to_json() == GRAPH.to_json()


def test_a_graph_without_edges_comes_back():
    empty = GraphExport(GRAPH.table.clear(), ["t"], {"t": 2}, {"t": "treatment"})
    assert from_json(empty.to_json()).table.equals(empty.table)


def test_networkx_reads_the_json():
    for graph in (nx.node_link_graph(json.loads(GRAPH.to_json()), edges="edges"), GRAPH.to_networkx()):
        assert graph.is_directed() and set(graph) == set(GRAPH.nodes)
        assert graph.nodes["t"] == {"tier": 2, "tier_name": "treatment", "role": "treatment"}
        assert graph.nodes['taste"s']["role"] == "hidden"
        assert graph.edges["price in €", "t"]["who"] == "Ada"
        assert graph.graph["dropped"] == GRAPH.dropped


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no causal graph as JSON"),
        ("nothing", "no causal graph as JSON"),
        (GRAPH.to_json().replace('"schema_version": 1', '"schema_version": 9'), "layout 9; this version reads 1"),
    ],
)
def test_another_text_is_refused_in_words(text, message):
    with pytest.raises(InputError, match=message):
        from_json(text)


def test_dot_is_read_by_a_parser():
    (graph,) = pydot.graph_from_dot_data(GRAPH.to_dot())
    names = {n.get_name().strip('"').replace('\\"', '"') for n in graph.get_nodes()} - {"node", "edge"}
    assert names | {"node"} == set(GRAPH.nodes)
    edges = {(e.get_source(), e.get_destination()): e for e in graph.get_edges()}
    assert len(edges) == len(EDGES)
    against = edges['"price in €"', '"t"']
    assert against.get_style() == "dashed" and against.get_color() == '"#dc2626"' and against.get_label() == '"0.90"'
    assert edges['"a:b"', '"price in €"'].get_dir() == "none" and edges['"a:b"', '"t"'].get_dir() is None
    assert float(against.get_penwidth()) > float(edges['"a:b"', '"price in €"'].get_penwidth())
    hidden = next(n for n in graph.get_nodes() if "taste" in n.get_name())
    assert "dashed" in hidden.get_style()
