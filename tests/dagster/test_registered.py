"""A policy and an off-policy estimator that are added by one line each go from the slots to the page people read."""

from datetime import timedelta

import pytest
import yaml

from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.policy.plackett_luce import uniform
from causalrec.policy.policies import POLICIES
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
    of_policy = values.filter(policy="greedy", metric="satisfaction")
    assert of_policy["estimator"].to_list() == ["ips", "snips", "dm", "dr", "half", "logged_mean"]
    page = (reported.reports / f"{LAST}.html").read_text()
    assert "always the likeliest click" in page
    assert "half of it<br>(H)" in page
