"""An estimator and a policy that are added by one line each appear wherever the report speaks of them."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.estimators.intervals import clustered_mean
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.evaluation.findings import diagnostics, find_gaps
from causalrec.evaluation.plots import policy_plot
from causalrec.evaluation.policy_values import bounded_row_names, row_names
from causalrec.evaluation.report.html import render
from causalrec.home import Home
from causalrec.policy.policies import POLICIES
from causalrec.settings.release import ReleaseRule
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import read_contract
from tests.evaluation.test_policy_values import CHALLENGER, UNITS, judged, row
from tests.evaluation.test_report import EFFECTS, story, text
from tests.policy.test_policies import Greedy

HELD_OUT = pl.concat([UNITS, UNITS.with_columns(unit_id="x" + pl.col("unit_id"), policy=pl.lit("random"))])
RULE = ReleaseRule(1, 5.0, 1.0, 0.02, {"challenger": "random"})


class Half:
    """Half of IPS."""

    name, label = "half", "half of it (H)"
    needs_model, decides, bounded, checked = False, False, False, True
    on = "all"

    def estimate(self, rounds):
        return clustered_mean(0.5 * rounds.weight * rounds.reward, rounds.clusters)


@pytest.fixture
def half(monkeypatch):
    """An estimator, registered by one line."""
    monkeypatch.setitem(POLICY_VALUE_ESTIMATORS, "half", Half())


def report():
    return judged(units=HELD_OUT, rule=RULE, held_out=["random"])


def page(frame):
    return text(render(story(off_policy=frame, gaps=find_gaps({}, EFFECTS, frame), diagnostics=[])))


def hold(frame, tmp_path):
    params = {"estimators": row_names(), "bounded_estimators": bounded_row_names()}
    return audit(read_contract(Home(tmp_path), "off_policy_report"), frame, params)


def test_an_estimator_has_its_rows_in_the_report(half):
    frame = report()
    assert row(frame, "half")["estimate"] == pytest.approx(row(frame, "ips")["estimate"] / 2)
    assert row(frame, "half")["difference_lower"] is not None
    assert frame.filter(segment="everyone", metric="satisfaction")["estimator"].to_list() == [
        "ips",
        "snips",
        "dm",
        "dr",
        "half",
        "logged_mean",
        "answer_sheet_mean",
    ]


def test_an_estimator_is_drawn(half, monkeypatch):
    drawn = []
    monkeypatch.setattr("causalrec.evaluation.plots._forest", lambda groups, *_, **__: drawn.extend(groups))
    policy_plot(report())
    assert "half of it (H)" in [label for label, *_ in drawn[0][1]]


def test_an_estimator_is_on_the_page(half):
    words = page(report())
    assert "IPS SNIPS half of it (H) doubly robust (DR)" in words
    assert f"{100 * row(report(), 'half')['estimate']:.2f} %" in words


def test_an_estimator_is_held_against_the_policys_own_logs(half):
    lines = [line.words for line in diagnostics(EFFECTS.clear(), report(), {}) if line.what.startswith("answer sheet")]
    assert any(words.startswith("HALF from other logs") for words in lines)


def test_the_contract_knows_an_estimator_that_is_registered_and_no_other(half, tmp_path, monkeypatch):
    frame = report().with_columns(pl.col("effective_rounds").clip(upper_bound=pl.col("rounds")))
    assert hold(frame, tmp_path).holds
    monkeypatch.delitem(POLICY_VALUE_ESTIMATORS, "half")
    (broken,) = hold(frame, tmp_path).broken
    assert broken.rule == "column_values_to_be_in_set(estimator)"


def test_the_contract_bounds_the_rates_of_those_that_are_bounded(tmp_path):
    above = report().with_columns(
        estimate=pl.when(metric="satisfaction").then(1.5).otherwise("estimate"), upper=pl.lit(2.0)
    )
    (broken,) = [finding for finding in hold(above, tmp_path).broken if finding.rule == "a_rate_is_a_rate"]
    offending = above.filter(np.isin(np.arange(above.height), broken.rows))
    assert set(offending["estimator"]) == {"snips", "dm", "logged_mean", "answer_sheet_mean"}


def test_a_contract_that_refers_to_names_which_are_not_given_says_so(tmp_path):
    with pytest.raises(InputError, match="`a_rate_is_a_rate` refers to `bounded_estimators`"):
        audit(read_contract(Home(tmp_path), "off_policy_report"), report(), {"estimators": row_names()})


def test_a_policy_is_called_on_the_page_what_it_calls_itself(monkeypatch):
    monkeypatch.setitem(POLICIES, "greedy", Greedy())
    frame = judged(CHALLENGER.with_columns(policy=pl.lit("greedy")))
    assert "greedy , everyone satisfaction of always the likeliest click" in page(frame)
