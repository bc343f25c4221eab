"""What DuckDB counts for an expectation about rows: those that break a sentence, those whose key stands more than once.

Great Expectations collects the counts of all sentences into one query, so that a suite reads the file once. Positions
(`file_row_number`) are asked for broken rules only.

Importing this module imports Great Expectations: import it inside functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes  # noqa: TID253
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes  # noqa: TID253
from great_expectations.execution_engine import SqlAlchemyExecutionEngine  # noqa: TID253
from great_expectations.expectations.metrics.metric_provider import (  # noqa: TID253
    MetricProvider,
    metric_partial,
    metric_value,
)

from causalrec_assets.gate.expectations.limits import POSITION, Limits

BYTES_A_HASH = 40
"""What telling hashes apart takes of an audit's memory, beside DuckDB's own buffers."""
HASHES_A_BATCH = 500_000
DOMAIN = ("batch_id", "table", "row_condition", "condition_parser")


def quoted(column: str) -> str:
    """A column's name as SQL, whatever its letters."""
    return '"' + column.replace('"', '""') + '"'


class BreakingRows(MetricProvider):  # type: ignore[misc]
    """How many rows break a sentence. Null breaks nothing, as in a SQL CHECK."""

    metric_name = "rows_that_break.count"
    domain_keys = DOMAIN
    value_keys = ("breaks",)

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> tuple[Any, Any, Any]:
        breaks = sa.literal_column(f"({metric_value_kwargs['breaks']})", sa.Boolean)
        return sa.func.coalesce(sa.func.sum(sa.case((breaks, 1), else_=0)), 0), metric_domain_kwargs, {}


class BreakingPositions(MetricProvider):  # type: ignore[misc]
    """Where the rows that break a sentence stand, at most `limit` of them."""

    metric_name = "rows_that_break.positions"
    domain_keys = DOMAIN
    value_keys = ("breaks", "limit")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> list[int]:
        source = source_of(execution_engine, metric_domain_kwargs)
        return _numbers(
            execution_engine,
            f"SELECT {POSITION} FROM {source} WHERE ({metric_value_kwargs['breaks']}) "
            f"ORDER BY {POSITION} LIMIT {int(metric_value_kwargs['limit'])}",
        )


class RepeatedRows(MetricProvider):  # type: ignore[misc]
    """How many rows have a key that stands more than once."""

    metric_name = "repeated_rows.count"
    domain_keys = DOMAIN
    value_keys = ("keys", "where")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> int:
        source = source_of(execution_engine, metric_domain_kwargs)
        return count_repeated(execution_engine, source, metric_value_kwargs["keys"], metric_value_kwargs["where"])


class RepeatedPositions(MetricProvider):  # type: ignore[misc]
    """Where the rows stand whose key stands more than once."""

    metric_name = "repeated_rows.positions"
    domain_keys = DOMAIN
    value_keys = ("keys", "where", "limit")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> list[int]:
        source, question = source_of(execution_engine, metric_domain_kwargs), metric_value_kwargs
        return repeated_positions(execution_engine, source, question["keys"], question["where"], int(question["limit"]))


