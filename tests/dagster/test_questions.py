"""From a landed column to the report: a coupon beside questions that cannot be asked, each with its own answer."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import yaml

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, LEARNING, build, make_home, materialise, table, tiny, words

LAST = FIRST + timedelta(days=4)
ASKED = tuple(name for name in LEARNING if name not in ("release", "recommendations"))
RAISED, TRUTH = 0.15, 0.147
"""A coupon makes this share of the units buy; of all, since some would have bought anyway."""
QUESTIONS = {
    "recommended_click": ("recommended", "click"),
    "coupon_purchase": ("coupon", "purchase"),
    "price_click": ("price", "click"),
    "device_click": ("device", "click"),
    "tone_click": ("tone", "click"),
    "always_click": ("always", "click"),
    "gone_click": ("cuopon", "click"),
    "request_click": ("request_id", "click"),
    "coupon_revenue": ("coupon", "revenue"),
    "coupon_rating": ("coupon", "rating"),
    "coupon_gone": ("coupon", "purchse"),
    "coupon_user": ("coupon", "user_id"),
}


def land_coupons(home, day):
    """Coupons as a shop logs them: more often on mobile, so that the plain difference is not the effect."""
    (path,) = (home.landing / "events").glob(f"day={day}/*.parquet")
    rows, rng = pl.read_parquet(path), np.random.default_rng(day.toordinal())
    mobile = (rows["device"] == "mobile").to_numpy()
    coupon = rng.random(rows.height) < np.where(mobile, 0.7, 0.3)
    # On mobile people buy more anyway.
    bought = rng.random(rows.height) < RAISED * coupon + 0.2 * mobile
    tone = pl.Series("tone", rng.integers(0, 2, rows.height))
    rows.with_columns(
        pl.Series("coupon", coupon.astype(np.int64)),
        pl.when(pl.Series(rng.random(rows.height) < 0.9)).then(tone).alias("tone"),
        pl.lit(1).alias("always"),
        *(pl.when(pl.Series(bought)).then(1).otherwise(c).cast(rows.schema[c]).alias(c) for c in ("click", "purchase")),
    ).write_parquet(path)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("coupons") / "home", tiny(days=5, events_per_day=1200))
    source = yaml.safe_load((home.data / "sources.yaml").read_text())
    added = dict.fromkeys(("coupon", "tone", "always"), "number")
    source["events"]["columns"] |= {name: name for name in added}
    source["context"] |= added
    (home.data / "sources.yaml").write_text(yaml.safe_dump(source))
    asked = [{"name": name, "treatment": t, "outcome": y} for name, (t, y) in QUESTIONS.items()]
    settings = {"questions": asked, "adjustment": "causes_of_either"}
    (home.data / "questions.yaml").write_text(yaml.safe_dump(settings))
    for k in range(5):
        land_coupons(home, FIRST + timedelta(days=k))
    build(home, 5, ())
    result = materialise(home, LAST, ASKED)
    assert result.success, words(result)
    return home, {row["question"]: row for row in table(home, "effect_report", LAST).to_dicts()}


def test_a_landed_coupon_has_an_effect_from_the_file_to_the_report(answered):
    home, report = answered
    row = report["coupon_purchase"]
    assert row["status"] == "answered", row["reason"]
    assert row["causal_lower"] < TRUTH < row["causal_upper"]
    assert row["naive"] > row["causal"] + 0.05
    propensities = table(home, "treatment_propensities", LAST).filter(pl.col("question") == "coupon_purchase")
    assert propensities.schema["treatment"] == pl.Int8
    assert 0.1 < propensities["propensity"].min() < propensities["propensity"].max() < 0.9


def test_the_report_says_what_the_coupon_changes_and_not_what_showing_an_item_does(answered):
    home, report = answered
    said = report["coupon_purchase"]
    assert said["verdict"].startswith("The treatment `coupon` raises the chance of a purchase")
    assert "does not depend on the `coupon` of other units" in said["assumptions"]
    assert "slate" not in said["assumptions"]
    html = (home.reports / f"{LAST}.html").read_text()
    assert "The effect of `coupon`: what happens where it is 1" in html
    assert "randomised treatment" not in html


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        ("price_click", "not_available", "the treatment `price` has"),
        ("device_click", "not_available", "values of type String"),
        ("tone_click", "not_available", "`tone` is missing in"),
        ("always_click", "not_identifiable", "constant: every unit has 1"),
        (
            "gone_click",
            "not_available",
            "the units have no column `cuopon` (questions.yaml: `treatment` of `gone_click`)",
        ),
        ("request_click", "not_available", "`request_id` is of the role `logging`, and is no treatment"),
        ("coupon_revenue", "not_available", "the outcome `revenue` has"),
        ("coupon_rating", "not_available", "`rating`: the source does not have it"),
        (
            "coupon_gone",
            "not_available",
            "the units have no column `purchse` (questions.yaml: `outcome` of `coupon_gone`)",
        ),
        ("coupon_user", "not_available", "`user_id` is of the role `identifier`, and is no outcome"),
    ],
)
def test_a_question_that_cannot_be_asked_has_an_answer_of_its_own(answered, question, status, reason):
    row = answered[1][question]
    assert (row["status"], row["causal"]) == (status, None)
    assert reason in row["reason"]
    assert "cut point" not in row["reason"]


def test_the_others_end_neither_the_effect_of_recommending_nor_the_model(answered):
    home, report = answered
    assert report["recommended_click"]["status"] == "answered"
    model = Store(home.lake).pointer("outcome_model", LAST)
    assert model.notes["divides_by"] == "recommended_click"


def test_a_coupon_comes_after_the_history_and_before_the_slate(answered):
    tiers = Store(answered[0].lake).pointer("causal_graph", LAST).notes["tiers"]
    assert tiers["user_exposures"] < tiers["coupon"] < tiers["recommended"] < tiers["click"]
