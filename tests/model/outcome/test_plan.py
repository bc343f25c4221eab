"""What the outcome model learns from, for every kind of answer upstream."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError, Status, insufficient_evidence, not_identifiable
from causalrec.logs.units.notes import UnitsNotes
from causalrec.model.outcome.plan import NONE_REFUSED, TrainingPlan, check_columns, plan_training
from tests.model.worlds import ROLES, toy

UNITS = toy(1, users=40).units
SETS = pl.DataFrame(
    {
        "question": ["recommended_click", "recommended_purchase"],
        "treatment": "recommended",
        "outcome": ["click", "purchase"],
        "status": "answered",
        "reason": "",
        "columns": [["device"], ["past_clicks"]],
    }
)
UNANSWERED = SETS.with_columns(status=pl.lit("not_identifiable"), reason=pl.lit("no organic arm"))
PROPENSITIES = pl.concat(
    UNITS.select("unit_id", question=pl.lit(name), propensity=pl.lit(p), fold=pl.lit(0))
    for name, p in (("recommended_click", 0.25), ("recommended_purchase", 0.75))
)


NOTES = UnitsNotes(ROLES, ("past_clicks", "device"), ("position",), "user_id", "every_impression", ())


def plan(units=UNITS, sets=SETS, propensities=PROPENSITIES, answer=ANSWERED, refused=NONE_REFUSED, withheld=()):
    return plan_training(units, NOTES, sets, propensities, answer, refused, withheld)


def test_an_identified_effect_is_learned_in_both_arms_from_the_union_of_its_sets():
    training = plan()
    assert isinstance(training, TrainingPlan)
    assert (training.arms, training.columns, training.purchases) == ("both", ("device", "past_clicks"), True)
    assert training.rows.height == UNITS.height


def test_the_loss_divides_by_the_first_questions_propensities_in_the_units_order():
    training = plan(propensities=PROPENSITIES.reverse())
    assert training.divides_by == "recommended_click"
    assert np.unique(training.propensity).tolist() == [0.25]


def test_one_identified_question_is_enough():
    sets = SETS.with_columns(status=pl.Series(["not_identifiable", "answered"]))
    training = plan(sets=sets)
    assert (training.arms, training.columns, training.divides_by) == ("both", ("past_clicks",), "recommended_purchase")


def test_without_an_identified_effect_what_was_shown_is_predicted_in_its_slots_context():
    unanswered = not_identifiable("no organic arm")
    training = plan(sets=UNANSWERED, propensities=PROPENSITIES.clear(), answer=unanswered)
    assert (training.arms, training.propensity, training.divides_by) == ("shown", None, None)
    assert training.columns == ("position", "past_clicks", "device")
    assert training.rows["recommended"].unique().to_list() == [1]


def test_a_question_without_propensities_leaves_the_others_theirs():
    refused = insufficient_evidence("one arm only")
    second = PROPENSITIES.filter(pl.col("question") == "recommended_purchase")
    training = plan(propensities=second, refused={"recommended_click": refused})
    assert (training.arms, training.divides_by) == ("both", "recommended_purchase")
    none = plan(propensities=second.clear(), refused=dict.fromkeys(SETS["question"], refused))
    assert none == insufficient_evidence("one arm only")


def test_a_question_about_another_treatment_does_not_identify_this_one():
    training = plan(sets=SETS.with_columns(treatment=pl.lit("campaign")))
    assert training.arms == "shown"


def test_a_constant_column_of_the_context_is_left_out():
    training = plan(units=UNITS.with_columns(device=pl.lit("tv")), sets=UNANSWERED)
    assert training.columns == ("position", "past_clicks")


@pytest.mark.parametrize("column", ["position", "click", "recommended", "policy", "user_id", "unheard_of"])
def test_only_pre_treatment_columns_enter(column):
    with pytest.raises(InputError, match=f"`{column}` has the role"):
        check_columns(["past_clicks", column], ROLES, ())


def test_the_action_questions_context_enters_where_only_the_shown_arm_is_learned():
    check_columns(["past_clicks", "position"], ROLES, ("position",))


@pytest.mark.parametrize("column", ["position", "click", "policy"])
def test_an_adjustment_set_with_a_mediator_or_a_collider_is_refused(column):
    with pytest.raises(InputError, match=f"`{column}` has the role"):
        plan(sets=SETS.with_columns(columns=pl.Series([[column], ["device"]])))


def test_propensities_of_other_units_are_refused():
    with pytest.raises(InputError, match="again"):
        plan(units=UNITS.head(5))


def test_too_few_clusters_for_propensities_is_passed_on():
    answer = insufficient_evidence("the units come in 2 clusters")
    assert plan(propensities=PROPENSITIES.clear(), answer=answer) == answer


def test_units_without_a_logged_click_teach_nothing_and_are_left_out():
    some = UNITS.with_columns(click=pl.when(pl.col("device") == "mobile").then("click"))
    training = plan(units=some)
    assert training.rows["device"].unique().to_list() == ["mobile"]
    assert len(training.propensity) == training.rows.height


def test_a_source_without_purchases_has_click_heads_only():
    assert not plan(units=UNITS.with_columns(purchase=pl.lit(None, pl.Int8))).purchases
    assert not plan(units=UNITS.with_columns(purchase=pl.lit(0, pl.Int8))).purchases


@pytest.mark.parametrize(
    ("units", "status", "says"),
    [
        (UNITS.clear(), Status.INSUFFICIENT_EVIDENCE, "no units"),
        (UNITS.with_columns(click=pl.lit(None, pl.Int8)), Status.NOT_AVAILABLE, "logs no clicks"),
        (UNITS.with_columns(click=pl.lit(0, pl.Int8)), Status.INSUFFICIENT_EVIDENCE, "has a click"),
    ],
)
def test_what_cannot_be_learned_is_answered(units, status, says):
    answer = plan(units=units)
    assert answer.status is status
    assert says in answer.reason


def test_no_recommended_unit_with_a_click_is_answered():
    organic = UNITS.filter(pl.col("recommended") == 0)
    assert plan(units=organic, sets=UNANSWERED).status is Status.INSUFFICIENT_EVIDENCE


def test_what_no_policy_may_read_the_model_does_not_read_and_the_loss_still_divides_by_what_read_it():
    training = plan(withheld={"device"})
    assert (training.columns, training.withheld, training.divides_by) == (
        ("past_clicks",),
        ("device",),
        "recommended_click",
    )
    shown = plan(
        sets=UNANSWERED,
        propensities=PROPENSITIES.clear(),
        answer=not_identifiable("no organic arm"),
        withheld={"device"},
    )
    assert (shown.columns, shown.withheld) == (("position", "past_clicks"), ("device",))
