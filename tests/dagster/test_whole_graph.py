"""The whole graph on tiny logs: from landed files to recommendations."""

import shutil
from datetime import timedelta

import dagster as dg
import polars as pl
import yaml

from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, LEARNING, LOGS, build, make_home, materialise, table, tiny, words

LAST = FIRST + timedelta(days=5)


def test_every_asset_is_published_for_the_newest_day(built):
    store = Store(built.lake)
    assert [name for name in (*LOGS, *LEARNING) if store.pointer(name, LAST) is None] == []


def test_covariates_and_outcomes_of_units_are_what_was_landed(built):
    units = table(built, "units", LAST)
    landed = pl.read_parquet(built.landing / "events" / f"day={LAST}" / "events.parquet")
    joined = units.join(landed, left_on="unit_id", right_on="event_id", suffix="_landed")
    assert joined.height == landed.height == units.height
    assert (joined["click"] == joined["click_landed"]).all()


def test_no_mediator_outcome_or_logging_column_reaches_the_model(built):
    roles = Store(built.lake).pointer("units", LAST).notes["roles"]
    reads = Store(built.lake).pointer("outcome_model", LAST).notes["columns"]
    assert {roles[column] for column in reads} == {"pre_treatment"}


def test_recommendations_carry_propensity_potential_outcomes_and_reason(built):
    frame = table(built, "recommendations", LAST)
    assert frame.height > 0
    assert frame["action_propensity"].is_between(0, 1).all()
    assert frame.select("click_if_recommended", "click_if_not", "reason").null_count().sum_horizontal().item() == 0
    assert frame.group_by("user_id").len()["len"].unique().to_list() == [5]
    assert frame["policy"].unique().to_list() == [f"release-1@{LAST}"]


def test_deleting_the_truth_changes_no_byte(own_home):
    before = Store(own_home.lake).pointer("evaluation_report", LAST).hash
    shutil.rmtree(own_home.truth)
    assert materialise(own_home, LAST, LEARNING).success
    assert Store(own_home.lake).pointer("evaluation_report", LAST).hash == before


def test_changing_an_items_title_changes_its_vector_and_its_predicted_outcome(own_home):
    name = "items/items.parquet"
    items = pl.read_parquet(own_home.landing / name)
    changed = items["item_id"][0]
    retitled = items.with_columns(
        title=pl.when(pl.col("item_id") == changed).then(pl.lit("Scratched, second-hand mirror")).otherwise("title")
    )
    model = Store(own_home.lake).pointer("outcome_model", LAST)
    vectors = table(own_home, "item_embeddings", LAST)
    retitled.write_parquet(own_home.landing / name)
    result = materialise(own_home, LAST, ["items", "item_embeddings"])
    assert result.success, words(result)
    after = table(own_home, "item_embeddings", LAST)
    differs = (vectors["vector"].to_numpy() != after["vector"].to_numpy()).any(axis=1)
    assert vectors["item_id"].filter(pl.Series(differs)).to_list() == [changed]
    encoded = next(m for m in result.get_asset_materialization_events() if m.asset_key.path[-1] == "item_embeddings")
    assert encoded.materialization.metadata["encoded_now"].value > 0

    import json

    from causalrec.embeddings.item_vectors import ItemVectors
    from causalrec.model.outcome.model import OutcomeModel

    store = Store(own_home.lake)
    fitted = OutcomeModel.load(
        json.loads(store.file_path(model, "card.json").read_bytes()),
        store.file_path(model, "model.safetensors").read_bytes(),
    )
    unit = table(own_home, "units", LAST).head(1).with_columns(item_id=pl.lit(changed))
    old, new = (fitted.predict(unit, ItemVectors.from_frame(v)).click_if_recommended[0] for v in (vectors, after))
    assert old != new


def verdict(tmp_path, **dials):
    home = make_home(tmp_path / "home", tiny(**dials))
    last = build(home, 6)
    return home, last, table(home, "release", last).row(0, named=True)


def test_a_world_where_choosing_matters_ends_in_better_and_is_released(built):
    row = table(built, "release", LAST).row(0, named=True)
    assert (row["verdict"], row["decision"], row["entry"]) == ("better", "released", 1)


def test_a_world_where_all_items_are_alike_ends_in_not_better_and_nothing_is_released(tmp_path):
    home, last, row = verdict(tmp_path, taste_strength=0.0, item_quality=0.0, price_effect=0.0)
    assert (row["verdict"], row["decision"]) == ("not_better", "kept")
    assert table(home, "recommendations", last).is_empty()
    assert "no_released_bundle" in Store(home.lake).pointer("recommendations", last).answer.reason


def test_a_world_with_too_few_events_ends_in_insufficient_evidence(tmp_path):
    _, _, row = verdict(tmp_path, events_per_day=100)
    assert (row["verdict"], row["decision"]) == ("insufficient_evidence", "kept")


