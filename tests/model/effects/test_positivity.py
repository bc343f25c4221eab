"""When two arms can be compared at all, and what is said where they cannot."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError, Status
from causalrec.estimators.effects import EffectData
from causalrec.model.effects.positivity import as_binary, check_arms, check_positivity
from tests.model.worlds import SETTINGS


def test_more_than_two_values_are_no_arm_and_no_outcome():
    with pytest.raises(InputError, match="`click` has values other than 0 and 1"):
        as_binary(pl.Series("click", [0, 4]))


def test_one_arm_or_a_handful_of_clusters_cannot_be_compared():
    t = pl.Series("recommended", [1, 1, 1])
    one = check_arms(t, np.arange(3), SETTINGS)
    assert "every unit of the training window has `recommended` = 1" in one.reason
    two = check_arms(pl.Series("recommended", [1, 0, 1]), np.array([0, 0, 1]), SETTINGS)
    assert "2 clusters, at least 3" in two.reason
    assert check_arms(t[:0], np.arange(0), SETTINGS).status is Status.INSUFFICIENT_EVIDENCE
    assert check_arms(pl.Series("recommended", [1, 0, 1]), np.arange(3), SETTINGS) == ANSWERED


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pl.Series("price", [9.5, 10.0, 12.0, 13.0]), "the treatment `price` has 4 values (9.5, 10.0, 12.0, ...)"),
        (pl.Series("campaign", [0, 1, 2]), "the treatment `campaign` has 3 values (0, 1, 2)"),
        (pl.Series("device", ["tv", "phone"]), "the treatment `device` has 2 values of type String (phone, tv)"),
        (pl.Series("arm", ["0", "1"]), "`arm` has 2 values of type String"),
        (pl.Series("coupon", [1.0, None, 0.0]), "`coupon` is missing in 1 of 3 units"),
        (pl.Series("coupon", [float("nan"), 1.0, 0.0]), "`coupon` has 3 values"),
    ],
)
def test_a_treatment_that_is_not_0_or_1_has_an_answer_that_says_what_to_land(values, said):
    answer = check_arms(values, np.arange(len(values)), SETTINGS)
    assert answer.status is Status.NOT_AVAILABLE
    assert said in answer.reason
    assert "missing" in said or "context: {arm: number}" in answer.reason


@pytest.mark.parametrize("values", [[0, 1, 1], [0.0, 1.0, 1.0], [False, True, True]])
def test_an_arm_is_an_arm_whatever_its_type(values):
    assert check_arms(pl.Series("coupon", values), np.arange(3), SETTINGS) == ANSWERED


class TestPositivity:
    """A question is answered only where each value of the outcome is frequent enough in each arm, and in clusters."""

    def asked(self, y, t, clusters=None, propensity=None):
        fold = np.arange(len(y)) % 3
        clusters = np.arange(len(y)) if clusters is None else clusters
        data = EffectData(np.asarray(y, float), np.asarray(t, float), clusters, propensity)
        return check_positivity(data, fold, "click", 1.0, SETTINGS)

    @pytest.mark.parametrize("flipped", [False, True])
    @pytest.mark.parametrize("arm", [0, 1])
    def test_either_value_that_is_rare_in_either_arm_is_too_little(self, flipped, arm):
        t = np.arange(2_000) % 2
        y = (np.arange(2_000) // 2) % 2
        of_arm = np.flatnonzero((t == arm) & (y == 1))
        y[of_arm[19:]] = 0
        answer = self.asked(1 - y if flipped else y, t)
        assert answer.status is Status.INSUFFICIENT_EVIDENCE
        assert f"an arm has 19 units with {'no ' if flipped else ''}`click`, at least 20 are needed" in answer.reason

    def test_outcomes_of_a_few_users_are_too_little_however_many_they_are(self):
        t, y = np.arange(8_000) % 2, (np.arange(8_000) // 2) % 2
        assert self.asked(y, t, np.arange(8_000) // 4).answered
        few = np.where(np.arange(8_000) < 7_900, np.arange(8_000) // 4 % 3, np.arange(8_000))
        assert "are worth 3.1 clusters of equal weight" in self.asked(y, t, few).reason

    def test_a_few_units_with_most_of_the_weight_are_too_little(self):
        t, y = np.arange(8_000) % 2, (np.arange(8_000) // 2) % 2
        e = np.full(8_000, 0.9)
        e[(t == 1).nonzero()[0][:8]] = 0.001
        assert "clusters of equal weight" in self.asked(y, t, np.arange(8_000), e).reason
        assert self.asked(y, t, np.arange(8_000), np.full(8_000, 0.5)).answered
