"""What becomes of each column: a node, or dropped by a named policy."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.graph.discovery.nodes import choose_nodes, column_policies, plain_nodes
from causalrec.graph.roles import NOT_THERE


def frame(rows: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "a": rng.normal(size=rows),
            "b": rng.poisson(4.0, rows),
            "city": np.array(["Bonn", "Rome", "Lyon", "Oslo"])[rng.integers(0, 4, rows)],
            "arm": rng.integers(0, 2, rows),
        }
    )


def dropped(data: pl.DataFrame, **roles: str) -> dict[str, str]:
    known = dict.fromkeys(data.columns, "pre_treatment") | {"arm": "treatment"} | roles
    return {d.column: d.reason for d in choose_nodes(data, known, [])[1]}


@pytest.mark.parametrize(
    "twin",
    [
        pl.col("a").exp().alias("twin"),
        (-pl.col("a")).alias("twin"),
        pl.col("city").replace_strict({"Bonn": 3, "Rome": 1, "Lyon": 2, "Oslo": 0}).alias("twin"),
        pl.col("b").cast(pl.String).alias("twin"),
        pl.col("arm").cast(pl.Boolean).alias("twin"),
    ],
)
def test_one_to_one_functions_are_duplicates_whatever_their_types(twin):
    found = dropped(frame().with_columns(twin))
    assert list(found) == ["twin"] and "one to one" in found["twin"]


def test_columns_of_which_every_value_is_another_are_no_duplicates():
    data = frame().with_columns(pl.Series("c", np.random.default_rng(2).normal(size=400)))
    assert dropped(data) == {}


def test_a_sum_is_dropped_with_what_it_follows_from():
    data = frame().with_columns((pl.col("a") * 2 + pl.col("b") - 7).alias("sum"))
    assert dropped(data)["sum"] == "collinear: it is a linear function of `a`, `b`"


@pytest.mark.parametrize("absurd", [1e12, 1.7e308])
def test_absurd_values_in_one_row_make_no_column_follow_from_another(absurd):
    rng = np.random.default_rng(5)
    slip = pl.int_range(pl.len()) == 17
    data = frame().with_columns(c=pl.Series(rng.normal(size=400)), d=pl.Series(rng.normal(size=400)))
    data = data.with_columns(pl.when(slip).then(absurd).otherwise(c).alias(c) for c in ("a", "c", "d"))
    assert dropped(data) == {}
    total = data.with_columns((pl.col("b") + pl.col("arm")).alias("sum"))
    assert dropped(total) == {"sum": "collinear: it is a linear function of `b`, `arm`"}


def test_a_coarser_level_is_dropped_wherever_it_stands():
    land = pl.col("city").replace_strict({"Bonn": "N", "Oslo": "N", "Rome": "S", "Lyon": "S"})
    data = frame().select(land.alias("land"), pl.all())
    assert dropped(data) == {"land": "collinear: it is a linear function of `city`"}


def test_the_treatment_and_the_outcomes_stay_whatever_they_follow_from():
    data = frame().with_columns(arm=(pl.col("city") == "Rome").cast(pl.Int8))
    assert "arm" not in dropped(data)


def test_constant_empty_and_missing_columns_are_named():
    data = frame().with_columns(one=pl.lit(1), none=pl.lit(None, dtype=pl.Int64))
    found = dropped(data, gone="pre_treatment")
    assert found == {"one": "constant: every unit has 1", "none": NOT_THERE, "gone": NOT_THERE}


def test_a_gap_is_a_level_or_an_indicator_and_is_said():
    gap = pl.Series(np.random.default_rng(3).random(400) < 0.2)
    data = frame().with_columns(
        pl.when(~gap).then("a").alias("a"), pl.when(~gap).then("city").alias("city"), pl.col("b").cast(pl.Float64)
    )
    nodes, gone = choose_nodes(data, dict.fromkeys(data.columns, "pre_treatment"), [])
    how = {n.name: n.how for n in nodes}
    assert not gone
    assert how["a"].endswith("gaps are an indicator of their own")
    assert how["city"].startswith("nominal, 5 levels") and how["city"].endswith("gaps are a level of their own")
    assert column_policies(nodes, gone)["node"].all()


def test_a_gap_of_the_treatment_leaves_it_to_the_expert():
    data = frame().with_columns(pl.when(pl.col("a") > 0).then("arm").alias("arm"))
    assert "expert graph" in dropped(data)["arm"]


def test_not_a_number_is_a_gap():
    data = frame().with_columns(pl.when(pl.col("a") > 1).then(float("nan")).otherwise("a").alias("a"))
    (node,) = [n for n in plain_nodes(data, {})[0] if n.name == "a"]
    assert node.block.gap.sum() == (frame()["a"] > 1).sum()


def test_ordered_levels_are_ranked_and_many_levels_are_bounded():
    kind = pl.Enum(["low", "mid", "high"])
    rng = np.random.default_rng(4)
    data = pl.DataFrame(
        {
            "grade": pl.Series(np.array(["low", "mid", "high"])[rng.integers(0, 3, 5_000)], dtype=kind),
            "shop": [f"s{k}" for k in rng.integers(0, 80, 5_000)],
        }
    )
    nodes, _ = plain_nodes(data, {})
    assert nodes[0].how.startswith("ordered levels") and nodes[0].block.width == 2
    assert nodes[1].block.levels == 30 and "rarest as one" in nodes[1].how


def test_a_list_is_no_node():
    with pytest.raises(InputError, match="column `l` is List"):
        plain_nodes(pl.DataFrame({"l": [[1], [2, 3]], "x": [1, 2]}), {})
