from __future__ import annotations

import json

import yaml

from causalrec.home import TEMPLATE
from causalrec.logs.units.covariates import covariate_names
from causalrec.settings.logs.sources import parse_source
from causalrec.simulator.world.causes import CAUSES, LATENT, TIERS, edges

RANK = {node: rank for rank, tier in enumerate(TIERS) for node in tier}


def test_every_arrow_goes_to_a_later_tier_so_that_there_is_no_cycle():
    assert [(cause, effect) for cause, effect in edges() if RANK[cause] >= RANK[effect]] == []


def test_every_covariate_of_the_units_stands_in_the_graph():
    source = parse_source(yaml.safe_load((TEMPLATE / "demos/simulated/sources.yaml").read_text()))
    assert set(covariate_names(source)) <= set(RANK)
    assert {"recommended", "position", "click", "purchase", "revenue", *LATENT} <= set(RANK)


def test_nothing_latent_causes_the_treatment():
    assert set(CAUSES["recommended"]).isdisjoint(LATENT)


def test_what_the_policy_reads_and_price_separate_the_treatment_from_the_outcome_but_for_its_effect():
    import networkx as nx

    graph = nx.DiGraph([edge for edge in edges() if edge[0] != "recommended"])
    graph.add_nodes_from(RANK)
    adjusted = {"user_category_click_rate", "item_click_rate", "price"}
    assert nx.is_d_separator(graph, {"recommended"}, {"click"}, adjusted)
    assert not nx.is_d_separator(graph, {"recommended"}, {"click"}, set())
    assert not nx.is_d_separator(graph, {"recommended"}, {"click"}, adjusted - {"user_category_click_rate"})


def test_the_graph_is_written_with_its_tiers_and_latent_causes(small):
    written = json.loads((small.truth / "graph.json").read_text())
    assert written["latent"] == list(LATENT)
    assert [tuple(edge) for edge in written["edges"]] == edges()
    assert [tuple(tier) for tier in written["tiers"]] == list(TIERS)
