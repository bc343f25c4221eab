"""Whose word each setting is: the home's, or a default."""

import inspect
from datetime import date

from causalrec.estimators.effects.instrument import complier_effect
from causalrec.estimators.intervals import clustered_mean, clustered_ratio, contrast, from_influence
from causalrec.evaluation.stated import CONFIDENCE, settings_stated


def said(homes, templates, changed=None):
    return {found.name: (found.value, found.how) for found in settings_stated(homes, templates, changed)}


def test_what_differs_from_the_template_is_stated_and_what_does_not_is_a_default():
    template = {"release.yaml": {"revenue_margin": 0.02, "answer_sheet": {}}}
    found = said({"release.yaml": {"revenue_margin": 0.05, "answer_sheet": {}}}, template)
    assert found["release.yaml: revenue_margin"] == ("0.05", "stated")
    assert found["release.yaml: answer_sheet"] == ("none", "default")
    assert said({}, template)["release.yaml: revenue_margin"] == ("0.02", "default")


def test_a_key_that_a_home_leaves_out_has_its_default():
    template = {"policy.yaml": {"temperature": 0.5, "most_left_out": 0.02}}
    assert said({"policy.yaml": {"temperature": 1}}, template)["policy.yaml: most_left_out"] == ("0.02", "default")


def test_money_that_nobody_stated_is_said_to_be_not_stated():
    template = {"objective.yaml": {"satisfying": "click"}}
    found = said({"objective.yaml": {"satisfying": "click"}}, template)
    assert found["objective.yaml: margin"] == found["objective.yaml: lambda"] == ("not stated", "default")
    found = said({"objective.yaml": {"satisfying": "click", "margin": 0.25}}, template)
    assert found["objective.yaml: margin"] == ("0.25", "stated")


def test_of_the_source_what_is_a_choice_is_said_and_no_column_and_no_secret():
    source = {
        "name": "mine",
        "landing": "s3://bucket",
        "landing_options": {"secret": "hush"},
        "events": {"columns": {"time": "ts"}},
        "organic_rows": "every_impression",
        "history_days": 28,
        "users": {"columns": {"user_id": "id"}, "sensitive": ["age"]},
        "outcomes": {"click": {"maturity_days": 0}, "purchase": {"maturity_days": 3}},
    }
    found = said({"sources.yaml": source}, {})
    assert found["sources.yaml: organic_rows"] == ("every_impression", "stated")
    assert found["sources.yaml: history_days"] == ("28", "default")
    assert found["sources.yaml: cluster"] == ("auto", "default")
    assert found["sources.yaml: users.sensitive"] == ("age", "stated")
    assert found["sources.yaml: outcomes"] == ("click: maturity_days: 0, purchase: maturity_days: 3", "stated")
    assert "hush" not in str(found) and "s3://" not in str(found)


def test_an_experts_entry_is_said_with_who_and_why():
    entry = {"cause": "price", "effect": "recommended", "who": "Ada", "why": "she built it", "when": date(2026, 2, 20)}
    tier = {"columns": ["hour"], "tier": "history", "who": "Bob", "why": "clocks", "when": "2026-01-01"}
    graph = {"conflicts": "block", "required": [entry], "tiers": [tier]}
    found = settings_stated({"expert_graph.yaml": graph}, {"expert_graph.yaml": {"conflicts": "warn"}})
    mine = [(f.key, f.value, f.how) for f in found if f.file == "expert_graph.yaml"]
    assert mine == [
        ("conflicts", "block", "stated"),
        ("tiers", "columns hour, tier history (Bob, 2026-01-01: clocks)", "stated"),
        ("required", "price -> recommended (Ada, 2026-02-20: she built it)", "stated"),
    ]
    assert said({}, {"expert_graph.yaml": {"conflicts": "warn"}})["expert_graph.yaml: entries"] == ("none", "default")


def test_nested_keys_have_dots_and_what_is_fixed_in_the_code_is_said():
    found = said(
        {"cleaning.yaml": {"bots": {"events_an_hour": 9}}}, {"cleaning.yaml": {"bots": {"events_an_hour": 5000}}}
    )
    assert found["cleaning.yaml: bots.events_an_hour"] == ("9", "stated")
    assert found["confidence level of every interval"] == ("95%", "fixed")
    for interval in (from_influence, clustered_mean, clustered_ratio, contrast, complier_effect):
        assert inspect.signature(interval).parameters["level"].default == CONFIDENCE


def test_a_file_that_changed_after_a_table_was_made_is_marked():
    found = settings_stated({}, {"model.yaml": {"folds": 3}}, {"model.yaml": ["outcome_model"]})
    assert [f.changed for f in found if f.file == "model.yaml"] == [("outcome_model",)]
