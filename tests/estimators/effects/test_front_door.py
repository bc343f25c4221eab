"""The front door against a hand-made number, double robustness, and worlds with a hidden cause."""

from dataclasses import replace

import numpy as np
import pytest

from causalrec.estimators.effects.front_door import FrontDoorModels, front_door_effect, front_door_weighted
from causalrec.estimators.effects.naive import naive_difference


def world(seed, users=300, rows=10):
    """A hidden mood moves treatment and outcome; the treatment acts through m only; w is logged. True models beside."""
    rng = np.random.default_rng(seed)
    n = users * rows
    mood, w = np.repeat(rng.random(users) < 0.5, rows), rng.random(n) < 0.4
    t = (rng.random(n) < 0.2 + 0.4 * mood + 0.2 * w).astype(float)
    m = (rng.random(n) < 0.2 + 0.5 * t + 0.1 * w).astype(float)
    y = (rng.random(n) < 0.1 + 0.3 * m + 0.3 * mood + 0.1 * w).astype(float)
    e = 0.4 + 0.2 * w
    p_m = {a: 0.2 + 0.5 * a + 0.1 * w for a in (0, 1)}

    def likely(a):
        return np.where(m == 1, p_m[a], 1 - p_m[a])

    given = e * likely(1) / (e * likely(1) + (1 - e) * likely(0))
    mood_given = {1: 0.5 * (0.6 + 0.2 * w) / e, 0: 0.5 * (0.4 - 0.2 * w) / (1 - e)}
    mu = np.column_stack([0.1 + 0.3 * m + 0.3 * mood_given[a] + 0.1 * w for a in (0, 1)])
    gamma = np.stack(
        [np.column_stack([0.1 + 0.3 * p_m[a] + 0.3 * mood_given[s] + 0.1 * w for s in (0, 1)]) for a in (0, 1)], axis=1
    )
    return y, t, FrontDoorModels(e, given, mu, gamma), np.repeat(np.arange(users), rows)


TRUTH = 0.5 * 0.3


def test_over_many_worlds_it_is_unbiased_and_its_intervals_cover_where_the_naive_difference_is_far_off():
    errors, covered = {"effect": [], "weighted": [], "naive": []}, 0
    for seed in range(300):
        y, t, models, clusters = world(seed)
        found = front_door_effect(y, t, models, clusters)
        errors["effect"].append(found.value - TRUTH)
        errors["weighted"].append(front_door_weighted(y, t, models, clusters).value - TRUTH)
        errors["naive"].append(naive_difference(y, t, clusters).value - TRUTH)
        covered += found.lower <= TRUTH <= found.upper
    assert abs(np.mean(errors["effect"])) < 0.002
    assert abs(np.mean(errors["weighted"])) < 0.003
    assert np.mean(errors["naive"]) > 0.1
    assert 0.92 <= covered / 300 <= 0.98


@pytest.mark.parametrize(
    "wrong",
    [
        # Models of the outcome, or those of treatment and mediators: the other half is enough.
        {"outcome": lambda x: np.full_like(x, 0.3), "averaged": lambda x: np.full_like(x, 0.3)},
        {"propensity_given_mediators": lambda x: np.full_like(x, 0.5)},
    ],
)
def test_one_wrong_half_does_no_harm(wrong):
    errors = []
    for seed in range(60):
        y, t, models, clusters = world(seed)
        broken = replace(models, **{name: change(getattr(models, name)) for name, change in wrong.items()})
        errors.append(front_door_effect(y, t, broken, clusters).value - TRUTH)
    assert abs(np.mean(errors)) < 0.004


def test_by_hand():
    y, t = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    models = FrontDoorModels(np.array([0.5, 0.5]), np.array([0.8, 0.2]), np.zeros((2, 2)), np.zeros((2, 2, 2)))
    # Ratios to arm 1: 1 and .25; to arm 0: .25 and 1. All models 0: mean of (1 - .25) and 0.
    assert front_door_effect(y, t, models, np.arange(2)).value == pytest.approx(0.375)
    assert front_door_weighted(y, t, models, np.arange(2)).value == pytest.approx(1 / 1.25 - 0.25 / 1.25)


def test_mediators_that_do_not_know_the_arm_leave_no_effect():
    y, t, models, clusters = world(1)
    blind = replace(models, propensity_given_mediators=models.propensity)
    assert front_door_weighted(y, t, blind, clusters).value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": np.zeros(3000)}, r"\(0, 1\)"),
        ({"propensity_given_mediators": np.ones(3000)}, r"\(0, 1\)"),
        ({"outcome": np.zeros(3000)}, "shape"),
        ({"averaged": np.zeros((3000, 2))}, "shape"),
    ],
)
def test_faulty_models_are_refused(change, message):
    y, t, models, clusters = world(1)
    with pytest.raises(ValueError, match=message):
        front_door_effect(y, t, replace(models, **change), clusters)
