"""Rounds that no estimator could judge a policy on say why."""

import numpy as np
import pytest

from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.policy_value.dm import DM
from causalrec.estimators.policy_value.dr import DR

R = np.array([1.0, 0.0, 1.0, 0.0])
W = np.array([2.0, 0.5, 0.5, 1.0])
Q = np.array([0.5, 0.5, 0.25, 0.25])
C = np.arange(4)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Rounds(R, np.array([1.0, -1.0, 1.0, 1.0]), None, None, C), "not negative"),
        (lambda: Rounds(R, np.array([1.0, np.inf, 1.0, 1.0]), None, None, C), "finite"),
        (lambda: Rounds(R, W[:3], None, None, C), "4 rewards but 3 values of weight"),
        (lambda: Rounds(R, W, Q[:1], None, C), "model_logged"),
        (lambda: Rounds(R[:0], W[:0], None, None, C[:0]), "no rounds"),
        (lambda: DM().estimate(Rounds(R, W, None, None, C)), "needs a model"),
        (lambda: DR().estimate(Rounds(R, W, Q, None, C)), "needs a model"),
    ],
)
def test_rounds_that_cannot_be_judged_say_why(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_rounds_have_a_model_only_with_both_of_its_predictions():
    assert Rounds(R, W, Q, Q, C).has_model
    assert not Rounds(R, W, Q, None, C).has_model
