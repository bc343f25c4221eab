"""Effects by each strategy on worlds with a hidden cause, whose answers are known."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Status
from causalrec.logs.clusters import cluster_codes
from causalrec.model.crossfit import cross_fit_averaged
from causalrec.model.effects.back_door import treatment_propensities
from causalrec.model.effects.strategies import blocks_back_doors, covariates_of, estimand_of, estimate_question
from tests.model.worlds import COLUMNS, SETTINGS, toy

BASE = {
    "question": "q",
    "treatment": "t",
    "outcome": "y",
    "effect": "total",
    "status": "answered",
    "reason": "",
    "strategy": "back_door",
    "columns": ["w"],
    "held": [],
    "mediators": [],
    "instrument": None,
}
FRONT_DOOR = BASE | {"strategy": "front_door", "mediators": ["m"]}
INSTRUMENT = BASE | {"strategy": "instrument", "instrument": "z"}
DIRECT = BASE | {"effect": "direct", "held": ["m"], "columns": ["w", "mood"]}


@dataclass(frozen=True)
class World:
    units: pl.DataFrame
    clusters: np.ndarray
    total: float
    direct: float
    compliers: float


def world(seed: int, users: int = 400, rows: int = 15, direct: float = 0.0, push: float = 0.3) -> World:
    """A mood moves t and y; w moves all; z moves t only; t acts through m, and past it by `direct`."""
    rng = np.random.default_rng(seed)
    n = users * rows
    mood, w = np.repeat(rng.random(users) < 0.5, rows), rng.normal(size=n)
    calm = 1 / (1 + np.exp(-w))
    z = rng.random(n) < 0.3 + 0.4 * calm
    luck = rng.random((3, n))

    def arm(z):
        return luck[0] < 0.05 + 0.35 * mood + 0.2 * calm + push * z

    def between(t):
        return luck[1] < 0.1 + 0.5 * t + 0.2 * calm

    def end(t, m):
        return luck[2] < 0.05 + 0.3 * m + 0.3 * mood + 0.1 * calm + direct * t

    t = arm(z)
    m = between(t)
    gain = end(1, between(1)).astype(float) - end(0, between(0))
    moved = arm(1) > arm(0)
    units = pl.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(n)],
            "user_id": [f"user-{k}" for k in np.repeat(np.arange(users), rows)],
            "t": t.astype(np.int8),
            "m": m.astype(np.int8),
            "y": end(t, m).astype(np.int8),
            "z": z.astype(np.int8),
            "mood": mood.astype(np.int8),
            "w": w,
        }
    )
    compliers = float(gain[moved].mean()) if moved.any() else 0.0
    return World(units, cluster_codes(units, "user_id"), 0.5 * 0.3 + direct, direct, compliers)


def estimate(found: World, question, settings=SETTINGS):
    columns = covariates_of(question)
    fitted = treatment_propensities(found.units, "t", columns, found.clusters, settings, seed=1)
    return estimate_question(found.units, question, fitted.propensity, fitted.fold, found.clusters, settings, seed=1)


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
        answer, found, trust = estimate(drawn, question)
        assert answer.answered and trust["strategy"] == question["strategy"]
        errors.append(found["aipw"].value - truth(drawn))
        covered += found["aipw"].lower <= truth(drawn) <= found["aipw"].upper
        if seed == 0:
            wrong.append(estimate(drawn, BASE)[1]["aipw"].value - truth(drawn))
    assert abs(np.mean(errors)) < 0.06
    assert covered >= 2
    assert np.mean(wrong) > max(0.05, 1.5 * abs(np.mean(errors)))


def test_the_answer_says_whose_effect_it_is_and_how_far_to_trust_it():
    drawn = world(1, users=200, rows=12)
    for question, says in (
        (FRONT_DOOR, "through `m`, by which all of it passes"),
        (INSTRUMENT, "among the units whose `t` the instrument `z` decides"),
        (DIRECT, "with `m` held, for every unit, at the value that it had"),
    ):
        answer, _, trust = estimate(drawn, question)
        assert answer.answered and says in answer.reason
        assert 0.9 < trust["overlap_share"] <= 1
        assert 0 < trust["mean_if_not"] < 1
        if question is INSTRUMENT:
            assert trust["instrument_strength"] > 50
            assert trust["compliers"] == pytest.approx(0.3, abs=0.08)
    assert estimand_of(BASE) == ""
    assert estimate(drawn, BASE)[0].reason == ""


def test_an_instrument_that_moves_nothing_is_no_evidence():
    answer, found, trust = estimate(world(3, users=200, push=0.0), INSTRUMENT)
    assert answer.status is Status.INSUFFICIENT_EVIDENCE and found == {}
    assert "the instrument `z` moves `t` by" in answer.reason and trust["instrument_strength"] < 10


@pytest.mark.parametrize("values", [pl.col("w"), pl.lit(1), pl.lit("a")])
def test_an_instrument_that_is_not_two_arms_is_not_available(values):
    drawn = world(4, users=60)
    answer, found, _ = estimate(replace(drawn, units=drawn.units.with_columns(z=values)), INSTRUMENT)
    assert answer.status is Status.NOT_AVAILABLE and found == {}
    assert "the instrument `z` must be 0 or 1" in answer.reason


@pytest.mark.parametrize(("question", "column"), [(FRONT_DOOR, "m"), (DIRECT, "m"), (INSTRUMENT, "z"), (BASE, "y")])
def test_what_is_missing_in_some_units_is_not_contrasted(question, column):
    drawn = world(5, users=60)
    some = drawn.units.with_columns(pl.when(pl.col("w") > 0).then(column).alias(column))
    answer, found, _ = estimate(replace(drawn, units=some), question)
    assert answer.status is Status.NOT_AVAILABLE and f"`{column}` is missing" in answer.reason and found == {}


def test_a_mediator_that_is_the_arm_leaves_no_overlap():
    drawn = world(6, users=100)
    same = replace(drawn, units=drawn.units.with_columns(m=pl.col("t")))
    for question in (FRONT_DOOR, DIRECT):
        answer, found, _ = estimate(same, question)
        assert answer.status is Status.INSUFFICIENT_EVIDENCE and found == {}
        assert "could have had either arm" in answer.reason


def test_a_table_from_before_the_strategies_is_all_back_doors():
    drawn = toy(1, users=60)
    old = {"question": "q", "treatment": "recommended", "outcome": "click", "columns": COLUMNS}
    fitted = treatment_propensities(drawn.units, "recommended", COLUMNS, drawn.clusters, SETTINGS, seed=1)
    answer, found, _ = estimate_question(
        drawn.units, old, fitted.propensity, fitted.fold, drawn.clusters, SETTINGS, seed=1
    )
    assert answer.answered and set(found) == {"naive", "snips", "aipw"}


def test_a_model_of_both_arms_stands_on_back_doors_of_total_effects_only():
    rows = [BASE | {"question": "a"}, FRONT_DOOR | {"question": "b"}, INSTRUMENT | {"question": "c"}]
    rows += [DIRECT | {"question": "d"}, BASE | {"question": "e", "status": "not_identifiable"}]
    sets = pl.DataFrame(rows, infer_schema_length=None)
    assert blocks_back_doors(sets)["question"].to_list() == ["a"]
    assert blocks_back_doors(sets.drop("strategy"))["question"].to_list() == ["a", "b", "c", "d"]


def test_an_averaged_prediction_is_the_mean_over_those_rows():
    rng = np.random.default_rng(1)
    n = 30_000
    w, m, t = rng.random(n) < 0.5, rng.random(n) < 0.5, rng.random(n) < 0.5
    m = np.where(t, rng.random(n) < 0.8, m)
    y = (rng.random(n) < 0.1 + 0.4 * m + 0.2 * w).astype(float)
    inner, outer = np.column_stack([w, m]).astype(np.float32), w[:, None].astype(np.float32)
    predicted, averages = cross_fit_averaged(inner, outer, y, rng.integers(3, size=n), 1, ~t, [~t, t])
    assert np.abs(predicted - (0.1 + 0.4 * m + 0.2 * w)).max() < 0.04
    for at, share in enumerate((0.5, 0.8)):
        assert np.abs(averages[:, at] - (0.1 + 0.4 * share + 0.2 * w)).max() < 0.04


def test_no_average_depends_on_an_outcome_of_its_own_fold():
    rng = np.random.default_rng(2)
    n = 600
    x, y = rng.normal(size=(n, 2)).astype(np.float32), (rng.random(n) < 0.4).astype(float)
    fold, everyone = rng.integers(3, size=n), np.ones(n, dtype=bool)
    before = cross_fit_averaged(x, x[:, :1], y, fold, 1, everyone, [everyone])
    changed = np.where(fold == 1, 1 - y, y)
    after = cross_fit_averaged(x, x[:, :1], changed, fold, 1, everyone, [everyone])
    for old, new in zip(before, after, strict=True):
        assert (old[fold == 1] == new[fold == 1]).all() and (old[fold != 1] != new[fold != 1]).any()


def test_rows_to_average_over_in_one_fold_are_refused():
    x, fold = np.zeros((6, 1), dtype=np.float32), np.array([0, 0, 1, 1, 2, 2])
    y, everyone = np.array([0.0, 1, 0, 1, 0, 1]), np.ones(6, dtype=bool)
    with pytest.raises(ValueError, match="average over"):
        cross_fit_averaged(x, x, y, fold, 1, everyone, [fold == 0])
