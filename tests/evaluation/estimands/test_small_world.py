"""Named values in the report, against their formulas written out row by row, and against the laws that bind them."""

from dataclasses import replace

import polars as pl
import pytest

from benchmarks.verdict.by_formula import logging_scores, scores
from benchmarks.verdict.estimand_worlds import judgement
from causalrec.evaluation.estimands import ESTIMANDS, Logs
from causalrec.evaluation.policy_values import report
from causalrec.settings.objective import Objective
from causalrec.simulator.world.world import WorldConfig
from tests.evaluation.rules import release_rule

RULE = release_rule(100, 0.5, 0.1, 0.02, {}, 32)
ALL = Logs("every_impression", True)
TOLD = ["raw", "given_met", "given_not_shown", "own_and_organic", "total"]


@pytest.fixture(scope="module")
def data():
    """Seven judged days of a small shop, by logged columns alone."""
    world = WorldConfig(seed=3, users=300, items=60, events_per_day=2000)
    return replace(judgement(world).data, logs=ALL)


@pytest.fixture(scope="module")
def judged(data):
    return report(data, RULE)


def row(frame, estimand, estimator="dr", policy="challenger", metric="satisfaction"):
    return frame.filter(estimand=estimand, estimator=estimator, policy=policy, metric=metric).row(0, named=True)


@pytest.mark.parametrize("policy", ["challenger", "champion"])
@pytest.mark.parametrize("estimand", TOLD)
def test_a_value_is_the_mean_of_its_scores(data, judged, policy, estimand):
    written_out, _ = scores(data, policy)
    assert row(judged, estimand, policy=policy)["estimate"] == pytest.approx(written_out[estimand].mean(), abs=1e-9)


@pytest.mark.parametrize("estimand", ["given_met", "given_not_shown"])
def test_what_would_have_happened_anyway_is_the_raw_value_less_what_is_added(judged, estimand):
    added, raw = row(judged, estimand), row(judged, "raw")
    assert added["anyway"] == pytest.approx(raw["estimate"] - added["estimate"])
    assert added["anyway_lower"] < added["anyway"] < added["anyway_upper"]


def test_what_is_not_shown_is_met_far_less_often_than_what_is_met(judged):
    assert row(judged, "given_not_shown")["anyway"] < 0.5 * row(judged, "given_met")["anyway"]


@pytest.mark.parametrize("estimand", TOLD)
def test_a_difference_is_that_of_the_two_policies_with_its_own_error(judged, estimand):
    challenger, champion = row(judged, estimand), row(judged, estimand, policy="champion")
    assert challenger["difference"] == pytest.approx(challenger["estimate"] - champion["estimate"])
    assert 0 < challenger["difference_std_error"] < challenger["std_error"] + champion["std_error"]
    assert challenger["difference_outcomes"] > 0 and challenger["effective_clusters"] <= challenger["clusters"]


@pytest.mark.parametrize("estimator", ["ips", "snips", "dm"])
@pytest.mark.parametrize("estimand", TOLD)
def test_the_naive_ones_stand_beside(judged, estimand, estimator):
    assert row(judged, estimand, estimator)["estimate"] is not None


@pytest.mark.parametrize("estimand", ["whole_slate", "later_days"])
def test_what_single_slots_cannot_tell_says_why(judged, estimand):
    told = row(judged, estimand)
    assert told["status"] == "not_available" and told["reason"] == ESTIMANDS[estimand].available(ALL).reason


@pytest.mark.parametrize(
    "logs, told",
    [
        (Logs("none", True), {"raw"}),
        (Logs("every_impression", False), {"raw"}),
        (Logs("interactions_only", True), {"raw", "given_not_shown", "own_and_organic", "total"}),
        (ALL, set(TOLD)),
    ],
)
def test_what_the_logs_lack_is_a_typed_answer(logs, told):
    assert {name for name, estimand in ESTIMANDS.items() if estimand.available(logs).answered} == told
    lacking = [estimand.available(logs) for estimand in ESTIMANDS.values() if not estimand.available(logs).answered]
    assert all(answer.reason for answer in lacking)


def test_without_other_outcomes_all_of_the_request_is_the_slot_itself(data):
    """Requests of one slot and nothing met beside it: raw, own and organic, and total agree to the digit."""
    first = data.units.filter(recommended=1, position=1)
    targets = data.targets.filter(pl.col("unit_id").is_in(first["unit_id"].implode()))
    alone = replace(data, units=first, targets=targets.with_columns(model_rest_click=0.0, shown_rest_click=0.0))
    frame = report(alone, RULE)
    values = [row(frame, name)["estimate"] for name in ("raw", "own_and_organic", "total")]
    assert values == pytest.approx([values[0]] * 3)


def test_unknown_probabilities_of_what_was_not_shown_are_said(data):
    unknown = replace(data, targets=data.targets.with_columns(not_shown_weight=pl.lit(None, pl.Float64)))
    told = row(report(unknown, RULE), "given_not_shown")
    assert told["status"] == "not_available" and "first_slot_propensity" in told["reason"]
    why = unknown.targets.with_columns(not_shown_unknown=pl.lit("the slates were drawn by hand"))
    assert (
        row(report(replace(data, targets=why), RULE), "given_not_shown")["reason"]
        .split(". ")[0]
        .endswith("or let a stored bundle draw the slates and log its name: the slates were drawn by hand")
    )


