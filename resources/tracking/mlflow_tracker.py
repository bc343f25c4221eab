"""A training's MLflow run: opened when it begins, ended with it, its curve whole."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from causalrec.settings.deployment.tracking import data_pointers
from resources.tracking.mlflow import OPENED_BY, MlflowStore, close
from resources.tracking.tracker import DAGSTER_RUN, PARTITION, CurveRow, Result, Run

MODEL_FILES = "model"
INPUTS_FILE = "inputs.json"


class MlflowTracker:
    """MLflow, through dagster-mlflow's handle; without one no run could be opened."""

    name, label = "mlflow", "MLflow"

    def __init__(self, run: Run) -> None:
        self._run, self._store = run, MlflowStore(run.home, run.settings)
        self._mlflow: Any = None
        self._curve: Any = None
        self._links: dict[str, Any] = {}

    def begin(self) -> None:
        """Open the run, after closing those that were left open by a kill."""
        store, attempt, troubles = self._store, self._run.attempt, self._run.troubles
        day = attempt.partition.isoformat()
        with troubles.survived("no MLflow run could be opened for this training"):
            killed = store.end(
                f"tags.{PARTITION} = '{day}'", "KILLED", f"abandoned; next attempt: Dagster run {attempt.dagster_run}"
            )
            tags = {PARTITION: day, DAGSTER_RUN: attempt.dagster_run, OPENED_BY: attempt.dagster_run}
            tags |= {"previous_attempt": killed[0]} if killed else {}
            tags |= dagster_link(store, day, attempt.dagster_run) | data_pointers(attempt.inputs)
            self._mlflow = store.open(day, attempt.dagster_run, tags, troubles.log)
            self._links["mlflow_run"] = linked(store, self._mlflow.active_run().info)
            self._mlflow.log_params({name: _shown(value) for name, value in attempt.params.items()})
            self._mlflow.log_text(_inputs(attempt.inputs), INPUTS_FILE)

    def loggers(self) -> Sequence[Any]:
        if self._mlflow is None:
            return ()
        from resources.tracking.curves import SurvivingLogger

        run_id, uri, experiment = self._mlflow.active_run().info.run_id, self._store.uri, self._run.settings.experiment

        def make() -> Any:
            from lightning.pytorch.loggers import MLFlowLogger

            return MLFlowLogger(experiment_name=experiment, tracking_uri=uri, run_id=run_id)

        self._curve = SurvivingLogger(self.label, make, self._run.troubles, aside=True)
        return (self._curve,)

    def complete(self, result: Result) -> None:
        """What MLflow missed of the curve is brought now."""
        if self._mlflow is None:
            return
        with self._run.troubles.survived("the MLflow run has the training's result in part only"):
            mlflow, run_id = self._mlflow, self._mlflow.active_run().info.run_id
            for epoch, training, validation in _missing(mlflow.tracking_client, run_id, result.curve):
                mlflow.log_metrics({"training_loss": training, "validation_loss": validation}, step=epoch + 1)
            mlflow.log_metrics({name: float(value) for name, value in result.metrics.items()})
            mlflow.set_tags(data_pointers(result.inputs))
            mlflow.log_text(_inputs(result.inputs), INPUTS_FILE)
            log_files(mlflow, result.files, MODEL_FILES)

    def end(self, status: str) -> None:
        if self._curve is not None:
            self._curve.wait()
        if self._mlflow is not None:
            words = "the MLflow run could not be ended; `release` or the next attempt ends it"
            with self._run.troubles.survived(words):
                close(self._mlflow, status)

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._links


def dagster_link(store: MlflowStore, day: str, trained: str | None, released: str | None = None) -> dict[str, str]:
    """Tags that lead from an MLflow run to Dagster: to the run that trained, and to the one that released."""
    tags, lines = {}, [f"Partition {day}."]
    for tag, did, run in (("dagster_url", "Trained", trained), ("release_dagster_url", "Judged", released)):
        url = store.settings.dagster_url(run) if run else None
        if url:
            tags[tag] = url
            lines.append(f"{did} in [Dagster run {str(run)[:8]}]({url}).")
    return tags | {"mlflow.note.content": "\n\n".join(lines)}


def linked(store: MlflowStore, run: Any) -> Any:
    """The metadata `mlflow_run`."""
    url = store.settings.mlflow_url(run.experiment_id, run.run_id)
    return dg.MetadataValue.url(url) if url else store.where(run)


def log_files(mlflow: Any, files: Mapping[str, bytes], folder: str) -> None:
    """Log files under a folder of the run's artefacts."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in files.items():
            (Path(scratch) / name).write_bytes(content)
        mlflow.log_artifacts(scratch, folder)


def _missing(client: Any, run_id: str, curve: Sequence[CurveRow]) -> list[CurveRow]:
    """The epochs that an MLflow run does not have yet."""
    have = {metric.step for metric in client.get_metric_history(run_id, "validation_loss")}
    return [row for row in curve if row[0] + 1 not in have]


def _inputs(inputs: Mapping[str, str]) -> str:
    return json.dumps(dict(inputs), indent=1, sort_keys=True)


def _shown(value: object) -> str:
    """A parameter as text; MLflow refuses more than 6,000 characters."""
    words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return words if len(words) <= 6000 else f"{words[:5997]}..."
