"""Every registered policy, and one that is added by a line."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.policy import policies
from causalrec.policy.grid import Scored
from causalrec.policy.policies import CHALLENGER, CHAMPION, POLICIES, FittedPolicy, named_policies
from causalrec.policy.policies.judged import evaluate_slots
from causalrec.policy.slots import judged_slots
from tests.policy.policies.test_judged import CLICK, CONFIG, ITEMS, OBJECTIVE, PRICE, PURCHASE, UNITS

RNG = np.random.default_rng(0)
PART = Scored(slice(0, 20), RNG.random((20, 6)) < 0.7, RNG.random((20, 6)), RNG.random((20, 6)), RNG.random(6), None)
FITTED = [FittedPolicy(name, CONFIG, OBJECTIVE) for name in (CHALLENGER, CHAMPION)]
EACH = pytest.mark.parametrize("policy", [*POLICIES.values(), *FITTED], ids=lambda policy: policy.name)


class Greedy:
    """All on the candidate that is clicked most."""

    name, label, fitted = "greedy", "always the likeliest click", True

    def probabilities(self, part):
        best = np.where(part.eligible, part.click, -1.0).argmax(axis=1)
        return (np.arange(part.eligible.shape[1]) == best[:, None]) * part.eligible.astype(float)


@pytest.fixture
def greedy(monkeypatch):
    """A policy of three lines, registered by one."""
    monkeypatch.setitem(POLICIES, "greedy", Greedy())


@EACH
def test_a_policy_is_a_distribution_over_the_candidates(policy):
    p = policy.probabilities(PART)
    assert p.shape == PART.eligible.shape
    assert p.sum(axis=1) == pytest.approx(PART.eligible.any(axis=1).astype(float))
    assert (p >= 0).all() and (p[~PART.eligible] == 0).all()


@EACH
def test_where_nothing_can_be_shown_nothing_is(policy):
    none = Scored(PART.contexts, np.zeros((20, 6), dtype=bool), PART.click, PART.purchase, PART.price, None)
    assert (policy.probabilities(none) == 0).all()


@EACH
def test_what_is_not_fitted_needs_no_model(policy):
    unknown = np.full((20, 6), np.nan)
    bare = Scored(PART.contexts, PART.eligible, unknown, unknown, None, None)
    assert np.isfinite(policy.probabilities(bare)).all() != policy.fitted


@EACH
def test_people_have_a_word_for_it(policy):
    assert policies.labels()[policy.name] == policy.label


def test_an_unknown_name_is_refused_with_those_that_are_known():
    with pytest.raises(
        InputError, match=r"policy\.yaml: unknown named policies \['greedy'\]; known are \('uniform',\)"
    ):
        named_policies(["uniform", "greedy"])


def test_a_policy_that_is_named_twice_is_judged_once():
    assert named_policies(["uniform", "uniform"]) == [POLICIES["uniform"]]


def test_a_policy_is_judged_once_it_is_registered(greedy):
    scored = Scored(slice(0, 1), np.ones((1, 3), dtype=bool), CLICK, PURCHASE, PRICE, None)
    slots = judged_slots(UNITS, ITEMS, [], [])
    frame = evaluate_slots(slots, [scored], named_policies(["uniform", "greedy"]), OBJECTIVE)
    own = frame.filter(pl.col("policy") == "greedy")
    # It would show b, which was shown in the first slot; below b nothing of it is left.
    assert own["action_probability"].to_list() == [1.0, 0.0]
    assert own["fitted"].to_list() == [True, True]
    assert own["model_click"][0] == pytest.approx(0.4)
