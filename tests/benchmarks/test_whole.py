"""Histories through the whole report: what is drawn is what is said, and a look reads what the report reads."""

import numpy as np
import pytest

from benchmarks.verdict.histories import rules
from benchmarks.verdict.whole import AND_REVENUE, CLICKS, WORLD, Case, Traffic, run
from benchmarks.verdict.worlds import GROUPS, SIZE, TYPES, WORLDS, Shop
from causalrec.policy.policies import CHALLENGER, CHAMPION

RULE, _ = rules()


@pytest.fixture(scope="module")
def traffic():
    return Traffic(Shop(WORLDS[WORLD], 1), 14)


def true_clicks(traffic, policy):
    """A round of these users, by the rates of their types."""
    by_group = policy.reshape(TYPES, GROUPS, SIZE).sum(axis=2)
    return float((traffic.shop.types[:, None] * by_group * traffic.shop.rates).sum())


def test_challengers_are_equal_or_better_by_what_is_said(traffic):
    champion = true_clicks(traffic, traffic.shop.champion)
    assert true_clicks(traffic, traffic.shop.challenger(0.0)) == pytest.approx(champion, rel=1e-12)
    assert true_clicks(traffic, traffic.shop.challenger(0.05)) == pytest.approx(1.05 * champion, rel=1e-6)
    clicks = traffic.units["click"].to_numpy()
    assert abs(clicks.mean() - champion) < 4 * clicks.std() / np.sqrt(len(clicks))


def test_the_report_of_a_looks_days_is_the_difference_by_hand(traffic):
    shop, days = traffic.shop, slice(7, 14)
    challenger, rounds = shop.challenger(0.0), slice(7_000, 14_000)
    found = traffic.evidence({CHALLENGER: challenger, CHAMPION: shop.champion}, days, RULE, AND_REVENUE)
    kind, item = traffic.kind[rounds], traffic.item[rounds]
    model, scores = shop.clicks_model[kind, item // SIZE], []
    for policy in (challenger, shop.champion):
        by_type = policy.reshape(TYPES, GROUPS * SIZE)
        expected = (by_type * np.repeat(shop.clicks_model, SIZE, axis=1)).sum(axis=1)[kind]
        weight = by_type[kind, item] / traffic.units["action_propensity"][rounds].to_numpy()
        scores.append(expected + weight * (traffic.units["click"][rounds].to_numpy() - model))
    assert found.trusted.answered and found.satisfaction.rounds == 7_000
    assert found.satisfaction.value == pytest.approx(np.mean(scores[0] - scores[1]))
    assert found.satisfaction.base == pytest.approx(np.mean(scores[1]))
    # Money is rarer than clicks.
    assert found.revenue is not None and found.revenue_trusted.answered
    day = traffic.evidence({CHALLENGER: challenger}, slice(0, 1), RULE, AND_REVENUE)
    assert day.trusted.answered and not day.revenue_trusted.answered


def test_a_look_that_is_not_trusted_says_why(traffic):
    strict = RULE.model_copy(update={"min_difference_outcomes": 1e6})
    seen = run(Case("", False, strict, AND_REVENUE, days=15), 1)
    assert [(end.looks, end.untrusted, end.released) for end in seen.ends] == [(2, 2, None)]
    (why,) = seen.forfeited
    assert "n effective outcomes tell the two policies apart (at least n are needed" in why


def test_a_policy_that_is_much_better_is_released_at_the_first_look():
    seen = run(Case("", True, RULE, CLICKS, gain=0.4, days=28), 1)
    assert seen.released == [7] and seen.looks == 1 and not seen.forfeited
    assert 0.6 < seen.stated[0] < 1.4
