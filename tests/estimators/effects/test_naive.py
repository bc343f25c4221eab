import numpy as np

from causalrec.estimators.effects.naive import naive_difference


def test_by_hand():
    y, t = np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])
    assert naive_difference(y, t, np.arange(4)).value == -0.5
