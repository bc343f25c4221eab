"""The graph assets on real logs: how sure, how changed, whom they contradict, and which units they speak of."""

import json
from datetime import timedelta

import yaml

from causalrec.graph.drawing.exports import from_json
from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, materialise, table, words

LAST = FIRST + timedelta(days=5)
GRAPH = ("discovered_graph", "causal_graph", "adjustment_sets")


def edit(home, file, **changes):
    settings = yaml.safe_load((home.data / file).read_text())
    (home.data / file).write_text(yaml.safe_dump(settings | changes))


def published(home, name, day=LAST):
    return Store(home.lake).pointer(name, day)


def check(result, asset, name):
    (found,) = [
        c
        for c in result.get_asset_check_evaluations()
        if c.asset_key.to_user_string() == asset and c.check_name == name
    ]
    return found


def test_edges_say_how_sure_they_are_and_the_graph_leaves_as_json(built):
    edges = table(built, "causal_graph", LAST)
    found = edges.filter(edges["provenance"] == "data")
    assert found["confidence"].is_between(0, 1).all() and found["confidence"].null_count() == 0
    file = built.reports / f"{LAST}-graph.json"
    assert {"png", "json", "dot"} == {path.suffix[1:] for path in built.reports.glob(f"{LAST}-graph.*")}
    export = from_json(file.read_text())
    assert export.table.height == edges.height and export.about["day"] == str(LAST)
    assert json.loads(file.read_text())["graph"]["about"]["confidence"] == "3 draws of users"


def test_a_split_finds_the_graph_on_one_half_and_effects_on_the_other(own_home):
    whole = published(own_home, "discovered_graph").notes["rows"]
    both = table(own_home, "effects", LAST)["units"].max()
    edit(own_home, "discovery.yaml", split=True)
    result = materialise(own_home, LAST, (*GRAPH, "treatment_propensities", "effects", "effect_report"))
    assert result.success, words(result)
    half = published(own_home, "discovered_graph").notes["rows"]
    effects = table(own_home, "effects", LAST)
    assert half < 0.65 * whole and effects["units"].max() < 0.65 * both
    assert half + effects["units"].max() == whole
    for words_ in table(own_home, "effect_report", LAST).filter(status="answered")["assumptions"]:
        assert "one half of the users" in words_


def test_a_conflict_warns_and_blocks_where_that_is_asked_for(own_home):
    before = published(own_home, "causal_graph")
    expert = yaml.safe_load((own_home.data / "expert_graph.yaml").read_text())
    wrong = {"cause": "device", "effect": "price", "who": "Ada", "why": "to see it refused", "when": "2026-03-01"}
    edit(own_home, "expert_graph.yaml", required=[*expert["required"], wrong])
    result = materialise(own_home, LAST, ("causal_graph",))
    assert result.success and not check(result, "causal_graph", "answerable").passed
    said = published(own_home, "causal_graph").notes["conflicts"]
    assert "device -> price" in [c["edge"] for c in said] and "Ada" in [c["who"] for c in said]
    edit(own_home, "expert_graph.yaml", conflicts="block")
    result = materialise(own_home, LAST, ("causal_graph",))
    assert not result.success and not check(result, "causal_graph", "contract").passed
    assert "device -> price (Ada, line" in words(result)
    # The last good version is still there.
    assert published(own_home, "causal_graph").number > before.number


def test_a_graph_is_compared_with_the_one_before(own_home):
    alone = materialise(own_home, LAST - timedelta(days=1), GRAPH)
    assert alone.success, words(alone)
    assert "no earlier day" in said_of_change(alone)
    result = materialise(own_home, LAST, ("causal_graph",))
    assert result.success, words(result)
    assert f"since {LAST - timedelta(days=1)}" in said_of_change(result)


def said_of_change(result):
    (made,) = [e for e in result.get_asset_materialization_events() if e.asset_key.to_user_string() == "causal_graph"]
    return made.materialization.metadata["change"].value
