"""An estimator and a policy that are added by one line each appear wherever the report speaks of them."""

import polars as pl
import pytest

from causalrec.estimators.intervals import clustered_mean
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS
from causalrec.evaluation.findings import diagnostics, find_gaps
from causalrec.evaluation.plots import policy_plot
from causalrec.evaluation.report.html import render
from causalrec.policy.policies import POLICIES
from tests.evaluation.rules import release_rule
from tests.evaluation.test_policy_values import CHALLENGER, UNITS, judged, row
from tests.evaluation.test_report import EFFECTS, story, text
from tests.policy.policies.test_policies import Greedy

HELD_OUT = pl.concat([UNITS, UNITS.with_columns(unit_id="x" + pl.col("unit_id"), policy=pl.lit("random"))])
RULE = release_rule(1, 5.0, 1.0, 0.02, {"challenger": "random"})


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


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr("causalrec.evaluation.report.html._plots", lambda _: {})


def page(frame):
    return text(render(story(off_policy=frame, gaps=find_gaps({}, EFFECTS, frame), diagnostics=[])))


def test_an_estimator_has_its_rows_in_the_report(half):
    frame = report()
    assert row(frame, "half")["estimate"] == pytest.approx(row(frame, "ips")["estimate"] / 2)
    assert row(frame, "half")["difference_lower"] is not None
    assert frame.filter(segment="everyone", metric="satisfaction", estimand="raw")["estimator"].to_list() == [
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


def test_a_policy_is_called_on_the_page_what_it_calls_itself(monkeypatch):
    monkeypatch.setitem(POLICIES, "greedy", Greedy())
    frame = judged(CHALLENGER.with_columns(policy=pl.lit("greedy")))
    assert "greedy , everyone satisfaction of always the likeliest click" in page(frame)
