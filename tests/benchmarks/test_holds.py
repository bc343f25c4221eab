import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests

from benchmarks.verdict.holds import Share, hold, holm, no_more_often


def test_holms_correction_is_that_of_statsmodels():
    values = [0.0001, 0.0031, 0.0033, 0.2, 0.004, 0.9]
    assert holm(values, 0.01) == multipletests(values, 0.01, method="holm")[0].tolist()


def test_a_share_holds_until_the_harmful_side_is_unlikely():
    fine, harmful = Share("fine", 60, 1000, 0.05), Share("harmful", 80, 1000, 0.05)
    assert hold([fine]) == [True] and hold([harmful]) == [False]
    assert hold([fine, harmful]) == [True, False]
    assert hold([Share("found", 775, 1000, 0.8, "at least"), Share("lost", 750, 1000, 0.8, "at least")]) == [
        True,
        False,
    ]
    assert hold([Share("none at all", 0, 1000, 0.05)]) == [True]


def test_what_is_just_as_claimed_is_found_in_at_most_one_of_a_hundred():
    assert Share("", 0, 1000, 0.05).power(0.05) <= 0.01 < 0.9 < Share("", 0, 1000, 0.05).power(0.08)


def test_no_more_often_is_fishers_exact_test():
    expected = fisher_exact([[30, 970], [16, 984]], alternative="greater").pvalue
    assert no_more_often(30, 1000, 16, 1000) == pytest.approx(expected, rel=1e-9)
