"""Off-policy values against numbers worked out by hand, on rounds small enough to read."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError, Status
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import WeightSummary
from causalrec.evaluation.policy_values import SCHEMA, report
from causalrec.evaluation.rounds import EvaluationData
from causalrec.evaluation.trust.weight_diagnostics import check_outcomes, check_weights
from causalrec.policy.policies.judged import SCHEMA as TARGETS
from tests.evaluation.rules import release_rule

TRAIN, JUDGE = date(2026, 3, 2), date(2026, 3, 3)
TRUSTING = release_rule(1, 5.0, 1.0, 0.02, {"uniform": "random"})

# Four logged rounds of two users. The weights of the challenger below are 1, 1/2, 1 and 2.
UNITS = pl.DataFrame(
    {
        "unit_id": ["r1", "r2", "r3", "r4"],
        "time": [datetime(2026, 3, 3, 9, tzinfo=UTC)] * 4,
        "day": [JUDGE] * 4,
        "user_id": ["a", "a", "b", "b"],
        "policy": ["shop"] * 4,
        "action_propensity": [0.5, 0.5, 0.25, 0.25],
        "device": ["mobile", "desktop", "mobile", "desktop"],
        "click": [1, 0, 0, 1],
        "purchase": [1, 0, 0, 0],
        "price": [10.0, 10.0, 10.0, None],
        "recommended": [1] * 4,
        "request_id": pl.Series([None] * 4, dtype=pl.String),
        "position": pl.Series([None] * 4, dtype=pl.Int64),
    },
    schema_overrides={"click": pl.Int8, "purchase": pl.Int8},
)
PROPENSITIES = UNITS.select("unit_id", "action_propensity")
CHALLENGER = pl.DataFrame(
    {
        "unit_id": ["r1", "r2", "r3", "r4"],
        "policy": ["challenger"] * 4,
        "action_probability": [0.5, 0.25, 0.25, 0.5],
        "model_click": [0.4] * 4,
        "model_revenue": [1.0] * 4,
        "shown_click": [0.5, 0.5, 0.25, 0.5],
        "shown_revenue": [2.0, 0.0, 0.0, 1.0],
        "fitted": [True] * 4,
    }
)


def whole(targets):
    """With the columns of `target_policy` that a test does not speak of."""
    rows = targets.with_columns(kind=pl.lit("slot"))
    return rows.select(
        (pl.col(c) if c in rows.columns else pl.lit(None)).cast(kind).alias(c) for c, kind in TARGETS.items()
    )


def judged(targets=CHALLENGER, units=UNITS, rule=TRUSTING, held_out=(), report_by=(), cluster="user_id", margin=0.3):
    propensities = units.select("unit_id", "action_propensity")
    targets = whole(targets)
    data = EvaluationData(units, targets, propensities, "click", margin, cluster, held_out, report_by, [JUDGE])
    return report(data, rule)


def row(frame, estimator, metric="satisfaction", policy="challenger", segment="everyone"):
    keys = {"segment": segment, "policy": policy, "estimand": "raw", "metric": metric, "estimator": estimator}
    return frame.filter(*(pl.col(name) == value for name, value in keys.items())).row(0, named=True)


@pytest.mark.parametrize(
    ("estimator", "value"),
    [
        ("ips", (1 + 2) / 4),
        ("snips", 3 / 4.5),
        ("dm", 0.4),
        ("dr", 0.4 + (1 * 0.5 + 0.5 * -0.5 + 1 * -0.25 + 2 * 0.5) / 4),
        ("logged_mean", 0.5),
    ],
)
def test_the_rate_of_satisfaction_is_the_one_worked_out_by_hand(estimator, value):
    assert row(judged(), estimator)["estimate"] == pytest.approx(value)


def test_revenue_is_margin_times_price_of_what_was_bought():
    frame = judged()
    assert row(frame, "logged_mean", "revenue")["estimate"] == pytest.approx(0.3 * 10 / 4)
    assert row(frame, "ips", "revenue")["estimate"] == pytest.approx(3 / 4)
    assert row(frame, "dr", "revenue")["estimate"] == pytest.approx(1 + (1 * 1.0 + 2 * -1.0) / 4)


def test_without_a_stated_margin_no_revenue_is_judged():
    assert judged(margin=None)["metric"].unique().to_list() == ["satisfaction"]


def test_the_interval_is_clustered_by_user():
    value = row(judged(), "ips")
    # Sums of (w r - 3/4) per user are -1/2 and +1/2: se^2 = 2/1 x (1/4 + 1/4) / 4^2, t(1 degree of freedom) =
    # 12.7062.
    assert value["std_error"] == pytest.approx(0.25)
    assert value["upper"] - value["estimate"] == pytest.approx(12.7062 * 0.25, rel=1e-4)


def test_a_policy_is_compared_with_the_logged_mean_of_its_own_rounds():
    value = row(judged(), "dr")
    assert value["baseline"] == "logging policy"
    assert value["difference"] == pytest.approx(value["estimate"] - 0.5)
    assert value["difference_lower"] < value["difference"] < value["difference_upper"]


def test_the_weights_are_shown_beside_every_estimate():
    value = row(judged(), "dr")
    assert value["rounds"] == 4
    assert value["effective_rounds"] == pytest.approx(4.5**2 / 6.25)
    assert (value["mean_weight"], value["max_weight"]) == (4.5 / 4, 2.0)
    # Of the weighted clicks 1 and 2: (1 + 2)^2 / (1 + 4).
    assert value["effective_outcomes"] == pytest.approx(9 / 5)


def test_the_champion_is_judged_on_the_same_rounds_and_the_challenger_against_it():
    champion = CHALLENGER.with_columns(policy=pl.lit("champion"), action_probability=pl.Series([0.5, 0.5, 0.25, 0.25]))
    # In another order: rounds are matched by name, not by place.
    values = judged(pl.concat([CHALLENGER, champion.reverse()]))
    dr = row(values, "dr")
    serves = 0.4 + (0.5 - 0.5 - 0.25 + 0.5) / 4
    assert dr["baseline"] == "champion"
    assert row(values, "dr", policy="champion")["estimate"] == pytest.approx(serves)
    assert dr["difference"] == pytest.approx(0.65 - serves)
    assert row(values, "dr", policy="champion")["baseline"] == "logging policy"


def test_other_rounds_of_the_champion_are_refused():
    champion = CHALLENGER.head(3).with_columns(policy=pl.lit("champion"))
    with pytest.raises(InputError, match="same rounds only"):
        judged(pl.concat([CHALLENGER, champion]))


def test_segments_hold_their_own_rounds_only():
    frame = judged(report_by=["device"])
    assert frame["segment"].unique(maintain_order=True).to_list() == [
        "everyone",
        "device=desktop",
        "device=mobile",
    ]
    mobile = row(frame, "ips", segment="device=mobile")
    assert (mobile["rounds"], mobile["estimate"]) == (2, pytest.approx(0.5))


class TestAnswerSheet:
    """Rounds of a held-out policy are never judged from; their own mean stands beside the estimate."""

    random = UNITS.head(3).with_columns(
        unit_id="x" + pl.col("unit_id"), policy=pl.lit("random"), click=pl.lit(1, pl.Int8)
    )
    units = pl.concat([UNITS, random])
    uniform = CHALLENGER.with_columns(policy=pl.lit("uniform"), fitted=pl.lit(False))

    def test_the_mean_of_the_random_logs_stands_beside_the_uniform_policy(self):
        sheet = row(judged(self.uniform, self.units, held_out=["random"]), "answer_sheet_mean", policy="uniform")
        assert (sheet["estimate"], sheet["rounds"], sheet["effective_rounds"]) == (1.0, 3, None)

    def test_the_random_rounds_are_not_part_of_the_logged_ones(self):
        with_random = self.uniform.vstack(self.uniform.head(3).with_columns(unit_id="x" + pl.col("unit_id")))
        values = judged(with_random, self.units, held_out=["random"])
        assert row(values, "logged_mean", policy="uniform")["rounds"] == 4
        assert row(values, "ips", policy="uniform")["estimate"] == pytest.approx(0.75)

    def test_only_the_policy_that_the_setting_names_has_a_sheet(self):
        values = judged(held_out=["random"], units=self.units)
        assert "answer_sheet_mean" not in values["estimator"]


class TestDaysThatTheModelHasSeen:
    """A policy that is not fitted is judged on all days, but not by a model that was fitted on some."""

    units = UNITS.with_columns(day=pl.Series([TRAIN, JUDGE, TRAIN, JUDGE]))
    uniform = CHALLENGER.with_columns(policy=pl.lit("uniform"), fitted=pl.lit(False))

    def test_weighting_uses_all_days(self):
        value = row(judged(self.uniform, self.units), "ips", policy="uniform")
        assert (value["rounds"], value["first_day"], value["last_day"]) == (4, TRAIN, JUDGE)

    def test_the_model_alone_is_asked_about_the_judgement_days_only(self):
        value = row(judged(self.uniform, self.units), "dm", policy="uniform")
        assert (value["rounds"], value["first_day"], value["last_day"]) == (2, JUDGE, JUDGE)

    def test_dr_only_weighs_on_the_days_that_the_model_has_seen(self):
        value = row(judged(self.uniform, self.units), "dr", policy="uniform")
        seen, unseen = (1 * 1, 1 * 0), (0.4 + 0.5 * (0 - 0.5), 0.4 + 2 * (1 - 0.5))
        assert value["estimate"] == pytest.approx((sum(seen) + sum(unseen)) / 4)
        assert (value["rounds"], value["first_day"], value["last_day"]) == (4, TRAIN, JUDGE)

    def test_without_a_judgement_day_the_model_answers_nothing(self):
        values = judged(self.uniform, UNITS.with_columns(day=pl.lit(TRAIN)))
        for estimator in ("dm", "dr"):
            assert "no round lies on the judgement days" in row(values, estimator, policy="uniform")["reason"]
        assert row(values, "ips", policy="uniform")["status"] == "answered"

    def test_without_a_model_only_weighting_answers(self):
        columns = ("model_click", "model_revenue", "shown_click", "shown_revenue")
        bare = self.uniform.with_columns(pl.lit(None, pl.Float64).alias(name) for name in columns)
        values = judged(bare, self.units)
        assert row(values, "snips", policy="uniform")["status"] == "answered"
        none = row(values, "dr", policy="uniform")
        assert (none["status"], none["estimate"]) == ("not_available", None)
        assert "no outcome model" in none["reason"]


class TestWeightsAreCheckedFirst:
    def test_few_effective_rounds_are_no_evidence_and_no_number_is_given(self):
        values = judged(rule=release_rule(100, 5.0, 1.0, 0.02, {}))
        for estimator in ("ips", "snips", "dm", "dr"):
            value = row(values, estimator)
            assert (value["status"], value["estimate"], value["difference"]) == (
                "insufficient_evidence",
                None,
                None,
            )
            assert "3 effective rounds of 4" in value["reason"]
        assert row(values, "logged_mean")["status"] == "answered"

    def test_a_mean_weight_far_from_1_is_no_evidence(self):
        answer = check_weights(WeightSummary(10_000, 500.0, 3.1, 50.0, 0.01), release_rule(100, 0.5, 0.1, 0.02, {}))
        assert "mean importance weight is 3.10" in answer.reason
        # Its standard error is 3.1 sqrt((20 - 1) / 10,000) = 0.14: no number of such rounds brings it to 1.
        assert answer.status.value == "not_identifiable"
        assert "standard error 0.14" in answer.reason and "log the real ones" in answer.reason

    def test_a_mean_weight_that_may_be_off_by_chance_says_how_many_rounds_would_tell(self):
        answer = check_weights(WeightSummary(1_000, 100.0, 0.4, 50.0, 0.01), release_rule(50, 0.0625, 0.1, 0.02, {}))
        # 3 x 0.4 sqrt(9 / 1,000) = 0.114 is less than the 0.6 that it is off: not chance.
        assert answer.status.value == "not_identifiable" and "let it explore" in answer.reason
        answer = check_weights(WeightSummary(1_000, 100.0, 0.9, 50.0, 0.01), release_rule(50, 0.0625, 0.1, 0.02, {}))
        # 3 x 0.9 sqrt(9 / 1,000) = 0.25613 against 0.0625: (0.25613 / 0.0625)^2 = 16.7962 times as many rounds.
        assert answer.status.value == "insufficient_evidence"
        assert "about 15,797 more rounds like these would tell" in answer.reason

    def test_few_effective_rounds_say_how_many_more_rounds_it_takes(self):
        answer = check_weights(WeightSummary(10_000, 40.0, 1.0, 50.0, 0.01), release_rule(100, 0.5, 0.1, 0.02, {}))
        assert answer.status.value == "insufficient_evidence"
        assert "about 15,000 more rounds" in answer.reason

    def test_what_the_logs_never_show_no_number_of_rounds_will_tell(self):
        answer = check_weights(WeightSummary(10_000, 0.0, 0.0, 0.0, 0.0), release_rule(100, 0.5, 0.1, 0.02, {}))
        assert answer.status.value == "not_identifiable"

    def test_one_round_that_carries_the_weight_is_no_evidence(self):
        answer = check_weights(WeightSummary(10_000, 500.0, 1.0, 5000.0, 0.5), release_rule(100, 0.5, 0.1, 0.02, {}))
        assert "one round carries 50%" in answer.reason
        assert "about 40,000 more rounds" in answer.reason

    def test_a_champion_that_cannot_be_told_leaves_no_comparison(self):
        lopsided = pl.Series([0.5, 0.001, 0.001, 0.001])
        champion = CHALLENGER.with_columns(policy=pl.lit("champion"), action_probability=lopsided)
        value = row(judged(pl.concat([CHALLENGER, champion]), rule=release_rule(2, 5.0, 1.0, 0.02, {})), "dr")
        assert value["status"] == "insufficient_evidence"
        assert value["reason"].startswith("of the champion: 1 effective round of 4")

    def test_one_cluster_has_a_mean_and_no_interval(self):
        values = judged(units=UNITS.with_columns(user_id=pl.lit("a")))
        assert row(values, "logged_mean")["estimate"] == 0.5
        assert row(values, "logged_mean")["lower"] is None
        assert "at least two clusters" in row(values, "dr")["reason"]


class TestUnknownRewards:
    def test_a_metric_that_no_round_has_has_no_rows(self):
        units = UNITS.with_columns(purchase=pl.lit(None, pl.Int8))
        assert judged(units=units)["metric"].unique().to_list() == ["satisfaction"]

    def test_a_purchase_without_a_price_is_a_gap_and_not_a_zero(self):
        units = UNITS.with_columns(purchase=pl.Series([1, 0, 0, 1], dtype=pl.Int8))
        value = row(judged(units=units), "dr", "revenue")
        assert (value["status"], value["estimate"]) == ("not_available", None)
        assert "1 of 4 rounds have no known revenue" in value["reason"]

    def test_what_was_not_bought_needs_no_price(self):
        assert row(judged(), "logged_mean", "revenue")["status"] == "answered"


def test_the_table_has_its_schema_with_and_without_rows():
    assert judged().schema == SCHEMA
    assert judged(CHALLENGER.clear()).schema == SCHEMA


class TestEnoughOutcomes:
    """Intervals follow effective outcomes, of each kind."""

    RULE = release_rule(1, 5.0, 1.0, 0.02, {}, 160)

    def checked(self, reward, metric="satisfaction", weight=None):
        reward = np.asarray(reward, float)
        weight = np.ones(len(reward)) if weight is None else weight
        return check_outcomes(Rounds(reward, weight, None, None, np.arange(len(reward))), metric, self.RULE)

    @pytest.mark.parametrize("kind", ["satisfied", "unsatisfied"])
    def test_either_outcome_that_is_rare_is_insufficient_and_says_how_many_more_rounds(self, kind):
        rare = np.arange(10_000) < 40
        answer = self.checked(rare if kind == "satisfied" else ~rare)
        assert answer.status is Status.INSUFFICIENT_EVIDENCE
        assert f"40 effective {kind} rounds of 10,000 (at least 160 are needed" in answer.reason
        assert "about 30,000 more rounds" in answer.reason
        assert self.checked(np.arange(10_000) < 160).answered

    def test_rounds_that_all_satisfy_do_not_tell_how_many_more_would_do(self):
        assert "more rounds" not in self.checked(np.ones(500)).reason

    def test_of_counts_both_sides_of_their_mean_are_counted(self):
        # Every request has an outcome or more: none is without, and that is no lack.
        assert self.checked(1 + np.arange(1_000) % 3).answered
        few = np.where(np.arange(1_000) < 40, 5.0, 2.0)
        assert "40 effective rounds with more outcomes than the mean" in self.checked(few).reason
        assert "40 effective rounds with fewer outcomes" in self.checked(7 - few).reason

    def test_of_money_only_what_brought_some_counts_by_its_size(self):
        assert self.checked(np.full(500, 3.0), "revenue").answered
        whale = np.where(np.arange(500) == 0, 1e6, 1.0)
        assert "1 effective rounds that brought money" in self.checked(whale, "revenue").reason

    def test_a_few_heavy_outcomes_are_few(self):
        weight = np.where(np.arange(1_000) < 5, 100.0, 1.0)
        assert not self.checked(np.arange(1_000) < 500, weight=weight).answered
