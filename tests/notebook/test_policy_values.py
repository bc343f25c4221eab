"""A policy's value in a notebook is what the estimators say, where the weights carry it."""

import numpy as np
import polars as pl
import pytest

import causalrec as cr
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule


def rounds(n=2_000, spread=0.3, with_model=False):
    rng = np.random.default_rng(3)
    reward, weight = rng.binomial(1, 0.3, n).astype(float), np.exp(spread * rng.standard_normal(n))
    model = np.full(n, 0.3) if with_model else None
    return cr.Rounds(reward, weight / weight.mean(), model, model, np.arange(n) // 4)


def test_each_estimator_has_a_row_with_its_estimate_and_interval():
    logged = rounds(with_model=True)
    values = cr.policy_value(logged)
    assert values["estimator"].to_list() == list(POLICY_VALUE_ESTIMATORS)
    assert set(values["status"]) == {cr.Status.ANSWERED}
    for row in values.iter_rows(named=True):
        estimate = POLICY_VALUE_ESTIMATORS[row["estimator"]].estimate(logged)
        assert (row["estimate"], row["lower"], row["upper"]) == (estimate.value, estimate.lower, estimate.upper)
    assert (values["effective_rounds"] < values["rounds"]).all()


def test_without_a_model_only_what_weighs_is_told_unless_it_is_asked_for():
    assert cr.policy_value(rounds())["estimator"].to_list() == ["ips", "snips"]
    (row,) = cr.policy_value(rounds(), ["dr"]).iter_rows(named=True)
    assert (row["status"], row["estimate"]) == (cr.Status.NOT_AVAILABLE, None)
    assert "there is no outcome model" in row["reason"]


def test_weights_that_carry_nothing_have_no_number():
    values = cr.policy_value(rounds(spread=3.0), ["ips"])
    assert values["status"].to_list() == [cr.Status.INSUFFICIENT_EVIDENCE]
    assert values["estimate"].to_list() == [None]
    lenient = cr.policy_value(
        rounds(spread=3.0), ["ips"], min_effective_rounds=1, max_weight_share=1, min_effective_outcomes=0
    )
    assert lenient["status"].to_list() == [cr.Status.ANSWERED]


def test_one_cluster_has_no_interval_and_so_no_number():
    one = rounds()
    values = cr.policy_value(cr.Rounds(one.reward, one.weight, None, None, np.zeros(len(one.reward), dtype=int)))
    assert set(values["status"]) == {cr.Status.INSUFFICIENT_EVIDENCE}
    assert values["estimate"].null_count() == values.height


def test_a_name_that_no_estimator_has_is_an_input_error():
    with pytest.raises(cr.InputError, match="no estimator is called magic; there are ips, snips, dm, dr"):
        cr.policy_value(rounds(), ["ips", "magic"])


def test_a_threshold_out_of_its_range_is_an_input_error():
    with pytest.raises(cr.InputError, match=r"policy_value.*max_weight_share"):
        cr.policy_value(rounds(), max_weight_share=-1)


def test_a_new_estimator_appears_by_its_registration(monkeypatch):
    class Half:
        name, label, needs_model, on, decides, bounded, checked = "half", "half", False, "all", False, True, False

        def estimate(self, rounds):
            return POLICY_VALUE_ESTIMATORS["ips"].estimate(
                cr.Rounds(rounds.reward / 2, rounds.weight, None, None, rounds.clusters)
            )

    monkeypatch.setitem(POLICY_VALUE_ESTIMATORS, "half", Half())
    values = cr.policy_value(rounds())
    whole, half = (values.filter(pl.col("estimator") == name)["estimate"].item() for name in ("ips", "half"))
    assert half == pytest.approx(whole / 2)


def test_what_keeps_a_value_from_being_told_is_what_a_new_home_has():
    rule = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
    defaults = cr.policy_value.__kwdefaults__
    assert defaults == {name: getattr(rule, name) for name in defaults}
