"""The picture: time runs down, and no edge runs through a box."""

import io
import itertools

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from causalrec.graph.drawing.layout import lay_out
from causalrec.graph.drawing.picture import BOX, COLOURS, Picture, draw, line_width
from tests.graph.strategies import dags, some

ROLES = {"a": "pre_treatment", "t": "treatment", "y": "outcome"}
TIERS = {"a": 0, "t": 2, "y": 4}
TABLE = pl.DataFrame(
    {
        "source": ["a", "a", "t", "taste"],
        "target": ["t", "y", "y", "y"],
        "mark": ["directed", "undirected", "directed", "directed"],
        "provenance": ["data", "both", "conflict", "expert"],
        "confidence": [0.9, 0.4, None, None],
    }
)


@st.composite
def drawings(draw, nodes: int):
    """Widths, tiers, and edges (from, to, whether the direction is known)."""
    names, arrows = draw(dags(nodes, 0.2))
    tiers = {n: draw(st.integers(0, 3)) for n in names}
    sure = draw(some(arrows, 0.8))
    edges = [(*edge, edge in sure) for edge in sorted(arrows) if tiers[edge[0]] <= tiers[edge[1]]]
    return {n: draw(st.floats(0.4, 1.6)) for n in names}, tiers, edges


@given(drawings(25))
def test_rows_follow_time_and_nothing_in_a_row_overlaps(drawing):
    widths, tiers, edges = drawing
    layout = lay_out(widths, tiers, edges)
    assert all(layout.row[a] < layout.row[b] for a, b in itertools.permutations(tiers, 2) if tiers[a] < tiers[b])
    assert all(layout.row[a] != layout.row[b] for a, b, _ in edges)
    assert all(layout.row[a] < layout.row[b] for a, b, sure in edges if sure)
    for row in layout.rows:
        for left, right in itertools.pairwise(row):
            half = [widths[s] / 2 if isinstance(s, str) else 0.05 for s in (left, right)]
            assert layout.x[left] + half[0] < layout.x[right] - half[1] + 1e-9


def test_an_edge_that_crosses_a_row_has_a_place_of_its_own_there():
    layout = lay_out(
        dict.fromkeys("abc", 1.0), {"a": 0, "b": 1, "c": 2}, [("a", "b", True), ("b", "c", True), ("a", "c", True)]
    )
    (_, first), (x, between), (_, last) = layout.bends(("a", "c"))
    assert (first, between, last) == (0, 1, 2) and abs(x - layout.x["b"]) > 0.5


def test_the_same_graph_is_the_same_bytes():
    assert draw(TABLE, TIERS, ROLES) == draw(TABLE, TIERS, ROLES)


def test_colours_say_where_an_edge_comes_from():
    picture = np.asarray(Image.open(io.BytesIO(draw(TABLE, TIERS, ROLES))).convert("RGB")).reshape(-1, 3).astype(int)
    for colour in COLOURS.values():
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert (np.abs(picture - wanted).sum(axis=1) < 60).any()


def test_a_table_without_provenance_and_one_without_edges_are_drawn():
    bare = TABLE.select("source", "target", "mark")
    for table in (bare, bare.clear()):
        assert draw(table, TIERS, ROLES).startswith(b"\x89PNG")
    assert draw(bare.clear(), {}, {}).startswith(b"\x89PNG")


def test_the_surer_the_wider_and_not_asked_is_between():
    assert line_width(0.0) < line_width(None) < line_width(1.0) and BOX > 0


def test_a_notebook_shows_it():
    assert Picture(TABLE, TIERS, ROLES)._repr_png_().startswith(b"\x89PNG")
