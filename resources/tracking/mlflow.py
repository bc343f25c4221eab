"""MLflow's store and its runs: opened through dagster-mlflow, found again, and ended. MLflow is imported when used."""

from __future__ import annotations

import logging
import os
import shlex
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from causalrec.home import Home
from causalrec.settings.deployment.tracking import TrackingSettings, without_secret

RELEASE_RUN = "release_dagster_run"
OPENED_BY = "opened_by"
"""The Dagster run that opened the run last: the one whose end must end it."""

STATUSES = ("FINISHED", "FAILED", "KILLED")
DIALS = {
    # Without these an unreachable server holds a step up for minutes at every call.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def import_mlflow() -> Any:
    """MLflow, quiet. What a person has set in the environment stands."""
    for name, value in DIALS.items():
        os.environ.setdefault(name, value)
    import mlflow

    # After the import, which sets them: migrating a new store would fill the step's log.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


@dataclass(frozen=True)
class MlflowStore:
    """The MLflow store of a home."""

    home: Home
    settings: TrackingSettings

    @property
    def uri(self) -> str:
        return self.settings.uri(self.home.root)

    @property
    def exists(self) -> bool:
        """False where a store would have to be made first. A server is taken to be there."""
        if not self.uri.startswith("sqlite:///"):
            return True
        return Path(self.uri.removeprefix("sqlite:///").partition("?")[0]).exists()

    def client(self) -> Any:
        import_mlflow()
        from mlflow.tracking import MlflowClient

        with self._alone():
            return MlflowClient(self.uri, self.uri)

    def where(self, run: Any) -> str:
        """A run for people: a link, or its id and where it is; a home's own store has a guarded UI."""
        url = self.settings.mlflow_url(run.experiment_id, run.run_id)
        if url:
            return url
        own = self.uri == f"sqlite:///{self.home.root / 'mlflow.db'}"
        how = f"to see it: make mlflow DIR={shlex.quote(str(self.home.root))}" if own else without_secret(self.uri)
        return f"{run.run_id} ({how})"

    def runs(self, condition: str) -> list[Any]:
        """Runs of the experiment, newest first; none where there is no store or no experiment."""
        if not self.exists:
            return []
        client = self.client()
        experiment = client.get_experiment_by_name(self.settings.experiment)
        if experiment is None:
            return []
        return list(client.search_runs([experiment.experiment_id], condition, order_by=["attributes.start_time DESC"]))

    def end(self, condition: str, status: str, why: str, among: tuple[str, ...] = ("RUNNING",)) -> list[str]:
        """End runs that nobody will end.

        Args:
            condition: Of MLflow's search.
            why: Said in the tag `ended_because`.
            among: Statuses of the runs that are meant.

        Returns:
            Their ids.
        """
        to_end = [run for run in self.runs(condition) if run.info.status in among]
        for run in to_end:
            client = self.client()
            client.set_terminated(run.info.run_id, status)
            client.set_tag(run.info.run_id, "ended_because", why)
        return [str(run.info.run_id) for run in to_end]

    def open(self, name: str, dagster_run: str, tags: Mapping[str, str], log: Any, run_id: str | None = None) -> Any:
        """dagster-mlflow's handle, with a run of its own: all of MLflow's functions, and its client.

        Its resource keeps one MLflow run per Dagster run and leaves it RUNNING without a hook; this gives a
        training partition a run of its own, which `close` ends.

        Args:
            name: Of the run.
            dagster_run: The Dagster run that the MLflow run belongs to.
            log: Of the step.
            run_id: An MLflow run to continue; None makes one.
        """
        mlflow = import_mlflow()
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        self._make_experiment()
        mlflow.set_experiment(self.settings.experiment)
        try:
            run = mlflow.start_run(run_id) if run_id else mlflow.start_run(run_name=name)
            # Given the run's id, the handle does not look for one of the same Dagster run, which may be another
            # partition's.
            config = {
                "experiment_name": self.settings.experiment,
                "mlflow_tracking_uri": self.uri,
                "mlflow_run_id": run.info.run_id,
                "extra_tags": dict(tags),
            }
            init_context = SimpleNamespace(
                log=log, run_id=dagster_run, dagster_run=SimpleNamespace(job_name=name), resource_config=config
            )
            return _handle(init_context)
        except BaseException:
            # The first failure is the one to tell; the same server may well fail at this, too.
            with suppress(Exception):
                mlflow.end_run("FAILED")
            raise

    def _make_experiment(self) -> None:
        from mlflow.exceptions import MlflowException

        client = self.client()
        local = None if self.settings.tracking_uri else (self.home.root / "mlflow-artifacts").as_uri()
        with self._alone():
            if client.get_experiment_by_name(self.settings.experiment) is None:
                try:
                    client.create_experiment(self.settings.experiment, artifact_location=local)
                except MlflowException as error:
                    # Another machine was faster.
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process of this machine at a time: the first use of a SQLite store makes its schema, which takes seconds
        and must not be done by two at once."""
        if not self.uri.startswith("sqlite:"):
            yield
            return
        import fcntl

        self.home.work.mkdir(parents=True, exist_ok=True)
        # The system takes the lock back when a process dies.
        with (self.home.work / "mlflow.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def close(mlflow: Any, status: str) -> None:
    """End the run of a handle."""
    mlflow.end_run(status)


def _handle(init_context: SimpleNamespace) -> Any:
    import dagster as dg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        from dagster_mlflow.resources import MlFlow

        return MlFlow(init_context)
