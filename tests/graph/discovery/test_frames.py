"""A graph from any frame."""

import doctest

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.graph.discovery import frames
from causalrec.graph.discovery.frames import discover_frame
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.counts import ContingencyTest


def test_the_example_of_the_docstring_is_right():
    assert doctest.testmod(frames).failed == 0


def collider(rows: int = 5_000) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 3, (2, rows))
    return pl.DataFrame({"a": a, "b": b, "c": (a + b + rng.integers(0, 2, rows)) % 4 > 1, "one": 1})


def test_discrete_frames_are_tested_by_tables():
    found = discover_frame(collider())
    assert isinstance(found.discovered.tests, ContingencyTest)
    assert found.graph.directed == {("a", "c"), ("b", "c")}
    assert found.table().columns == ["source", "target", "mark", "p_value", "strength"]
    assert found.columns().filter(~pl.col("node"))["column"].to_list() == ["one"]


def test_mixed_frames_are_tested_by_blocks_and_tiers_hold():
    rng = np.random.default_rng(2)
    data = collider().with_columns(x=pl.Series(rng.normal(size=5_000)) + pl.col("c") * 2)
    found = discover_frame(data, tiers={"x": 1})
    assert isinstance(found.discovered.tests, BlockTest)
    assert ("c", "x") in found.graph.directed


def test_what_cannot_be_searched_is_said():
    with pytest.raises(InputError, match="no columns"):
        discover_frame(collider(), tiers={"z": 1})
    with pytest.raises(InputError, match=r"at least two columns that vary: `one` is constant"):
        discover_frame(collider().select("a", "one"))
