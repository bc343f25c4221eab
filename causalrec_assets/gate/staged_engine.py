"""Great Expectations' SQL engine over DuckDB, over one staged Parquet file.

What upstream does not do, and is done here (tests/gate/test_upstream_behaviour.py notices when it changes):

- The SQL engine closes its connection before it fetches, and DuckDB's result is lost with it: one stays open.
- duckdb-engine asks DuckDB 2 for a catalogue that it does not have: columns and their types come from DESCRIBE.
- DuckDB believes the minimum and maximum that a Parquet file declares for a column of floats; writers leave NaN out of
  them, so `share <= 1` is taken for true of a NaN. The view passes floats through a CASE that ends that belief.
- DuckDB takes `day=2026-03-02` in a path for a column, in place of the one in the file: it is told not to.
- Uniqueness by a window over all keys holds all of them: their hashes are told apart instead (expectations/metrics.py).

Importing this module imports Great Expectations: import it inside functions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from great_expectations.core.metric_function_types import (  # noqa: TID253
    MetricFunctionTypes,
    SummarizationMetricNameSuffixes,
)
from great_expectations.datasource.fluent import SQLDatasource  # noqa: TID253
from great_expectations.execution_engine import SqlAlchemyExecutionEngine  # noqa: TID253
from great_expectations.expectations.metrics.metric_provider import MetricProvider, metric_value  # noqa: TID253
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider  # noqa: TID253
from great_expectations.expectations.registry import _registered_metrics, register_metric  # noqa: TID253

from causalrec.engine.one_file import literal
from causalrec_assets.gate.expectations.limits import POSITION, Limits
from causalrec_assets.gate.expectations.metrics import (
    DOMAIN,
    count_repeated,
    quoted,
    repeated_positions,
    rows_of,
    source_of,
)
from causalrec_assets.gate.expectations.sentences import bracketed, why_no_sentence

VIEW = "staged"
MB_PER_THREAD = 250
"""Each thread of a query holds buffers of its own; with less than this a limit is soon reached by them alone."""


class StagedFileEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """The engine of one staged file. One connection, which stays open.

    Attributes:
        memory_mb: What a question may use.
    """

    _connection: Any
    memory_mb: int = Limits.memory_mb

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection

    def open_nothing(self) -> None:
        """A database with an empty view, for Great Expectations to find."""
        self._open_anew()
        self.run(f"CREATE OR REPLACE VIEW {VIEW} AS SELECT 1 AS nothing")

    def stage(self, path: Path, memory_mb: int, spill: Path) -> None:
        """Make a file the table that is validated, in a database of its own that opens this file and no other.

        Args:
            memory_mb: What DuckDB may use of memory.
            spill: A folder for what does not fit.
        """
        self.memory_mb, path = memory_mb, path.absolute()
        spill.parent.mkdir(parents=True, exist_ok=True)
        threads = max(1, min(os.cpu_count() or 1, memory_mb // MB_PER_THREAD))
        self._open_anew()
        for statement in (
            f"SET memory_limit = '{memory_mb}MB'",
            f"SET temp_directory = {_text(str(spill))}",
            f"SET threads = {threads}",
            "SET preserve_insertion_order = false",
            "SET TimeZone = 'UTC'",
            "SET enable_progress_bar = false",
            # Contracts are written by people and by what they copied: nothing is read, written or fetched but the file.
            "SET autoinstall_known_extensions = false",
            "SET autoload_known_extensions = false",
            "SET allow_community_extensions = false",
            "SET python_enable_replacements = false",
            # What is looked for is the pattern, what is opened is the path.
            f"SET allowed_paths = [{_text(str(path))}, {_text(literal(path))}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self.run(statement)
        file = f"read_parquet({_text(literal(path))}, file_row_number = true, hive_partitioning = false)"
        floats = [row[0] for row in self.run(f"DESCRIBE SELECT * FROM {file}") if row[1] in ("DOUBLE", "FLOAT")]
        honest = ", ".join(
            f"CASE WHEN isnan({quoted(c)}) THEN 'nan' ELSE {quoted(c)} END AS {quoted(c)}" for c in floats
        )
        self.run(f"CREATE OR REPLACE VIEW {VIEW} AS SELECT *{f' REPLACE ({honest})' if honest else ''} FROM {file}")

    def unstage(self) -> None:
        """Let go of the file, whatever became of the last question."""
        if self._connection is not None:
            self._connection.rollback()
            self.run(f"DROP VIEW IF EXISTS {VIEW}")

    def _open_anew(self) -> None:
        """A database of `:memory:` lives as long as its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()
        with self.get_connection():
            pass

    def unreadable(self, sentence: str) -> str | None:
        """Why a sentence about each row is none; None where it is one. It is not executed."""
        if refused := why_no_sentence(self._duckdb, sentence):
            return refused
        try:
            described = self.run(f"DESCRIBE SELECT {bracketed(sentence)} AS sentence FROM {VIEW}")
        except sa.exc.SQLAlchemyError as error:
            self.roll_back()
            return first_line(error)
        kind = described[0][1]
        return None if kind in ("BOOLEAN", '"NULL"') else f"it is a {kind}, neither true nor false"

    def fails(self, sentence: str) -> str | None:
        """What DuckDB says of the first row that a sentence cannot be evaluated on; None without one."""
        try:
            self.run(f"SELECT count(*) FROM {VIEW} WHERE NOT {bracketed(sentence)}")
        except sa.exc.SQLAlchemyError as error:
            self.roll_back()
            return first_line(error)
        return None

    def roll_back(self) -> None:
        """Let go of a question that failed."""
        self._connection.rollback()

    @property
    def _duckdb(self) -> Any:
        with self.get_connection() as connection:
            return connection.connection.dbapi_connection

    def run(self, statement: str) -> list[Any]:
        """Rows of one statement in DuckDB's own words."""
        rows = rows_of(self, statement)
        self._connection.commit()  # SQLAlchemy begins a transaction with whatever is asked first
        return rows


