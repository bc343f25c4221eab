"""Each off-policy estimator against the number worked out from its formula, and what it is known to be in the limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.policy_value import Rounds, logged_mean
from causalrec.estimators.policy_value.dm import DM
from causalrec.estimators.policy_value.dr import DR
from causalrec.estimators.policy_value.ips import IPS
from causalrec.estimators.policy_value.snips import SNIPS

R = np.array([1.0, 0.0, 1.0, 0.0])
W = np.array([2.0, 0.5, 0.5, 1.0])
Q = np.array([0.5, 0.5, 0.25, 0.25])
V = np.array([0.5, 0.25, 0.5, 0.25])
C = np.arange(4)
ips, snips, dm, dr = (each.estimate for each in (IPS(), SNIPS(), DM(), DR()))


def test_all_by_hand():
    rounds = Rounds(R, W, Q, V, C)
    assert ips(rounds).value == pytest.approx(2.5 / 4)
    assert snips(rounds).value == pytest.approx(2.5 / 4.0)
    assert dm(rounds).value == pytest.approx(1.5 / 4)
    # .5 + 2 * .5, .25 - .5 * .5, .5 + .5 * .75, .25 - 1 * .25
    assert dr(rounds).value == pytest.approx((1.5 + 0.0 + 0.875 + 0.0) / 4)
    assert logged_mean(rounds).value == 0.5


@given(factor=st.floats(0.01, 100))
def test_snips_is_invariant_to_a_common_factor_of_the_weights_and_ips_is_not(factor):
    plain, scaled = Rounds(R, W, None, None, C), Rounds(R, W * factor, None, None, C)
    assert snips(scaled).value == pytest.approx(snips(plain).value)
    assert snips(scaled).std_error == pytest.approx(snips(plain).std_error)
    assert ips(scaled).value == pytest.approx(ips(plain).value * factor)


@given(st.lists(st.floats(0, 50), min_size=4, max_size=4).filter(lambda w: sum(w) > 1e-3))
def test_snips_stays_within_the_rewards(weights):
    assert -1e-9 <= snips(Rounds(R, np.array(weights), None, None, C)).value <= 1 + 1e-9


def test_dr_is_dm_when_no_round_has_weight():
    rounds = Rounds(R, np.zeros(4), Q, V, C)
    assert (dr(rounds).value, dr(rounds).std_error) == (dm(rounds).value, dm(rounds).std_error)


def test_dr_is_ips_when_the_model_says_zero():
    rounds = Rounds(R, W, np.zeros(4), np.zeros(4), C)
    assert (dr(rounds).value, dr(rounds).std_error) == (ips(rounds).value, ips(rounds).std_error)


def test_dr_is_dm_when_the_model_is_never_wrong_on_what_was_logged():
    rounds = Rounds(R, W, R, V, C)
    assert dr(rounds).value == pytest.approx(dm(rounds).value)
