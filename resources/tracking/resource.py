"""Experiment tracking: each training is told to every tracker; its MLflow run, opened when the training begins and
ended with it, is continued by the release. MLflow and Lightning are imported when they are first used."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from causalrec.hashing import canonical, sha256
from causalrec.home import Home
from causalrec.model.outcome.calibration import OutcomeScores
from causalrec.settings.deployment.tracking import TrackingSettings
from causalrec.settings.file import read_setting
from causalrec_assets.lake.releases import Champion
from resources.tracking.attempt import TrainingRun
from resources.tracking.mlflow import OPENED_BY, RELEASE_RUN, STATUSES, MlflowStore, close
from resources.tracking.mlflow_tracker import dagster_link, linked, log_files
from resources.tracking.registry import BUNDLE, MODEL, mirror_champion, register, registered_model
from resources.tracking.tracker import DAGSTER_RUN, PARTITION, Attempt
from resources.tracking.troubles import Troubles

__all__ = ["MODEL", "Attempt", "Tracking", "Training", "TrainingRun", "held_out_metrics"]


@dataclass(frozen=True)
class Training:
    """What a release adds to the run of its partition's training.

    Attributes:
        dagster_run: That releases.
        trained_in: The Dagster run that trained the model; None when no model could be trained.
        newest: Whether the partition is the newest day; only then is its bundle the registry's `challenger`.
        bundle: None when no challenger could be trained: the run is tracked, and no version is registered.
        files: Model files, logged as they are (safetensors and JSON; nothing is pickled).
        params: Logged where the training has left no run to continue.
        scores: The model's on held-out days; logged where the training could not.
        metrics: What the release adds, by name.
    """

    partition: date
    dagster_run: str
    verdict: str
    decision: str
    newest: bool
    trained_in: str | None = None
    bundle: Mapping[str, Any] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The trackers of `TRACKERS`, and the release, mirrored in MLflow.

    Attributes:
        tracking_uri, experiment, dagster_ui, mlflow_ui, wandb_project: In place of what `data/tracking.yaml`
            says; empty: as it says.
        enabled: False records nothing (for tests of other things).
    """

    tracking_uri: str = ""
    experiment: str = ""
    dagster_ui: str = ""
    mlflow_ui: str = ""
    wandb_project: str = ""
    enabled: bool = True

    def configured(self, home: Home) -> TrackingSettings:
        """What `data/tracking.yaml` says, and this resource in its place. It is no input of any table.

        Raises:
            InputError: The file, or the resource, says something that cannot be.
        """
        own = {name: getattr(self, name) for name in TrackingSettings.by_key() if getattr(self, name)}
        return TrackingSettings.parse({**read_setting(home, "tracking.yaml"), **own})

    def uri(self, home: Home) -> str:
        """The MLflow store."""
        return self.configured(home).uri(home.root)

    @contextmanager
    def training(self, home: Home, attempt: Attempt, log: Any) -> Iterator[TrainingRun]:
        """The tracking of a training, ended as FINISHED, FAILED (an exception) or KILLED (an interrupt).

        A process that is killed leaves its MLflow run RUNNING. The partition's next attempt ends it as KILLED and has a
        run of its own, with the whole curve from the checkpoint: a run tells of one Dagster run, and if the old process
        is not dead after all, the two do not write into each other's.

        Args:
            log: Of the step.

        Raises:
            InputError: `data/tracking.yaml` is wrong; anything else that goes wrong is told in the metadata.
        """
        run = TrainingRun(home, self.configured(home) if self.enabled else None, attempt, log)
        try:
            run.open()
            yield run
        except Exception:
            run.close("FAILED")
            raise
        except BaseException:
            run.close("KILLED")
            raise
        run.close("FINISHED")

    def mirror(self, home: Home, training: Training, champion: Champion | None, log: Any) -> dict[str, Any]:
        """Continue the run of the training: verdict, decision, values, the bundle as a registered version, the aliases.

        `challenger` names the newest partition's version; `champion` the version of the bundle that the release log
        says serves. It is set after the log has moved, so a run that dies between the two, or a server that is down,
        leaves an old alias, which the next run sets right. A failure is told and not raised: the log has decided.

        Args:
            champion: What serves by the release log; None: the logging policy, which has no version and no alias.
            log: Of the step.

        Returns:
            Metadata for the materialisation; `tracking` says what is missing.
        """
        if not self.enabled:
            return {}
        store = MlflowStore(home, self.configured(home))
        troubles = Troubles(log, {store.uri: "the MLflow store"} if store.settings.tracking_uri else {})
        links: dict[str, Any] = {}
        with troubles.survived("the MLflow run lacks the release; materialise `release` again to bring it"):
            links |= _release(store, training, log)
        return links | _champion_alias(store, champion, troubles)

    def mirror_champion(self, home: Home, champion: Champion | None, log: Any) -> dict[str, Any]:
        """Set the alias `champion` to what the release log says serves; told as by `mirror`."""
        if not self.enabled:
            return {}
        store = MlflowStore(home, self.configured(home))
        troubles = Troubles(log, {store.uri: "the MLflow store"} if store.settings.tracking_uri else {})
        return _champion_alias(store, champion, troubles)

    def end_abandoned(self, home: Home, dagster_run_id: str, status: str) -> list[str]:
        """End the MLflow runs that a Dagster run has left RUNNING.

        Args:
            dagster_run_id: A run that has ended.
            status: FAILED, KILLED or FINISHED.

        Returns:
            The ids of the MLflow runs that were ended; none where there is no store, and none is made.

        Raises:
            ValueError: MLflow has no such status.
        """
        return self._end(home, dagster_run_id, status, ("RUNNING",))

    def step_failed(self, home: Home, dagster_run_id: str) -> list[str]:
        """The gate has refused what a training made, or the step failed otherwise: its MLflow run has FAILED.

        Returns:
            The ids of the MLflow runs that say so now.
        """
        return self._end(home, dagster_run_id, "FAILED", ("RUNNING", "FINISHED"))

    def _end(self, home: Home, dagster_run: str, status: str, among: tuple[str, ...]) -> list[str]:
        if status not in STATUSES:
            raise ValueError(f"an MLflow run ends as one of {STATUSES}, not {status!r}")
        if not self.enabled:
            return []
        store = MlflowStore(home, self.configured(home))
        return store.end(f"tags.{OPENED_BY} = '{dagster_run}'", status, f"Dagster run {dagster_run} has ended", among)


