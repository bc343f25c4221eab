import math

import polars as pl
import pytest

from causalrec.evaluation.effects import heading, lead, report, schema, sensitivity

ASKED = {
    "question": "q",
    "treatment": "recommended",
    "outcome": "click",
    "status": "answered",
    "reason": "",
    "columns": ["price"],
}
DIAGNOSTICS = {
    "q": {
        "overlap_share": 0.99,
        "effective_treated": 800.0,
        "effective_control": 700.0,
        "calibration_error": 0.01,
        "mean_if_not": 0.1,
    }
}
LIST = {"columns": pl.List(pl.String)}


def effects(aipw=(0.1, 0.05, 0.15), **others):
    found = {"naive": (0.3, 0.25, 0.35), "snips": (0.12, 0.06, 0.18), "aipw": aipw}
    rows = [
        {
            **{k: v for k, v in ASKED.items() if k != "columns"},
            "estimator": name,
            "estimate": e,
            "lower": low,
            "upper": high,
            **others,
        }
        for name, (e, low, high) in found.items()
    ]
    return pl.DataFrame(rows)


def reported(asked=ASKED, diagnostics=DIAGNOSTICS, **kwargs):
    return report(effects(**kwargs), diagnostics, pl.DataFrame([asked], schema_overrides=LIST)).row(0, named=True)


def test_the_causal_estimate_stands_beside_the_naive_one():
    row = reported()
    assert (row["naive"], row["snips"], row["causal"]) == (0.3, 0.12, 0.1)
    assert row["verdict"] == (
        "Recommending an item raises the chance of a click by +10.00 points (95 % interval +5.00 to "
        "+15.00); the naive "
        "difference says +30.00."
    )


def test_the_e_value_is_that_of_the_risk_ratio():
    # 0.1 without, 0.2 with: RR = 2; the limit 0.05 gives RR = 1.5.
    row = reported()
    assert row["e_value"] == pytest.approx(2 + math.sqrt(2))
    assert row["e_value_limit"] == pytest.approx(1.5 + math.sqrt(0.75))


def test_an_interval_that_holds_0_needs_no_confounder():
    row = reported(aipw=(0.01, -0.02, 0.04))
    assert row["e_value_limit"] == 1.0
    assert "no effect on the chance of a click that can be told from 0" in row["verdict"]


def test_a_harm_is_said_as_one():
    row = reported(aipw=(-0.05, -0.08, -0.02))
    assert "lowers the chance of a click by -5.00 points" in row["verdict"]
    assert row["e_value"] == pytest.approx(2 + math.sqrt(2))


def test_without_a_rate_to_divide_by_there_is_no_e_value():
    assert sensitivity({"causal": 0.1, "causal_lower": 0.0, "causal_upper": 0.2}, 0.0)["e_value"] is None
    assert sensitivity({"causal": -0.2, "causal_lower": -0.3, "causal_upper": -0.1}, 0.1)["e_value"] is None


def test_every_assumption_is_printed_with_the_sensitivity_to_the_last():
    words = reported()["assumptions"]
    for assumption in ("Consistency", "No interference", "Overlap", "No unmeasured confounding given price"):
        assert assumption in words
    assert "by 3.41 (by 2.37 for the interval to reach 0)" in words


def test_with_nothing_to_adjust_for_nobody_says_that_the_treatment_was_randomised():
    words = reported(ASKED | {"columns": []})["assumptions"]
    assert "No unmeasured confounding given nothing (in the graph nothing that could be adjusted for" in words
    assert "randomised" not in words


def test_a_question_about_a_coupon_is_not_about_showing_an_item():
    words = reported(ASKED | {"treatment": "coupon"})["assumptions"]
    assert "a unit's outcome does not depend on the `coupon` of other units" in words
    assert "slate" not in words
    assert lead("coupon").startswith("The effect of `coupon`")
    assert lead("recommended").startswith("The effect of showing an item")


@pytest.mark.parametrize(
    ("treatments", "said"),
    [
        ([], "What recommending changes"),
        (["recommended", "recommended"], "What recommending changes"),
        (["coupon"], "What `coupon` changes"),
        (["recommended", "coupon"], "What recommending and `coupon` change"),
        (["coupon", "recommended", "banner"], "What `coupon`, recommending and `banner` change"),
    ],
)
def test_the_heading_names_the_treatments(treatments, said):
    assert heading(treatments) == said


@pytest.mark.parametrize("status", ["not_identifiable", "not_available", "insufficient_evidence"])
def test_a_question_without_an_answer_says_why_and_has_no_numbers(status):
    row = reported(
        ASKED | {"columns": []}, {}, aipw=(None, None, None), status=status, reason="only one arm was logged"
    )
    assert row["verdict"] == f"Cannot be told ({status.replace('_', ' ')}): only one arm was logged."
    assert {row[name] for name in ("naive", "snips", "causal", "e_value")} == {None}
    assert (row["status"], row["reason"], row["assumptions"]) == (status, "only one arm was logged", "")


def test_what_was_measured_of_the_overlap_is_kept_when_it_is_the_reason():
    row = reported(aipw=(None, None, None), status="insufficient_evidence", reason="no overlap")
    assert row["overlap_share"] == 0.99


def test_one_row_a_question_with_the_tables_schema():
    frame = report(effects(), DIAGNOSTICS, pl.DataFrame([ASKED], schema_overrides=LIST))
    assert frame.schema == schema()
    assert frame.height == 1


@pytest.mark.parametrize(
    ("strategy", "whose", "assumes", "e_value"),
    [
        (
            {"strategy": "front_door", "mediators": ["add_to_cart"]},
            "through `add_to_cart`, by which all of it passes",
            "passes through",
            False,
        ),
        (
            {"strategy": "instrument", "instrument": "lottery"},
            "among the units whose `recommended` the instrument `lottery` decides, if it never moves a unit away from "
            "`recommended`",
            "lottery is as good as random",
            False,
        ),
        (
            {"strategy": "back_door", "effect": "direct", "held": ["click"]},
            "with `click` held, for every unit, at the value that it had",
            "nor of click, given price",
            True,
        ),
    ],
)
def test_another_strategy_says_whose_effect_it_is_and_what_it_assumes(strategy, whose, assumes, e_value):
    lists = LIST | {"held": pl.List(pl.String), "mediators": pl.List(pl.String), "instrument": pl.String}
    asked = ASKED | {"held": [], "mediators": [], "instrument": None} | strategy
    sets = pl.DataFrame([asked], schema_overrides=lists)
    row = report(effects(reason="read by nobody"), DIAGNOSTICS, sets).row(0, named=True)
    assert f"+15.00), {whose}; the naive" in row["verdict"]
    assert assumes in row["assumptions"] and row["assumptions"].endswith(".")
    assert (row["e_value"] is not None) == e_value
