"""A new home on logs that nobody of ours has seen: whole with no setting but `sources.yaml`, honest about money."""

import json
from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.logs.gaps import NO_MARGIN
from causalrec_assets.lake.store import Store
from tests.dagster.demos.strangers import EFFECT, FIRST, strangers_home
from tests.worlds import LEARNING, LOGS, materialise, table, words

DAYS = 4
LAST = FIRST + timedelta(days=DAYS - 1)


def build(home, days):
    for k in range(days):
        result = materialise(home, FIRST + timedelta(days=k), LOGS)
        assert result.success, words(result)
    result = materialise(home, FIRST + timedelta(days=days - 1), LEARNING)
    assert result.success, words(result)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Four days: what a month would be, in little. What is edited for that is all that this home states."""
    home = strangers_home(tmp_path_factory.mktemp("strangers") / "home", DAYS, 1200)
    learning = {"window_days": 3, "judgement_days": 1, "min_days": 3, "seed": 1}
    (home.data / "learning.yaml").write_text(yaml.safe_dump(learning))
    discovery = yaml.safe_load((home.data / "discovery.yaml").read_text()) | {"bootstraps": 2}
    (home.data / "discovery.yaml").write_text(yaml.safe_dump(discovery))
    build(home, DAYS)
    return home


def published(home, name):
    return Store(home.lake).pointer(name, LAST)


def test_money_that_nobody_stated_neither_ranks_nor_judges(home):
    report = table(home, "evaluation_report", LAST)
    gaps = dict(report.filter(pl.col("section") == "gap").select("subject", "headline").rows())
    assert gaps["revenue of any policy"] == NO_MARGIN
    assert "revenue" not in table(home, "off_policy_report", LAST)["metric"]
    assert table(home, "target_policy", LAST)["model_revenue"].null_count() == table(home, "target_policy", LAST).height
    verdict = report.filter(pl.col("section") == "verdict").row(0, named=True)
    # A first day enrols a challenger; it decides nothing.
    assert verdict["status"] == "wait" and table(home, "release", LAST)["decision"].to_list() == ["kept"]
    assert "Revenue" not in verdict["headline"]


def test_what_confounds_and_is_known_of_users_is_adjusted_for(home):
    sets = table(home, "adjustment_sets", LAST)
    (columns,) = sets.filter(pl.col("question") == "recommended_click")["columns"].to_list()
    assert {"plan", "born"} <= set(columns)
    found = table(home, "effect_report", LAST).row(by_predicate=pl.col("question") == "recommended_click", named=True)
    assert found["causal_lower"] < EFFECT < found["causal_upper"]
    assert found["naive_lower"] > EFFECT


def test_a_sensitive_attribute_reaches_no_policy(home):
    notes = published(home, "outcome_model").notes
    assert "plan" in notes["columns"] and "born" not in notes["columns"]
    assert list(notes["withheld"]) == ["born"]
    card = json.loads(Store(home.lake).read_file(published(home, "outcome_model"), "card.json"))
    assert "born" not in json.dumps(card)


def test_the_report_says_which_settings_are_defaults_and_what_was_known_of_users(home):
    report = table(home, "evaluation_report", LAST)
    settings = {
        subject: (status, value)
        for subject, status, value in report.filter(pl.col("section") == "setting")
        .select("subject", "status", "headline")
        .iter_rows()
    }
    assert settings["objective.yaml: margin"] == settings["objective.yaml: lambda"] == ("default", "not stated")
    assert settings["learning.yaml: window_days"] == ("stated", "3")
    assert settings["policy.yaml: temperature"] == ("default", "not stated")
    assert settings["release.yaml: revenue_margin"] == ("default", "0.02")
    assert settings["expert_graph.yaml: entries"] == ("default", "none")
    assert settings["sources.yaml: organic_rows"] == ("stated", "every_impression")
    stated = {subject.partition(":")[0] for subject, (status, _) in settings.items() if status == "stated"}
    assert stated == {"sources.yaml", "learning.yaml", "discovery.yaml"}
    known = dict(report.filter(pl.col("section") == "attribute").select("subject", "headline").rows())
    assert "adjusted for in recommended_click" in known["born"] and "not read: it is sensitive" in known["born"]
    assert "by the policy: read" in known["plan"]
    html = (home.reports / f"{LAST}.html").read_text()
    assert "Defaults, not stated by this home" in html and "recommender team" not in html


@pytest.mark.slow
def test_with_nothing_edited_but_the_sources_a_new_home_runs_whole(tmp_path):
    home = strangers_home(tmp_path / "home", 21, 300)
    build(home, 21)
    last = FIRST + timedelta(days=20)
    report = table(home, "evaluation_report", last)
    stated = report.filter(pl.col("section") == "setting", pl.col("status") == "stated")["subject"].to_list()
    assert stated and all(subject.startswith("sources.yaml") for subject in stated)
    assert "revenue of any policy" in report.filter(pl.col("section") == "gap")["subject"].to_list()
    assert table(home, "release", last).height == 1
