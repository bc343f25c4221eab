from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.world.world import Context


def test_what_is_logged_is_the_potential_outcome_of_the_arm_that_was_taken(small):
    known = small.known()
    for outcome in ("click", "purchase"):
        taken = known.select(pl.when(pl.col("recommended") == 1).then(f"{outcome}_1").otherwise(f"{outcome}_0"))
        assert taken.to_series().equals(known[outcome], check_names=False)


def test_a_purchase_has_a_click_in_both_arms_and_in_probability(small):
    known = small.known()
    for arm in (0, 1):
        assert (known[f"purchase_{arm}"] <= known[f"click_{arm}"]).all()
        assert (known[f"p_purchase_{arm}"] <= known[f"p_click_{arm}"]).all()


def test_revenue_is_the_price_of_what_was_purchased(small):
    events = small.events()
    np.testing.assert_allclose(events["revenue"], events["price"] * events["purchase"])


def test_both_arms_share_their_luck_so_that_the_likelier_arm_never_loses_a_click(small):
    known = small.known()
    likelier = known["p_click_1"] >= known["p_click_0"]
    assert (known.filter(likelier)["click_1"] >= known.filter(likelier)["click_0"]).all()
    assert (known.filter(~likelier)["click_1"] <= known.filter(~likelier)["click_0"]).all()


@pytest.mark.parametrize("outcome", ["click_0", "click_1", "purchase_0", "purchase_1"])
def test_outcomes_are_drawn_with_their_probabilities(small, outcome):
    known = small.known()
    p, drawn = known[f"p_{outcome}"].to_numpy(), known[outcome].to_numpy()
    for part in np.array_split(np.argsort(p), 5):
        spread = np.sqrt((p[part] * (1 - p[part])).sum())
        assert abs((drawn[part] - p[part]).sum()) < 4 * spread


def test_a_recommended_item_is_clicked_less_further_down(small):
    item, rate = np.zeros(1, int), np.full(1, 0.1)

    def at_slot(k):
        return Context(np.zeros(1, int), np.zeros(1, int), np.zeros(1, int), np.array([k]))

    at = [small.world.probabilities(at_slot(k), item, 1, rate)[0][0] for k in (1, 3, 5)]
    organic = [small.world.probabilities(at_slot(k), item, 0, rate)[0][0] for k in (1, 3, 5)]
    assert at == sorted(at, reverse=True)
    assert len(set(organic)) == 1


def test_the_words_of_an_item_tell_its_quality(small):
    from causalrec.simulator.world.catalogue import APPEAL, PRAISE, draw_catalogue

    shop = draw_catalogue(400, np.random.default_rng(0))
    said = [
        sum(v for w, v in APPEAL.items() if w in d.lower()) + sum(v for s, v in PRAISE if s in d)
        for d in shop.description
    ]
    assert np.corrcoef(said, shop.quality)[0, 1] > 0.85
