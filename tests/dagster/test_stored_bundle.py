"""Slates that a released bundle drew: what it would have shown else is computed again, as if it had been logged."""

import shutil
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import yaml

from causalrec.home import Home
from causalrec.logs.units.covariates import as_of
from causalrec.policy.grid import score_grid
from causalrec.policy.plackett_luce import first_slot
from causalrec.settings.logs.sources import parse_source
from causalrec.simulator.landing import simulate
from causalrec_assets.common.bundles import load_champion
from causalrec_assets.decision.judged import Judging
from causalrec_assets.lake.currentness import stale_because
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.releases import DrawnBy, ReleaseLog
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.store import Store
from causalrec_assets.operate.assets import CODE_VERSIONS
from causalrec_assets.serving.recommend import latest_contexts
from tests.worlds import FIRST, LEARNING, LOGS, materialise, table, tiny, words

LAST, NEXT = FIRST + timedelta(days=5), FIRST + timedelta(days=6)
JUDGED = ("target_policy", "off_policy_report")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(home, day, names, **asked):
    result = materialise(home, day, names, **asked)
    assert result.success, words(result)


@pytest.fixture(scope="module")
def shop(built, tmp_path_factory):
    """A bundle that explores much is released on the last day, and its slates are shown on the next."""
    home = Home(tmp_path_factory.mktemp("stored") / "home")
    shutil.copytree(built.root, home.root)
    file = home.data / "policy.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"exploration": 0.6}))
    override = {"release": {"config": {"override": "release_today", "because": "Ann: more to learn from"}}}
    later = LEARNING[LEARNING.index("target_policy") :]
    run(home, LAST, later, ops=override)
    simulate(tiny(days=7), home.landing, home.truth)
    run(home, NEXT, LOGS)
    run(home, NEXT, LEARNING[: LEARNING.index("target_policy")])
    return home


@pytest.fixture
def own(shop, tmp_path):
    shutil.copytree(shop.root, tmp_path / "home")
    return Home(tmp_path / "home")


def show(home, policy, first=None):
    """Land the next day again: its requests are shown the slates of `recommendations`.

    Args:
        policy: What is logged of them.
        first: user_id, item_id and the first slot's probability, which organic rows then carry.
    """
    path = home.landing / "events" / f"day={NEXT}" / "events.parquet"
    rows = pl.read_parquet(path)
    slates = table(home, "recommendations", LAST).select(
        "user_id", pl.col("rank").alias("position"), item="item_id", p="action_propensity"
    )
    rows = rows.filter(pl.col("user_id").is_in(slates["user_id"].implode()))
    prices = pl.read_parquet(home.landing / "items" / "items.parquet").select(item="item_id", its_price="price")
    slots = rows.filter(recommended=1).join(slates, on=["user_id", "position"], how="left").join(prices, on="item")
    slots = slots.with_columns(
        item_id="item", action_propensity="p", price="its_price", policy=pl.lit(policy, pl.String), revenue=pl.lit(0.0),
        purchase=pl.lit(0, pl.Int8),
    )  # fmt: skip
    organic = rows.filter(recommended=0).with_columns(first_slot_propensity=pl.lit(None, pl.Float64))
    if first is not None:
        organic = organic.drop("first_slot_propensity").join(first, on=["user_id", "item_id"], how="left")
    pl.concat([slots.select(rows.columns), organic.select(rows.columns)]).sort("timestamp").write_parquet(path)


def drawn_by(home):
    """What a service would log: the first-slot probability of every item for every user, by the bundle that serves."""
    inputs = Inputs(home, Store(home.lake), "reader", "code", NEXT, "run")
    champion = ReleaseLog(inputs.store).current()
    bundle, source = load_champion(inputs, champion), parse_source(inputs.setting("sources.yaml"))
    units = pl.concat([table(home, "units", FIRST + timedelta(days=k)) for k in range(6)])
    whom, items = latest_contexts(units, ["device"], None), table(home, "items", LAST)
    state = as_of(table(home, "history", LAST), NEXT, source)
    parts = list(score_grid(whom, items, state, source, bundle.model, bundle.vectors, ()))
    p = np.concatenate([
        first_slot(bundle.objective.value(*bundle.objective.terms(part)), part.eligible, bundle.config.solved, 0.6)
        for part in parts
    ])  # fmt: skip
    pairs = whom.select("user_id").join(items.select("item_id"), how="cross", maintain_order="left_right")
    return champion, pairs.with_columns(first_slot_propensity=p.ravel())


def judge(home):
    run(home, NEXT, [*LOGS, "action_propensities", *JUDGED])
    organic = table(home, "target_policy", NEXT).filter(kind="organic", policy="challenger")
    days = table(home, "units", NEXT).select("unit_id")
    value = table(home, "off_policy_report", NEXT).filter(
        policy="challenger", estimand="given_not_shown", metric="satisfaction", estimator="dr", segment="everyone"
    )
    return organic.join(days, on="unit_id", how="semi").sort("unit_id"), value.row(0, named=True)