class SameColumns(MetricProvider):  # type: ignore[misc]
    """Pairs of columns that are equal in every row, and columns of one value.

    A column's fingerprint does not depend on the order of rows; columns of one fingerprint are compared row by row.
    """

    metric_name = "columns.constant_and_same"
    domain_keys = DOMAIN
    value_keys = ("columns",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> dict[str, Any]:
        source, columns = source_of(execution_engine, metric_domain_kwargs), list(metric_value_kwargs["columns"])
        # 1 and 1.0 are the same covariate, so what is a number is compared as one.
        described = rows_of(execution_engine, f"DESCRIBE SELECT {', '.join(map(quoted, columns))} FROM {source}")
        texts = [f"CAST({quoted(row[0])} AS {'DOUBLE' if _is_number(row[1]) else 'VARCHAR'})" for row in described]
        aggregates = ", ".join(
            f"MIN({t}), MAX({t}), COUNT({t}), COALESCE(SUM(CAST(hash({t}) AS HUGEINT)), 0)" for t in texts
        )
        row = rows_of(execution_engine, f"SELECT COUNT(*), {aggregates} FROM {source}")[0]
        rows, prints = int(row[0]), [tuple(row[1 + 4 * k : 5 + 4 * k]) for k in range(len(columns))]
        constant = [
            c
            for c, (low, high, known, _hash) in zip(columns, prints, strict=True)
            if rows and (known == 0 or (low == high and known == rows))
        ]
        same = []
        for a in range(len(columns)):
            for b in range(a + 1, len(columns)):
                if rows and prints[a] == prints[b]:
                    differ = f"SELECT COUNT(*) FROM {source} WHERE {texts[a]} IS DISTINCT FROM {texts[b]}"
                    if not rows_of(execution_engine, differ)[0][0]:
                        same.append([columns[a], columns[b]])
        return {"constant": constant, "same": same}


def count_repeated(engine: Any, source: str, keys: Sequence[str], where: str) -> int:
    """Rows whose key stands more than once.

    Equal keys have equal hashes, so where all hashes differ all keys do; 64-bit hashes are told apart in a fraction of
    the time and the memory. Keys whose hash stands more than once, none in a table that holds, are then grouped
    themselves.
    """
    query = f"{_repeated(source, keys, where)} SELECT COALESCE(SUM(stands), 0) FROM repeated"
    return int(rows_of(engine, query)[0][0]) if _any_suspect(engine, source, keys, where) else 0


def repeated_positions(engine: Any, source: str, keys: Sequence[str], where: str, limit: int) -> list[int]:
    """Positions of the rows whose key stands more than once, ascending."""
    same = " AND ".join(f"t.{quoted(k)} IS NOT DISTINCT FROM r.{quoted(k)}" for k in keys)
    query = (
        f"{_repeated(source, keys, where)} SELECT t.{POSITION} FROM {source} AS t SEMI JOIN repeated AS r ON {same} "
        f"WHERE {where} ORDER BY t.{POSITION} LIMIT {limit}"
    )
    return _numbers(engine, query)


def _hash(keys: Sequence[str]) -> str:
    return f"hash({', '.join(quoted(k) for k in keys)})"


def _any_suspect(engine: Any, source: str, keys: Sequence[str], where: str) -> bool:
    """Whether any hash stands more than once: of those that do not fit in memory together a share at a time."""
    fit = getattr(engine, "memory_mb", Limits.memory_mb) * 1_000_000 // BYTES_A_HASH
    passes = -(-int(rows_of(engine, f"SELECT COUNT(*) FROM {source}")[0][0]) // fit)
    for number in range(passes):
        share = f" AND {_hash(keys)} % {passes} = {number}" if passes > 1 else ""
        hashes = _column(engine, f"SELECT {_hash(keys)} FROM {source} WHERE ({where}){share}")
        if hashes.n_unique() < len(hashes):
            return True
    return False


def _column(engine: Any, query: str) -> pl.Series:
    """The one column of a query, straight from DuckDB: a row of SQLAlchemy for each takes a hundred times as long."""
    with engine.get_connection() as connection:
        batches = connection.connection.dbapi_connection.sql(query).to_arrow_reader(HASHES_A_BATCH)
        parts = [batch.column(0).to_numpy(zero_copy_only=False) for batch in batches]
    return pl.Series(np.concatenate(parts) if parts else [], dtype=pl.UInt64)


def _repeated(source: str, keys: Sequence[str], where: str) -> str:
    names = ", ".join(quoted(k) for k in keys)
    return (
        f"WITH suspects AS MATERIALIZED (SELECT {_hash(keys)} AS h FROM {source} WHERE {where} "
        f"GROUP BY h HAVING COUNT(*) > 1), repeated AS MATERIALIZED (SELECT {names}, COUNT(*) AS stands FROM {source} "
        f"WHERE {where} AND {_hash(keys)} IN (SELECT h FROM suspects) GROUP BY {names} HAVING COUNT(*) > 1)"
    )


def source_of(engine: Any, domain: Any) -> str:
    """The batch as SQL that stands in a FROM clause."""
    selectable = engine.get_domain_records(domain_kwargs=domain)
    compiled = str(selectable.compile(engine.engine, compile_kwargs={"literal_binds": True}))
    return compiled if isinstance(selectable, sa.TableClause) else f"({compiled})"


def rows_of(engine: Any, query: str) -> list[Any]:
    # A colon begins a parameter in `text`; these queries have none.
    rows: list[Any] = engine.execute_query(sa.text(query.replace(":", "\\:"))).fetchall()
    return rows


def _numbers(engine: Any, query: str) -> list[int]:
    return [int(row[0]) for row in rows_of(engine, query)]


def _is_number(type_name: str) -> bool:
    return type_name.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DEC"))
