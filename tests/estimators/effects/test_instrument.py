"""The compliers' effect against worlds with a hidden cause, by hand, and with a weak instrument."""

import numpy as np
import pytest

from causalrec.estimators.effects.aipw import aipw_effect
from causalrec.estimators.effects.instrument import WeakInstrument, complier_effect, strength
from causalrec.estimators.effects.naive import naive_difference


def world(seed, users=300, rows=10, push=0.3):
    """A lottery, likelier for w, pushes units into treatment; a hidden mood moves treatment, outcome and its effect."""
    rng = np.random.default_rng(seed)
    n = users * rows
    mood, w = np.repeat(rng.random(users) < 0.5, rows), rng.random(n) < 0.4
    pz = 0.3 + 0.3 * w
    z = (rng.random(n) < pz).astype(float)
    chance = rng.random(n)
    arm = {k: chance < 0.1 + 0.5 * mood + push * k * (1 - 0.5 * mood) for k in (0, 1)}
    t = np.where(z == 1, arm[1], arm[0]).astype(float)
    # Compliers are mostly of the one mood, so their effect is not that of all.
    gain = 0.3 - 0.2 * mood
    luck = rng.random(n)
    y = (luck < 0.1 + 0.4 * mood + 0.1 * w + gain * t).astype(float)
    late = (0.3 + 0.1 * 0.5) / (1 + 0.5)
    t_models = [np.full(n, 0.35), np.full(n, 0.35 + 0.75 * push)]
    y_models = [0.1 + 0.15 + 0.1 * w + 0.05 + k * 0.75 * push * late for k in (0, 1)]
    return y, t, z, pz, y_models, t_models, np.repeat(np.arange(users), rows), late


def effects(drawn):
    y, t, z, pz, y_models, t_models, clusters, _ = drawn
    return (
        aipw_effect(y, z, pz, y_models[1], y_models[0], clusters),
        aipw_effect(t, z, pz, t_models[1], t_models[0], clusters),
    )


@pytest.mark.parametrize(("push", "users"), [(0.3, 300), (0.1, 900)])
def test_over_many_worlds_it_is_the_compliers_effect_and_its_intervals_cover(push, users):
    errors, naive, covered, seeds = [], [], 0, 200
    for seed in range(seeds):
        drawn = world(seed, users, push=push)
        y, t, *_, clusters, late = drawn
        found = complier_effect(*effects(drawn), clusters)
        errors.append(found.value - late)
        naive.append(naive_difference(y, t, clusters).value - late)
        covered += found.lower <= late <= found.upper
        assert found.lower <= found.value <= found.upper
    assert abs(np.median(errors)) < 0.02
    assert np.mean(naive) > 0.03
    assert 0.92 <= covered / seeds <= 0.98


def test_by_hand():
    # Z moves Y by 1/2 and T by 1: with the same errors in both, the ratio is a half.
    z = np.array([1.0, 1.0, 0.0, 0.0] * 50)
    y = np.array([1.0, 0.0, 0.0, 0.0] * 50)
    clusters = np.arange(200)
    found = complier_effect(naive_difference(y, z, clusters), naive_difference(z, z, clusters), clusters)
    assert found.value == pytest.approx(0.5)
    # The treatment is moved without error, so Fieller's limits are the usual ones.
    usual = naive_difference(y, z, clusters)
    assert (found.lower, found.upper) == pytest.approx((usual.lower, usual.upper))


def test_limits_are_those_at_which_the_difference_would_be_told_from_nothing():
    drawn = world(3)
    on_outcome, on_treatment = effects(drawn)
    clusters = drawn[6]
    found = complier_effect(on_outcome, on_treatment, clusters)
    from causalrec.estimators.intervals import from_influence

    for limit in (found.lower, found.upper):
        left = from_influence(
            on_outcome.value - limit * on_treatment.value,
            on_outcome.influence - limit * on_treatment.influence,
            clusters,
        )
        assert min(abs(left.lower), abs(left.upper)) < 1e-9


def test_an_instrument_that_moves_nothing_is_weak():
    drawn = world(1, push=0.0)
    on_outcome, on_treatment = effects(drawn)
    assert strength(on_treatment) < 10
    with pytest.raises(WeakInstrument, match="moves the treatment by"):
        complier_effect(on_outcome, on_treatment, drawn[6])
    assert strength(effects(world(1))[1]) > 100


def test_effects_of_different_rows_are_refused():
    first, second = effects(world(1)), effects(world(1, users=200))
    with pytest.raises(ValueError, match="same rows"):
        complier_effect(first[0], second[1], np.arange(2))
