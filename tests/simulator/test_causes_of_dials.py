"""The graph says of each world what its samples say: which pairs are independent given which columns."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import polars as pl
import pytest

from causalrec.simulator.traffic.policy_value import past_before
from causalrec.simulator.world.causes import edges, latent, tiers
from causalrec.simulator.world.world import WorldConfig
from tests.simulator.conftest import SMALL, write

BASE = WorldConfig(days=4, users=600, items=200, events_per_day=16_000, seed=21)
X = ("user_category_click_rate", "item_click_rate", "price")
DIALS = {
    "plain": {},
    "experiment_on_everything": {"confounding": 0.0},
    "newness": {"policy_on_newness": 0.8},
    "hidden": {"hidden_gamma": 4.0, "hidden_on_click": 1.5},
    "hidden_in_the_click_only": {"hidden_on_click": 1.5},
    "variant": {"experiment_share": 0.5, "experiment_lift": 0.8},
    "campaign": {"campaign_share": 0.5, "campaign_boost": 1.0, "campaign_discount": 0.4},
    "discount_only": {"campaign_share": 0.5, "campaign_discount": 0.4},
    "responsive": {"lift_spread": 1.5},
    "no_position_bias": {"position_decay": 0.0},
    "position_bias": {"position_decay": 0.4},
    "goes_anyway": {"confounding": 0.0, "go_anyway": 0.7},
}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    kept = {}

    def of(name):
        if name not in kept:
            written = write(replace(BASE, **DIALS[name]), tmp_path_factory.mktemp(name))
            kept[name] = (written.world.config, nodes_of(written))
        return kept[name]

    return of


def nodes_of(written):
    """Every node that the tests name, latent ones too, (units,) each; the first day is no day to learn from."""
    parts = []
    for day in written.days[1:]:
        known, past = written.known(day), past_before(written.world, written.landing, day)
        world, today = written.world, written.world.on((day - written.days[0]).days)
        user, item = (known[c].str.extract(r"(\d+)").cast(pl.Int64).to_numpy() for c in ("user_id", "item_id"))
        category = world.catalogue.category[item]
        part = {
            "user_category_click_rate": np.log(past.user_category_rate[user, category]),
            "item_click_rate": np.log(past.item_rate[item]),
            "price": np.log(today.price[item]),
            "item_age_days": np.log1p(today.age_days[item]),
            "user_taste": today.taste[user, category],
            "item_quality": world.catalogue.quality[item],
            "user_responsiveness": world.responsiveness[user, category],
            "device": known["device"] == "mobile",
            "hour": known["timestamp"].dt.hour().is_between(18, 22),
            "recommended": known["recommended"],
            "position": known["position"].fill_null(0),
            "click": known["click"],
        }
        if "hidden" in known.columns:
            part["hidden_cause"] = known["hidden"]
        if "variant" in known.columns:
            part["variant"] = known["variant"] == "treatment"
        if "campaign_id" in known.columns:
            part["campaign_id"] = known["campaign_id"].is_not_null()
        parts.append({k: np.asarray(v, dtype=float) for k, v in part.items()})
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def z_of_dependence(nodes, a, b, given):
    """Generalised covariance measure (Shah and Peters 2020, eq. 1): residuals of both on `given`, and their product."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import cross_val_predict

    def residual(y):
        if not given:
            return y - y.mean()
        x = np.column_stack([nodes[g] for g in given])
        model = HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=12)
        return y - cross_val_predict(model, x, y, cv=2)

    product = residual(nodes[a]) * residual(nodes[b])
    return product.mean() / product.std() * np.sqrt(len(product))


CLAIMS = [
    ("plain", "recommended", "item_age_days", X),
    ("plain", "recommended", "device", ()),
    ("plain", "recommended", "item_quality", X),
    ("plain", "recommended", "item_quality", ()),
    ("experiment_on_everything", "recommended", "price", ()),
    ("experiment_on_everything", "recommended", "item_quality", ()),
    ("goes_anyway", "recommended", "item_click_rate", ()),
    ("goes_anyway", "recommended", "user_taste", X),
    ("newness", "recommended", "item_age_days", X),
    ("newness", "click", "item_age_days", (*X, "recommended", "item_quality", "user_taste")),
    ("hidden", "recommended", "hidden_cause", X),
    ("hidden", "click", "hidden_cause", (*X, "recommended")),
    ("hidden_in_the_click_only", "recommended", "hidden_cause", X),
    ("hidden_in_the_click_only", "click", "hidden_cause", ()),
    ("variant", "click", "variant", ()),
    ("variant", "recommended", "variant", ()),
    ("campaign", "price", "campaign_id", ()),
    ("campaign", "recommended", "campaign_id", X),
    ("campaign", "click", "campaign_id", (*X, "recommended", "item_quality")),
    ("discount_only", "click", "campaign_id", (*X, "item_quality", "user_taste", "recommended")),
    ("responsive", "recommended", "user_responsiveness", X),
    ("position_bias", "click", "position", (*X, "recommended")),
    ("no_position_bias", "click", "position", (*X, "recommended")),
]


@pytest.mark.parametrize(("name", "a", "b", "given"), CLAIMS)
def test_what_the_graph_separates_is_independent_in_samples_and_the_rest_is_not(worlds, name, a, b, given):
    config, nodes = worlds(name)
    graph = nx.DiGraph(edges(config))
    graph.add_nodes_from([n for tier in tiers(config) for n in tier] + [a, b])
    z = z_of_dependence(nodes, a, b, given)
    if nx.is_d_separator(graph, {a}, {b}, set(given)):
        assert abs(z) < 3.5
    else:
        assert abs(z) > 5


@pytest.mark.parametrize("name", DIALS)
def test_arrows_of_every_world_go_to_later_tiers(name):
    config = replace(SMALL, **DIALS[name], rating_rate=0.3)
    rank = {node: k for k, tier in enumerate(tiers(config)) for node in tier}
    assert [(cause, effect) for cause, effect in edges(config) if rank[cause] >= rank[effect]] == []
    assert set(latent(config)) <= set(rank) | {"hidden_cause"}


def test_without_dials_the_graph_is_the_default_one():
    assert edges(WorldConfig()) == edges()
    assert tiers(WorldConfig()) == tiers()


def test_only_the_hidden_cause_leaves_no_adjustment_set():
    for dials in DIALS.values():
        config = replace(SMALL, **dials)
        graph = nx.DiGraph([edge for edge in edges(config) if edge[0] != "recommended"])
        graph.add_nodes_from([n for tier in tiers(config) for n in tier])
        hidden = config.hidden_gamma > 1 and config.hidden_on_click != 0
        logged = {*X, "item_age_days"} if config.policy_on_newness else set(X)
        assert nx.is_d_separator(graph, {"recommended"}, {"click"}, logged) is not hidden
        if hidden:
            assert nx.is_d_separator(graph, {"recommended"}, {"click"}, {*logged, "hidden_cause"})


def test_the_written_graph_has_what_the_dials_add(tmp_path):
    config = replace(SMALL, days=1, **DIALS["hidden"])
    written = json.loads((write(config, tmp_path).truth / "graph.json").read_text())
    assert ["hidden_cause", "recommended"] in written["edges"]
    assert "hidden_cause" in written["latent"]
