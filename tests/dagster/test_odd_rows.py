"""Few odd rows of a day cost themselves alone: the rest is judged, and the report counts what was left out."""

from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.policy.slates import LOADED_AGAIN, SHOWN_AGAIN
from causalrec.policy.slots import UNLISTED
from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, LOGS, materialise, table, words

LAST = FIRST + timedelta(days=5)
POLICY = ("target_policy", "off_policy_report", "evaluation_report")


def land_again(home, change):
    (path,) = (home.landing / "events").glob(f"day={LAST}/*.parquet")
    change(pl.read_parquet(path)).write_parquet(path)
    result = materialise(home, LAST, LOGS)
    assert result.success, words(result)


def slate(rows, number):
    shown = rows.filter(pl.col("recommended") == 1)
    request = shown["request_id"].unique(maintain_order=True)[number]
    return shown.filter(pl.col("request_id") == request).sort("position")


def loaded_again(rows, load, seconds):
    return rows.with_columns(
        pl.format("{}-{}", "event_id", pl.lit(load)).alias("event_id"),
        pl.col("timestamp") + pl.duration(seconds=seconds),
    )


def odd(rows):
    """A page loaded twice, one drawn anew, an item that no file lists, and 96 loads of one page by one visitor."""
    twice, anew, unlisted, busy = (slate(rows, k) for k in (0, 1, 2, 3))
    drawn = anew.with_columns(pl.col("item_id").reverse())
    bot = busy.with_columns(pl.lit("a-bot").alias("request_id"), pl.lit("bot").alias("user_id"))
    gone = unlisted["event_id"][2]
    return pl.concat(
        [
            rows.with_columns(
                pl.when(pl.col("event_id") == gone).then(pl.lit("item-9999")).otherwise("item_id").alias("item_id")
            ),
            loaded_again(twice, "again", 40),
            loaded_again(drawn, "anew", 40),
            *(loaded_again(bot, f"bot{k}", 0) for k in range(96)),
        ]
    )


def set_aside(home):
    store = Store(home.lake)
    folder = store.quarantine.folder("clean_events", LAST, store.pointer("clean_events", LAST).run_id)
    return dict(pl.read_parquet(folder / "set_aside.parquet")["kind"].value_counts().iter_rows())


def judged(home):
    frame = table(home, "target_policy", LAST).filter((pl.col("policy") == "challenger") & (pl.col("kind") == "slot"))
    return {row["unit_id"]: row["action_probability"] for row in frame.to_dicts()}


def test_odd_rows_of_a_day_are_left_out_of_the_judgement_and_counted_in_the_report(own_home):
    settings = yaml.safe_load((own_home.data / "policy.yaml").read_text()) | {"temperature": 0.005}
    (own_home.data / "policy.yaml").write_text(yaml.safe_dump(settings))
    assert materialise(own_home, LAST, ["target_policy"]).success
    before = judged(own_home)
    (landed,) = (own_home.landing / "events").glob(f"day={LAST}/*.parquet")
    first_of_gone = slate(pl.read_parquet(landed), 2)["event_id"]
    land_again(own_home, odd)
    result = materialise(own_home, LAST, POLICY)
    assert result.success, words(result)

    after = judged(own_home)
    assert 0 < min(after.values()) <= max(after.values()) <= 1
    assert after.keys() == before.keys() - {first_of_gone[2]}
    # Below the unlisted item more is left than there was below the listed one; no other slot knows of it.
    requests = dict(table(own_home, "units", LAST).select("unit_id", "request_id").iter_rows())
    others = [unit for unit in after if requests.get(unit) != requests[first_of_gone[0]]]
    assert [after[unit] for unit in others] == pytest.approx([before[unit] for unit in others])
    notes = Store(own_home.lake).pointer("target_policy", LAST).notes
    # The item in the middle of the reversed page stands where it stood.
    assert notes["not_judged"] == {UNLISTED: 1, LOADED_AGAIN: 4, SHOWN_AGAIN: 6}
    assert set_aside(own_home) == {"bot": 480}
    said = (own_home.reports / f"{LAST}.html").read_text()
    left_out = sum(notes["not_judged"].values())
    assert f"{notes['judged_slots']:,} of {notes['judged_slots'] + left_out:,}" in said
    assert "1 because its item is not in the catalogue of its day" in said


def test_a_day_of_which_many_items_are_in_no_file_is_refused_in_words(own_home):
    land_again(
        own_home,
        lambda rows: rows.with_columns(
            pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("item-9999")).otherwise("item_id").alias("item_id")
        ),
    )
    result = materialise(own_home, LAST, ["target_policy"])
    assert not result.success
    for part in ("recommended slots show an item", "item-9999", "most_left_out", "items files of their day"):
        assert part in words(result)
