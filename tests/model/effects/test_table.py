import polars as pl

from causalrec.answers import ANSWERED, not_identifiable
from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.model.effects.sets import answer_of
from causalrec.model.effects.study import EffectResult
from causalrec.model.effects.table import SCHEMA, effect_rows
from tests.model.effects.worlds import estimated
from tests.model.worlds import COLUMNS, toy

QUESTION = {"question": "q", "treatment": "recommended", "outcome": "click", "columns": COLUMNS}


def test_rows_of_a_question_without_an_answer_carry_no_number():
    rows = pl.DataFrame(effect_rows(QUESTION, EffectResult(not_identifiable("no organic arm"))), schema=SCHEMA)
    assert rows["estimator"].to_list() == list(EFFECT_ESTIMATORS)
    numbers = rows.select("estimate", "std_error", "lower", "upper", "units", "clusters")
    assert numbers.null_count().row(0) == (rows.height,) * 6
    assert set(rows["reason"]) == {"no organic arm"}


def test_rows_of_an_answered_question_carry_all_estimates():
    world = toy(8)
    rows = pl.DataFrame(effect_rows(QUESTION, estimated(world, QUESTION)), schema=SCHEMA)
    assert rows["units"].to_list() == [world.units.height] * len(EFFECT_ESTIMATORS)
    assert rows["clusters"].to_list() == [400] * len(EFFECT_ESTIMATORS)
    assert rows.filter(~pl.col("estimate").is_between("lower", "upper")).is_empty()
    assert answer_of(rows.row(0, named=True)) == ANSWERED
