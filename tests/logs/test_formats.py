"""Packed files, files behind a URL, files in pieces, codes and formats of time."""

import gzip
from datetime import UTC, datetime

import fsspec
import polars as pl
import pytest
import zstandard

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.landing.drift import schema_drift
from causalrec.logs.landing.files import landed_files, landing_root
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.reading import files as reading
from causalrec.logs.reading.casting import take_all
from causalrec.logs.reading.files import open_landed, read_landed
from causalrec.settings.logs.cleaning import CleaningRules, parse_cleaning
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import FIRST, SECOND, SETTINGS, at, cleaned, event, frame, index, land, source

ROWS = frame(
    event("1", at(FIRST, 9), "hat", click=1), event("2", at(FIRST, 10), "shoe", recommended=1, action_propensity=0.25)
)
TIME = pl.Datetime("us", "UTC")
PACK = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}


def packed(root, name, rows, ending):
    path = land(root, name, rows)
    target = path.with_name(path.name + ending)
    target.write_bytes(PACK[ending](path.read_bytes()))
    path.unlink()
    return target


@pytest.mark.parametrize("ending", sorted(PACK))
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_packed_file_gives_the_same_events(tmp_path, name, ending):
    land(tmp_path / "plain", name, ROWS)
    packed(tmp_path / "packed", name, ROWS, ending)
    assert cleaned(tmp_path / "packed").events.equals(cleaned(tmp_path / "plain").events)


@pytest.mark.parametrize("ending", sorted(PACK))
@pytest.mark.parametrize("damage", ["cut_off", "flipped"])
def test_a_damaged_packed_file_is_refused(tmp_path, ending, damage):
    rows = frame(*(event(f"{k * 7919}", at(FIRST, k % 24), f"item-{k}") for k in range(300)))
    path = packed(tmp_path, "a.csv", rows, ending)
    content = bytearray(path.read_bytes())
    if damage == "cut_off":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.csv\{ending} cannot be read as csv.*Land the whole file again"):
        read_landed(path)


@pytest.mark.train
def test_a_file_read_in_pieces_gives_the_same_events(tmp_path, monkeypatch):
    rows = frame(*(event(f"{k:04}", at(FIRST, k % 24), "hat", device="a phone\nof two lines") for k in range(2000)))
    for name in ("a.csv", "b.jsonl", "c.parquet"):
        land(tmp_path / name, name, rows)
    whole = [cleaned(tmp_path / name).events for name in ("a.csv", "b.jsonl", "c.parquet")]
    monkeypatch.setattr(reading, "BLOCK", 5000)
    monkeypatch.setattr(reading, "STRETCH", 1000)
    monkeypatch.setattr(reading.Opened.pieces, "__defaults__", (None, 300))
    with open_landed(tmp_path / "b.jsonl" / "landing" / "events" / "b.jsonl", CleaningRules()) as landed:
        assert len(list(landed.pieces())) > 10
    parts = [cleaned(tmp_path / name).events for name in ("a.csv", "b.jsonl", "c.parquet")]
    assert all(a.equals(b) for a, b in zip(whole, parts, strict=True))
    assert whole[0].equals(whole[1])


def test_json_lines_may_leave_out_what_is_null_in_some_lines_and_not_in_all(tmp_path):
    path = land(tmp_path, "a.jsonl", ROWS)
    lines = [line.replace('"position":null,', "") for line in path.read_text().splitlines()]
    path.write_text("\n".join([*lines, path.read_text().splitlines()[0].replace('"1"', '"3"')]))
    assert cleaned(tmp_path).events["event_id"].to_list() == ["1", "3", "2"]
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"the column\(s\) \['position'\] are missing"):
        cleaned(tmp_path)


def test_files_behind_a_url_are_landed_like_any_other(tmp_path):
    store = fsspec.filesystem("memory")
    url = f"/bucket-{tmp_path.name}/logs"
    of = source(landing=f"memory:/{url}", outcomes={"click": {}, "purchase": {}})
    root = landing_root(Home(tmp_path), of)
    land(tmp_path / "local", f"day={FIRST}/a.parquet", ROWS)
    local = tmp_path / "local" / "landing" / "events" / f"day={FIRST}" / "a.parquet"
    store.pipe(f"{url}/events/day={FIRST}/a.parquet", local.read_bytes())
    store.pipe(f"{url}/events/day={FIRST}/b.csv.gz", gzip.compress(ROWS.write_csv().encode()))
    store.pipe(f"{url}/events/day={SECOND}/_EMPTY", b"")
    store.pipe(f"{url}/events/.hidden", b"x")
    assert [path.name for path in landed_files(root / "events")] == ["a.parquet", "b.csv.gz"]

    def day():
        zone = LandingZone(Home(tmp_path), of, CleaningRules(wrong={"share": 1}), root)
        assert zone.events.days == [FIRST, SECOND]
        landed = zone.landed_day(FIRST)
        return zone.fingerprint("events", FIRST), clean_day(landed, of, zone.rules, tmp_path / "c", tmp_path / "a")

    before, first = day()
    assert first.events.equals(cleaned(tmp_path / "local").events)
    assert first.aside == {"sent again": 2}
    other = land(tmp_path / "local", "other.parquet", ROWS.head(1))
    store.pipe(f"{url}/events/day={FIRST}/a.parquet", other.read_bytes())
    after, again = day()
    assert after != before
    assert again.aside == {"sent again": 1}


