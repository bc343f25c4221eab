"""Files that are damaged, hostile or absurd: each is a problem of its own day, with its name, and nothing dies."""

import io
import random
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.logs.describe.report import describe_paths
from causalrec.logs.landing import first_look
from causalrec.logs.landing.first_look import first_rows_of, require_readable
from causalrec.logs.landing.index import index_landing
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.reading.bounds import require_bounded_parquet
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Feed
from tests.logs.poison import end_at_once, with_one_long_value, with_time_zone_that_panics
from tests.logs.worlds import FIRST, ITEMS, SECOND, at, cleaned, event, frame, index, land, source

ONE = frame(event("1", at(FIRST, 9), "hat"))
TWO = frame(event("2", at(SECOND, 9), "hat"))


def panicking(root: Path, name: str) -> Path:
    path = land(root, name, TWO)
    path.write_bytes(with_time_zone_that_panics(path))
    return path


def test_a_file_that_panics_its_reader_blocks_its_own_day_and_no_other(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    land(tmp_path, f"day={SECOND}/a.parquet", TWO)
    panicking(tmp_path, f"day={SECOND}/b.parquet")
    assert cleaned(tmp_path).events["item_id"].to_list() == ["hat"]
    with pytest.raises(
        InputError, match=r"b\.parquet cannot be read as parquet: its reader panicked.*Land the whole file again"
    ):
        cleaned(tmp_path, SECOND)
    indexed = index(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_look, "isolated", None)
        assert index(tmp_path).problems == indexed.problems


def test_a_file_that_ends_its_reader_is_named_and_tried_once(tmp_path, monkeypatch):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    before = index(tmp_path)
    land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    monkeypatch.setattr(first_look, "_look", end_at_once)
    indexed = index(tmp_path)
    assert indexed.files == before.files
    (day, problem) = indexed.problems[0]
    assert day == SECOND
    assert "b.parquet cannot be read as parquet: reading it ended the process that read it (signal SIGABRT" in problem
    monkeypatch.setattr(first_look, "isolated", None)
    assert index(tmp_path).problems == indexed.problems


def test_a_file_that_died_under_other_limits_is_tried_again(tmp_path, monkeypatch):
    land(tmp_path, f"day={SECOND}/b.parquet", TWO)
    with monkeypatch.context() as patched:
        patched.setattr(first_look, "_look", end_at_once)
        assert index(tmp_path).problems
    more = CleaningRules(reading={"memory_gb": 5})
    assert index_landing(tmp_path / "landing", source(), tmp_path / "cache", rules=more).problems == ()


def test_deep_json_is_a_problem_of_its_file(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", ONE)
    (tmp_path / "landing" / "events" / f"day={SECOND}").mkdir()
    path = tmp_path / "landing" / "events" / f"day={SECOND}" / "deep.jsonl"
    path.write_text('{"a":' * 200_000 + "1" + "}" * 200_000 + "\n")
    indexed = index(tmp_path)
    assert indexed.days == [FIRST]
    assert [day for day, _ in indexed.problems] == [SECOND]
    assert "deep.jsonl cannot be read as jsonl" in indexed.problems[0][1]


def test_a_catalogue_that_panics_its_reader_is_named(tmp_path):
    path = tmp_path / "items.parquet"
    ITEMS.with_columns(published_at=pl.lit(at(FIRST, 0))).write_parquet(path)
    path.write_bytes(with_time_zone_that_panics(path))
    with pytest.raises(InputError, match=r"items\.parquet cannot be read as parquet"):
        item_snapshot([path], source())


def test_a_poisoned_file_is_described_as_not_read_beside_the_others(tmp_path):
    land(tmp_path, "a.parquet", ONE)
    panicking(tmp_path, "b.parquet")
    description = "\n".join(describe_paths([tmp_path / "landing"]))
    assert "Not read:" in description
    assert "looks like events" in description


# -- sizes -----------------------------------------------------------------------------------------------------------

MB = 1024**2


def test_one_huge_value_that_a_thousand_rows_name_is_refused_before_they_are_read(tmp_path):
    rows = frame(*(event(str(k), at(FIRST, 9), "hat") for k in range(1000)))
    path = tmp_path / "events.parquet"
    with_one_long_value(path, rows, "item_id", 20 * MB)
    assert path.stat().st_size < 50_000
    with pytest.raises(InputError, match=r"`item_id` holds a value of 20\.0 MB, more than 16 MB.*`reading\.cell_mb`"):
        require_readable(path, source().events, CleaningRules())
    # One that is not mapped is not read.
    require_readable(path, Feed("events", {"time": "timestamp"}), CleaningRules())


def test_a_row_group_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pl.DataFrame({"n": pl.Series([7], dtype=pl.Int64).new_from_index(0, 10 * MB)}).to_arrow(),
        path,
        compression="zstd",
        use_dictionary=False,
        row_group_size=100 * MB,
    )
    few, says = (
        CleaningRules(packed={"ratio": 5}),
        r"row group 1 unpacks from 3\.\d MB to 80 MB.*smaller row groups.*packed",
    )
    with pytest.raises(ValueError, match=says):
        require_bounded_parquet(path, ["n"], few)
    require_bounded_parquet(path, ["n"], CleaningRules())
    require_bounded_parquet(path, ["m"], few)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_long_value_is_refused_with_its_row_and_the_limit_can_be_raised(tmp_path, ending):
    rows = frame(event("1", at(FIRST, 9), "hat"), event("2", at(FIRST, 9), "x" * 3000))
    path, few = land(tmp_path, f"a.{ending}", rows), CleaningRules(reading={"cell_mb": 0.001})
    says = rf"a\.{ending} cannot be read as {ending}: (row 2: )?`item_id` holds a value of .*`reading\.cell_mb`"
    with pytest.raises(InputError, match=says):
        require_readable(path, source().events, few)
    require_readable(path, source().events, CleaningRules())


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_line_without_an_end_is_refused_before_it_is_held(tmp_path, ending):
    path = land(tmp_path, f"a.{ending}", ONE)
    with path.open("ab") as file:
        file.write(b'{"item_id": "' + b"x" * 3 * MB)
    with pytest.raises(InputError, match=r"line [23] is longer than 1 MB.*`reading\.line_mb`"):
        require_readable(path, source().events, CleaningRules(reading={"line_mb": 1}))


# -- any damage ------------------------------------------------------------------------------------------------------

ROWS = frame(*(event(str(k), at(FIRST, k % 24), f"item-{k % 7}") for k in range(30)))


def _written(how: str) -> bytes:
    target = io.BytesIO()
    if how == "polars":
        ROWS.write_parquet(target)
    elif how == "arrow":
        pq.write_table(ROWS.to_arrow(), target, compression="snappy")
    else:
        target.write(ROWS.write_csv().encode() if how == "csv" else ROWS.write_ndjson().encode())
    return target.getvalue()


WRITTEN = {how: _written(how) for how in ("polars", "arrow", "csv", "jsonl")}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(how=st.sampled_from(sorted(WRITTEN)), seed=st.integers(0, 2**32), cut=st.booleans())
@example(how="polars", seed=5262965, cut=False)  # pyarrow knows no such type, and that is no ValueError
def test_a_file_with_any_bytes_changed_or_cut_off_is_read_or_refused_and_nothing_dies(tmp_path, how, seed, cut):
    draw, content = random.Random(seed), bytearray(WRITTEN[how])
    if cut:
        content = content[: draw.randrange(len(content))]
    else:
        for _ in range(draw.choice([1, 1, 2, 3])):
            content[draw.randrange(len(content))] = draw.randrange(256)
    path = tmp_path / f"a.{how if how in ('csv', 'jsonl') else 'parquet'}"
    path.write_bytes(content)
    try:
        parts, _ = first_rows_of(path, CleaningRules(reading={"minutes": 0.5}), 1000)
    except InputError as error:
        assert f"{path.name} cannot be read as" in str(error)
    else:
        assert sum(part.height for part in parts) <= len(content)
