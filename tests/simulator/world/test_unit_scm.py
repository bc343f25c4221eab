from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest
import yaml

from causalrec.home import TEMPLATE
from causalrec.logs.units.covariates import covariate_names
from causalrec.logs.units.units import unit_roles
from causalrec.settings.logs.sources import parse_source
from causalrec.simulator.world.unit_scm import COLUMNS, NODES, OUTCOMES, edges, sample, true_effect

# What stands in the graph; `rating` only where a source has one.
IN_THE_GRAPH = ("pre_treatment", "treatment", "mediator", "outcome")


def test_its_columns_are_those_of_the_default_sources_units():
    source = parse_source(yaml.safe_load((TEMPLATE / "demos/simulated/sources.yaml").read_text()))
    # Fourteen days know one month; logs that go on know all.
    source = source.model_copy(update={"last_day": None})
    roles = unit_roles(source)
    present = [
        c for c, role in roles.items() if role in IN_THE_GRAPH and (c in covariate_names(source) or source.has(c))
    ]
    assert sorted(COLUMNS) == sorted(present)


def test_it_is_a_graph_without_cycles_in_the_order_of_its_columns():
    rank = {name: k for k, name in enumerate(COLUMNS)}
    assert nx.is_directed_acyclic_graph(nx.DiGraph(edges()))
    assert [(a, b) for a, b in edges() if rank[a] >= rank[b]] == []


def test_the_same_seed_gives_the_same_units_and_another_seed_others():
    assert sample(500, 3).equals(sample(500, 3))
    assert not sample(500, 3).equals(sample(500, 4))


def test_an_intervention_changes_nothing_but_what_it_causes():
    graph = nx.DiGraph(edges())
    caused = {"recommended", *nx.descendants(graph, "recommended")}
    kept = [c for c in COLUMNS if c not in caused]
    drawn, do0, do1 = sample(2000, 1), sample(2000, 1, do=0), sample(2000, 1, do=1)
    assert drawn.select(kept).equals(do0.select(kept))
    for arm, forced in ((0, do0), (1, do1)):
        same = drawn["recommended"] == arm
        assert drawn.filter(same).equals(forced.filter(same))
        assert forced["recommended"].unique().to_list() == [arm]


def test_outcomes_are_nested_and_slots_belong_to_recommended_rows():
    units = sample(5000, 2)
    assert (units["purchase"] <= units["click"]).all()
    np.testing.assert_allclose(units["revenue"], units["price"] * units["purchase"])
    assert (units["position"].is_not_null() == (units["recommended"] == 1)).all()
    assert units["device"].dtype == units["category"].dtype == pl.String
    assert 0.03 < units["purchase"].mean() < units["click"].mean() < 0.4


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_true_effect_is_what_interventions_give_and_not_the_naive_contrast(outcome):
    effect, error = true_effect(outcome)
    n = 150_000
    difference = sample(n, 9, do=1)[outcome].cast(pl.Float64) - sample(n, 9, do=0)[outcome].cast(pl.Float64)
    assert abs(difference.mean() - effect) < 4 * np.hypot(error, difference.std() / np.sqrt(n))
    units = sample(n, 9)
    arms = [units.filter(pl.col("recommended") == t)[outcome] for t in (1, 0)]
    naive_error = np.sqrt(sum(a.var() / a.len() for a in arms))
    assert abs(arms[0].mean() - arms[1].mean() - effect) > 5 * naive_error


def test_adjusting_for_the_treatments_causes_recovers_the_effect():
    from sklearn.linear_model import LogisticRegression

    units = sample(50_000, 5)
    x = np.column_stack([np.log(units[c]) for c in NODES["recommended"].causes])
    t, y = units["recommended"].to_numpy(), units["click"].to_numpy()
    e = LogisticRegression().fit(x, t).predict_proba(x)[:, 1]
    score = t * y / e - (1 - t) * y / (1 - e)
    assert abs(score.mean() - true_effect("click")[0]) < 3 * score.std() / np.sqrt(len(score))


PAIRS = [
    ("recommended", "item_age_days", ("item_click_rate", "user_category_click_rate", "price")),
    ("recommended", "device", ()),
    ("click", "user_clicks", ("user_category_click_rate", "item_click_rate", "price", "recommended")),
    ("click", "user_clicks", ()),
    ("item_click_rate", "item_age_days", ("item_exposures", "price")),
    ("item_click_rate", "item_age_days", ()),
    ("user_exposures", "item_exposures", ()),
    ("user_exposures", "category", ("user_category_click_rate",)),
    ("price", "item_age_days", ("item_exposures",)),
]


@pytest.mark.parametrize(("a", "b", "given"), PAIRS)
def test_what_the_graph_separates_is_independent_in_samples_and_the_rest_is_not(a, b, given):
    from sklearn.linear_model import LinearRegression

    units = sample(60_000, 11)
    number = {c: _number(units[c]) for c in COLUMNS}
    basis = [np.ones(units.height)]
    for k, g in enumerate(given):
        basis += [number[g], number[g] ** 2, *(number[g] * number[h] for h in given[:k])]
    x = np.column_stack(basis)
    left = [number[c] - LinearRegression().fit(x, number[c]).predict(x) for c in (a, b)]
    product = left[0] * left[1]
    z = product.mean() / product.std() * np.sqrt(len(product))
    if nx.is_d_separator(nx.DiGraph(edges()), {a}, {b}, set(given)):
        assert abs(z) < 4
    else:
        assert abs(z) > 6


def _number(column):
    """A standardised score: logs of amounts, odds of rates, the price level of a category."""
    if column.dtype == pl.String:
        from causalrec.simulator.world.unit_scm import _score

        return _score(NODES[column.name], column.to_numpy())
    value = column.fill_null(0).cast(pl.Float64).to_numpy()
    if NODES[column.name].kind in ("money", "count"):
        value = np.log(value + 0.5)
    if NODES[column.name].kind == "rate":
        value = np.log(value / (1 - value))
    return (value - value.mean()) / value.std()