def test_scored_again_is_what_the_logged_probabilities_give(own):
    champion, first = drawn_by(own)
    assert champion.entry == 2
    show(own, "another name", first)
    logged, by_logs = judge(own)
    assert logged.height > 50 and set(logged["not_shown_from"]) == {"logged"}
    name = str(DrawnBy(2, LAST))
    show(own, name)
    again, by_bundle = judge(own)
    assert set(again["not_shown_from"]) == {f"{name}, scored again"}
    for column in ("not_shown_weight", "not_shown_least", "logging_not_shown_weight"):
        assert again[column].to_list() == pytest.approx(logged[column].to_list(), rel=1e-6)
    assert by_bundle["status"] == by_logs["status"]
    for number in ("estimate", "lower", "upper", "difference", "anyway"):
        assert by_bundle[number] == pytest.approx(by_logs[number], rel=1e-6)
    assert f"{name}, scored again (" in by_bundle["reason"] and "logged (" in by_bundle["reason"]
    # What was read of the past is looked up again, and nothing of it has changed.
    lake, others = Snapshot(Store(own.lake)), {"code": lambda asset, _: CODE_VERSIONS[asset]}
    assert "release:2" in lake.pointer("target_policy", NEXT).inputs
    assert stale_because(own, lake, "target_policy", NEXT, others) is None


def in_slots(home):
    """The probabilities of the next day's pairs, and what is said of them."""
    run(home, NEXT, LOGS)
    inputs = Inputs(home, Store(home.lake), "target_policy", "code", NEXT, "run")
    found = Judging(inputs, parse_source(inputs.setting("sources.yaml")), {}).in_slots(NEXT)
    assert len(found.here) > 100
    return found.here, [said for said in found.said.unique(maintain_order=True).to_list() if said is not None], inputs


def test_another_catalogue_is_the_days_own_and_not_that_of_the_slates(own):
    show(own, str(DrawnBy(2, LAST)))
    before, _, _ = in_slots(own)
    items = pl.read_parquet(own.landing / "items" / "items.parquet")
    (own.landing / "items" / f"day={NEXT}").mkdir()
    dearer = items.with_columns(price=pl.col("price") * 3).sort("price")
    dearer.write_parquet(own.landing / "items" / f"day={NEXT}" / "items.parquet")
    after, said, _ = in_slots(own)
    assert said == [f"{DrawnBy(2, LAST)}, scored again"]
    assert after.tolist() == before.tolist()
    # By this name the bundle was asked on the day, with the prices of the day.
    show(own, str(DrawnBy(2)))
    here, (said,), _ = in_slots(own)
    assert np.isnan(here[here != 0]).all() and "off by up to" in said
    _, value = judge(own)
    assert value["status"] == "not_available" and "off by up to" in value["reason"]


def test_asked_on_the_day_it_is_scored_with_the_days_own_tables(own):
    show(own, str(DrawnBy(2, LAST)))
    by_table, _, _ = in_slots(own)
    show(own, str(DrawnBy(2)))
    here, said, inputs = in_slots(own)
    assert said == [f"{DrawnBy(2)}, scored again"] and here == pytest.approx(by_table, rel=1e-6)
    assert inputs.recorded["release:2"] == ReleaseLog(inputs.store).current().bundle_hash


def test_a_table_that_was_replaced_is_read_as_it_was_and_one_that_is_gone_is_said(own):
    show(own, str(DrawnBy(2, LAST)))
    before, _, _ = in_slots(own)
    items = pl.read_parquet(own.landing / "items" / "items.parquet")
    (own.landing / "items" / f"day={LAST}").mkdir()
    dearer = items.with_columns(price=pl.col("price") * 3)
    dearer.write_parquet(own.landing / "items" / f"day={LAST}" / "items.parquet")
    run(own, LAST, ["items"])
    after, _, inputs = in_slots(own)
    assert after.tolist() == before.tolist() and f"version:items:{LAST}:1" in inputs.recorded
    (own.lake / "items" / f"day={LAST}" / "pointers" / "000001.json").unlink()
    here, (said,), _ = in_slots(own)
    assert np.isnan(here[here != 0]).all()
    assert f"the version of `items` of {LAST}" in said and "not in the lake any more" in said


def test_a_bundle_that_is_gone_or_reads_what_is_logged_no_more_is_said(own):
    show(own, str(DrawnBy(2, LAST)))
    in_slots(own)
    file = own.data / "sources.yaml"
    sources = yaml.safe_load(file.read_text())
    del sources["items"]["columns"]["price"]
    file.write_text(yaml.safe_dump(sources))
    inputs = Inputs(own, Store(own.lake), "target_policy", "code", NEXT, "run")
    assert "price" in Store(own.lake).pointer("outcome_model", LAST).notes["columns"]
    judging = Judging(inputs, parse_source(inputs.setting("sources.yaml")), {})
    (said,) = judging.in_slots(NEXT).said.drop_nulls().unique()
    assert "its bundle reads ['price']" in said
    (own.lake / "outcome_model" / f"day={LAST}" / "pointers" / "000001.json").unlink()
    (said,) = Judging(inputs, judging.source, {}).in_slots(NEXT).said.drop_nulls().unique()
    assert f"version 1 of `outcome_model` of {LAST} is not in the lake" in said


@pytest.mark.parametrize(
    "policy, why",
    [
        ("shop-v1", "no release of this project"),
        ("release-9@2026-03-07", "no bundle under the entry"),
        ("release-2@2026-03-06", "no version of `recommendations` of 2026-03-06"),
        # The first release's own slates were drawn again by the second.
        ("release-1@2026-03-07", "off by up to"),
        ("release-2@2026-03-08", "after that day is over"),
        (None, "not logged either"),
    ],
)
def test_what_cannot_be_scored_again_says_why(own, policy, why):
    show(own, policy)
    here, (said,), _ = in_slots(own)
    assert np.isnan(here[here != 0]).all() and why in said
