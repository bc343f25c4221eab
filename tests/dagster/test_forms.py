"""Each form of the objective from the setting to what is served; one that the logs cannot tell, or that nobody said, is
refused with the reason and never becomes another."""

import json
from datetime import timedelta

import pytest
import yaml

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, materialise, table, words

LAST = FIRST + timedelta(days=5)
LAMBDA = 0.05


def state(home, file, **changes):
    """A settings file with some keys changed; None leaves one out."""
    path = home.data / file
    stated = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump({key: value for key, value in stated.items() if value is not None}))


def temperature(home):
    store = Store(home.lake)
    return json.loads(store.read_file(store.pointer("target_policy", LAST), "policy.json"))["temperature"]


def challengers(home):
    return table(home, "target_policy", LAST).filter(kind="slot", policy="challenger")


def effect_given_met(slots):
    """What the model expects the policy's recommendations to add: clicks and money, a slot."""
    added = {name: slots[f"model_{name}"] - slots[f"model_{name}_if_not"] for name in ("click", "revenue")}
    return (added["click"] + LAMBDA * added["revenue"]).mean()


def test_the_effect_given_met_is_maximised_judged_and_served(own_home):
    state(own_home, "objective.yaml", form="total", **{"lambda": LAMBDA})
    assert materialise(own_home, LAST, ["target_policy"]).success
    of_total, solved_for_total = challengers(own_home), temperature(own_home)
    state(own_home, "objective.yaml", form="effect_given_met")
    override = {"release": {"config": {"override": "release_today", "because": "a test wants it served"}}}
    names = ["target_policy", "off_policy_report", "trial_policy", "trial_report"]
    names += ["evaluation_report", "release", "recommendations"]
    result = materialise(own_home, LAST, names, ops=override)
    assert result.success, words(result)

    slots = challengers(own_home)
    assert slots["model_objective"].mean() == pytest.approx(effect_given_met(slots))
    # The same model and the same slots: only the aim is another.
    assert slots["unit_id"].to_list() == of_total["unit_id"].to_list()
    assert slots["shown_click"].to_list() == pytest.approx(of_total["shown_click"].to_list())
    assert (slots["action_probability"] - of_total["action_probability"]).abs().max() > 0.01
    assert temperature(own_home) != pytest.approx(solved_for_total)

    card = json.loads(Store(own_home.lake).read_file(Store(own_home.lake).pointer("outcome_model", LAST), "card.json"))
    assert set(card["lift"]) == {"click", "purchase"}
    values = table(own_home, "off_policy_report", LAST)
    told = values.filter(policy="challenger", metric="objective", estimator="dr", segment="everyone")
    assert told["estimand"].to_list() == ["given_met"] and told["status"].to_list() == ["answered"]
    served = table(own_home, "recommendations", LAST)
    assert served["reason"].str.contains("what recommending adds to its").any()
    assert "effect_given_met" in (own_home.reports / f"{LAST}.html").read_text()


def test_an_effect_that_is_not_identified_is_no_aim_and_the_report_says_why(own_home):
    """Taste, which nobody logs, is a cause of what is recommended and of what is clicked."""
    graph = yaml.safe_load((own_home.data / "expert_graph.yaml").read_text())
    said = {"who": "research", "why": "nobody logs it", "when": "2026-02-20"}
    graph["hidden"] = [{"name": "taste", **said}]
    graph["required"] += [{"cause": "taste", "effect": effect, **said} for effect in ("recommended", "click")]
    (own_home.data / "expert_graph.yaml").write_text(yaml.safe_dump(graph))
    state(own_home, "objective.yaml", form="effect_given_met", **{"lambda": None})
    names = ["causal_graph", "adjustment_sets", "treatment_propensities", "effects", "outcome_model", "target_policy"]
    names += ["off_policy_report", "effect_report", "evaluation_report"]
    result = materialise(own_home, LAST, names)
    assert result.success, words(result)
    assert challengers(own_home).is_empty()
    why = Store(own_home.lake).pointer("target_policy", LAST).notes["no_challenger"]
    assert why["status"] == "not_identifiable"
    assert "form: effect_given_met" in why["reason"] and "one arm only" in why["reason"]
    assert why["reason"].split(", and ")[0] in (own_home.reports / f"{LAST}.html").read_text()


@pytest.mark.parametrize(
    ("form", "lost", "why"),
    [
        ("total", "request_id", "`form: total` counts all outcomes of a request, and these logs do not hold them"),
        ("effect_given_met", None, "needs `organic_rows: every_impression` (sources.yaml), which is interactions_only"),
    ],
)
def test_a_form_that_the_logs_do_not_hold_is_refused(own_home, form, lost, why):
    source = yaml.safe_load((own_home.data / "sources.yaml").read_text())
    if lost:
        del source["events"]["columns"][lost]
    else:
        source["organic_rows"] = "interactions_only"
    (own_home.data / "sources.yaml").write_text(yaml.safe_dump(source))
    state(own_home, "objective.yaml", form=form)
    before = Store(own_home.lake).pointer("target_policy", LAST)
    result = materialise(own_home, LAST, ["target_policy"])
    assert not result.success
    assert why in words(result)
    assert Store(own_home.lake).pointer("target_policy", LAST) == before


def test_a_temperature_of_a_home_that_named_no_form_is_refused_until_the_form_is_said(own_home):
    """As after an upgrade: the stated temperature was in nats, and with these logs the form would now be total."""
    state(own_home, "objective.yaml", form=None, **{"lambda": None})
    state(own_home, "policy.yaml", temperature=0.5)
    result = materialise(own_home, LAST, ["target_policy"])
    assert not result.success
    said = words(result)
    for part in (
        "policy.yaml: `temperature: 0.5`",
        "leaves `form` out, which is total",
        "`form: total`, or `form: do`",
    ):
        assert part in said
    state(own_home, "objective.yaml", form="do")
    result = materialise(own_home, LAST, ["target_policy"])
    assert result.success, words(result)
    stated = challengers(own_home)
    assert temperature(own_home) == 0.5
    # What is left out is solved, and for `do` is what was stated.
    state(own_home, "policy.yaml", temperature=None)
    assert materialise(own_home, LAST, ["target_policy"]).success
    assert challengers(own_home).equals(stated)
