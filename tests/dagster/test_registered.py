"""A policy and an off-policy estimator that are added by one line each go from the slots to the page people read."""

import json
from datetime import timedelta

import pytest
import yaml

from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.policy.plackett_luce import uniform
from causalrec.policy.policies import POLICIES
from causalrec_assets.lake.store import Store
from tests.evaluation.test_registered import Half
from tests.policy.policies.test_policies import Greedy
from tests.worlds import FIRST, materialise, table, words

LAST = FIRST + timedelta(days=5)


class MostlyGreedy(Greedy):
    """With a tenth at random: a policy that shows nothing new is refused."""

    def probabilities(self, part):
        return 0.9 * super().probabilities(part) + 0.1 * uniform(part.eligible)


@pytest.fixture
def reported(own_home, monkeypatch):
    monkeypatch.setitem(POLICIES, "greedy", MostlyGreedy())
    monkeypatch.setitem(POLICY_VALUE_ESTIMATORS, "half", Half())
    file = own_home.data / "policy.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"named": ["uniform", "greedy"]}))
    result = materialise(own_home, LAST, ["target_policy", "off_policy_report", "evaluation_report"])
    assert result.success, words(result)
    return own_home


def test_a_registered_policy_and_estimator_are_judged_reported_and_shown(reported):
    slots = table(reported, "target_policy", LAST)
    judged = slots.filter(policy="challenger")["unit_id"].to_list()
    # What reads a model is judged where the challenger is; what does not, on the days of training too.
    assert slots.filter(policy="greedy")["unit_id"].to_list() == judged
    assert slots.filter(policy="uniform").height > len(judged)
    values = table(reported, "off_policy_report", LAST)
    of_policy = values.filter(policy="greedy", estimand="raw", metric="satisfaction")
    assert of_policy["estimator"].to_list() == ["ips", "snips", "dm", "dr", "half", "logged_mean"]
    page = (reported.reports / f"{LAST}.html").read_text()
    assert "always the likeliest click" in page
    assert "half of it<br>(H)" in page


def test_organic_rows_are_weighed_and_ten_slates_are_drawn(reported):
    frame = table(reported, "target_policy", LAST)
    organic = frame.filter(kind="organic", policy="challenger")
    assert organic.height and set(frame.filter(kind="organic")["policy"]) == {"challenger", "greedy", "uniform"}
    for column in ("shown_probability", "met_weight", "not_shown_weight", "not_shown_least", "shown_click_if_not"):
        assert organic[column].null_count() == 0, column
    assert organic["not_shown_least"].is_between(0, 1).all()
    store = Store(reported.lake)
    samples = json.loads(store.read_file(store.pointer("target_policy", LAST), "sample_slates.json"))
    assert len(samples) == 10
    for sample in samples:
        propensities = [row["action_propensity"] for row in sample["slate"]]
        assert sample["shown"] and propensities and all(0 < p <= 1 for p in propensities)
