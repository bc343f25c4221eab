"""The contract of `off_policy_report` asks the registry which estimators there are."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.evaluation.policy_values import bounded_row_names, row_names
from causalrec.home import Home
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import read_contract
from tests.evaluation.test_registered import Half, report


def hold(frame, tmp_path):
    params = {"estimators": row_names(), "bounded_estimators": bounded_row_names(), "estimands": list(ESTIMANDS)}
    return audit(read_contract(Home(tmp_path), "off_policy_report"), frame, params)


def test_the_contract_knows_an_estimator_that_is_registered_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setitem(POLICY_VALUE_ESTIMATORS, "half", Half())
    frame = report().with_columns(pl.col("effective_rounds").clip(upper_bound=pl.col("rounds")))
    assert hold(frame, tmp_path).holds
    monkeypatch.delitem(POLICY_VALUE_ESTIMATORS, "half")
    (broken,) = hold(frame, tmp_path).broken
    assert broken.rule == "column_values_to_be_in_set(estimator)"


def test_the_contract_bounds_the_rates_of_those_that_are_bounded(tmp_path):
    above = report().with_columns(
        estimate=pl.when(metric="satisfaction", estimand="raw").then(1.5).otherwise("estimate"), upper=pl.lit(2.0)
    )
    (broken,) = [finding for finding in hold(above, tmp_path).broken if finding.rule == "a_rate_is_a_rate"]
    offending = above.filter(np.isin(np.arange(above.height), broken.rows))
    assert set(offending["estimator"]) == {"snips", "dm", "logged_mean", "answer_sheet_mean"}


def test_a_contract_that_refers_to_names_which_are_not_given_says_so(tmp_path):
    with pytest.raises(InputError, match="`a_rate_is_a_rate` refers to `bounded_estimators`"):
        audit(
            read_contract(Home(tmp_path), "off_policy_report"),
            report(),
            {"estimators": row_names(), "estimands": list(ESTIMANDS)},
        )
