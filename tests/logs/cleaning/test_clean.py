"""From landed rows to clean events: every row ends in one place, and files have no order."""

import numpy as np
import polars as pl
import pytest

from causalrec.logs.cleaning.clean import too_many_wrong
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, SECOND, SETTINGS, at, cleaned, event, frame, land, source

EVENTS = SETTINGS["events"]
NO_EVENT_ID = EVENTS | {"columns": {k: v for k, v in EVENTS["columns"].items() if k != "event_id"}}


def test_clean_events_have_our_names_types_and_order(tmp_path):
    land(
        tmp_path,
        "a.csv",
        frame(event("2", at(FIRST, 9), "shoe"), event("1", at(FIRST, 9), "hat"), event("0", at(FIRST, 8), "hat")),
    )
    events = cleaned(tmp_path).events
    assert events["event_id"].to_list() == ["0", "1", "2"]
    assert events.schema["time"] == pl.Datetime("us", "UTC")
    assert events.schema["click"] == pl.Int8
    assert events.columns[-1] == "device"
    assert events["rating"].null_count() == 3


def test_only_the_days_own_rows_are_taken(tmp_path):
    land(tmp_path, "a.parquet", frame(event("1", at(FIRST, 23, 59), "hat"), event("2", at(SECOND, 0), "hat")))
    assert cleaned(tmp_path).events["event_id"].to_list() == ["1"]
    assert cleaned(tmp_path, SECOND).events["event_id"].to_list() == ["2"]


def test_rows_that_cannot_be_used_are_set_aside_with_reason_file_and_row(tmp_path):
    land(
        tmp_path,
        f"day={FIRST}/a.parquet",
        frame(
            event("1", at(FIRST, 9), "hat"),
            event("2", None, "hat"),
            event("3", at(FIRST, 9), None),
            event("4", at(SECOND, 9).replace(year=1970), "hat"),
            event("5", at(FIRST, 9), ""),
        ),
    )
    day = cleaned(tmp_path)
    assert day.events["event_id"].to_list() == ["1"]
    assert day.set_aside.select("event_id", "reason", "row").rows() == [
        ("2", "no time", 2),
        ("3", "no item", 3),
        ("4", "its time is outside of the source's days", 4),
        ("5", "no item", 5),
    ]
    assert day.set_aside["file"].str.ends_with("a.parquet").all()
    assert day.landed_rows == 5


@pytest.mark.parametrize("seed", range(5))
def test_every_landed_row_is_published_or_set_aside_once(tmp_path, seed):
    rng = np.random.default_rng(seed)
    landed = []
    for number in range(4):
        rows = [
            event(
                f"{number}-{k}",
                rng.choice([at(FIRST, 3), at(SECOND, 4), None]),
                rng.choice(["hat", None], p=[0.8, 0.2]),
            )
            for k in range(20)
        ]
        landed += [row["event_id"] for row in rows]
        land(tmp_path, f"day={FIRST}/{number}.parquet" if number % 2 else f"{number}.parquet", frame(*rows))
    days = [cleaned(tmp_path), cleaned(tmp_path, SECOND)]
    for day in days:
        assert day.landed_rows == day.events.height + day.set_aside.height
    ids = pl.concat([part["event_id"] for day in days for part in (day.events, day.set_aside)])
    assert sorted(ids) == sorted(landed)


def test_the_order_and_the_names_of_files_do_not_matter(tmp_path):
    rows = frame(*(event(str(k), at(FIRST, k % 3), "hat", user=f"user-{k}") for k in range(9)))
    land(tmp_path / "one", "a.parquet", rows)
    land(tmp_path / "many", "z.csv", rows[6:])
    land(tmp_path / "many", f"day={FIRST}/m.jsonl", rows[:3])
    land(tmp_path / "many", "a.parquet", rows[3:6].reverse())
    one, many = cleaned(tmp_path / "one"), cleaned(tmp_path / "many")
    assert many.events.equals(one.events)


def test_without_an_event_id_the_id_is_of_the_content_whatever_the_format(tmp_path):
    unknown = {"user": None}
    rows = frame(*(event(k, at(FIRST, 9), item, **unknown) for k, item in (("x", "hat"), ("y", "hat"), ("z", "shoe"))))
    of = source(events=NO_EVENT_ID)
    land(tmp_path / "a", "a.parquet", rows)
    land(tmp_path / "b", "b.csv", rows.reverse())
    first, second = cleaned(tmp_path / "a", of=of).events, cleaned(tmp_path / "b", of=of).events
    assert first.equals(second)
    assert first["event_id"].n_unique() == 3
    # Nobody knows who asked, so two rows of the same content may be two events: their ordinal tells them apart.
    assert sorted(id.split("-")[1] for id in first["event_id"]) == ["1", "1", "2"]
    assert len({id.split("-")[0] for id in first["event_id"]}) == 2


def test_the_same_row_in_two_files_is_one_event(tmp_path):
    of = source(events=NO_EVENT_ID)
    land(tmp_path, "a.parquet", frame(event("x", at(FIRST, 9), "hat"), event("y", at(FIRST, 8), "hat")))
    land(tmp_path, "b.parquet", frame(event("x", at(FIRST, 9), "hat")))
    day = cleaned(tmp_path, of=of)
    assert day.events["time"].to_list() == [at(FIRST, 8), at(FIRST, 9)]
    assert day.set_aside.select("kind", "reason").rows() == [("sent again", "the same row again")]


def test_a_value_that_cannot_be_read_is_named_with_file_and_row(tmp_path):
    rows = frame(event("1", at(FIRST, 9), "hat"), event("2", at(FIRST, 9), "hat")).with_columns(
        click=pl.Series(["0", "perhaps"])
    )
    land(tmp_path, "a.csv", rows)
    aside = cleaned(tmp_path).set_aside
    assert aside.select("kind", "reason", "row").rows() == [
        ("unreadable", "`click` is 'perhaps', which is not a whole number from -128 to 127", 2)
    ]
    # When many are wrong, it is not the rows.
    said = too_many_wrong(cleaned(tmp_path), CleaningRules())
    assert "1 of the day's 2 rows are wrong (1 unreadable)" in said
    assert "a.csv, row 2: `click` is 'perhaps', which is not a whole number" in said
    assert too_many_wrong(cleaned(tmp_path), CleaningRules(wrong={"share": 0.5})) is None


def test_a_nan_is_no_value(tmp_path):
    """pandas writes a gap in a column of numbers as NaN: a NaN propensity must not pass for a logged one."""
    land(tmp_path, "a.parquet", frame(event("1", at(FIRST, 9), "hat", action_propensity=float("nan"))))
    assert cleaned(tmp_path).events["action_propensity"].to_list() == [None]


def test_a_constant_of_the_source_stands_in_every_row(tmp_path):
    columns = {k: v for k, v in EVENTS["columns"].items() if k != "recommended"}
    of = source(events=EVENTS | {"columns": columns, "constants": {"recommended": 1}}, organic_rows="none")
    land(tmp_path, "a.parquet", frame(event("1", at(FIRST, 9), "hat")).drop("recommended"))
    assert cleaned(tmp_path, of=of).events["recommended"].to_list() == [1]


def test_a_declared_empty_day_has_no_events_and_all_columns(tmp_path):
    land(tmp_path, f"day={FIRST}/a.csv", frame()).with_name("_EMPTY").touch()
    day = cleaned(tmp_path)
    assert (day.events.height, day.set_aside.height, day.landed_rows) == (0, 0, 0)
    assert "device" in day.events.columns
