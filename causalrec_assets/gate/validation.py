"""One warm session of Great Expectations per process, and one staged file at a time in it."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

POSITION = "file_row_number"
"""DuckDB's own column of a Parquet file: where a row stands, from 0."""

MOST_ROWS = 10_000
"""So many offending rows of a rule are kept beside a refused draft."""

COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
POSITIONS = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [POSITION],
    "partial_unexpected_count": MOST_ROWS,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True)
class Limits:
    """What an audit may use of this machine.

    Attributes:
        memory_mb: Of memory, beside what the process has anyway.
        spill: A folder for what does not fit; each process has its own below it.
    """

    memory_mb: int = 1000
    spill: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "causalrec-spill")


@dataclass(frozen=True)
class StagedTable:
    """A staged file that rules can be asked of."""

    engine: Any
    batch: Any

    def counts(self, expectations: Sequence[Any]) -> dict[str, Any]:
        """Rule -> whether it holds; the cheapest question."""
        return self._validate(expectations, COUNTS)

    def positions(self, expectations: Sequence[Any]) -> dict[str, Any]:
        """Rule -> how many rows break it, and where the first of them stand."""
        return self._validate(expectations, POSITIONS)

    def unreadable(self, sentences: Mapping[str, str]) -> dict[str, str]:
        """Rule -> why, of the sentences that are neither true nor false in SQL."""
        found: dict[str, str] = self.engine.unreadable(sentences)
        return found

    def _validate(self, expectations: Sequence[Any], result_format: Mapping[str, Any]) -> dict[str, Any]:
        import great_expectations as gx

        if not expectations:
            return {}
        suite = gx.ExpectationSuite(name="contract")
        suite.expectations = list(expectations)
        outcome = self.batch.validate(suite, result_format=dict(result_format))
        # Results come in another order than the expectations: the rule's name travels in their meta.
        return {result.expectation_config.meta["rule"]: result for result in outcome.results}


_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def validating(path: Path, limits: Limits) -> Iterator[StagedTable]:
    """Stage a Parquet file; a process validates one file at a time."""
    with _ONE_AT_A_TIME:
        engine, definition = _session(limits)
        engine.stage(path)
        try:
            yield StagedTable(engine, definition.get_batch())
        finally:
            engine.unstage()


@lru_cache(maxsize=1)
def _context() -> Any:
    """Making a context costs more than a validation."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


@lru_cache(maxsize=1)
def _session(limits: Limits) -> tuple[Any, Any]:
    """A DuckDB of its own for each set of limits: DuckDB cannot change its folder once it has spilled."""
    context = _context()
    from causalrec_assets.gate.staged_engine import VIEW, StagedFiles

    assert StagedFiles.__fields__["type"].default == "staged_files"  # its import has made `add_staged_files`
    name = f"staged-{len(context.data_sources.all())}"
    source = context.data_sources.add_staged_files(name)
    engine = source.get_execution_engine()
    # Two processes that spill into one folder would write the same files.
    engine.limit(limits.memory_mb, limits.spill / str(os.getpid()))
    engine.run(f"CREATE OR REPLACE VIEW {VIEW} AS SELECT 1 AS nothing")
    return engine, source.add_table_asset(VIEW, table_name=VIEW).add_batch_definition_whole_table("all")
