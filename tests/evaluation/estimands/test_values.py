"""Each named value by hand on two requests, and laws that hold whatever the logs are."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalrec.evaluation.estimands import ESTIMANDS, Logs
from causalrec.evaluation.policy_values import report
from causalrec.evaluation.rounds import EvaluationData
from causalrec.policy.policies.judged import SCHEMA as TARGETS
from tests.evaluation.rules import release_rule

DAY = date(2026, 3, 3)
ALL = Logs("every_impression", True)
RULE = release_rule(0, 100.0, 1.0, 0.02, {}, 0)


def world(slots, organic, policy="challenger"):
    """Units and targets.

    Args:
        slots: (request, click, action propensity, action probability, model_click, shown_click, model_click_if_not).
        organic: (request, click, met_weight, not_shown_weight, not_shown_least, shown_click_if_not).
    """
    units, targets, places = [], [], {}
    for k, (request, click, pi0, pi, model, shown, if_not) in enumerate(slots):
        places[request] = places.get(request, 0) + 1
        units.append((f"s{k}", request, 1, places[request], pi0, click))
        own = {"kind": "slot", "action_probability": pi, "model_click": model, "shown_click": shown}
        targets.append({"unit_id": f"s{k}", "request_id": request, **own, "model_click_if_not": if_not})
    for k, (request, click, met, out, least, if_not) in enumerate(organic):
        units.append((f"o{k}", request, 0, None, None, click))
        own = {"kind": "organic", "shown_probability": 0.1, "met_weight": met, "not_shown_weight": out}
        own |= {"not_shown_least": least, "shown_click_if_not": if_not}
        targets.append({"unit_id": f"o{k}", "request_id": request, **own})
    names = ("unit_id", "request_id", "recommended", "position", "action_propensity", "click")
    frame = pl.DataFrame(units, schema=names, orient="row", infer_schema_length=None).with_columns(
        pl.col("click").cast(pl.Int8),
        pl.col("action_propensity").cast(pl.Float64),
        time=pl.lit(datetime(2026, 3, 3, 9, tzinfo=UTC)),
        day=pl.lit(DAY),
        user_id=pl.col("request_id"),
        policy=pl.lit("shop"),
        purchase=pl.lit(None, pl.Int8),
        price=pl.lit(None, pl.Float64),
    )
    return frame, pl.DataFrame([{"policy": policy, "fitted": True, **each} for each in targets], schema=TARGETS)


def values(units, targets, logs=ALL, rule=RULE):
    propensities = units.filter(pl.col("recommended") == 1).select("unit_id", "action_propensity")
    return report(EvaluationData(units, targets, propensities, "click", None, "user_id", (), (), [DAY], logs), rule)


def row(frame, estimand, estimator="dr", policy="challenger"):
    return frame.row(
        by_predicate=(pl.col("policy") == policy)
        & (pl.col("estimand") == estimand)
        & (pl.col("metric") == "satisfaction")
        & (pl.col("estimator") == estimator),
        named=True,
    )


SLOTS = [
    ("A", 1, 0.5, 0.5, 0.4, 0.5, 0.2),
    ("A", 0, 0.5, 0.25, 0.4, 0.5, 0.1),
    ("B", 0, 0.25, 0.5, 0.3, 0.2, 0.1),
]
ORGANIC = [("A", 1, 3.0, 0.2, 0.9, 0.4), ("A", 0, 1.0, 0.1, 0.9, 0.2), ("B", 1, 2.0, 0.3, 0.8, 0.1)]


@pytest.fixture
def met(monkeypatch):
    """Three organic rows may stand for what the policy shows."""
    monkeypatch.setattr("causalrec.evaluation.estimands.given_met.FEWEST", 0)


def test_raw_by_hand():
    frame = values(*world(SLOTS, ORGANIC))
    assert row(frame, "raw", "ips")["estimate"] == pytest.approx(1 / 3)
    assert row(frame, "raw")["estimate"] == pytest.approx((0.4 + 0.5 + 0.4 - 0.25 + 0.3 - 0.4) / 3)


def test_given_met_by_hand(met):
    frame = values(*world(SLOTS, ORGANIC))
    # Weighing alone: 3 of request A and 2 of B, of a weight of 4 and 2. Doubly robust: 3 (1 - 0.4) + 1 (0 - 0.2) and
    # 2 (1 - 0.1).
    anyway = {"ips": 5 / 3, "snips": 5 / 6, "dm": 0.4 / 3, "dr": (0.4 + 1.6 + 1.8) / 3}
    for estimator, expected in anyway.items():
        found, raw = row(frame, "given_met", estimator), row(frame, "raw", estimator)
        assert found["anyway"] == pytest.approx(expected)
        assert found["estimate"] == pytest.approx(raw["estimate"] - expected)


def test_a_common_factor_of_how_often_items_are_met_changes_nothing_where_the_weights_are_normalised(met):
    twice = [(request, click, 2 * weight, *rest) for request, click, weight, *rest in ORGANIC]
    own, doubled = (values(*world(SLOTS, rows)) for rows in (ORGANIC, twice))
    snips, ips = ([row(frame, "given_met", name)["anyway"] for frame in (own, doubled)] for name in ("snips", "ips"))
    assert snips[1] == pytest.approx(snips[0]) and ips[1] == pytest.approx(2 * ips[0])


@pytest.mark.parametrize("estimator", ["ips", "snips", "dm", "dr"])
def test_given_not_shown_by_hand(estimator):
    frame = values(*world(SLOTS, ORGANIC))
    found = row(frame, "given_not_shown", estimator)
    # By design, whatever the estimator: its weights need not add up to anything, for most items are not met.
    assert found["anyway"] == pytest.approx((0.2 + 0.3) / 3)
    assert found["estimate"] == pytest.approx(row(frame, "raw", estimator)["estimate"] - 0.5 / 3)


def test_total_and_own_and_organic_by_hand():
    frame = values(*world(SLOTS, ORGANIC))
    # Of A two outcomes, of B one; of organic rows one each, with the slot's own.
    assert row(frame, "total", "ips")["estimate"] == pytest.approx((1 * 2 + 0.5 * 2 + 2 * 1) / 3)
    assert row(frame, "own_and_organic", "ips")["estimate"] == pytest.approx((1 * 2 + 0.5 * 1 + 2 * 1) / 3)
    assert row(frame, "total", "snips")["estimate"] == pytest.approx(5 / 3.5)


def test_what_is_expected_of_the_rest_is_its_mean_before_in_the_same_position():
    # Beside the first slot 1 and 2 outcomes were seen before (slot 2, an organic row), beside the second 0 and 2.
    before = [("t0", 0, 0.5, 0.5, 0.4, 0.5, 0.2), ("t0", 1, 0.5, 0.5, 0.4, 0.5, 0.2)]
    before += [("t1", 1, 0.5, 0.5, 0.4, 0.5, 0.2), ("t1", 1, 0.5, 0.5, 0.4, 0.5, 0.2)]
    units, targets = world([*SLOTS, *before], [*ORGANIC, ("t1", 1, 1.0, 0.1, 0.9, 0.1)])
    trained = pl.col("request_id").str.starts_with("t")
    units = units.with_columns(day=pl.when(trained).then(pl.lit(date(2026, 3, 2))).otherwise("day"))
    targets = targets.filter(~trained)
    found = row(values(units, targets), "total")
    rest = np.array([(1 + 2) / 2, (0 + 2) / 2, (1 + 2) / 2])
    weight, q, shown, reward = np.array([1, 0.5, 2]), np.array([0.4, 0.4, 0.3]), np.array([0.5, 0.5, 0.2]), [2, 2, 1]
    assert found["estimate"] == pytest.approx((q + rest + weight * (reward - shown - rest)).mean())


def test_a_request_with_several_outcomes_is_judged():
    many = [(request, 1, *rest) for request, _, *rest in SLOTS]
    assert row(values(*world(many, ORGANIC)), "total")["status"] == "answered"


def test_a_slate_with_a_slot_that_is_not_logged_has_no_total():
    units, targets = world(SLOTS, ORGANIC)
    units = units.with_columns(position=pl.when(pl.col("unit_id") == "s1").then(3).otherwise("position"))
    frame = values(units, targets)
    assert row(frame, "total")["status"] == "not_available"
    assert row(frame, "own_and_organic")["status"] == "answered"


@pytest.mark.parametrize("estimand", ["given_met", "given_not_shown"])
def test_without_organic_rows_there_are_bounds_in_words_and_numbers(estimand):
    found = row(values(*world(SLOTS, []), Logs("none", True)), estimand)
    assert (found["status"], found["estimate"], found["anyway"]) == ("not_available", None, None)
    assert (found["anyway_lower"], found["anyway_upper"]) == (0.0, pytest.approx(1 / 3))
    assert "sources.yaml: organic_rows" in found["reason"] and "would have happened anyway" in found["reason"]


def test_few_organic_outcomes_tell_nothing_of_what_would_have_happened_anyway():
    rule = release_rule(0, 100.0, 1.0, 0.02, {}, 2)
    many = [(f"r{k}", k % 2, 0.5, 0.5, 0.4, 0.4, 0.1) for k in range(20)]
    found = row(values(*world(many, [("r1", 1, 1.0, 0.1, 0.9, 0.1)]), rule=rule), "given_not_shown")
    assert found["status"] == "insufficient_evidence"
    assert "1 effective organic outcomes stand behind" in found["reason"]


def test_what_is_offered_nearly_always_is_not_identifiable():
    organic = [(*each[:4], 0.01, each[5]) for each in ORGANIC]
    assert row(values(*world(SLOTS, organic)), "given_not_shown")["status"] == "not_identifiable"


def test_what_the_policy_shows_and_nobody_meets_is_not_identifiable(met):
    organic = [(request, click, 0.1, *rest) for request, click, _, *rest in ORGANIC]
    assert row(values(*world(SLOTS, organic)), "given_met")["status"] == "not_identifiable"


def test_days_on_which_nothing_is_known_of_what_was_met_are_left_out(met):
    before = [(f"t{k}", *each[1:]) for k, each in enumerate(SLOTS)]
    units, targets = world([*SLOTS, *before], ORGANIC)
    earlier = pl.when(pl.col("request_id").str.starts_with("t")).then(pl.lit(date(2026, 3, 2))).otherwise("day")
    frame, judged_alone = values(units.with_columns(day=earlier), targets), values(*world(SLOTS, ORGANIC))
    for estimand in ("given_met", "given_not_shown"):
        assert row(frame, estimand)["rounds"] == 3
        assert row(frame, estimand)["anyway"] == pytest.approx(row(judged_alone, estimand)["anyway"])
    assert row(frame, "raw")["rounds"] == 6
    none = values(units.with_columns(day=pl.lit(date(2026, 3, 2))), targets)
    assert row(none, "given_met")["reason"] == "no round lies on the judgement days"


@pytest.mark.parametrize("estimand", ["whole_slate", "later_days"])
def test_what_single_slots_cannot_tell_says_why(estimand):
    found = row(values(*world(SLOTS, ORGANIC)), estimand)
    assert found["status"] == "not_available" and found["reason"]


def test_each_says_what_it_is_and_what_it_assumes():
    for name, estimand in ESTIMANDS.items():
        assert estimand.name == name and estimand.label and estimand.meaning


PROBABILITY = st.floats(0.05, 0.95)
SLOT = st.tuples(st.integers(0, 1), PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY)


@settings(max_examples=25, deadline=None)
@given(st.lists(SLOT, min_size=2, max_size=6))
def test_where_nothing_else_happens_in_a_request_the_total_is_the_raw_value(drawn):
    slots = [(f"r{k}", *each) for k, each in enumerate(drawn)]
    organic = [(f"r{k}", 0, 1.0, 0.1, 0.9, 0.1) for k in range(len(drawn))]
    frame = values(*world(slots, organic))
    for estimator in ("ips", "snips", "dm", "dr"):
        raw = row(frame, "raw", estimator)
        for estimand in ("total", "own_and_organic", "given_not_shown"):
            found = row(frame, estimand, estimator)
            assert found["status"] == raw["status"]
            if raw["status"] == "answered":
                assert found["estimate"] == pytest.approx(raw["estimate"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SLOT, PROBABILITY), min_size=2, max_size=6))
def test_differences_change_their_sign_with_the_policies(drawn):
    slots = [(f"r{k}", *each) for k, (each, _) in enumerate(drawn)]
    organic = [(f"r{k}", k % 2, 1.0 + k, 0.1 * k, 0.9, 0.1) for k in range(len(drawn))]
    others = [
        (request, click, pi0, other, *rest)
        for (request, click, pi0, _, *rest), (_, other) in zip(slots, drawn, strict=True)
    ]
    less = [(*each[:2], each[2] / 2, each[3] / 3, *each[4:]) for each in organic]

    def both(first, first_organic, second, second_organic):
        units, challenger = world(first, first_organic)
        _, champion = world(second, second_organic, "champion")
        return values(units, pl.concat([challenger, champion]))

    there, back = both(slots, organic, others, less), both(others, less, slots, organic)
    for estimand in ("raw", "given_not_shown", "own_and_organic", "total"):
        a, b = row(there, estimand), row(back, estimand)
        assert a["status"] == b["status"]
        if a["difference"] is not None:
            assert a["difference"] == pytest.approx(-b["difference"])
            assert a["difference_std_error"] == pytest.approx(b["difference_std_error"])


@settings(max_examples=25, deadline=None)
@given(st.lists(SLOT, min_size=2, max_size=6), st.integers(0, 100))
def test_policies_that_take_the_same_off_differ_as_their_raw_values_do(drawn, seed):
    """Re-ranking one slate: what would have happened anyway is the same sum of both."""
    slots = [(f"r{k}", *each) for k, each in enumerate(drawn)]
    probability = np.random.default_rng(seed).uniform(0.05, 0.95, len(drawn))
    others = [(*each[:3], p, *each[4:]) for each, p in zip(slots, probability, strict=True)]
    organic = [(f"r{k}", k % 2, 1.0, 0.1 * k, 0.9, 0.1) for k in range(len(drawn))]
    units, challenger = world(slots, organic)
    _, champion = world(others, organic, "champion")
    frame = values(units, pl.concat([challenger, champion]))
    raw, given_not_shown = row(frame, "raw"), row(frame, "given_not_shown")
    if raw["difference"] is not None:
        assert given_not_shown["difference"] == pytest.approx(raw["difference"], abs=1e-12)