def test_an_unknown_kind_of_url_is_named_with_what_to_install(tmp_path):
    with pytest.raises(InputError, match=r"`landing: warp://logs` cannot be opened.*install the package"):
        landing_root(Home(tmp_path), source(landing="warp://logs"))


@pytest.mark.parametrize(
    ("time_format", "values"),
    [
        ("epoch_seconds", [1772445600, 1772445600.5]),
        ("epoch_seconds", ["1772445600", "1772445600.5"]),
        ("epoch_milliseconds", [1772445600000, 1772445600500]),
        ("epoch_microseconds", [1772445600000000, 1772445600500000]),
        ("%d.%m.%Y %H:%M:%S%.f", ["02.03.2026 10:00:00", "02.03.2026 10:00:00.5"]),
        ("%d.%m.%Y %H:%M:%S%.f %z", ["02.03.2026 11:00:00 +0100", "02.03.2026 10:00:00.5 +0000"]),
    ],
)
def test_times_may_be_written_in_a_format_that_the_source_names(time_format, values):
    feed = Feed("events", {"time": "t"}, time_format=time_format)
    rows = take_all(pl.DataFrame({"t": pl.Series(values, strict=False)}), feed, {"time": TIME}, "UTC", "f")
    ten = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert rows["time"].to_list() == [ten, ten.replace(microsecond=500_000)]


def test_a_time_beyond_the_calendar_is_no_time():
    feed = Feed("events", {"time": "t"}, time_format="epoch_seconds")
    with pytest.raises(InputError, match="row 2: `t` is 10000000000000, which is not a time"):
        take_all(pl.DataFrame({"t": [1, 10**13]}), feed, {"time": TIME}, "UTC", "f")


def test_codes_of_the_user_become_our_values_and_an_unknown_code_is_named():
    feed = Feed("events", {"click": "c"}, codes={"click": {"Y": 1, "N": 0}})
    rows = take_all(pl.DataFrame({"c": ["Y", "N", "", "1"]}), feed, {"click": pl.Int8()}, "UTC", "f")
    assert rows["click"].to_list() == [1, 0, None, 1]
    with pytest.raises(InputError, match="`c` is 'maybe', which is not a whole number"):
        take_all(pl.DataFrame({"c": ["maybe"]}), feed, {"click": pl.Int8()}, "UTC", "f")


def test_the_mapping_takes_codes_and_formats_and_refuses_what_they_cannot_be():
    given = SETTINGS["events"] | {"codes": {"recommended": {"reco": 1, "organic": 0}}, "time_format": "epoch_seconds"}
    assert source(events=given).events.codes == {"recommended": {"reco": 1, "organic": 0}}
    with pytest.raises(InputError, match=r"events.time_format` must be one of .* or a format"):
        source(events=SETTINGS["events"] | {"time_format": "yesterday"})
    with pytest.raises(InputError, match=r"`events\.codes`: unknown key `nothing`; known are"):
        source(events=SETTINGS["events"] | {"codes": {"nothing": {"a": 1}}})


def test_what_changed_in_the_columns_is_named(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ROWS.with_columns(old=pl.lit(1)))
    later = ROWS.with_columns(
        pl.col("position").cast(pl.String), timestamp=pl.lit(at(SECOND, 9)), new=1, event_id=pl.Series(["a", "b"])
    )
    land(tmp_path, f"day={SECOND}/a.parquet", later)
    said = schema_drift(index(tmp_path), SECOND, source().events)
    assert said == [
        "new column(s) `new`, which sources.yaml does not map and nothing reads (since 2026-03-02)",
        "column(s) `old` are gone; sources.yaml does not map them (since 2026-03-02)",
        "`position` (our `position`) was Int64, it is String (since 2026-03-02)",
    ]
    assert schema_drift(index(tmp_path), FIRST, source().events) == []


def test_a_bound_is_no_nan():
    with pytest.raises(InputError, match=r"`bounds\.price` must be two numbers"):
        parse_cleaning({"bounds": {"price": [float("nan"), 3]}})
