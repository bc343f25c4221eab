import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.estimators.sensitivity import e_value, e_value_of_limit


def test_the_papers_example_of_smoking_and_lung_cancer():
    # VanderWeele and Ding (2017): a risk ratio of 10.73 (8.02 to 14.36) has the e-values 20.9 and 15.5.
    assert e_value(10.73) == pytest.approx(20.95, abs=0.01)
    assert e_value_of_limit(10.73, 8.02) == pytest.approx(15.52, abs=0.01)


def test_no_effect_needs_no_confounder():
    assert e_value(1.0) == 1.0


@given(st.floats(0.01, 100))
def test_a_ratio_and_its_inverse_need_the_same(ratio):
    assert e_value(ratio) == pytest.approx(e_value(1 / ratio))


@given(st.floats(1.0, 100))
def test_a_confounder_of_that_strength_could_just_make_the_ratio(ratio):
    # The bounding factor of a confounder with both strengths E is E^2 / (2 E - 1).
    e = e_value(ratio)
    assert e * e / (2 * e - 1) == pytest.approx(ratio)


@pytest.mark.parametrize(("ratio", "limit"), [(1.5, 1.0), (1.5, 0.9), (1.2, -0.3), (0.7, 1.0), (0.7, 1.3)])
def test_an_interval_that_holds_one_needs_no_confounder(ratio, limit):
    assert e_value_of_limit(ratio, limit) == 1.0


def test_the_limit_needs_less_than_the_estimate():
    assert 1 < e_value_of_limit(2.0, 1.5) < e_value(2.0)
    assert 1 < e_value_of_limit(0.5, 0.8) < e_value(0.5)


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_risk_ratio_is_positive_and_finite(ratio):
    with pytest.raises(ValueError, match="positive and finite"):
        e_value(ratio)
    with pytest.raises(ValueError, match="positive and finite"):
        e_value_of_limit(ratio, 1.5)
