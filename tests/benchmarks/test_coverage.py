"""The draws of the table of coverage are what the verdict's own code makes of them."""

from dataclasses import fields

import numpy as np
import pytest

from benchmarks.verdict.tail_worlds import COLUMNS, LOGS, METRICS, Policies, draw_rounds, rounds_of, shop_of, shown
from causalrec.estimators.intervals import contrast
from causalrec.estimators.policy_value import deciding
from causalrec.evaluation.trust.difference import DifferenceDiagnostics


def policies_and_rounds(logs: str, equal: bool = False, rounds: int = 1500):
    draw = np.random.default_rng(3)
    policies = Policies.of(shop_of(logs, 0.15, 1), draw, near=logs == "near")
    return policies, draw_rounds(policies, draw, rounds, 40, equal)


@pytest.mark.parametrize("logs", LOGS)
@pytest.mark.parametrize("metric", METRICS)
def test_sums_by_cluster_say_what_the_projects_estimators_say(logs, metric):
    policies, drawn = policies_and_rounds(logs)
    rounds, base = rounds_of(policies, drawn, metric)
    dr = deciding()
    expected = contrast(dr.estimate(rounds), dr.estimate(base), rounds.clusters, unequal=True)
    found = dict(zip(COLUMNS, shown(policies, drawn)[metric], strict=True))
    assert found["value"] == pytest.approx(expected.value, abs=1e-12)
    assert found["std_error"] == pytest.approx(expected.std_error, rel=1e-9)
    told = DifferenceDiagnostics.of(rounds, base)
    assert found["degrees"] == pytest.approx(expected.degrees, rel=1e-9)
    for field in fields(told):
        assert found[field.name] == pytest.approx(getattr(told, field.name), rel=1e-9)


@pytest.mark.parametrize("logs", LOGS)
def test_policies_are_equal_over_users_and_not_for_one(logs):
    policies, _ = policies_and_rounds(logs)
    shop = policies.shop
    champion, challenger = (each * policies.logging for each in (policies.weight_base, policies.weight))
    rates, price = (np.broadcast_to(each, shop.rates.shape) for each in (shop.rates, shop.price))
    groups = (each.reshape(*shop.rates.shape, -1) for each in (champion, challenger))
    masses = [each.sum(-1) for each in groups]
    for worth in (rates, rates * price):
        assert shop.value(masses[0], worth) == pytest.approx(shop.value(masses[1], worth), rel=1e-12)
    assert np.abs(champion - challenger).max() > 0.01
