"""What enters the model: the adjustment set and the declared representations, and nothing else, after a real build."""

import json
from datetime import timedelta

import polars as pl
import pytest

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.model.outcome.model import OutcomeModel
from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, table

LAST = FIRST + timedelta(days=5)


@pytest.fixture(scope="module")
def model(built):
    store = Store(built.lake)
    pointer = store.pointer("outcome_model", LAST)
    card = json.loads(store.file_path(pointer, "card.json").read_bytes())
    return OutcomeModel.load(card, store.file_path(pointer, "model.safetensors").read_bytes()), pointer.notes


def chosen(built) -> list[str]:
    sets = table(built, "adjustment_sets", LAST).filter(pl.col("status") == "answered")
    return sorted({column for columns in sets["columns"] for column in columns})


def test_the_models_inputs_are_exactly_the_adjustment_sets_and_the_items_content(built, model):
    fitted, notes = model
    assert fitted.design.names == notes["columns"] == chosen(built)
    assert notes["item_content"] and fitted.reads_content
    network = fitted.network.state_dict()
    width = fitted.design.width + fitted.network.project.out_features
    reads = [weights for name, weights in network.items() if weights.ndim == 2 and weights.shape[1] == width]
    assert reads, "the first layer reads the design and the projected item vector, and has room for nothing else"


def test_the_sets_are_columns_from_before_the_treatment_that_the_graph_has(built):
    notes = Store(built.lake).pointer("causal_graph", LAST).notes
    assert chosen(built)
    assert {notes["roles"][column] for column in chosen(built)} == {"pre_treatment"}
    assert set(chosen(built)) <= set(notes["nodes"])


def test_changing_any_other_column_of_a_unit_changes_no_prediction(built, model):
    fitted, notes = model
    units = table(built, "units", LAST).head(50)
    vectors = ItemVectors.from_frame(table(built, "item_embeddings", LAST))
    before = fitted.predict(units, vectors)
    others = [c for c in units.columns if c not in (*notes["columns"], "item_id")]
    assert {"click", "purchase", "position", "recommended", "policy", "user_id", "unit_id"} <= set(others)
    shuffled = units.with_columns(pl.col(others).reverse())
    gone = units.drop(others)
    for changed in (shuffled, gone):
        after = fitted.predict(changed, vectors)
        assert (after.click_if_recommended == before.click_if_recommended).all()
        assert (after.purchase_if_not == before.purchase_if_not).all()


def test_every_column_of_the_set_is_read(built, model):
    fitted, notes = model
    units = table(built, "units", LAST)
    vectors = ItemVectors.from_frame(table(built, "item_embeddings", LAST))
    before = fitted.predict(units, vectors).click_if_recommended
    for column in notes["columns"]:
        after = fitted.predict(units.with_columns(pl.col(column).reverse()), vectors).click_if_recommended
        assert (after != before).any(), column
