"""One warm session of Great Expectations per process, and one staged file at a time in it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from causalrec_assets.gate.expectations.limits import MOST_ROWS, POSITION, Limits

COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
POSITIONS = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [POSITION],
    "partial_unexpected_count": MOST_ROWS,
    "return_unexpected_index_query": False,
}


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

    def unreadable(self, sentence: str) -> str | None:
        """Why a sentence is none that is true or false of a row; None where it is one."""
        why: str | None = self.engine.unreadable(sentence)
        return why

    def fails(self, sentence: str) -> str | None:
        """What is said of the first row on which a sentence cannot be evaluated; None without one."""
        message: str | None = self.engine.fails(sentence)
        return message

    def begin_anew(self) -> None:
        """After a question that failed, which fails whatever is asked next in the same transaction."""
        self.engine.roll_back()

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
        engine, definition = _session()
        # Two processes that spill into one folder would write the same files.
        engine.stage(path, limits.memory_mb, limits.spill / str(os.getpid()))
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
def _session() -> tuple[Any, Any]:
    """The engine and what it validates."""
    context = _context()
    from causalrec_assets.gate.staged_engine import VIEW, StagedFiles

    assert StagedFiles.__fields__["type"].default == "staged_files"  # its import has made `add_staged_files`
    source = context.data_sources.add_staged_files("staged")
    engine = source.get_execution_engine()
    engine.open_nothing()
    return engine, source.add_table_asset(VIEW, table_name=VIEW).add_batch_definition_whole_table("all")