def test_too_few_training_days_are_answered_by_every_learning_asset(tmp_path):
    home = make_home(tmp_path / "home", tiny(days=3))
    last = build(home, 3)
    store = Store(home.lake)
    assert store.pointer("discovered_graph", last).answer.status == "insufficient_evidence"
    assert table(home, "effects", last)["status"].unique().to_list() == ["insufficient_evidence"]
    assert table(home, "release", last)["verdict"].to_list() == ["insufficient_evidence"]


def test_logs_of_one_arm_only_are_answered_not_failed(tmp_path):
    home = make_home(tmp_path / "home", tiny())
    for path in (home.landing / "events").rglob("*.parquet"):
        pl.read_parquet(path).filter(pl.col("recommended") == 1).write_parquet(path)
    last = build(home, 6)
    assert table(home, "effects", last)["status"].unique().to_list() == ["not_identifiable"]
    assert Store(home.lake).pointer("outcome_model", last).notes["arms"] == "shown"


def test_a_hole_in_the_window_stops_the_step_with_the_days_name(own_home):
    hole = FIRST + timedelta(days=2)
    shutil.rmtree(Store(own_home.lake).folder("units", hole))
    result = materialise(own_home, LAST, ["discovered_graph"])
    assert not result.success
    assert str(hole) in words(result)


def test_history_refuses_while_the_day_before_is_missing(own_home):
    shutil.rmtree(Store(own_home.lake).folder("history", FIRST + timedelta(days=2)))
    result = materialise(own_home, FIRST + timedelta(days=3), ["history"])
    assert not result.success
    assert str(FIRST + timedelta(days=2)) in words(result)


def test_the_next_day_is_judged_against_the_champion(own_home):
    from causalrec.simulator.landing import simulate

    simulate(tiny(days=7), own_home.landing, own_home.truth)
    following = LAST + timedelta(days=1)
    result = materialise(own_home, following, (*LOGS, *LEARNING))
    assert result.success, words(result)
    challenger = table(own_home, "off_policy_report", following).filter(pl.col("policy") == "challenger")
    assert challenger["baseline"].unique().to_list() == ["champion"]
    assert (
        table(own_home, "release", following)["champion_before"][0]
        == ReleaseLog(Store(own_home.lake)).moves()[0].champion.bundle_hash
    )


def test_an_older_day_backfilled_records_its_decision_and_moves_nothing(own_home):
    entries = len(ReleaseLog(Store(own_home.lake)).moves())
    older = LAST - timedelta(days=1)
    result = materialise(own_home, older, LEARNING)
    assert result.success, words(result)
    assert table(own_home, "release", older)["decision"].to_list() == ["recorded"]
    assert len(ReleaseLog(Store(own_home.lake)).moves()) == entries


def test_one_materialisation_rolls_back_and_the_recommendations_follow(own_home):
    """To the logging policy: what is recommended is then nobody's, and the day's own challenger is held back."""
    assert table(own_home, "recommendations", LAST).height
    config = {"release": {"config": {"roll_back_to": 0, "because": "Ann: complaints about repeats"}}}
    result = materialise(own_home, LAST, ["release", "recommendations"], ops=config)
    assert result.success, words(result)
    row = table(own_home, "release", LAST).row(0, named=True)
    assert (row["decision"], row["champion_after"], row["reason"]) == (
        "rolled_back",
        None,
        "Ann: complaints about repeats",
    )
    assert Store(own_home.lake).pointer("recommendations", LAST).answer.reason.startswith("no_released_bundle")
    assert materialise(own_home, LAST, ["release"]).success
    row = table(own_home, "release", LAST).row(0, named=True)
    assert row["decision"] == "kept"
    assert "Ann" in row["reason"]
    wordless = {"release": {"config": {"roll_back_to": 0}}}
    assert "who wants it" in words(materialise(own_home, LAST, ["release"], ops=wordless))


def test_a_partition_is_current_until_one_of_its_inputs_changes(own_home):
    from causalrec.logs.landing.zone import LandingZone
    from causalrec_assets.lake.currentness import stale_because
    from causalrec_assets.lake.snapshot import Snapshot
    from causalrec_assets.operate.assets import CODE_VERSIONS

    lake = Snapshot(Store(own_home.lake))
    others = {"landing": LandingZone.of(own_home).fingerprint, "code": lambda asset, _: CODE_VERSIONS[asset]}
    assert stale_because(own_home, lake, "units", LAST, others) is None
    assert stale_because(own_home, lake, "clean_events", LAST, others) is None
    (own_home.data / "sources.yaml").write_text((own_home.data / "sources.yaml").read_text() + "\n# touched\n")
    assert "sources.yaml" in stale_because(own_home, lake, "units", LAST, others)
    settings = yaml.safe_load((own_home.data / "sources.yaml").read_text())
    assert settings["name"] == "shop"


def test_all_assets_run_as_one_job_of_the_definitions(own_home):
    instance = dg.DagsterInstance.ephemeral()
    result = materialise(own_home, LAST, (*LOGS, *LEARNING), instance)
    assert result.success, words(result)
    evaluated = {(e.asset_key.path[-1], e.check_name) for e in result.get_asset_check_evaluations()}
    assert evaluated == {(name, check) for name in (*LOGS, *LEARNING) for check in ("contract", "answerable", "inputs")}
