"""Few candidates of a catalogue, from the setting to what is served."""

import json
from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, materialise, table, words

pytestmark = pytest.mark.slow
LAST = FIRST + timedelta(days=5)
CANDIDATES, ITEMS, EXPLORATION = 10, 40, 0.1


@pytest.fixture
def served(own_home):
    file = own_home.data / "policy.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"candidates": CANDIDATES, "named": ["uniform"]}))
    override = {"release": {"config": {"override": "release_today", "because": "a test wants it served"}}}
    names = ["target_policy", "off_policy_report", "trial_policy", "trial_report"]
    names += ["evaluation_report", "release", "recommendations"]
    result = materialise(own_home, LAST, names, ops=override)
    assert result.success, words(result)
    return own_home


def test_what_is_judged_drawn_and_served_is_a_policy_of_candidates_and_a_lump(served):
    frame = table(served, "target_policy", LAST)
    slots = frame.filter(kind="slot", policy="challenger")
    lump = slots.filter("in_lump")
    assert 0 < lump.height < slots.height
    alone = lump.filter(candidates=ITEMS)["action_probability"]
    assert alone.len() and alone.to_list() == pytest.approx([EXPLORATION / ITEMS] * alone.len())
    assert (slots["model_click"] > 0).all() and frame.filter(kind="organic")["met_weight"].null_count() == 0
    assert not frame.filter(policy="uniform")["in_lump"].any()

    store = Store(served.lake)
    kept = json.loads(store.read_file(store.pointer("target_policy", LAST), "policy.json"))
    assert kept["candidates"] == CANDIDATES
    samples = json.loads(store.read_file(store.pointer("target_policy", LAST), "sample_slates.json"))
    assert len(samples) == 10 and all(len(sample["slate"]) == 5 for sample in samples)

    slates = table(served, "recommendations", LAST)
    first = slates.filter(rank=1)
    least = pytest.approx(EXPLORATION / ITEMS)
    of_lump = first.filter(pl.col("action_propensity") < 1.0001 * EXPLORATION / ITEMS)
    assert of_lump.height and all(p == least for p in of_lump["action_propensity"])
    ranked = first.filter(pl.col("action_propensity") > 1.0001 * EXPLORATION / ITEMS)["item_id"].n_unique()
    assert 1 <= ranked <= CANDIDATES
