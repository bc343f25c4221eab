import numpy as np
import pytest

from causalrec.estimators.effects.aipw import aipw_effect
from causalrec.estimators.effects.naive import naive_difference
from tests.estimators.effects.worlds import TRUTH, confounded

Y = np.array([1.0, 0.0, 1.0, 0.0])
T = np.array([1.0, 1.0, 0.0, 0.0])
E = np.array([0.5, 0.25, 0.5, 0.2])


def aipw(data, m1, m0, propensity=None):
    e = data.propensity if propensity is None else propensity
    return aipw_effect(data.outcome, data.treatment, e, m1, m0, data.clusters).value


def test_by_hand():
    m1, m0 = np.full(4, 0.5), np.full(4, 0.25)
    # scores: .25 + .5/.5, .25 - .5/.25, .25 - .75/.5, .25 + .25/.8
    estimate = aipw_effect(Y, T, E, m1, m0, np.arange(4)).value
    assert estimate == pytest.approx(np.mean([1.25, -1.75, -1.25, 0.5625]))


def test_without_outcome_models_it_is_the_horvitz_thompson_difference():
    data = confounded(2)
    y, t, e, zero = data.outcome, data.treatment, data.propensity, np.zeros(len(data.outcome))
    assert aipw(data, zero, zero) == pytest.approx((t * y / e - (1 - t) * y / (1 - e)).mean())


def test_with_models_that_fit_every_unit_it_is_the_mean_predicted_effect():
    data = confounded(3)
    _, base = data.predicted
    m1, m0 = (np.where(data.treatment == arm, data.outcome, base) for arm in (1, 0))
    assert aipw(data, m1, m0) == pytest.approx((m1 - m0).mean())


def test_with_the_arms_means_and_their_share_it_is_the_naive_difference():
    data = confounded(4)
    y, t = data.outcome, data.treatment
    m1, m0 = (np.full(len(y), y[t == arm].mean()) for arm in (1, 0))
    naive = naive_difference(y, t, data.clusters).value
    assert aipw(data, m1, m0, np.full(len(y), t.mean())) == pytest.approx(naive)


@pytest.mark.parametrize("wrong", ["propensity", "outcome models"])
def test_it_is_right_when_one_of_its_two_nuisances_is(wrong):
    values = []
    for seed in range(300, 360):
        data = confounded(seed)
        _, base = data.predicted
        e = np.full(len(base), data.treatment.mean()) if wrong == "propensity" else data.propensity
        base = np.full(len(base), 0.3) if wrong == "outcome models" else base
        values.append(aipw(data, base + TRUTH, base, e))
    assert abs(np.mean(values) - TRUTH) < 0.006


def test_a_prediction_for_each_unit_is_needed():
    with pytest.raises(ValueError, match="predictions of shape"):
        aipw_effect(Y, T, E, Y, Y[:2], np.arange(4))
