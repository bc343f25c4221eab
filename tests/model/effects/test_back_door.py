"""The effect stage on a confounded toy world whose effects are known."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError, Status, not_identifiable
from causalrec.model.effects.back_door import (
    SCHEMA,
    aligned,
    answer_of,
    can_be_compared,
    effect_rows,
    enough,
    estimate_effect,
    treatment_propensities,
)
from tests.model.worlds import COLUMNS, SETTINGS, toy

QUESTION = {"question": "q", "treatment": "recommended", "outcome": "click"}


def effect(world, outcome="click", columns=COLUMNS, settings=SETTINGS):
    fitted = treatment_propensities(world.units, "recommended", columns, world.clusters, settings, seed=1)
    return estimate_effect(
        world.units,
        "recommended",
        outcome,
        columns,
        fitted.propensity,
        fitted.fold,
        world.clusters,
        settings,
        seed=1,
    )


def test_over_many_worlds_aipw_is_nearly_unbiased_where_naive_is_not_and_its_intervals_cover():
    errors = {"naive": [], "snips": [], "aipw": []}
    covered = 0
    for seed in range(20):
        world = toy(seed)
        _, found, _ = effect(world)
        for name, estimate in found.items():
            errors[name].append(estimate.value - world.click_effect)
        covered += found["aipw"].lower <= world.click_effect <= found["aipw"].upper
    assert np.mean(errors["naive"]) > 0.05
    assert abs(np.mean(errors["snips"])) < 0.03
    assert abs(np.mean(errors["aipw"])) < 0.01
    assert covered >= 16


@pytest.mark.parametrize(
    "stand_in", [(1e12, 0.0001), (9.2e18, 0.0001), (1.7e308, 0.0001), (-999.0, 0.05), (1e12, 0.05)]
)
def test_a_stand_in_for_unknown_removes_no_confounder(stand_in):
    rng, n = np.random.default_rng(0), 10_000
    value, share = stand_in
    x = rng.normal(size=n)
    t = (rng.random(n) < 1 / (1 + np.exp(-1.5 * x))).astype(int)
    y = (rng.random(n) < 1 / (1 + np.exp(1.2 - x))).astype(int)
    unknown = np.arange(n) < share * n
    units = pl.DataFrame({"weight": np.where(unknown, value, x), "recommended": t, "click": y})
    clusters = np.arange(n) // 3
    fitted = treatment_propensities(units, "recommended", ["weight"], clusters, SETTINGS, 1)
    _, found, _ = estimate_effect(
        units, "recommended", "click", ["weight"], fitted.propensity, fitted.fold, clusters, SETTINGS, 1
    )
    # Of the rows whose covariate is not known the naive difference remains.
    assert abs(found["aipw"].value - share * found["naive"].value) < 0.02
    assert found["naive"].value > 0.15


def test_a_purchase_is_asked_the_same_way():
    world = toy(1)
    answer, found, _ = effect(world, "purchase")
    assert answer == ANSWERED
    assert found["aipw"].lower <= world.purchase_effect <= found["aipw"].upper
    causal, naive = (abs(found[name].value - world.purchase_effect) for name in ("aipw", "naive"))
    assert causal < naive


def test_diagnostics_say_how_far_to_trust():
    world = toy(2)
    _, _, trust = effect(world)
    treated = int(world.units["recommended"].sum())
    assert trust["overlap_share"] == 1.0
    assert trust["bounded_units"] == 0
    assert 0 < trust["effective_treated"] < treated
    assert 0 < trust["effective_control"] < world.units.height - treated
    assert trust["calibration_error"] < 0.03
    assert trust["rate_treated"] > trust["rate_control"]
    assert trust["mean_if_not"] > trust["rate_control"]


def test_units_whose_propensity_was_bounded_are_counted():
    world = toy(3)
    _, _, trust = effect(world, settings=replace(SETTINGS, propensity_bound=0.3, min_overlap_share=0.0))
    outside = trust["bounded_units"]
    assert 0 < outside < world.units.height
    assert trust["overlap_share"] == pytest.approx(1 - outside / world.units.height)


def test_no_overlap_is_insufficient_evidence_with_its_trust_beside():
    answer, found, trust = effect(toy(3), settings=replace(SETTINGS, propensity_bound=0.3))
    assert answer.status is Status.INSUFFICIENT_EVIDENCE
    assert "could have had either arm" in answer.reason
    assert found == {}
    assert trust["overlap_share"] < 0.9


def test_too_few_outcomes_in_an_arm_are_insufficient_evidence():
    world = toy(4)
    unclicked = pl.when(pl.col("recommended") == 1).then(0).otherwise("click")
    few = world.units.with_columns(click=unclicked.cast(pl.Int8))
    answer, found, _ = effect(replace(world, units=few))
    assert answer.status is Status.INSUFFICIENT_EVIDENCE
    assert "an arm has 0 units with `click`, at least 20" in answer.reason
    assert found == {}


def test_an_outcome_that_was_seen_in_a_part_only_is_not_contrasted():
    world = toy(5)
    some = world.units.with_columns(click=pl.when(pl.col("device") == "mobile").then("click"))
    answer, found, _ = effect(replace(world, units=some))
    assert answer.status is Status.NOT_AVAILABLE
    assert found == {}


def test_an_outcome_of_more_than_two_values_is_refused():
    world = toy(6)
    rated = world.units.with_columns(click=pl.lit(4))
    with pytest.raises(InputError, match="`click` has values other than 0 and 1"):
        effect(replace(world, units=rated))


def test_one_arm_or_a_handful_of_clusters_cannot_be_compared():
    t = pl.Series("recommended", [1, 1, 1])
    one = can_be_compared(t, np.arange(3), SETTINGS)
    assert "every unit of the training window has `recommended` = 1" in one.reason
    two = can_be_compared(pl.Series("recommended", [1, 0, 1]), np.array([0, 0, 1]), SETTINGS)
    assert "2 clusters, at least 3" in two.reason
    assert can_be_compared(t[:0], np.arange(0), SETTINGS).status is Status.INSUFFICIENT_EVIDENCE
    assert can_be_compared(pl.Series("recommended", [1, 0, 1]), np.arange(3), SETTINGS) == ANSWERED


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pl.Series("price", [9.5, 10.0, 12.0, 13.0]), "the treatment `price` has 4 values (9.5, 10.0, 12.0, ...)"),
        (pl.Series("campaign", [0, 1, 2]), "the treatment `campaign` has 3 values (0, 1, 2)"),
        (pl.Series("device", ["tv", "phone"]), "the treatment `device` has 2 values of type String (phone, tv)"),
        (pl.Series("arm", ["0", "1"]), "`arm` has 2 values of type String"),
        (pl.Series("coupon", [1.0, None, 0.0]), "`coupon` is missing in 1 of 3 units"),
        (pl.Series("coupon", [float("nan"), 1.0, 0.0]), "`coupon` has 3 values"),
    ],
)
def test_a_treatment_that_is_not_0_or_1_has_an_answer_that_says_what_to_land(values, said):
    answer = can_be_compared(values, np.arange(len(values)), SETTINGS)
    assert answer.status is Status.NOT_AVAILABLE
    assert said in answer.reason
    assert "missing" in said or "context: {arm: number}" in answer.reason


@pytest.mark.parametrize("values", [[0, 1, 1], [0.0, 1.0, 1.0], [False, True, True]])
def test_an_arm_is_an_arm_whatever_its_type(values):
    assert can_be_compared(pl.Series("coupon", values), np.arange(3), SETTINGS) == ANSWERED


def test_an_empty_adjustment_set_gives_every_unit_the_share_of_the_treated():
    world = toy(7, users=30)
    found = treatment_propensities(world.units, "recommended", [], world.clusters, SETTINGS, seed=1)
    assert len(np.unique(found.propensity)) <= 3
    assert found.propensity.mean() == pytest.approx(world.units["recommended"].mean(), abs=0.02)


def test_rows_of_a_question_without_an_answer_carry_no_number():
    rows = pl.DataFrame(effect_rows(QUESTION, not_identifiable("no organic arm"), {}), schema=SCHEMA)
    assert rows["estimator"].to_list() == ["naive", "snips", "aipw"]
    numbers = rows.select("estimate", "std_error", "lower", "upper", "units", "clusters")
    assert numbers.null_count().row(0) == (3,) * 6
    assert rows["reason"].to_list() == ["no organic arm"] * 3


def test_rows_of_an_answered_question_carry_all_three_estimates():
    world = toy(8)
    answer, found, _ = effect(world)
    rows = pl.DataFrame(effect_rows(QUESTION, answer, found), schema=SCHEMA)
    assert rows["units"].to_list() == [world.units.height] * 3
    assert rows["clusters"].to_list() == [400] * 3
    assert rows.filter(~pl.col("estimate").is_between("lower", "upper")).is_empty()
    assert answer_of(rows.row(0, named=True)) == ANSWERED


def test_propensities_are_matched_by_unit_and_not_by_order():
    units = pl.DataFrame({"unit_id": ["a", "b"]})
    table = pl.DataFrame(
        {
            "unit_id": ["b", "a", "a"],
            "question": ["q", "q", "other"],
            "propensity": [0.2, 0.1, 0.9],
            "fold": [1, 0, 0],
        }
    )
    assert aligned(table, "q", units)["propensity"].to_list() == [0.1, 0.2]


@pytest.mark.parametrize("ids", [["a", "c"], ["a"], ["a", "b", "c"]])
def test_propensities_of_other_units_are_refused(ids):
    table = pl.DataFrame({"unit_id": ["a", "b"], "question": "q", "propensity": 0.5, "fold": 0})
    with pytest.raises(InputError, match="Materialise `treatment_propensities` again"):
        aligned(table, "q", pl.DataFrame({"unit_id": ids}))


class TestEnough:
    """A question is answered only where each value of the outcome is frequent enough in each arm, and in clusters."""

    def asked(self, y, t, clusters=None, propensity=None):
        fold = np.arange(len(y)) % 3
        return enough(np.asarray(y, float), np.asarray(t, float), fold, "click", 1.0, SETTINGS, clusters, propensity)

    @pytest.mark.parametrize("flipped", [False, True])
    @pytest.mark.parametrize("arm", [0, 1])
    def test_either_value_that_is_rare_in_either_arm_is_too_little(self, flipped, arm):
        t = np.arange(2_000) % 2
        y = (np.arange(2_000) // 2) % 2
        mine = np.flatnonzero((t == arm) & (y == 1))
        y[mine[19:]] = 0
        said = self.asked(1 - y if flipped else y, t)
        assert said.status is Status.INSUFFICIENT_EVIDENCE
        assert f"an arm has 19 units with {'no ' if flipped else ''}`click`, at least 20 are needed" in said.reason

    def test_outcomes_of_a_few_users_are_too_little_however_many_they_are(self):
        t, y = np.arange(8_000) % 2, (np.arange(8_000) // 2) % 2
        assert self.asked(y, t, np.arange(8_000) // 4).answered
        few = np.where(np.arange(8_000) < 7_900, np.arange(8_000) // 4 % 3, np.arange(8_000))
        assert "are worth 3.1 clusters of equal weight" in self.asked(y, t, few).reason

    def test_a_few_units_with_most_of_the_weight_are_too_little(self):
        t, y = np.arange(8_000) % 2, (np.arange(8_000) // 2) % 2
        e = np.full(8_000, 0.9)
        e[(t == 1).nonzero()[0][:8]] = 0.001
        assert "clusters of equal weight" in self.asked(y, t, np.arange(8_000), e).reason
        assert self.asked(y, t, np.arange(8_000), np.full(8_000, 0.5)).answered
