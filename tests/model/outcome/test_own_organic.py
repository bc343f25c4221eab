"""What would come of an item in its request without a recommendation, and what showing it takes away."""

import json

import numpy as np
import pytest

from causalrec.arrays import Floats
from causalrec.model.outcome.own_organic import OwnOrganicRows, fit_own_organic
from causalrec.model.outcome.rest import RestModel, RestRows, fit_rest

ITEMS, DRAWN = 60, 20


def features(rate: Floats, fame: Floats, p: Floats) -> Floats:
    return np.column_stack([p, rate, fame])


def pairs(seed: int = 0, users: int = 400, goes: bool = True, kept: float = 0.0) -> OwnOrganicRows:
    """Requests in which people go to what they like and many do, which is a product; all that is met is there.

    Args:
        kept: Share of them who go to an item that is shown, too.
    """
    rng = np.random.default_rng(seed)
    rate, fame = rng.normal(0, 1, (users, ITEMS)), np.broadcast_to(rng.normal(0, 1, ITEMS), (users, ITEMS))
    p = 1 / (1 + np.exp(-(-1.5 + 0.5 * rate + 0.5 * fame)))
    true = truth(rate, fame) if goes else np.full(rate.shape, 0.03)
    had = rng.random(rate.shape) < true
    drawn = (rng.random(rate.shape) < DRAWN / ITEMS) & ~had
    user, item = np.nonzero(had | drawn)
    shown = rng.integers(0, ITEMS, (users, 5))
    slots = np.arange(users).repeat(5), shown.ravel()
    return OwnOrganicRows(
        features(rate[user, item], fame[user, item], p[user, item]),
        {"click": had[user, item].astype(float)},
        np.where(had[user, item], 1.0, ITEMS / DRAWN),
        user,
        features(rate[slots], fame[slots], p[slots]),
        {"click": (rng.random(len(slots[0])) < kept * true[slots]).astype(float)},
    )


def truth(rate: Floats, fame: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(-4.0 + rate + fame + 0.7 * rate * fame))))


def test_who_goes_to_what_is_told_although_it_is_a_product():
    own = fit_own_organic(pairs(), 1, 1)["click"]
    rng = np.random.default_rng(9)
    rate, fame = rng.normal(0, 1, 2_000), rng.normal(0, 1, 2_000)
    told, true = own.if_not_shown(features(rate, fame, 1 / (1 + np.exp(1.5 - 0.5 * (rate + fame))))), truth(rate, fame)
    assert told.mean() == pytest.approx(true.mean(), rel=0.15)
    assert np.corrcoef(told, true)[0, 1] > 0.95
    often = true > 0.3
    assert told[often].mean() == pytest.approx(true[often].mean(), rel=0.15)


def test_what_is_met_all_the_same_is_not_taken_away():
    kept = fit_own_organic(pairs(users=1_500, kept=0.4), 1, 1)["click"]
    assert kept.kept == pytest.approx(0.4, abs=0.1)
    gone = fit_own_organic(pairs(), 1, 1)["click"]
    assert gone.kept == 0.0
    at = features(np.array([1.0]), np.array([1.0]), np.array([0.4]))
    assert gone.taken(at) == pytest.approx(gone.if_not_shown(at))
    assert kept.taken(at) == pytest.approx((1 - kept.kept) * kept.if_not_shown(at))


@pytest.mark.parametrize("rows", [pairs(goes=False), pairs(users=12)], ids=["nobody prefers any", "few outcomes"])
def test_nothing_is_told_where_nothing_is_known(rows):
    assert fit_own_organic(rows, 1, 1) == {}


def test_the_rest_is_less_what_the_item_takes_and_the_line_is_left_to_others():
    """Without the item's own part a line through a product says nothing of a favourite."""
    rng, n = np.random.default_rng(3), 8_000
    rate, fame = rng.normal(0, 1, n), rng.normal(0, 1, n)
    f = features(rate, fame, 1 / (1 + np.exp(1.5 - 0.5 * (rate + fame))))
    # An item of the same user whose fame is another: what is drawn in its place.
    draws = [features(rate, rng.permutation(fame), f[:, 0]) for _ in range(2)]
    price = rng.uniform(1, 3, n)
    rest = rng.poisson(1.0, n) + 1.0 - (rng.random(n) < truth(rate, fame))
    rows = RestRows(
        {"click": rest}, f, draws[0], draws[1], np.ones(n), np.ones(n, dtype=np.int64), np.arange(n) // 5, price
    )
    model = fit_rest(rows, 3, 1, 0.995, fit_own_organic(pairs(), 1, 1))
    favourite = features(np.array([2.0, 2.0]), np.array([-1.0, 2.0]), np.array([0.3, 0.6]))
    among_others, best = model.predict(favourite)["click"]
    assert among_others - best == pytest.approx(truth(np.array([2.0]), np.array([2.0]))[0], abs=0.15)
    assert model.predict(f)["click"].mean() == pytest.approx(rest.mean(), abs=0.05)
    assert RestModel.from_json(json.loads(json.dumps(model.to_json()))) == model


def test_money_goes_with_the_purchase_and_is_not_told_without_prices():
    rows = pairs()
    own = fit_own_organic(
        OwnOrganicRows(*list(vars(rows).values())[:1], {"purchase": rows.outcome["click"]}, rows.weight, rows.cluster,
                       rows.shown, {"purchase": rows.still["click"]}), 1, 1
    )  # fmt: skip
    n, f = 300, rows.features[:300]
    nothing = np.zeros_like(f)
    slots = RestRows(
        {"purchase": np.ones(n), "sales": np.full(n, 9.0)}, f, nothing, nothing, np.ones(n), np.ones(n, dtype=np.int64),
        np.arange(n), np.full(n, 2.0),
    )  # fmt: skip
    model = fit_rest(slots, 3, 1, 0.995, own)
    with_prices, without = model.predict(f, np.full(n, 2.0)), model.predict(f)
    assert with_prices["purchase"].std() > 0
    taken = without["sales"] - with_prices["sales"]
    assert taken == pytest.approx(2.0 * own["purchase"].taken(f))
