"""A temperature that nobody stated keeps a policy as sure of itself as form `do` at 0.5."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from causalrec.policy.grid import Scored
from causalrec.policy.policies import CHALLENGER, FittedPolicy
from causalrec.policy.policies.temperature import mean_entropy, temperature_of, with_temperature
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig

DIALS = {"exploration": 0.1, "slate_size": 2, "named": [], "match": [], "report_by": []}
CONFIG = PolicyConfig.parse(DIALS)
VALUES = arrays(np.float64, (3, 8), elements=st.floats(-5, 5))


def scored(seed: int = 0, contexts: int = 40, items: int = 25) -> Scored:
    rng = np.random.default_rng(seed)
    click = 1 / (1 + np.exp(-rng.normal(-2, 1, (contexts, items))))
    rest = 1 - 0.5 * click + rng.normal(0, 0.02, click.shape)
    price = rng.uniform(5, 40, items)
    eligible = rng.random(click.shape) < 0.8
    return Scored(
        slice(0, contexts), eligible, click, click / 5, price, click * 0.8, click / 6, rest, rest / 5, rest * 4
    )


def entropy(part: Scored, objective: Objective, config: PolicyConfig) -> float:
    p = FittedPolicy(CHALLENGER, config, objective).probabilities(part)
    return float(-(p * np.log(np.where(p > 0, p, 1))).sum(axis=1).mean())


@given(VALUES, st.floats(0.01, 10), st.floats(1.01, 10), st.floats(0, 0.5))
def test_entropy_does_not_fall_with_the_temperature(value, low, factor, exploration):
    may = [np.ones_like(value, dtype=bool)]
    colder, hotter = (mean_entropy([value], may, t, exploration) for t in (low, low * factor))
    assert hotter >= colder - 1e-9


@given(VALUES, st.floats(0.05, 5), st.floats(0.001, 0.5))
def test_the_temperature_of_an_entropy_has_that_entropy(value, temperature, exploration):
    may = [np.ones_like(value, dtype=bool)]
    aim = mean_entropy([value], may, temperature, exploration)
    found = temperature_of(aim, [value], may, exploration)
    assert mean_entropy([value], may, found, exploration) == pytest.approx(aim, abs=1e-6)


@pytest.mark.parametrize("form", ["total", "effect_given_met"])
@pytest.mark.parametrize("weight", [None, 0.05])
def test_every_form_explores_as_much_as_do(form, weight):
    part, stated = scored(), {"satisfying": "click", "margin": 0.3}
    objective = Objective.parse({**stated, "form": form, "lambda": weight})
    config = with_temperature(CONFIG, objective, [part])
    likes = objective.model_copy(update={"form": "do", "weight": None})
    if weight:
        # At the rate of exchange where `do` by satisfaction alone would act: d log P = dP / P.
        p = FittedPolicy(CHALLENGER, PolicyConfig.parse({**DIALS, "temperature": 0.5, "exploration": 1e-12}), likes)
        shown = (p.probabilities(part) * part.click).sum() / len(part.click)
        likes = likes.model_copy(update={"weight": weight / shown})
    of_do = PolicyConfig.parse({**DIALS, "temperature": 0.5})
    assert entropy(part, objective, config) == pytest.approx(entropy(part, likes, of_do), abs=1e-6)


def test_the_units_of_the_value_do_not_matter():
    value, may = scored().click, [scored().eligible]
    one, other = (temperature_of(2.0, [k * value], may, 0.1) for k in (1.0, 1000.0))
    assert other == pytest.approx(1000 * one)


def test_a_stated_temperature_stays_and_that_of_do_is_a_half():
    stated = PolicyConfig.parse({**DIALS, "temperature": 0.7})
    total = Objective.parse({"satisfying": "click", "form": "total"})
    assert with_temperature(stated, total, [scored()]) == stated
    assert with_temperature(CONFIG, Objective.parse({"satisfying": "click"}), []).temperature == 0.5


def test_values_that_no_temperature_tells_apart_are_no_fault():
    assert temperature_of(1.0, [np.ones((2, 3))], [np.ones((2, 3), dtype=bool)], 0.1) == 1.0
    nobody = Scored(slice(0, 1), np.zeros((1, 2), dtype=bool), np.ones((1, 2)), None, None, None)
    with pytest.raises(ValueError, match="no context with a candidate"):
        with_temperature(CONFIG, Objective.parse({"satisfying": "click", "form": "total"}), [nobody])
