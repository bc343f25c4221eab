"""The naive contrast is biased, and adjusting for what the policy read is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.comparison import compare_effects, realised_effects, true_effects
from causalrec.simulator.traffic.policy_value import past_before
from causalrec.simulator.world.world import WorldConfig
from tests.simulator.conftest import write

CONFOUNDED = WorldConfig(days=6, users=600, items=200, events_per_day=20_000, seed=5)


@pytest.fixture(scope="module")
def confounded(tmp_path_factory):
    return write(CONFOUNDED, tmp_path_factory.mktemp("confounded"))


def difference(events, outcome):
    return (
        events.filter(pl.col("recommended") == 1)[outcome].mean()
        - events.filter(pl.col("recommended") == 0)[outcome].mean()
    )


def what_the_policy_read(written):
    """Columns of the three logged causes of `recommended`, their squares and products, (units, 9)."""
    parts = []
    for day in written.days:
        events, past = written.events(day), past_before(written.world, written.landing, day)
        user = events["user_id"].str.slice(5).cast(pl.Int64).to_numpy()
        item = events["item_id"].str.slice(5).cast(pl.Int64).to_numpy()
        rate = past.user_category_rate[user, written.world.catalogue.category[item]]
        parts.append(np.log(np.column_stack([rate, past.item_rate[item], events["price"].to_numpy()])))
    x = np.concatenate(parts)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.column_stack([x, x**2, x[:, 0] * x[:, 1], x[:, 0] * x[:, 2], x[:, 1] * x[:, 2]])


def adjusted(written, outcome):
    """AIPW with logistic nuisances fitted on the other half of the users; its standard error by user."""
    from sklearn.linear_model import LogisticRegression

    events, x = written.events(), what_the_policy_read(written)
    t, y = events["recommended"].to_numpy(), events[outcome].to_numpy()
    half = events["user_id"].str.slice(5).cast(pl.Int64).to_numpy() % 2
    score = np.empty(len(t))
    for fold in (0, 1):
        fit, use = half != fold, half == fold
        e = LogisticRegression().fit(x[fit], t[fit]).predict_proba(x[use])[:, 1]
        q1, q0 = (
            LogisticRegression().fit(x[fit & (t == arm)], y[fit & (t == arm)]).predict_proba(x[use])[:, 1]
            for arm in (1, 0)
        )
        score[use] = q1 - q0 + t[use] / e * (y[use] - q1) - (1 - t[use]) / (1 - e) * (y[use] - q0)
    by_user = (
        pl.DataFrame({"user": events["user_id"], "s": score - score.mean()}).group_by("user").agg(pl.col("s").sum())
    )
    return score.mean(), float(np.sqrt((by_user["s"] ** 2).sum())) / len(score)


@pytest.mark.parametrize("outcome", ["click", "purchase"])
def test_the_naive_contrast_overstates_the_effect_and_adjusting_for_logged_columns_recovers_it(confounded, outcome):
    truth = true_effects(confounded.truth, confounded.days)[outcome]
    estimate, error = adjusted(confounded, outcome)
    assert difference(confounded.events(), outcome) - truth > 6 * error
    assert abs(estimate - truth) < 3 * error


def test_without_the_dials_of_confounding_it_is_an_experiment(tmp_path):
    none = {
        "policy_on_taste": 0.0,
        "policy_on_popularity": 0.0,
        "policy_on_price": 0.0,
        "browse_on_popularity": 0.0,
        "browse_on_price": 0.0,
    }
    written = write(replace(CONFOUNDED, **none), tmp_path)
    naive = difference(written.events(), "click")
    assert naive == pytest.approx(true_effects(written.truth, written.days)["click"], abs=0.006)


def test_the_world_has_rates_from_which_effects_can_be_estimated(confounded):
    events = confounded.events()
    assert 0.05 < events["click"].mean() < 0.15
    assert 0.01 < events["purchase"].mean() < 0.05


def test_the_realised_effect_is_the_true_one_and_its_luck(small):
    true, realised = true_effects(small.truth, small.days), realised_effects(small.truth, small.days)
    known = small.known()
    assert realised["click"] == pytest.approx((known["click_1"] - known["click_0"]).mean())
    assert realised["click"] == pytest.approx(true["click"], abs=0.01)


def test_the_truth_is_of_the_units_that_were_asked_for(small):
    known = small.known(small.days[1])
    some = known.filter(pl.col("recommended") == 1)
    value = true_effects(small.truth, small.days, ["click"], some["event_id"])["click"]
    assert value == pytest.approx((some["p_click_1"] - some["p_click_0"]).mean())
    with pytest.raises(ValueError, match="1500 units were asked for, 0 of them"):
        true_effects(small.truth, small.days[:1], ["click"], some["event_id"])


def effects_table(click, purchase):
    rows = []
    for outcome, causal in (("click", click), ("purchase", purchase)):
        for estimator, value in (("naive", 0.05), ("snips", 0.03), ("aipw", causal)):
            low, high = (None, None) if value is None else (value - 0.02, value + 0.02)
            rows.append(
                {
                    "question": f"recommended_{outcome}",
                    "outcome": outcome,
                    "estimator": estimator,
                    "estimate": value,
                    "lower": low,
                    "upper": high,
                }
            )
    return pl.DataFrame(rows)


def test_each_estimate_stands_beside_its_truth_and_an_unanswered_one_covers_nothing(small):
    truth = true_effects(small.truth, small.days)["click"]
    table = compare_effects(effects_table(click=truth + 0.01, purchase=None), small.truth, small.days)
    assert table["question"].to_list() == ["recommended_click"] * 3 + ["recommended_purchase"] * 3
    assert table["truth"][:3].to_list() == pytest.approx([truth] * 3)
    robust = table.filter(estimator="aipw")
    assert robust["covered"].to_list() == [True, None]
    assert robust["estimate"].to_list() == [pytest.approx(truth + 0.01), None]
