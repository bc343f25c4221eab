"""What the gate works around in its dependencies. A test that fails here says that a workaround may go."""

import duckdb
import great_expectations as gx
import polars as pl
import pytest
import sqlalchemy as sa


@pytest.fixture
def file(tmp_path):
    folder = tmp_path / "day=2026-03-03"
    folder.mkdir()
    rows = pl.DataFrame({"day": ["2026-03-02"] * 3, "share": [0.5, float("nan"), None]})
    rows.write_parquet(folder / "t.parquet", statistics=True)
    return folder / "t.parquet"


def test_great_expectations_closes_the_connection_before_it_fetches():
    context = gx.get_context(mode="ephemeral")
    engine = context.data_sources.add_sql("plain", connection_string="duckdb:///:memory:").get_execution_engine()
    assert engine.execute_query(sa.text("SELECT 1")).fetchall() == []


def test_duckdb_engine_asks_duckdb_for_a_catalogue_that_it_does_not_have():
    engine = sa.create_engine("duckdb:///:memory:")
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="pg_collation"):
        connection.execute(sa.text("CREATE TABLE t AS SELECT 1 AS a"))
        sa.inspect(connection).get_columns("t")


def test_duckdb_takes_a_folder_for_a_column(file):
    def days(options):
        return duckdb.sql(f"SELECT DISTINCT CAST(day AS VARCHAR) FROM read_parquet('{file}'{options})").fetchall()

    assert days("") == [("2026-03-03",)]
    assert days(", hive_partitioning = false") == [("2026-03-02",)]


def test_duckdb_believes_a_maximum_that_leaves_out_nan(file):
    source = f"read_parquet('{file}')"
    assert duckdb.sql(f"SELECT share <= 1 FROM {source}").fetchall() == [(True,), (True,), (None,)]
    assert duckdb.sql(f"SELECT count(*) FROM {source} WHERE share > 1").fetchall() == [(0,)]
    honest = f"(SELECT CASE WHEN isnan(share) THEN 'nan' ELSE share END AS share FROM {source})"
    assert duckdb.sql(f"SELECT share <= 1 FROM {honest}").fetchall() == [(True,), (False,), (None,)]
    assert duckdb.sql(f"SELECT count(*) FROM {honest} WHERE share > 1").fetchall() == [(1,)]


def test_results_come_in_another_order_and_an_error_is_in_exception_info():
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("t")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        {"dataframe": pd.DataFrame({"b": [1], "a": [2]})}
    )
    suite = gx.ExpectationSuite(name="s")
    for column in ("b", "gone", "a"):
        suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column=column))
    results = batch.validate(suite).results
    assert [r.expectation_config.kwargs["column"] for r in results] != ["b", "gone", "a"]
    missing = next(r for r in results if r.expectation_config.kwargs["column"] == "gone")
    assert missing.result == {}
    assert any(error["raised_exception"] for error in missing.exception_info.values())
