"""The table of what each policy is worth: one column an estimand, gaps in words, hostile text as text."""

import json

import polars as pl
import pytest

from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.evaluation.report.html import EstimandWords, render
from causalrec.evaluation.report.named_values import named_values
from causalrec.evaluation.report.sample_slates import Item, SampleSlate, read_slates
from tests.evaluation.looks import trial
from tests.evaluation.test_report import JUDGED, story, text, value

WORDS = [EstimandWords("raw", "raw", "Exact propensities."), EstimandWords("given_met", "given met", "Nobody <else>.")]
NO_ORGANIC = {"status": "not_identifiable", "reason": "no organic row <b>is</b> logged", "anyway": None}


def rows(**given_met):
    raw = value("dr", 0.22) | {"estimand": "raw", "anyway": None}
    met = value("dr", 0.03) | {"estimand": "given_met", "anyway": 0.19} | given_met
    return pl.DataFrame([raw, met])


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr("causalrec.evaluation.report.html._plots", lambda _: {})


def test_each_estimand_is_a_column_and_says_what_would_have_happened_anyway():
    (row,) = named_values(rows())
    assert row.cells["raw"].value == "22.00"
    assert (row.cells["given_met"].value, row.cells["given_met"].anyway) == ("3.00", "86 %")


def test_a_value_that_cannot_be_told_has_its_reason():
    (row,) = named_values(rows(estimate=None, **NO_ORGANIC))
    cell = row.cells["given_met"]
    assert (cell.value, cell.status, cell.reason) == ("", "not identifiable", NO_ORGANIC["reason"])


@pytest.mark.parametrize("estimand", ESTIMANDS.values())
def test_every_estimand_says_what_it_is_of(estimand):
    words = EstimandWords.of(estimand)
    assert words.label and words.assumes[0].isupper() and words.assumes.endswith(".")
    assert ("It assumes" in words.assumes) == bool(estimand.assumes)


def test_where_nothing_is_known_of_estimands_there_is_no_table():
    assert named_values(JUDGED.drop("estimand", strict=False)) == []


def page(**changes):
    judged = pl.concat([JUDGED, rows(estimate=None, **NO_ORGANIC)], how="diagonal_relaxed")
    judged = judged.with_columns(pl.col("estimand").fill_null("raw")).unique(
        ["segment", "policy", "metric", "estimator", "estimand"], keep="first", maintain_order=True
    )
    return render(story(off_policy=judged, estimands=WORDS, **changes))


def test_the_page_has_the_columns_their_assumptions_and_why_some_have_none():
    words = text(page(estimand="raw"))
    assert "raw decides" in words and "given met" in words
    assert "not identifiable new policy, satisfaction" in words.replace("the new policy", "new policy")
    assert "no organic row <b>is</b> logged" in words


def test_what_others_wrote_stays_text():
    slates = [SampleSlate("<script>who</script>", [Item("<img src=x>")], [Item("i7", "{{ 7 * 7 }}")])]
    html = page(slates=slates)
    assert "<script>who" not in html and "<img src=x>" not in html and "Nobody <else>" not in html
    assert "<script>who</script> <img src=x>" in text(html) and "{{ 7 * 7 }}" in text(html)


def test_sample_slates_are_read_with_who_asked():
    request = {
        "user_id": "u1",
        "time": "2026-03-15T10:00:00",
        "context": {"device": "mobile", "section": None},
        "shown": [{"item_id": "i1", "title": "Lamp", "rank": 1}],
        "slate": [{"item_id": "i2", "title": None, "rank": 1}],
    }
    (slate,) = read_slates(json.dumps([request]).encode())
    assert slate.context == "user u1, device mobile, 2026-03-15 10:00"
    assert (slate.shown, slate.new) == ([Item("i1", "Lamp")], [Item("i2")])


def test_a_trial_is_drawn_where_there_is_one(monkeypatch):
    monkeypatch.setattr("causalrec.evaluation.report.html._plots", lambda _: {"trial": b"png"})
    assert "Each look reads all days of the trial so far" in text(page(trial=trial((0.004, 0.004))))
