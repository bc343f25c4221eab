"""Experiment tracking and the model registry, through dagster-mlflow; imported when first used."""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from causalrec_assets.gate.releases import Champion
from causalrec_assets.gate.store import canonical, sha256
from causalrec_assets.home import Home

MODEL = "causalrec"
BUNDLE, PARTITION, DAGSTER_RUN = "bundle", "partition", "dagster_run"


@dataclass(frozen=True)
class Training:
    """What there is to track of one training partition.

    Attributes:
        newest: Whether the partition is the newest day; only then is its bundle the registry's `challenger`.
        bundle: None when no challenger could be trained: the run is tracked, and no version is registered.
        files: Model files, logged as they are (safetensors and JSON; nothing is pickled).
        params, metrics: By name.
    """

    partition: date
    dagster_run: str
    verdict: str
    decision: str
    newest: bool
    bundle: Mapping[str, Any] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg]
    """MLflow, mirroring what the release log decides.

    Attributes:
        tracking_uri: A server, or empty for a SQLite store in the home.
        experiment: Its name.
        enabled: False records nothing (for tests of other things).
    """

    tracking_uri: str = ""
    experiment: str = "causalrec"
    enabled: bool = True

    def uri(self, home: Home) -> str:
        return self.tracking_uri or f"sqlite:///{home.root / 'mlflow.db'}"

    def mirror(self, home: Home, training: Training, champion: Champion | None, log: Any) -> dict[str, Any]:
        """One MLflow run for the partition, its bundle as a registered version, and the aliases.

        `challenger` names the newest partition's version; `champion` the version of the bundle that the
        release log says serves. It is set after the log has moved, so a run that dies between the two leaves
        an old alias, which the next run sets right.

        Args:
            champion: What serves by the release log; None: the logging policy, which has no version and no
                alias.
            log: Of the step, for dagster-mlflow.

        Returns:
            Metadata for the materialisation.
        """
        if not self.enabled:
            return {}
        with self._run(home, training, log) as mlflow:
            client, run = mlflow.tracking_client, mlflow.active_run().info
            mlflow.log_params({**_flat(training.bundle), **training.params})
            mlflow.log_metrics(dict(training.metrics))
            found: dict[str, Any] = {"mlflow_run": run.run_id}
            _registered_model(client)
            if training.bundle is not None:
                content = canonical(dict(training.bundle))
                with tempfile.TemporaryDirectory() as folder:
                    for name, file in {**training.files, "bundle.json": content}.items():
                        (Path(folder) / name).write_bytes(file)
                    mlflow.log_artifacts(folder, BUNDLE)
                version = _version(client, sha256(content), f"{run.artifact_uri}/{BUNDLE}", run.run_id, training)
                if training.newest:
                    client.set_registered_model_alias(MODEL, "challenger", version)
                found["registered_version"] = version
            return found | _mirror_champion(client, champion)

    @contextmanager
    def _run(self, home: Home, training: Training, log: Any) -> Iterator[Any]:
        """dagster-mlflow's handle with a run of its own, ended as FINISHED or FAILED.

        Its resource keeps one MLflow run per Dagster run and leaves it RUNNING without a hook; this gives a
        training partition a run of its own and ends it.
        """
        import mlflow

        # After the import, which sets them: migrating a new store would fill the step's log.
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        uri = self.uri(home)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        if mlflow.get_experiment_by_name(self.experiment) is None:
            local = None if self.tracking_uri else (home.root / "mlflow-artifacts").as_uri()
            mlflow.create_experiment(self.experiment, artifact_location=local)
        mlflow.set_experiment(self.experiment)
        partition = training.partition.isoformat()
        run = mlflow.start_run(run_name=partition)
        tags = {
            PARTITION: partition,
            DAGSTER_RUN: training.dagster_run,
            "verdict": training.verdict,
            "decision": training.decision,
        }
        # Given the run's id, the handle does not look for one of the same Dagster run, which may be another
        # partition's.
        config = {
            "experiment_name": self.experiment,
            "mlflow_tracking_uri": uri,
            "mlflow_run_id": run.info.run_id,
            "extra_tags": tags,
        }
        asked = SimpleNamespace(
            log=log,
            run_id=training.dagster_run,
            dagster_run=SimpleNamespace(job_name=partition),
            resource_config=config,
        )
        try:
            yield _handle(asked)
        except BaseException:
            mlflow.end_run("FAILED")
            raise
        mlflow.end_run("FINISHED")


def _handle(asked: SimpleNamespace) -> Any:
    """dagster-mlflow's handle: all of MLflow's functions, and its client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        from dagster_mlflow.resources import MlFlow

        return MlFlow(asked)


def _flat(bundle: Mapping[str, Any] | None) -> dict[str, object]:
    """The settings that a bundle was judged with, as parameters."""
    parts = ("policy", "objective") if bundle else ()
    return {f"{part}.{name}": value for part in parts for name, value in (bundle or {})[part].items()}


def _registered_model(client: Any) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find(client: Any, bundle: str) -> str | None:
    """The registered version of a bundle, by its hash."""
    found = client.search_model_versions(f"name='{MODEL}' and tags.{BUNDLE}='{bundle}'")
    return str(found[0].version) if found else None


def _version(client: Any, bundle: str, source: str, run_id: str, training: Training) -> str:
    """The version of a bundle, registered if it is not yet."""
    found = _find(client, bundle)
    if found is None:
        tags = {BUNDLE: bundle, PARTITION: training.partition.isoformat(), "verdict": training.verdict}
        found = str(client.create_model_version(MODEL, source, run_id, tags=tags).version)
    return found


def _mirror_champion(client: Any, champion: Champion | None) -> dict[str, str]:
    """Make the alias `champion` say what the release log says."""
    aliases = client.get_registered_model(MODEL).aliases
    if champion is None:
        if "champion" in aliases:
            client.delete_registered_model_alias(MODEL, "champion")
        return {"champion_alias": "none: the logging policy serves"}
    version = _find(client, champion.bundle_hash)
    if version is None:
        # The registry is younger than the release (it was moved, or removed): it can only say what it knows.
        if "champion" in aliases:
            client.delete_registered_model_alias(MODEL, "champion")
        words = (
            f"none: release {champion.entry} of {champion.partition} is not in this registry; materialise "
            f"`release` of {champion.partition} again to register it"
        )
        return {"champion_alias": words}
    client.set_registered_model_alias(MODEL, "champion", version)
    return {"champion_alias": f"version {version}, of {champion.partition}"}
