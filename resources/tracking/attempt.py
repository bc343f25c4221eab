"""One attempt at training, while it runs: its MLflow run, its curves, and what went wrong with them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from causalrec.settings.deployment.tracking import data_pointers
from resources.tracking.mlflow import DAGSTER_RUN, OPENED_BY, PARTITION, MlflowStore, close
from resources.tracking.troubles import Troubles
from resources.tracking.wandb import wandb_installed, wandb_wanted

MODEL_FILES = "model"
INPUTS_FILE = "inputs.json"
CurveRow = tuple[int, float, float]


@dataclass(frozen=True)
class Attempt:
    """What is known when a training begins.

    Attributes:
        params: Settings, columns, days, seed, compute.
        inputs: Tables, settings and code that it is made from -> hash.
    """

    partition: date
    dagster_run: str
    params: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


class TrainingRun:
    """The tracking of one attempt. No method raises: a training of hours is not lost because a server is down.

    Attributes:
        mlflow: dagster-mlflow's handle; None when tracking is off or no run could be opened.
    """

    def __init__(self, store: MlflowStore | None, attempt: Attempt, log: Any) -> None:
        self._store, self._attempt = store, attempt
        self._curves: list[Any] = []
        self._found: dict[str, Any] = {}
        self.mlflow: Any = None
        hide = {store.uri: store.settings.tracking_uri and "the MLflow store"} if store else {}
        self.troubles = Troubles(log, {uri: shown for uri, shown in hide.items() if shown})

    def open(self) -> None:
        """Begin the MLflow run, after closing those that were left open by a kill."""
        if self._store is None:
            return
        store, attempt = self._store, self._attempt
        day = attempt.partition.isoformat()
        with self.troubles.survived("no MLflow run could be opened for this training"):
            killed = store.end(
                f"tags.{PARTITION} = '{day}'", "KILLED", f"abandoned; next attempt: Dagster run {attempt.dagster_run}"
            )
            tags = {PARTITION: day, DAGSTER_RUN: attempt.dagster_run, OPENED_BY: attempt.dagster_run}
            tags |= {"previous_attempt": killed[0]} if killed else {}
            tags |= dagster_link(store, day, attempt.dagster_run) | data_pointers(attempt.inputs)
            self.mlflow = store.open(day, attempt.dagster_run, tags, self.troubles.log)
            self._found["mlflow_run"] = linked(store, self.mlflow.active_run().info)
            self.mlflow.log_params({name: _shown(value) for name, value in attempt.params.items()})
            self.mlflow.log_text(_inputs(attempt.inputs), INPUTS_FILE)

    def loggers(self) -> list[Any]:
        """Lightning's loggers for the trainer: MLflow, TensorBoard, and W&B where an API key is configured."""
        if self._store is None:
            return []
        from resources.tracking.curves import mlflow_curve, tensorboard_curve, wandb_curve

        store, attempt, troubles = self._store, self._attempt, self.troubles
        day, settings, root = attempt.partition.isoformat(), store.settings, store.home.root
        if self.mlflow is not None:
            run_id = self.mlflow.active_run().info.run_id
            self._curves.append(mlflow_curve(store.uri, settings.experiment, run_id, troubles))
        self._curves.append(tensorboard_curve(root / "tensorboard", day, attempt.dagster_run, troubles))
        self._found["tensorboard"] = dg.MetadataValue.path(str(root / "tensorboard" / day / attempt.dagster_run))
        if wandb_wanted():
            if wandb_installed():
                config = {**attempt.params, PARTITION: day, DAGSTER_RUN: attempt.dagster_run}
                self._curves.append(wandb_curve(root, settings.wandb_project, day, config, troubles))
            else:
                troubles.tell("W&B", "an API key is configured and the package is missing: pip install -e '.[wandb]'")
        return list(self._curves)

    def complete(
        self,
        curve: Sequence[CurveRow],
        metrics: Mapping[str, float],
        files: Mapping[str, bytes],
        inputs: Mapping[str, str],
    ) -> None:
        """Say what came of the training.

        Args:
            curve: (epoch from 0, training loss, validation loss); what MLflow missed of it is brought now.
            metrics: Best epoch, held-out scores.
            files: The model's, logged as they are (safetensors and JSON; nothing is pickled).
            inputs: All that was read by now.
        """
        for logger in self._curves:
            if logger.name == "W&B":
                logger.attempt(lambda inner: inner.experiment.summary.update(dict(metrics)), "the result")
        if self.mlflow is None:
            return
        with self.troubles.survived("the MLflow run has the training's result in part only"):
            mlflow, run_id = self.mlflow, self.mlflow.active_run().info.run_id
            for epoch, training, validation in _missing(mlflow.tracking_client, run_id, curve):
                mlflow.log_metrics({"training_loss": training, "validation_loss": validation}, step=epoch + 1)
            mlflow.log_metrics({name: float(value) for name, value in metrics.items()})
            mlflow.set_tags(data_pointers(inputs))
            mlflow.log_text(_inputs(inputs), INPUTS_FILE)
            log_files(mlflow, files, MODEL_FILES)

    def close(self, status: str) -> None:
        """End everything: the MLflow run as FINISHED, FAILED or KILLED."""
        for logger in self._curves:
            logger.wait()
            if logger.inner is None:
                continue
            if logger.name == "TensorBoard":
                logger.attempt(lambda inner: inner.finalize("finished"), "the curve")
            if logger.name == "W&B":
                self._close_wandb(logger, status)
        if self.mlflow is not None:
            with self.troubles.survived("the MLflow run could not be ended; `release` or the next attempt ends it"):
                close(self.mlflow, status)

    def _close_wandb(self, logger: Any, status: str) -> None:
        def finish(inner: Any) -> None:
            run = inner.experiment
            self._found["wandb_run"] = dg.MetadataValue.url(run.url) if run.url else str(Path(run.dir).parent)
            run.finish(exit_code=0 if status == "FINISHED" else 1)

        logger.attempt(finish, "the run's end")

    @property
    def metadata(self) -> dict[str, Any]:
        """For the materialisation, after `close`: links, and what is missing."""
        return {**self._found, **self.troubles.metadata}


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
