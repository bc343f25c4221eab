import polars as pl

from causalrec.logs.units.held_out import without_held_out

UNITS = pl.DataFrame({"unit_id": ["a", "b", "c"], "policy": ["shop", "random", None]})


def test_rows_of_held_out_policies_are_left_out_and_those_of_nobody_known_stay() -> None:
    assert without_held_out(UNITS, ["random"])["unit_id"].to_list() == ["a", "c"]


def test_where_none_is_held_out_all_rows_stay() -> None:
    assert without_held_out(UNITS, ()).equals(UNITS)
