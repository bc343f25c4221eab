"""A late row, planned and built through Dagster: states are as built from nothing, also when its day leaves."""

from datetime import timedelta

import polars as pl
import pytest

from tests.operate.test_planning import Shop
from tests.worlds import FIRST, make_home, tiny

DAYS = [FIRST + timedelta(days=k) for k in range(6)]
KEEP = 2


def shop(root):
    home = make_home(root, tiny(days=len(DAYS), events_per_day=150))
    path = home.data / "sources.yaml"
    text = path.read_text()
    path.write_text(text.replace("history_days: 28", f"history_days: {KEEP}"))
    assert path.read_text() != text
    return Shop(home)


def late_row(of):
    """An organic exposure of a user and an item that are known that day, so that no first day changes."""
    rows = pl.read_parquet(of.folder(DAYS[1]) / "events.parquet")
    late = rows.filter(pl.col("recommended") == 0).head(1).with_columns(event_id=pl.lit("late"))
    late = late.with_columns(pl.col("timestamp").dt.offset_by("1s"), request_id=pl.lit(None, rows.schema["request_id"]))
    late.write_parquet(of.folder(DAYS[1]) / "late.parquet")


@pytest.mark.slow
def test_the_days_whose_window_a_late_row_is_in_are_built_again_and_no_others(tmp_path):
    one, other = shop(tmp_path / "one"), shop(tmp_path / "other")
    one.heal()
    before = one.hashes()
    late_row(one)
    ran = one.heal()
    late_row(other)
    other.heal()
    assert one.hashes() == other.hashes()
    changed = {day for (name, day), found in one.hashes().items() if name == "history" and found != before[name, day]}
    assert changed == {DAYS[1], DAYS[2]}
    # The state of the day on which it leaves comes out as it was, and units read no other. The next state takes
    # DAYS[2] out, whose own counts are in the table that changed: it is made again, to the same bytes.
    built = {name: {day for day, assets in ran if name in assets and day > DAYS[0]} for name in ("history", "units")}
    assert built["history"] == {DAYS[1], DAYS[2], DAYS[3], DAYS[4]}
    assert DAYS[5] not in built["units"]
