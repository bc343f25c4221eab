"""Direct effects, front doors and refusals from `questions.yaml` to the report."""

from datetime import timedelta

import yaml

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, materialise, table, words

LAST = FIRST + timedelta(days=5)
ASSETS = (
    "causal_graph",
    "adjustment_sets",
    "treatment_propensities",
    "effects",
    "outcome_model",
    "effect_report",
)


def ask(name, outcome="purchase", **options):
    return {"name": name, "treatment": "recommended", "outcome": outcome, **options}


def rebuilt(home, questions, hidden_causes=()):
    """The assets that questions and hidden causes change, built again."""
    settings = yaml.safe_load((home.data / "questions.yaml").read_text()) | {"questions": questions}
    (home.data / "questions.yaml").write_text(yaml.safe_dump(settings))
    known = yaml.safe_load((home.data / "expert_graph.yaml").read_text())
    said = {"who": "research", "why": "nobody logs it", "when": "2026-02-20"}
    known["hidden"] = [{"name": "taste", **said}] if hidden_causes else []
    known["required"] += [{"cause": "taste", "effect": effect, **said} for effect in hidden_causes]
    (home.data / "expert_graph.yaml").write_text(yaml.safe_dump(known))
    result = materialise(home, LAST, ASSETS)
    assert result.success, words(result)
    tables = {name: table(home, name, LAST) for name in ("adjustment_sets", "effects", "effect_report")}
    # Of the three estimates of a question the last stays: the doubly robust one.
    return {name: {row["question"]: row for row in frame.to_dicts()} for name, frame in tables.items()}


def test_total_and_direct_effects_stand_side_by_side(own_home):
    before = Store(own_home.lake).pointer("outcome_model", LAST).notes["columns"]
    found = rebuilt(
        own_home,
        [
            ask("recommended_click", "click"),
            ask("recommended_purchase"),
            ask("beside_the_click", effect="direct", held=["click"]),
            ask("beside_the_slot", "click", effect="direct", held=["position"]),
        ],
    )
    sets, effects, report = found["adjustment_sets"], found["effects"], found["effect_report"]
    assert sets["beside_the_click"]["held"] == ["click"]
    assert "click" not in sets["beside_the_click"]["columns"]
    direct, total = effects["beside_the_click"], effects["recommended_purchase"]
    assert direct["status"] == total["status"] == "answered"
    # In the simulated shop a purchase needs a click, and recommending changes little beside it.
    assert abs(direct["estimate"]) < abs(total["estimate"])
    assert "with `click` held" in direct["reason"] and total["reason"] == ""
    assert "with `click` held" in report["beside_the_click"]["verdict"]
    assert "nor of click" in report["beside_the_click"]["assumptions"]
    assert effects["beside_the_slot"]["status"] == "not_identifiable"
    assert "`position` cannot be held" in report["beside_the_slot"]["verdict"]
    # A direct effect's set blocks no back door of the total one: the outcome model reads what it read before.
    assert Store(own_home.lake).pointer("outcome_model", LAST).notes["columns"] == before


def test_a_hidden_cause_is_said_with_what_would_settle_it_and_a_front_door_is_used_once_vouched_for(own_home):
    questions = [ask("recommended_click", "click"), ask("bought"), ask("bought_by_clicks", through=["click"])]
    found = rebuilt(own_home, questions, hidden_causes=("recommended", "purchase"))
    sets, effects, report = found["adjustment_sets"], found["effects"], found["effect_report"]
    assert sets["bought"]["status"] == "not_identifiable"
    for part in ("recommended <- taste -> purchase", "log `taste`", "through: [click]", "randomise `recommended`"):
        assert part in sets["bought"]["reason"], sets["bought"]["reason"]
    vouched = sets["bought_by_clicks"]
    assert (vouched["strategy"], vouched["mediators"]) == ("front_door", ["click"])
    assert effects["bought_by_clicks"]["status"] == "answered"
    assert effects["bought_by_clicks"]["lower"] < effects["bought_by_clicks"]["upper"]
    assert "through `click`" in report["bought_by_clicks"]["verdict"]
    assert "the whole effect passes through click" in report["bought_by_clicks"]["assumptions"]
