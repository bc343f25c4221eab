import numpy as np
import pytest

from causalrec.estimators.effects.naive import naive_difference
from causalrec.estimators.effects.snips import snips_effect
from tests.estimators.effects.worlds import confounded

Y = np.array([1.0, 0.0, 1.0, 0.0])
T = np.array([1.0, 1.0, 0.0, 0.0])


def test_by_hand():
    # treated: (1/.5 + 0) / (2 + 4) = 1/3; control: (1/.5 + 0) / (2 + 1.25) = 8/13
    e = np.array([0.5, 0.25, 0.5, 0.2])
    assert snips_effect(Y, T, e, np.arange(4)).value == pytest.approx(1 / 3 - 8 / 13)


def test_with_a_constant_propensity_it_is_the_naive_difference():
    data = confounded(1)
    naive = naive_difference(data.outcome, data.treatment, data.clusters)
    snips = snips_effect(data.outcome, data.treatment, np.full(len(data.outcome), 0.3), data.clusters)
    assert (snips.value, snips.std_error) == pytest.approx((naive.value, naive.std_error))
