"""Bad landed files: the step fails and says why, nothing is published, the last good version stays, good data heal
it."""

import errno
import gzip
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.reading.files import Opened
from causalrec_assets.lake.store import Store
from tests.logs.poison import with_time_zone_that_panics
from tests.worlds import FIRST, materialise, table, words

DAY = FIRST + timedelta(days=3)
TIME = pl.Datetime("us", "UTC")


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


def late_csv(content):
    return lambda home: (folder(home) / "late.csv").write_bytes(content)


def cut_off_gz(home):
    whole = gzip.compress(pl.read_parquet(landed(home)).write_csv().encode())
    (folder(home) / "late.csv.gz").write_bytes(whole[: len(whole) // 2])


def poison(home):
    path = folder(home) / "late.parquet"
    path.write_bytes(with_time_zone_that_panics(landed(home)))


def deep_json(home):
    (folder(home) / "late.jsonl").write_text('{"a":' * 100_000 + "1" + "}" * 100_000 + "\n")


def bomb(home):
    with gzip.open(folder(home) / "late.csv.gz", "wb") as file:
        for _ in range(80):
            file.write(bytes(1024**2))


def link_out(home):
    secret = home.root / "elsewhere.parquet"
    secret.write_bytes(landed(home).read_bytes())
    (folder(home) / "late.parquet").symlink_to(secret)


def first_row(column, value):
    row = pl.int_range(pl.len()) == 0
    return rewrite(
        lambda f: f.with_columns(
            pl.when(row).then(pl.lit(value)).otherwise(column).cast(f.schema[column]).alias(column)
        )
    )


FAULTS = {
    "a_corrupt_file": (corrupt, ["events.parquet", "cannot be read as parquet"]),
    "a_csv_with_a_broken_quote": (unreadable_csv, ["late.csv", "a quote is left open"]),
    "a_csv_with_a_nul": (late_csv(b"event_id,timestamp\nx,2026\0\n"), ["late.csv", "line 2 holds a NUL byte"]),
    "a_csv_in_utf_16": (late_csv("event_id\nx\n".encode("utf-16")), ["late.csv", "missing"]),
    "a_csv_in_latin_1": (late_csv("event_id,item_id\nx,h\u00fct\n".encode("latin-1")), ["line 2 is not UTF-8"]),
    "a_parquet_that_makes_its_reader_panic": (poison, ["late.parquet cannot be read as parquet", "panicked"]),
    "deep_json": (deep_json, ["late.jsonl cannot be read as jsonl"]),
    "a_decompression_bomb": (bomb, ["late.csv.gz", "unpacks to more than 64 MB", "`packed` in cleaning.yaml"]),
    "a_cut_off_gz": (cut_off_gz, ["late.csv.gz", "cannot be read as csv"]),
    "a_link_out_of_the_landing_zone": (link_out, ["late.parquet is a link", "links are not followed"]),
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
        ["row ", "'aaaaa'"],
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
    assert [text for text in says if not any(part in said for part in text.split("|"))] == []
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


def test_a_full_disk_publishes_nothing_is_said_and_heals(own_home, monkeypatch):
    before = Store(own_home.lake).pointer("clean_events", DAY)
    first_row("device", "fridge")(own_home)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pl.LazyFrame, "sink_parquet", full)
        result = materialise(own_home, DAY, ["clean_events"])
    assert not result.success
    assert "the disk is full" in words(result)
    assert Store(own_home.lake).pointer("clean_events", DAY).hash == before.hash
    assert [path for path in own_home.root.rglob("*") if path.name.startswith("cleaning-")] == []
    assert materialise(own_home, DAY, ["clean_events"]).success
    assert Store(own_home.lake).pointer("clean_events", DAY).hash != before.hash


def test_a_file_that_is_written_to_while_it_is_read_is_refused(own_home, monkeypatch):
    before, path = Store(own_home.lake).pointer("clean_events", DAY), landed(own_home)
    read = Opened.pieces

    def while_writing(self, *arguments, **options):
        yield from read(self, *arguments, **options)
        # The index has read it before; this is the cleaning.
        if options.get("rows") is None and path.exists():
            path.write_bytes(path.read_bytes() + b" ")

    first_row("device", "fridge")(own_home)
    LandingZone.of(own_home).events.files_of(DAY)
    monkeypatch.setattr(Opened, "pieces", while_writing)
    result = materialise(own_home, DAY, ["clean_events"])
    assert not result.success
    assert "it is still being written" in words(result)
    assert Store(own_home.lake).pointer("clean_events", DAY).hash == before.hash


def test_odd_but_right_rows_are_events_like_any_other(own_home):
    """Ids that are numbers, emoji, 4 KB long, or hold path separators and SQL; a cell of 10 MB; 10,000 columns."""
    rows = pl.read_parquet(landed(own_home)).head(6)
    ids = ["0017", "\U0001f9e2\U0001f9e2", "x" * 4096, "../../etc/passwd", "'; DROP TABLE events; --", 'a,\nb"c']
    odd = rows.with_columns(pl.Series(c, ids) for c in ("event_id", "user_id", "item_id", "request_id"))
    wide = odd.hstack([pl.Series(f"column_{k}", [k] * 6) for k in range(10_000)])
    wide = wide.with_columns(remark=pl.Series(["y" * 10 * 1024**2, *"abcde"]))
    wide.with_columns(pl.col("timestamp").dt.to_string("iso")).write_csv(folder(own_home) / "odd.csv")
    result = materialise(own_home, DAY, ["clean_events", "history", "units"])
    assert result.success, words(result)
    events = table(own_home, "clean_events", DAY)
    assert set(ids) <= set(events["user_id"]) & set(events["item_id"]) & set(events["event_id"])
    assert events.height == 1506
    assert set(ids) <= set(table(own_home, "units", DAY)["user_id"])
    assert sorted(path.name for path in own_home.root.rglob("passwd")) == []


def test_years_1_and_9999_are_set_aside_and_a_day_of_one_row_is_a_day(own_home):
    row = pl.read_parquet(landed(own_home)).head(1)
    times = pl.Series([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)], dtype=TIME)
    odd = pl.concat([row, row]).with_columns(timestamp=times, event_id=pl.Series(["old", "far"]))
    odd.write_parquet(folder(own_home) / "odd.parquet")
    for path in folder(own_home).glob("events.parquet"):
        path.unlink()
    row.write_parquet(folder(own_home) / "one.parquet")
    (folder(own_home) / "_FEWER").write_text("1")
    result = materialise(own_home, DAY, ["clean_events", "history", "units"])
    assert result.success, words(result)
    assert table(own_home, "clean_events", DAY)["event_id"].to_list() == row["event_id"].to_list()
    assert table(own_home, "units", DAY).height == 1
    store = Store(own_home.lake)
    pointer = store.pointer("clean_events", DAY)
    kept = pl.read_parquet(store.quarantine.folder("clean_events", DAY, pointer.run_id) / "set_aside.parquet")
    assert sorted(kept["event_id"]) == ["far", "old"]


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
    result = materialise(own_home, following, ["items", "users", "clean_events", "history", "units"])
    assert not result.success
    assert "_EMPTY" in words(result)
    empty = own_home.landing / "events" / f"day={following}"
    empty.mkdir()
    (empty / "_EMPTY").touch()
    result = materialise(own_home, following, ["items", "users", "clean_events", "history", "units"])
    assert result.success, words(result)
    assert Store(own_home.lake).pointer("units", following).rows == 0


def test_a_row_that_is_wrong_or_sent_again_goes_to_quarantine_and_the_day_is_published(own_home):
    first_row("action_propensity", 0.0)(own_home)
    rewrite(lambda f: pl.concat([f, f[1:4], f[2:4]]))(own_home)
    result = materialise(own_home, DAY, ["clean_events"])
    assert result.success, words(result)
    store = Store(own_home.lake)
    pointer = store.pointer("clean_events", DAY)
    kept = pl.read_parquet(store.quarantine.folder("clean_events", DAY, pointer.run_id) / "set_aside.parquet")
    assert pointer.rows == 1499
    assert kept["kind"].value_counts().sort("kind").rows() == [("impossible", 1), ("sent again", 5)]


def test_rows_that_cannot_be_used_are_set_aside_with_their_reason(own_home):
    rewrite(lambda f: f.with_columns(item_id=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("item_id")))(
        own_home
    )
    result = materialise(own_home, DAY, ["clean_events"])
    assert result.success, words(result)
    pointer = Store(own_home.lake).pointer("clean_events", DAY)
    kept = Store(own_home.lake).quarantine.folder("clean_events", DAY, pointer.run_id) / "set_aside.parquet"
    assert pointer.set_aside == 3
    assert pl.read_parquet(kept)["reason"].to_list() == ["no item"] * 3
    assert pointer.rows + pointer.set_aside == 1500
