"""Three lines of a notebook give a graph from a frame."""

import pytest

from causalrec.answers import InputError
from causalrec.graph.drawing.exports import from_json
from causalrec.notebook.graph import causal_graph
from causalrec.simulator.world.unit_scm import sample

COLUMNS = ["device", "price", "item_click_rate", "recommended", "position", "click"]


@pytest.fixture(scope="module")
def graph():
    frame = sample(20_000, seed=1).select(COLUMNS)
    expert = "required:\n  - {cause: recommended, effect: position, who: Ada, why: w, when: 2026-01-01}"
    return causal_graph(frame, treatment="recommended", outcomes=["click"], mediators=["position"], expert=expert)


def test_a_frame_gives_a_graph(graph):
    assert ("price", "recommended") in graph.oriented.graph.directed
    assert ("recommended", "position") in graph.oriented.graph.directed
    assert [d.column for d in graph.dropped] == ["position"]
    assert graph.table["strength"].drop_nulls().len() == graph.table.height - 1


def test_it_is_shown_asked_and_exported(graph):
    assert graph._repr_png_().startswith(b"\x89PNG")
    answer = graph.adjust("recommended", "click")
    assert answer.answer.answered and {"price", "item_click_rate"} <= set(answer.columns)
    assert from_json(graph.export().to_json()).table.equals(graph.table)


def test_rows_of_a_user_may_depend_on_each_other(graph):
    frame = sample(2_000, seed=1).select(COLUMNS).with_row_index("user_id")
    assert "user_id" not in causal_graph(frame, "recommended", ["click"], clusters=["user_id"]).oriented.graph.nodes


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(InputError, match="the frame has no column clicks; it has device"):
        causal_graph(sample(100, seed=1).select(COLUMNS), "recommended", ["clicks"])


def test_a_frame_of_pandas_gives_the_same_graph():
    frame = sample(2_000, seed=1).select(COLUMNS)
    polars, pandas = (causal_graph(one, "recommended", ["click"]) for one in (frame, frame.to_pandas()))
    assert pandas.table.equals(polars.table)