def test_a_value_says_where_the_probabilities_of_what_was_not_shown_are_from(data, judged):
    told = row(judged, "given_not_shown")
    assert (told["status"], told["reason"]) == ("answered", "")
    organic = pl.col("kind") == "organic"
    first = data.targets.filter(organic)["request_id"].min()
    words = pl.when(organic).then(pl.when(request_id=first).then(pl.lit("of a bundle")).otherwise(pl.lit("logged")))
    again = row(report(replace(data, targets=data.targets.with_columns(not_shown_from=words)), RULE), "given_not_shown")
    assert again["estimate"] == told["estimate"]
    requests = data.targets.filter(organic, policy="challenger")["request_id"].n_unique()
    assert again["reason"].endswith(f"what people met: logged ({requests - 1:,} requests); of a bundle (1 requests)")


def test_an_item_that_is_always_offered_is_not_identifiable(data):
    always = replace(data, targets=data.targets.with_columns(not_shown_least=pl.lit(0.001)))
    told = row(report(always, RULE), "given_not_shown")
    assert told["status"] == "not_identifiable" and "99.9%" in told["reason"]


def test_slates_with_a_slot_that_is_not_logged_have_no_total(data):
    holes = replace(data, units=data.units.filter(~((pl.col("recommended") == 1) & (pl.col("position") == 3))))
    kept = holes.units["unit_id"].implode()
    holes = replace(holes, targets=holes.targets.filter(pl.col("unit_id").is_in(kept)))
    frame = report(holes, RULE)
    assert row(frame, "total")["status"] == "not_available" and "not logged" in row(frame, "total")["reason"]
    assert row(frame, "own_and_organic")["status"] == "answered"


def test_the_form_that_is_maximised_is_judged_itself(data):
    weighed = Objective.parse({"satisfying": "click", "form": "total", "lambda": 0.5, "margin": 0.3})
    frame = report(replace(data, objective=weighed, margin=0.3), RULE)
    objectives = frame.filter(metric="objective")
    assert objectives["estimand"].unique().to_list() == ["total"]
    of = {m: row(frame, "total", "ips", metric=m)["estimate"] for m in ("satisfaction", "revenue", "objective")}
    assert of["objective"] == pytest.approx(of["satisfaction"] + 0.5 * of["revenue"])


class TestPromise:
    """Of form `do` the objective is no outcome: the model promises it, and nobody judges it."""

    FORM = Objective.parse({"satisfying": "click", "form": "do"})

    @pytest.fixture(scope="class")
    def objectives(self, data):
        return report(replace(data, objective=self.FORM), RULE).filter(metric="objective")

    def test_the_model_alone_has_a_value_and_a_difference_from_the_champions(self, data, objectives):
        of = dict(data.targets.filter(kind="slot").group_by("policy").agg(pl.col("model_objective").mean()).iter_rows())
        for policy in ("challenger", "champion"):
            assert row(objectives, "raw", "dm", policy, "objective")["estimate"] == pytest.approx(of[policy])
        found = row(objectives, "raw", "dm", metric="objective")
        assert found["difference"] == pytest.approx(of["challenger"] - of["champion"])
        assert found["decision_status"] == "not_available" and "decides nothing" in found["decision_reason"]

    def test_the_others_say_why_they_have_none(self, objectives):
        others = objectives.filter(pl.col("estimator") != "dm")
        assert objectives["estimand"].unique().to_list() == ["raw"] and others.height == 2 * 4
        assert others["status"].unique().to_list() == ["not_available"] and others["estimate"].null_count() == 8
        assert all("no outcome" in reason for reason in others["reason"])

    def test_without_a_model_nothing_is_promised(self, data):
        bare = replace(
            data, objective=self.FORM, targets=data.targets.with_columns(model_objective=pl.lit(None, float))
        )
        assert row(report(bare, RULE), "raw", "dm", metric="objective")["status"] == "not_available"


@pytest.mark.parametrize("estimand", TOLD)
def test_against_the_logging_policy_a_difference_is_that_from_its_own_value(data, judged, estimand):
    alone = report(replace(data, targets=data.targets.filter(policy="challenger")), RULE)
    found, own = row(alone, estimand), logging_scores(data, "challenger")[estimand].mean()
    assert found["baseline"] == "logging policy" and found["decision_status"] is not None
    assert row(alone, estimand, "logged_mean")["estimate"] == pytest.approx(own)
    assert found["difference"] == pytest.approx(found["estimate"] - own)
    assert found["difference_lower"] < found["difference"] < found["difference_upper"]
    # The same whoever else is judged beside it.
    assert row(judged, estimand, "logged_mean")["estimate"] == pytest.approx(own)


@pytest.mark.parametrize("unknown", ["logging_met_weight", "the column of an earlier release"])
def test_unknown_probabilities_of_what_was_met_leave_nothing_to_hold_given_met_against(data, unknown):
    targets = data.targets.filter(policy="challenger")
    if unknown in targets.columns:
        targets = targets.with_columns(pl.lit(None, pl.Float64).alias(unknown))
    else:
        targets = targets.drop("logging_met_weight", "logging_not_shown_weight")
    frame = report(replace(data, targets=targets), RULE)
    given = row(frame, "given_met")
    assert given["estimate"] is not None and given["difference"] is None
    assert given["decision_status"] == "not_available" and "first_slot_propensity" in given["decision_reason"]
    assert row(frame, "given_met", "logged_mean")["status"] == "not_available"
    assert row(frame, "total")["difference"] is not None


def test_a_segment_that_splits_requests_has_no_share_of_what_was_met(data):
    frame = report(replace(data, report_by=("position",)), RULE)
    first = frame.filter(segment="position=1", policy="challenger", estimator="dr", metric="satisfaction")
    told = dict(first.select("estimand", "status").iter_rows())
    assert told["given_met"] == told["given_not_shown"] == "not_available"
    assert told["raw"] == told["total"] == "answered"