def held_out_metrics(scores: Mapping[str, OutcomeScores]) -> dict[str, float]:
    """The model's scores on days that it never saw, by metric.

    Args:
        scores: Outcome -> of the model there; `log_loss` of the notes of `outcome_model`.
    """
    names = {
        "model": "log_loss",
        "constant": "log_loss_of_the_constant_rate",
        "calibration_error": "calibration_error",
    }
    return {
        f"{outcome}_{names[key]}": value
        for outcome, score in scores.items()
        for key, value in asdict(score).items()
        if value is not None
    }


def _champion_alias(store: MlflowStore, champion: Champion | None, troubles: Troubles) -> dict[str, Any]:
    links: dict[str, Any] = {}
    with troubles.survived("the alias `champion` may be old; the next release sets it right"):
        client = store.client()
        registered_model(client)
        links |= mirror_champion(client, champion)
    return links | troubles.metadata


def _trained(store: MlflowStore, training: Training) -> Any:
    """The MLflow run of the training that made the model; None where it was not tracked."""
    if training.trained_in is None:
        return None
    wanted = f"tags.{DAGSTER_RUN} = '{training.trained_in}' and tags.{PARTITION} = '{training.partition}'"
    runs = store.runs(wanted)
    # A step that was tried again has left more than one; what was published is of the newest that finished.
    return next((run for run in runs if run.info.status == "FINISHED"), runs[0] if runs else None)


def _release(store: MlflowStore, training: Training, log: Any) -> dict[str, Any]:
    day = training.partition.isoformat()
    old = _trained(store, training)
    trained_in = old.data.tags[DAGSTER_RUN] if old else training.dagster_run
    tags = {
        PARTITION: day,
        DAGSTER_RUN: trained_in,
        RELEASE_RUN: training.dagster_run,
        OPENED_BY: training.dagster_run,
        "verdict": training.verdict,
        "decision": training.decision,
        # Not parameters, which MLflow never changes: a training can be judged again, with another policy.
        **_flat(training.bundle),
        **dagster_link(store, day, trained_in if old else None, training.dagster_run),
    }
    mlflow = store.open(day, trained_in, tags, log, old.info.run_id if old else None)
    try:
        run = mlflow.active_run().info
        links = {"mlflow_run": linked(store, run)}
        if old is None:
            mlflow.log_params(dict(training.params))
        # A server that was down when the training ended has not seen its scores.
        have = old.data.metrics if old else {}
        scores = {name: value for name, value in training.scores.items() if name not in have}
        mlflow.log_metrics({**scores, **training.metrics})
        client = mlflow.tracking_client
        registered_model(client)
        if training.bundle is not None:
            content = canonical(dict(training.bundle))
            # By its hash: another bundle of the same training must not replace what a version points to.
            folder = f"{BUNDLE}/{sha256(content)[:12]}"
            log_files(mlflow, {**training.files, "bundle.json": content}, folder)
            source = f"{run.artifact_uri}/{folder}"
            version = register(client, sha256(content), source, run.run_id, training.partition, training.verdict)
            if training.newest:
                client.set_registered_model_alias(MODEL, "challenger", version)
            links["registered_version"] = version
    except Exception:
        close(mlflow, "FAILED")
        raise
    except BaseException:
        close(mlflow, "KILLED")
        raise
    close(mlflow, "FINISHED")
    return links


def _flat(bundle: Mapping[str, Any] | None) -> dict[str, str]:
    """The settings that a bundle was judged with, as tags."""
    parts = ("policy", "objective") if bundle else ()
    return {f"{part}.{name}": str(value) for part in parts for name, value in (bundle or {})[part].items()}
