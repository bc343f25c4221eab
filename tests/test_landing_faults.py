"""Bad landed files: the step fails and says why, nothing is published, the last good version stays, good data heal
it."""

from datetime import timedelta

import dagster as dg
import polars as pl
import pytest

from causalrec_assets.gate.store import Store
from tests.worlds import FIRST, materialise, words

pytestmark = pytest.mark.integration
DAY = FIRST + timedelta(days=3)


def folder(home):
    return home.landing / "events" / f"day={DAY}"


def landed(home):
    return folder(home) / "events.parquet"


def rewrite(change):
    return lambda home: change(pl.read_parquet(landed(home))).write_parquet(landed(home))


def corrupt(home):
    content = landed(home).read_bytes()
    landed(home).write_bytes(content[: len(content) // 2])


def unreadable_csv(home):
    (folder(home) / "late.csv").write_text('event_id,timestamp,item_id,click\n"x,2026-03-05')


def first_row(column, value):
    row = pl.int_range(pl.len()) == 0
    return rewrite(
        lambda f: f.with_columns(
            pl.when(row).then(pl.lit(value)).otherwise(column).cast(f.schema[column]).alias(column)
        )
    )


FAULTS = {
    "a_corrupt_file": (corrupt, ["events.parquet", "cannot be read as parquet"]),
    "a_csv_with_a_broken_quote": (unreadable_csv, ["late.csv"]),
    "action_propensities_of_0": (
        rewrite(lambda f: f.with_columns(action_propensity=pl.col("action_propensity") * 0)),
        ["events.parquet, row 1: it was chosen with an action propensity of 0", "750 of the day's 1500 rows are wrong"],
    ),
    "an_action_propensity_on_an_organic_row": (
        rewrite(lambda f: f.with_columns(action_propensity=pl.col("action_propensity").fill_null(0.5))),
        ["nobody chose an organic row, and it has an action propensity"],
    ),
    "a_missing_required_column": (rewrite(lambda f: f.drop("item_id")), ["item_id", "missing"]),
    "no_outcome_column": (rewrite(lambda f: f.drop("click")), ["click", "missing"]),
    "a_purchase_without_a_click": (
        rewrite(lambda f: f.with_columns(click=pl.lit(0, pl.Int8), purchase=pl.lit(1, pl.Int8))),
        ["a purchase without a click"],
    ),
    "a_value_of_another_type": (
        rewrite(lambda f: f.with_columns(pl.col("click").cast(pl.String).replace("0", "maybe"))),
        ["row ", "'maybe'"],
    ),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_bad_file_is_refused_named_and_healed(own_home, fault):
    plant, says = FAULTS[fault]
    good = {path: path.read_bytes() for path in folder(own_home).iterdir()}
    before = Store(own_home.lake).pointer("clean_events", DAY)
    instance = dg.DagsterInstance.ephemeral()
    plant(own_home)

    result = materialise(own_home, DAY, ["clean_events", "history", "units"], instance)

    assert not result.success
    said = words(result)
    assert [text for text in says if text not in said] == []
    assert result.get_asset_materialization_events() == []
    assert "contract" in [e.check_name for e in result.get_asset_check_evaluations() if not e.passed]
    assert not [e for e in result.all_events if e.is_step_up_for_retry]
    store = Store(own_home.lake)
    assert store.pointer("clean_events", DAY).hash == before.hash

    for path in folder(own_home).iterdir():
        path.unlink()
    for path, content in good.items():
        path.write_bytes(content)
    healed = materialise(own_home, DAY, ["clean_events", "history", "units"], instance)
    assert healed.success, words(healed)
    assert Store(own_home.lake).pointer("clean_events", DAY).hash == before.hash
    assert {e.check_name: e.passed for e in healed.get_asset_check_evaluations()}["contract"] is True


def test_after_a_refusal_a_reader_is_warned_that_it_reads_the_last_good_version(own_home):
    rewrite(lambda f: f.drop("click"))(own_home)
    assert not materialise(own_home, DAY, ["clean_events"]).success
    result = materialise(own_home, DAY, ["units"])
    assert result.success
    inputs = next(e for e in result.get_asset_check_evaluations() if e.check_name == "inputs")
    assert not inputs.passed
    assert "last good version" in inputs.metadata["warnings"].value


def test_a_day_without_files_says_how_to_declare_it_empty_and_a_declared_one_counts_as_present(own_home):
    following = FIRST + timedelta(days=6)
    result = materialise(own_home, following, ["items", "clean_events", "history", "units"])
    assert not result.success
    assert "_EMPTY" in words(result)
    empty = own_home.landing / "events" / f"day={following}"
    empty.mkdir()
    (empty / "_EMPTY").touch()
    result = materialise(own_home, following, ["items", "clean_events", "history", "units"])
    assert result.success, words(result)
    assert Store(own_home.lake).pointer("units", following).rows == 0


def test_a_row_that_is_wrong_or_sent_again_goes_to_quarantine_and_the_day_is_published(own_home):
    first_row("action_propensity", 0.0)(own_home)
    rewrite(lambda f: pl.concat([f, f[1:4], f[2:4]]))(own_home)
    result = materialise(own_home, DAY, ["clean_events"])
    assert result.success, words(result)
    store = Store(own_home.lake)
    pointer = store.pointer("clean_events", DAY)
    kept = pl.read_parquet(store.quarantine("clean_events", DAY, pointer.run_id) / "set_aside.parquet")
    assert pointer.rows == 1499
    assert kept["kind"].value_counts().sort("kind").rows() == [("impossible", 1), ("sent again", 5)]


def test_rows_that_cannot_be_used_are_set_aside_with_their_reason(own_home):
    rewrite(lambda f: f.with_columns(item_id=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("item_id")))(
        own_home
    )
    result = materialise(own_home, DAY, ["clean_events"])
    assert result.success, words(result)
    pointer = Store(own_home.lake).pointer("clean_events", DAY)
    kept = Store(own_home.lake).quarantine("clean_events", DAY, pointer.run_id) / "set_aside.parquet"
    assert pointer.set_aside == 3
    assert pl.read_parquet(kept)["reason"].to_list() == ["no item"] * 3
    assert pointer.rows + pointer.set_aside == 1500
