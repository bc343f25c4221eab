"""The laws of every registered strategy, on worlds with a hidden cause."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Status
from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.graph import identification
from causalrec.model.effects import STRATEGIES, strategy_of
from tests.model.effects.worlds import BASE, DIRECT, FRONT_DOOR, INSTRUMENT, estimated, world
from tests.model.worlds import COLUMNS, toy


def test_every_strategy_that_identifies_an_effect_estimates_it_the_preferred_one_first():
    assert list(STRATEGIES) == list(identification.STRATEGIES)
    assert {name: one.name for name, one in STRATEGIES.items()} == {name: name for name in STRATEGIES}
    assert {row["strategy"] for row in (BASE, FRONT_DOOR, INSTRUMENT)} == set(STRATEGIES)


@pytest.mark.parametrize(
    ("question", "truth", "dials"),
    [
        (FRONT_DOOR, lambda w: w.total, {}),
        (INSTRUMENT, lambda w: 0.5 * 0.3, {}),
        (DIRECT, lambda w: w.direct, {"direct": 0.1}),
    ],
)
def test_over_worlds_each_strategy_is_right_where_adjusting_for_what_is_logged_is_not(question, truth, dials):
    errors, wrong, covered, seeds = [], [], 0, 3
    for seed in range(seeds):
        drawn = world(seed, users=250, rows=12, **dials)
        result = estimated(drawn, question)
        robust = result.estimates["aipw"]
        assert result.answer.answered and result.diagnostics["strategy"] == question["strategy"]
        errors.append(robust.value - truth(drawn))
        covered += robust.lower <= truth(drawn) <= robust.upper
        if seed == 0:
            wrong.append(estimated(drawn, BASE).estimates["aipw"].value - truth(drawn))
    assert abs(np.mean(errors)) < 0.06
    assert covered >= 2
    assert np.mean(wrong) > max(0.05, 1.5 * abs(np.mean(errors)))


@pytest.mark.parametrize(
    ("question", "whose", "assumes", "adjusts"),
    [
        (BASE, "", "No unmeasured confounding given w", True),
        (DIRECT, "with `m` held, for every unit, at the value that it had", "nor of m, given w, mood", True),
        (FRONT_DOOR, "through `m`, by which all of it passes", "the whole effect passes through m, and given w", False),
        (INSTRUMENT, "among the units whose `t` the instrument `z` decides", "given w, z is as good as random", False),
    ],
)
def test_the_answer_says_whose_effect_it_is_and_the_strategy_what_it_rests_on(question, whose, assumes, adjusts):
    drawn, strategy = world(1, users=200, rows=12), strategy_of(question)
    result = estimated(drawn, question)
    assert result.answer.answered and result.answer.reason == strategy.estimand(question)
    assert whose in result.answer.reason and bool(whose) == bool(result.answer.reason)
    assert assumes in strategy.assumptions(question)
    assert strategy.adjusts is adjusts
    assert list(result.estimates) == list(EFFECT_ESTIMATORS)
    assert 0.9 < result.diagnostics["overlap_share"] <= 1
    assert 0 < result.diagnostics["mean_if_not"] < 1


def test_with_nothing_to_adjust_for_nobody_says_that_the_treatment_was_randomised():
    for question in (BASE, FRONT_DOOR, INSTRUMENT):
        words = strategy_of(question).assumptions(question | {"columns": []})
        assert "nothing (in the graph nothing that could be adjusted for" in words


@pytest.mark.parametrize(("question", "column"), [(FRONT_DOOR, "m"), (DIRECT, "m"), (INSTRUMENT, "z"), (BASE, "y")])
def test_what_is_missing_in_some_units_is_not_contrasted(question, column):
    drawn = world(5, users=60)
    some = drawn.units.with_columns(pl.when(pl.col("w") > 0).then(column).alias(column))
    result = estimated(replace(drawn, units=some), question)
    assert result.answer.status is Status.NOT_AVAILABLE and f"`{column}` is missing" in result.answer.reason
    assert result.estimates == {}


def test_a_mediator_that_is_the_arm_leaves_no_overlap():
    drawn = world(6, users=100)
    same = replace(drawn, units=drawn.units.with_columns(m=pl.col("t")))
    for question in (FRONT_DOOR, DIRECT):
        result = estimated(same, question)
        assert result.answer.status is Status.INSUFFICIENT_EVIDENCE and result.estimates == {}
        assert "could have had either arm" in result.answer.reason


def test_a_table_from_before_the_strategies_is_all_back_doors():
    old = {"question": "q", "treatment": "recommended", "outcome": "click", "columns": COLUMNS}
    result = estimated(toy(1, users=60), old)
    assert result.answer.answered and list(result.estimates) == list(EFFECT_ESTIMATORS)


def test_an_outcome_of_more_than_two_values_is_not_available():
    drawn = toy(6, users=60)
    rated = replace(drawn, units=drawn.units.with_columns(click=pl.lit(4)))
    result = estimated(rated, {"treatment": "recommended", "outcome": "click", "columns": COLUMNS})
    assert result.answer.status is Status.NOT_AVAILABLE and "`click` has 1 value (4)" in result.answer.reason


def test_units_of_one_arm_are_no_evidence():
    drawn = world(7, users=60)
    question = BASE | {"columns": []}
    one = replace(drawn, units=drawn.units.with_columns(t=pl.lit(1, pl.Int8)))
    result = estimated(one, question)
    assert result.answer.status is Status.INSUFFICIENT_EVIDENCE and "have one arm of `t` only" in result.answer.reason
