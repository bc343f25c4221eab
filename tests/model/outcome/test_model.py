"""The trained model: potential outcomes, item content, and what is written down."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.model.outcome.training import lift_of
from tests.model.outcome.test_training import train
from tests.model.worlds import COLUMNS, SETTINGS, toy

WORLD = toy(1, users=300)


@pytest.fixture(scope="module")
def both():
    return train(WORLD).model


@pytest.fixture(scope="module")
def shown():
    return train(WORLD, arms="shown", purchases=False).model


def changed(vectors, item):
    matrix = vectors.matrix.copy()
    matrix[vectors.item_ids.index(item)] = [1.5, 1.0]
    return ItemVectors(vectors.item_ids, matrix)


def test_every_potential_outcome_is_a_probability_and_a_purchase_needs_its_click(both):
    p = both.predict(WORLD.units, WORLD.vectors)
    for values in (p.click_if_recommended, p.click_if_not, p.purchase_if_recommended, p.purchase_if_not):
        assert values.shape == (WORLD.units.height,)
        assert ((values > 0) & (values < 1)).all()
    assert (p.purchase_if_recommended <= p.click_if_recommended).all()
    assert (p.purchase_if_not <= p.click_if_not).all()


def test_what_was_never_seen_is_none_and_not_a_number(shown):
    p = shown.predict(WORLD.units, WORLD.vectors)
    assert p.click_if_recommended.shape == (WORLD.units.height,)
    assert (p.click_if_not, p.purchase_if_recommended, p.purchase_if_not) == (None, None, None)


def test_heads_name_what_the_model_can_tell(both, shown):
    clicks = ["click_if_recommended", "click_if_not"]
    assert both.heads == [*clicks, "purchase_if_recommended", "purchase_if_not"]
    assert shown.heads == ["click_if_recommended"]


def test_changing_an_items_vector_changes_its_prediction_and_no_other_items(both):
    before = both.predict(WORLD.units, WORLD.vectors).click_if_recommended
    after = both.predict(WORLD.units, changed(WORLD.vectors, "item-0")).click_if_recommended
    mine = WORLD.units["item_id"].to_numpy() == "item-0"
    assert (after[mine] > before[mine]).all()
    assert (after[~mine] == before[~mine]).all()


def test_better_items_are_predicted_better(both):
    one = WORLD.units.head(1)
    grid = pl.concat([one.with_columns(item_id=pl.lit(f"item-{k}")) for k in (0, 10, 19)])
    p = both.predict(grid, WORLD.vectors).click_if_recommended
    assert p[0] < p[1] < p[2]


def test_an_item_without_a_vector_is_predicted_all_the_same(both):
    p = both.predict(WORLD.units.head(1).with_columns(item_id=pl.lit("never seen")), WORLD.vectors)
    assert 0 < p.click_if_recommended[0] < 1


def test_a_units_own_outcome_is_no_input_of_its_prediction(both):
    other = WORLD.units.with_columns(
        click=1 - pl.col("click"),
        purchase=1 - pl.col("purchase"),
        recommended=1 - pl.col("recommended"),
        position=pl.lit(9),
    )
    before, after = (both.predict(units, WORLD.vectors) for units in (WORLD.units, other))
    assert (before.click_if_recommended == after.click_if_recommended).all()


def test_one_row_is_predicted_as_among_many(both):
    many = both.predict(WORLD.units, WORLD.vectors).purchase_if_recommended
    alone = both.predict(WORLD.units[7:8], WORLD.vectors).purchase_if_recommended
    assert alone[0] == pytest.approx(many[7], rel=1e-5)


def test_no_rows_give_no_predictions(both):
    assert both.predict(WORLD.units.clear(), WORLD.vectors).click_if_not.shape == (0,)


def test_content_is_asked_for_where_it_is_read(both):
    with pytest.raises(ValueError, match="reads item content"):
        both.predict(WORLD.units, None)


def test_without_content_no_vectors_are_needed():
    model = train(replace(WORLD, units=WORLD.units.head(900)), vectors=None).model
    assert not model.reads_content
    assert model.predict(WORLD.units, None).click_if_not.shape == (WORLD.units.height,)
    with_vectors = model.predict(WORLD.units, WORLD.vectors)
    assert (with_vectors.click_if_not == model.predict(WORLD.units, None).click_if_not).all()


def test_what_is_saved_predicts_the_same_when_loaded(both, shown):
    for model in (both, shown):
        files = model.save()
        assert sorted(files) == ["card.json", "model.safetensors"]
        back = OutcomeModel.load(json.loads(files["card.json"]), files["model.safetensors"])
        assert (back.arms, back.purchases, back.heads) == (model.arms, model.purchases, model.heads)
        ours, theirs = (m.predict(WORLD.units, WORLD.vectors).click_if_recommended for m in (model, back))
        assert (ours == theirs).all()


def test_no_pickle_is_written(both):
    weights = both.save()["model.safetensors"]
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    assert "heads.weight" in header


def test_the_card_says_what_the_model_reads_and_what_its_loss_divides_by(both, shown):
    card = json.loads(both.save()["card.json"])
    assert card["columns"] == ["past_clicks", "device"]
    assert "treatment propensity of the arm taken" in card["loss"]
    assert json.loads(shown.save()["card.json"])["loss"] == "log loss"


def test_predictions_do_not_depend_on_the_chunks(both, monkeypatch):
    whole = both.predict(WORLD.units, WORLD.vectors).click_if_recommended
    monkeypatch.setattr("causalrec.model.outcome.model.CHUNK", 100)
    assert np.allclose(both.predict(WORLD.units, WORLD.vectors).click_if_recommended, whole, rtol=1e-5)


def test_a_lift_travels_with_the_model_and_tells_what_would_come_unprompted(both, shown):
    fold = np.arange(WORLD.units.height) % 50
    plan = TrainingPlan("both", WORLD.units, tuple(COLUMNS), np.full(WORLD.units.height, 0.5), True)
    lift = lift_of(plan, both, WORLD.vectors, fold, SETTINGS, 1)
    assert lift is not None and set(lift.outcomes) == {"click", "purchase"}
    files = replace(both, lift=lift).save()
    back = OutcomeModel.load(json.loads(files["card.json"]), files["model.safetensors"])
    assert back.lift == lift
    x, items = back.design.transform(WORLD.units), WORLD.vectors.rows(WORLD.units["item_id"])
    predicted = back.predict_matrix(x, items, WORLD.vectors)
    unprompted = back.unprompted(x, predicted)
    assert set(unprompted) == {"click", "purchase"}
    p = unprompted["click"]
    assert ((p > 0) & (p < 1)).all()
    # The mean effect is that of the arms, whose own difference is noisier.
    arms = (predicted.click_if_recommended - predicted.click_if_not).mean()
    assert (predicted.click_if_recommended - p).mean() == pytest.approx(arms, abs=0.05)
    assert both.unprompted(x, predicted) == {}
    assert lift_of(replace(plan, arms="shown"), shown, WORLD.vectors, fold, SETTINGS, 1) is None
