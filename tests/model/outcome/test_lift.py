"""What recommending adds, told apart from who is recommended what, and shrunk to one lift for all."""

import json

import numpy as np
import pytest

from causalrec.model.outcome.lift import Lift, LiftRows, fit_lift

UNITS, USERS = 20_000, 1_000


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rows(seed, lift, error=0.0):
    """Units of a model whose two arms are each wrong by themselves; popular items are recommended more often.

    Args:
        lift: Of the log-odds, from x (n, 3).
        error: Standard deviation of what the arms' log-odds are wrong by.
    """
    rng = np.random.default_rng(seed)
    user = rng.integers(0, USERS, UNITS)
    x = rng.normal(0, 1, (UNITS, 3)).astype(np.float32)
    met = -1.5 + 0.7 * x[:, 0] + rng.normal(0, 0.3, USERS)[user]
    e = sigmoid(0.8 * x[:, 0])
    t = (rng.random(UNITS) < e).astype(float)
    shown = met + lift(x)
    y = (rng.random(UNITS) < sigmoid(np.where(t == 1, shown, met))).astype(float)

    def told(logit):
        return {"click": sigmoid(logit + error * rng.normal(0, 1, UNITS))}

    return LiftRows(x, {"click": y}, told(shown), told(met), t, e, user), met


def off(lift, made, met, by):
    """By how much a lift is off, in log-odds, where the recommended arm is known."""
    shown = met + by(made.x)
    p = lift.outcomes["click"].unprompted(sigmoid(shown), made.x)
    return np.log(p / (1 - p)) - met


@pytest.mark.parametrize("seed", range(3))
def test_a_lift_that_depends_on_what_is_known_is_found_although_both_arms_are_wrong(seed):
    def by(x):
        return 0.3 - 0.4 * x[:, 1]

    made, met = rows(seed, by, error=0.3)
    fitted = fit_lift(made, 3, 1)
    one = fitted.outcomes["click"]
    assert one.penalty is not None and one.rows == UNITS
    # The features are the recommended arm's log-odds, then x.
    assert np.argmax(np.abs(one.weights)) == 2
    assert np.sqrt((off(fitted, made, met, by) ** 2).mean()) < 0.15
    # The heads' own difference is off by sqrt(2) x 0.3.
    heads = np.log(made.if_recommended["click"] / (1 - made.if_recommended["click"])) - np.log(
        made.if_not["click"] / (1 - made.if_not["click"])
    )
    assert np.sqrt(((heads - by(made.x)) ** 2).mean()) > 0.3


def test_where_all_have_the_same_lift_it_is_one_number_most_of_the_time():
    def by(x):
        return np.full(len(x), 0.3)

    fitted = [fit_lift(rows(seed, by, error=0.2)[0], 3, 1).outcomes["click"] for seed in range(8)]
    assert sum(one.penalty is None for one in fitted) >= 6
    same = next(one for one in fitted if one.penalty is None)
    assert not any(same.weights)
    assert np.mean([one.level for one in fitted]) == pytest.approx(0.3, abs=0.05)


def test_one_lift_for_all_ranks_like_the_effect_that_it_is():
    one = fit_lift(rows(0, lambda x: np.full(len(x), 0.3))[0], 3, 1).outcomes["click"]
    p = np.array([0.05, 0.2, 0.4])
    x = np.zeros((3, 3), dtype=np.float32)
    unprompted = one.unprompted(p, x)
    np.testing.assert_allclose(np.log(unprompted / (1 - unprompted)), np.log(p / (1 - p)) - one.level)
    assert (np.diff(p - unprompted) > 0).all()


def test_a_lift_is_read_back_as_it_was_written():
    fitted = fit_lift(rows(0, lambda x: 0.3 - 0.4 * x[:, 1])[0], 3, 1)
    assert Lift.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_with_fewer_users_than_folds_there_is_one_lift():
    made, _ = rows(0, lambda x: 0.3 - 0.4 * x[:, 1])
    alone = LiftRows(**{**vars(made), "cluster": np.zeros(UNITS, dtype=np.int64)})
    assert fit_lift(alone, 3, 1).outcomes["click"].penalty is None
