"""The rest of a request: what an item that is shown does to it, told apart from who is shown what."""

from dataclasses import dataclass

import numpy as np
import pytest

from causalrec.arrays import Floats
from causalrec.model.outcome.rest import RestModel, RestRows, fit_rest

ITEMS, SLOTS = 20, 5
FEATURES = 3
"""The model's own click, a trait of the item, and how much the user clicks."""


@dataclass(frozen=True)
class World:
    """Who clicks much has a larger rest, and is shown what is clicked much; an item `takes` so much of the rest."""

    click: Floats
    takes: Floats
    trait: Floats
    rows: RestRows


def world(displaced: float, seed: int = 0, users: int = 2_000, per_user: int = 5) -> World:
    """
    Args:
        displaced: How many outcomes of the rest an item of the full trait takes.
    """
    rng = np.random.default_rng(seed)
    n = users * per_user
    user = np.repeat(np.arange(users), per_user)
    activity = rng.normal(0, 1, users)[user]
    quality, trait = rng.normal(0, 0.8, ITEMS), rng.permutation(np.linspace(0, 1, ITEMS))
    click = 1 / (1 + np.exp(-(-1.5 + 0.8 * activity[:, None] + quality[None, :])))
    # The logging policy shows good items to those who click much.
    logit = (0.6 + 0.5 * activity[:, None]) * quality[None, :]
    p = 0.8 * np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True) + 0.2 / ITEMS
    shown = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    position = rng.integers(1, SLOTS + 1, n)
    takes = displaced * trait
    mean = 2.0 + 0.8 * activity - 0.1 * position - takes[shown]
    rest = mean + rng.normal(0, 1.0, n)

    def features(item: np.ndarray) -> Floats:
        return np.column_stack([click[np.arange(len(item)) % n, item], trait[item], activity[np.arange(len(item)) % n]])

    def mean_of(draws: int) -> Floats:
        return np.mean([features(rng.permutation(shown)) for _ in range(draws)], axis=0)

    share = np.bincount(shown, minlength=ITEMS)[shown]
    rows = RestRows(
        {"click": rest},
        features(shown),
        mean_of(16),
        mean_of(4),
        share / p[np.arange(n), shown] / n,
        position,
        user,
    )
    return World(click, takes, trait, rows)


def slope(model: RestModel) -> Floats:
    return np.array(model.outcomes["click"].weights)


def ranking_features(made: World, context: int) -> Floats:
    return np.column_stack([made.click[context], made.trait, np.zeros(ITEMS)])


def test_what_displaces_others_ranks_below_what_does_not():
    made = world(displaced=1.0)
    model = fit_rest(made.rows, 3, 1, 0.995)
    assert slope(model)[1] == pytest.approx(-1.0, abs=0.15)
    # Two items that are clicked alike: the whole request prefers the one that takes nothing from others.
    total = made.click[0].mean() + model.predict(ranking_features(made, 0))["click"]
    assert total[np.argmin(made.takes)] - total[np.argmax(made.takes)] > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_without_displacement_the_whole_request_ranks_like_the_slots_own_outcome(seed):
    """Although who clicks much is shown what is clicked much, and has a larger rest."""
    made = world(displaced=0.0, seed=seed)
    model = fit_rest(made.rows, 3, 1, 0.995)
    assert np.abs(slope(model)[:2]).max() < 0.25
    regressed = np.linalg.lstsq(
        np.column_stack([made.rows.features[:, :2], np.ones(len(made.rows.position))]),
        made.rows.rest["click"],
        rcond=None,
    )[0]
    assert regressed[0] > 1.0, "a plain regression takes the users' own level for an effect of the item"
    for context in range(20):
        own = made.click[context]
        total = own + model.predict(ranking_features(made, context))["click"]
        apart = np.abs(own[:, None] - own[None, :]) > 0.1
        assert ((total[:, None] > total[None, :]) == (own[:, None] > own[None, :]))[apart].all()


def test_the_context_and_the_position_are_told():
    made = world(displaced=0.0)
    model = fit_rest(made.rows, 3, 1, 0.995)
    assert slope(model)[2] == pytest.approx(0.8, abs=0.1)
    assert model.outcomes["click"].context_penalty is not None
    added = model.added("click", np.array([1.0, 5.0, np.nan, 9.0]))
    assert added[0] - added[1] == pytest.approx(0.4, abs=0.15)
    assert added[2:].tolist() == [0.0, 0.0]


def noise(seed: int, features: int, per_user: int, spread: float) -> RestRows:
    """Rows in which nothing moves the rest but the user's own level.

    Args:
        spread: Of the logarithm of the weights.
    """
    rng, n = np.random.default_rng(seed), 1_000
    f = rng.normal(size=(n, features)) @ rng.normal(size=(features, features))
    user, nothing = np.arange(n) // per_user, np.zeros((n, features))
    rest = rng.poisson(1.0, n) + rng.normal(0, 0.5, n)[user]
    weight = np.exp(rng.normal(0, spread, n)) if spread else np.ones(n)
    return RestRows({"click": rest}, f, nothing, nothing, weight, rng.integers(1, 6, n), user)


@pytest.mark.parametrize(("features", "per_user", "spread"), [(4, 4, 0.0), (2, 1, 0.0), (12, 8, 0.8)])
def test_noise_is_found_no_more_often_than_is_meant(features, per_user, spread):
    """Of 60 draws 5 % are three; more than eight would be chance in three of a thousand."""
    found = sum(
        fit_rest(noise(seed, features, per_user, spread), 3, seed, 0.995).outcomes["click"].item_penalty is not None
        for seed in range(60)
    )
    assert found <= 8


def test_few_rows_are_a_constant_and_none_is_made_up():
    made = world(displaced=1.0, users=10, per_user=4)
    model = fit_rest(made.rows, 3, 1, 0.995)
    one = model.outcomes["click"]
    assert one.item_penalty is None and not slope(model).any()
    assert model.predict(made.rows.features)["click"] == pytest.approx(np.full(40, made.rows.rest["click"].mean()))


def test_a_rest_that_is_not_known_is_left_out():
    made = world(displaced=1.0)
    gone = made.rows.rest["click"].copy()
    gone[::2] = np.nan
    rows = RestRows({"click": gone}, *(getattr(made.rows, name) for name in list(vars(made.rows))[1:]))
    one = fit_rest(rows, 3, 1, 0.995).outcomes["click"]
    assert one.rows == len(gone) // 2
    assert one.level == pytest.approx(np.nanmean(gone))


def test_a_model_is_written_down():
    import json

    model = fit_rest(world(displaced=1.0).rows, 3, 1, 0.995)
    assert RestModel.from_json(json.loads(json.dumps(model.to_json()))) == model
