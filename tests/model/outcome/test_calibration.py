import numpy as np
import polars as pl
import pytest

from causalrec.estimators.scores import log_loss
from causalrec.model.outcome.calibration import evaluate, prediction_table, rate_by_arm
from causalrec.model.outcome.model import PotentialOutcomes

UNITS = pl.DataFrame(
    {
        "unit_id": ["a", "b", "c", "d"],
        "policy": ["shop", "shop", None, "random"],
        "recommended": [1, 1, 0, 1],
        "click": [1, 0, 0, 1],
        "purchase": [0, 0, 0, 1],
    },
    schema_overrides={"recommended": pl.Int8, "click": pl.Int8, "purchase": pl.Int8},
)
P = PotentialOutcomes(
    np.array([0.8, 0.3, 0.5, 0.1]),
    np.array([0.6, 0.2, 0.1, 0.1]),
    np.array([0.2, 0.1, 0.1, 0.1]),
    np.full(4, 0.05),
)
TRAINING = pl.DataFrame({"recommended": [1, 1, 1, 0], "click": [1, 1, 0, 0], "purchase": [0, 0, 0, 0]})


def test_a_unit_is_judged_in_the_arm_that_it_had():
    evaluation = evaluate(prediction_table(UNITS, P), TRAINING, ["click"], held_out=["random"])[0]
    assert evaluation.rows == 3
    assert evaluation.model == pytest.approx(log_loss(np.array([1.0, 0.0, 0.0]), np.array([0.8, 0.3, 0.1])))


def test_the_constant_is_each_arms_rate_in_the_training_window():
    evaluation = evaluate(prediction_table(UNITS, P), TRAINING, ["click"], held_out=["random"])[0]
    rates = np.array([2.5 / 4, 2.5 / 4, 0.25])
    assert evaluation.constant == pytest.approx(log_loss(np.array([1.0, 0.0, 0.0]), rates))
    assert evaluation.beats_constant


def test_an_answer_sheets_rows_are_predicted_and_not_judged():
    table = prediction_table(UNITS, P)
    assert table["unit_id"].to_list() == ["a", "b", "c", "d"]
    assert evaluate(table, TRAINING, ["click"], held_out=[])[0].rows == 4
    assert evaluate(table, TRAINING, ["click"], held_out=["random"])[0].rows == 3


def test_an_arm_that_the_model_cannot_tell_is_not_judged():
    shown = PotentialOutcomes(P.click_if_recommended, None, None, None)
    table = prediction_table(UNITS, shown)
    assert table["click_if_not"].null_count() == 4
    assert table.schema["purchase_if_not"] == pl.Float64
    assert evaluate(table, TRAINING, ["click"], held_out=[])[0].rows == 3


def test_a_model_worse_than_the_constant_does_not_beat_it():
    wrong = PotentialOutcomes(np.array([0.1, 0.9, 0.5, 0.5]), np.full(4, 0.9), None, None)
    assert not evaluate(prediction_table(UNITS, wrong), TRAINING, ["click"], held_out=[])[0].beats_constant


def test_with_nothing_to_judge_nothing_is_judged():
    unseen = UNITS.with_columns(click=pl.lit(None, pl.Int8))
    assert evaluate(prediction_table(unseen, P), TRAINING, ["click"], held_out=[]) == []


def test_rates_are_smoothed_so_that_none_is_certain():
    assert rate_by_arm(TRAINING, "purchase") == {1: pytest.approx(0.5 / 4), 0: pytest.approx(0.25)}
