import polars as pl

from causalrec.model.effects.sets import blocks_back_doors
from tests.model.effects.worlds import BASE, DIRECT, FRONT_DOOR, INSTRUMENT


def test_a_model_of_both_arms_stands_on_back_doors_of_total_effects_only():
    rows = [BASE | {"question": "a"}, FRONT_DOOR | {"question": "b"}, INSTRUMENT | {"question": "c"}]
    rows += [DIRECT | {"question": "d"}, BASE | {"question": "e", "status": "not_identifiable"}]
    sets = pl.DataFrame(rows, infer_schema_length=None)
    assert blocks_back_doors(sets)["question"].to_list() == ["a"]
    assert blocks_back_doors(sets.drop("strategy"))["question"].to_list() == ["a", "b", "c", "d"]