def first_line(error: Exception) -> str:
    """What DuckDB says, without the query, which says it again and at length."""
    return str(getattr(error, "orig", error)).partition("\n")[0].strip()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class StagedFiles(SQLDatasource):  # type: ignore[misc]
    """The data source of staged files, as Great Expectations knows data sources."""

    type: Literal["staged_files"] = "staged_files"
    connection_string: str = "duckdb:///:memory:"
    asset_types: ClassVar[list[Any]] = SQLDatasource.asset_types

    @property
    def execution_engine_type(self) -> Any:
        return StagedFileEngine

    def get_engine(self) -> Any:
        # A second connection to `:memory:` would be a second, empty database.
        return self.get_execution_engine().engine


class StagedColumnTypes(TableMetricProvider):  # type: ignore[misc]
    """The columns and their types."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)

    @metric_value(engine=StagedFileEngine)  # type: ignore[untyped-decorator]
    def _staged(cls, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> list[dict[str, Any]]:
        source = source_of(execution_engine, metric_domain_kwargs)
        return [
            {"name": row[0], "type": row[1]} for row in rows_of(execution_engine, f"DESCRIBE SELECT * FROM {source}")
        ]


class _Alone(MetricProvider):  # type: ignore[misc]
    """A metric that needs no other one."""

    @classmethod
    def _get_evaluation_dependencies(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return {}


class StagedUnique(_Alone):
    """How many values of a column stand more than once."""

    metric_name = "column_values.unique.unexpected_count"
    domain_keys = (*DOMAIN, "column")

    @metric_value(engine=StagedFileEngine)  # type: ignore[untyped-decorator]
    def _staged(cls, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> int:
        source, column = source_of(execution_engine, metric_domain_kwargs), metric_domain_kwargs["column"]
        return count_repeated(execution_engine, source, [column], f"{quoted(column)} IS NOT NULL")


class StagedUniquePositions(_Alone):
    """Where they stand."""

    metric_name = "column_values.unique.unexpected_index_list"
    domain_keys = (*DOMAIN, "column")
    value_keys = ("result_format",)

    @metric_value(engine=StagedFileEngine)  # type: ignore[untyped-decorator]
    def _staged(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> list[dict[str, int]]:
        source, column = source_of(execution_engine, metric_domain_kwargs), metric_domain_kwargs["column"]
        limit = metric_value_kwargs["result_format"]["partial_unexpected_count"]
        where = f"{quoted(column)} IS NOT NULL"
        return [{POSITION: k} for k in repeated_positions(execution_engine, source, [column], where, limit)]


def _ask_for_no_values() -> None:
    """Values of offending rows are asked for by every rule and shown nowhere: positions lead to the whole rows."""
    for name, definition in list(_registered_metrics.items()):
        if name.endswith(f".{SummarizationMetricNameSuffixes.UNEXPECTED_VALUES.value}"):
            register_metric(
                metric_name=name,
                metric_domain_keys=definition["metric_domain_keys"],
                metric_value_keys=definition["metric_value_keys"],
                execution_engine=StagedFileEngine,
                metric_class=_Alone,
                metric_provider=_no_values,
                metric_fn_type=MetricFunctionTypes.VALUE,
            )


def _no_values(*_: Any, **__: Any) -> list[Any]:
    return []


_ask_for_no_values()
