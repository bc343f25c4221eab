"""Experiment tracking and the model registry, through dagster-mlflow; imported when first used."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from causalrec_assets.gate.releases import Champion
from causalrec_assets.gate.store import canonical, sha256
from causalrec_assets.home import Home

MODEL = "causalrec"


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

    def mirror(
        self, *, home: Home, run_id: str, partition: str, bundle: Mapping[str, Any], files: Mapping[str, bytes],
        scores: Mapping[str, Mapping[str, float]], verdict: str, champion: Champion | None, logged: Sequence[Champion], log: Any,
    ) -> dict[str, Any]:
        """One MLflow run for the partition, its bundle as a registered version, and the aliases.

        `challenger` names this partition's version; `champion` the version of the bundle that the release log says serves:
        set after the log, and so repaired by the next run when a run dies between the two.

        Args:
            files: Model files, logged as they are (safetensors and JSON; nothing is pickled).

        Returns:
            Metadata for the materialisation.
        """
        if not self.enabled:
            return {}
        with self._run(home, run_id, partition, log) as mlflow:
            run = mlflow.active_run().info
            mlflow.log_params({f"policy.{k}": v for k, v in bundle["policy"].items()} | {"partition": partition})
            mlflow.log_metrics({f"{outcome}_{name}": value for outcome, found in scores.items() for name, value in found.items()})
            bundle_hash = sha256(canonical(dict(bundle)))
            mlflow.set_tags({"verdict": verdict, "bundle": bundle_hash})
            with tempfile.TemporaryDirectory() as folder:
                for name, content in {**files, "bundle.json": canonical(dict(bundle))}.items():
                    (Path(folder) / name).write_bytes(content)
                mlflow.log_artifacts(folder, "bundle")
            client = mlflow.tracking_client
            versions = self._versions(client)
            if bundle_hash not in versions:
                made = client.create_model_version(MODEL, f"{run.artifact_uri}/bundle", run.run_id,
                                                   tags={"bundle": bundle_hash, "partition": partition})
                versions[bundle_hash] = made.version
            client.set_registered_model_alias(MODEL, "challenger", versions[bundle_hash])
            if champion is not None and champion.bundle_hash in versions:
                client.set_registered_model_alias(MODEL, "champion", versions[champion.bundle_hash])
            return {"mlflow_run": run.run_id, "registered_version": str(versions[bundle_hash])}

    def _versions(self, client: Any) -> dict[str, str]:
        """Registered versions by the hash of their bundle."""
        from mlflow.exceptions import MlflowException

        try:
            client.create_registered_model(MODEL)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.search_model_versions(f"name='{MODEL}'")
        return {version.tags["bundle"]: version.version for version in found if "bundle" in version.tags}

    @contextmanager
    def _run(self, home: Home, run_id: str, partition: str, log: Any):  # type: ignore[no-untyped-def]
        """dagster-mlflow's handle with a run of its own, ended as FINISHED or FAILED.

        Its resource keeps one MLflow run per Dagster run and leaves it RUNNING; this gives it a run per training partition
        and ends it.
        """
        import logging

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        import mlflow
        from dagster_mlflow.resources import MlFlow

        mlflow.set_tracking_uri(self.uri(home))
        if mlflow.get_experiment_by_name(self.experiment) is None:
            local = None if self.tracking_uri else (home.root / "mlflow-artifacts").as_uri()
            mlflow.create_experiment(self.experiment, artifact_location=local)
        handle = MlFlow(SimpleNamespace(
            log=log, run_id=run_id, dagster_run=SimpleNamespace(job_name=f"{partition}"),
            resource_config={"experiment_name": self.experiment, "mlflow_tracking_uri": self.uri(home),
                             "extra_tags": {"partition": partition, "dagster_run": run_id}},
        ))
        try:
            yield handle
        except BaseException:
            mlflow.end_run("FAILED")
            raise
        mlflow.end_run("FINISHED")
