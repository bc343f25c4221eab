"""One run of some assets of a day, recorded in the home's Dagster instance like any other; what came of it in words."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from causalrec.escaping import plain
from causalrec.home import Home
from causalrec_assets.gate.refused import refusal_words
from causalrec_assets.lake.store import open_store
from causalrec_assets.operate.planning import Request
from causalrec_assets.running.run_words import what_warned

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Run:
    """A request on its way: the tags and the id that Dagster's run will have, and what people call it."""

    request: Request
    tags: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Ran:
    """One run: what failed (empty: nothing), which checks warned, and how long it took."""

    error: str
    warnings: str
    seconds: float


def load_definitions(home: Home) -> Any:
    """The definitions of a home; what takes seconds the first time."""
    os.environ.update({"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)})
    from causalrec_assets.definitions import defs

    return defs


def run_here(home: Home, run: Run, begins: Callable[[str], None] | None = None) -> Ran:
    """Run some assets of a day in this process.

    Args:
        begins: Is told the name of each step as it begins.

    Raises:
        KeyboardInterrupt: Somebody stopped it. (Dagster would call that a failed step, and go on.)
    """
    defs = load_definitions(home)
    import dagster as dg

    started, day = time.perf_counter(), run.request.day
    with dg.DagsterInstance.get() as instance:
        if begins is not None:
            instance.add_event_listener(run.id, lambda entry: _step_begins(entry, begins))
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            partition_key=day.isoformat(),
            asset_selection=[dg.AssetKey(name) for name in run.request.assets],
            instance=instance,
            raise_on_error=False,
            run_config=QUIET,
            run_id=run.id,
            tags=dict(run.tags),
        )
    if any(_was_interrupted(event) for event in result.all_events):
        raise KeyboardInterrupt
    error = "" if result.success else _what_failed(home, day, result)
    return Ran(error, what_warned(result), time.perf_counter() - started)


def _step_begins(entry: Any, begins: Callable[[str], None]) -> None:
    event = entry.dagster_event
    if event is not None and event.is_step_start:
        begins(event.step_key)


def _was_interrupted(event: Any) -> bool:
    from dagster._core.execution.plan.objects import ErrorSource

    return bool(event.is_step_failure and event.event_specific_data.error_source == ErrorSource.INTERRUPT)


def _what_failed(home: Home, day: date, result: Any) -> str:
    """The refusals of a run as the gate recorded them; else what its first failed step, or the run itself, said."""
    failed = [event for event in result.all_events if event.is_step_failure]
    store, sentences = open_store(home), list[str]()
    for step in failed:
        refusal = store.quarantine.standing(step.step_key, day)
        if refusal is not None and refusal.run_id == result.run_id:
            sentences.append(refusal_words(home, store, refusal))
    if sentences:
        return "\n".join(sentences)
    if not failed:
        ended = [event.message for event in result.all_events if event.is_failure]
        return (
            f"FAILED run of {day}: {ended[-1] if ended else 'it ended without a word'}\n  run         {result.run_id}"
        )
    return f"FAILED {failed[0].step_key} of {day}: {plain(_said(failed[0]))}\n  run         {result.run_id}"


def _said(step: Any) -> str:
    """What a failed step said for people: its own sentence where it has one, and never a cause behind that."""
    failure = step.event_specific_data.user_failure_data
    if failure is not None and failure.description:
        return str(failure.description)
    error = step.event_specific_data.error
    # Dagster wraps what the step has raised.
    while error.cls_name.startswith("Dagster") and error.cause is not None:
        error = error.cause
    return str(error.message).strip()
