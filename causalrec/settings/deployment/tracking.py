"""`data/tracking.yaml`, and the links between Dagster and MLflow that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from causalrec.answers import InputError

WEB = ("http://", "https://")


@dataclass(frozen=True)
class TrackingSettings:
    """Where experiments are tracked, and where people look at them.

    Attributes:
        tracking_uri: An MLflow server or database; empty: a SQLite store in the home.
        experiment: MLflow's name for all runs of a deployment.
        dagster_ui, mlflow_ui: Base URLs for links; empty: no link.
        wandb_project: Used only where an API key is configured.
    """

    tracking_uri: str = ""
    experiment: str = "causalrec"
    dagster_ui: str = "http://localhost:3000"
    mlflow_ui: str = ""
    wandb_project: str = "causalrec"

    def uri(self, root: Path) -> str:
        """The MLflow store of a home."""
        return self.tracking_uri or f"sqlite:///{root / 'mlflow.db'}"

    def dagster_url(self, run: str) -> str | None:
        """A Dagster run in its UI."""
        return f"{self.dagster_ui.rstrip('/')}/runs/{run}" if self.dagster_ui else None

    def mlflow_url(self, experiment_id: str, run: str) -> str | None:
        """An MLflow run in its UI."""
        base = self.mlflow_ui or (self.tracking_uri if self.tracking_uri.startswith(WEB) else "")
        return f"{without_secret(base).rstrip('/')}/#/experiments/{experiment_id}/runs/{run}" if base else None


def parse_tracking(settings: Mapping[str, object]) -> TrackingSettings:
    """Read `data/tracking.yaml`. A missing key has its default: an older home has no such file.

    Raises:
        InputError: An unknown key, a value that is no text, no experiment, a UI that is no web address, or a
            store that MLflow cannot use.
    """
    known = {field.name for field in fields(TrackingSettings)}
    if unknown := set(settings) - known:
        raise InputError(f"tracking.yaml: unknown key {sorted(unknown)}; known are {sorted(known)}")
    for key, value in settings.items():
        if not isinstance(value, str):
            raise InputError(f'tracking.yaml: `{key}` must be text ("" for none), got {value!r}')
    found = TrackingSettings(**{key: str(value).strip() for key, value in settings.items()})
    if not found.experiment:
        raise InputError("tracking.yaml: `experiment` must name MLflow's experiment, e.g. causalrec")
    for key, address in {"dagster_ui": found.dagster_ui, "mlflow_ui": found.mlflow_ui}.items():
        if address and not address.startswith(WEB):
            raise InputError(f"tracking.yaml: `{key}` must begin with http:// or https://, got {address!r}")
    if found.tracking_uri and ("://" not in found.tracking_uri or found.tracking_uri.startswith("file:")):
        raise InputError(
            "tracking.yaml: `tracking_uri` must be a server (https://...) or a database (sqlite:///...), for MLflow "
            f'has given up stores of plain files; got {found.tracking_uri!r}; "" is a store in the home'
        )
    return found


def without_secret(uri: str) -> str:
    """A URI for people: without the user and the password that it may hold."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def data_pointers(recorded: Mapping[str, str]) -> dict[str, str]:
    """What a training was made from, short enough for tags; the whole is in `inputs.json`.

    Args:
        recorded: `Inputs.recorded`: `table:NAME:DAY`, `setting:FILE`, `code:ASSET` and others -> hash.
    """
    from causalrec.hashing import canonical, sha256

    tags: dict[str, str] = {"inputs": sha256(canonical(dict(recorded)))[:16]}
    days: dict[str, dict[str, str]] = {}
    for key, value in recorded.items():
        kind, _, rest = key.partition(":")
        if kind == "table":
            name, _, day = rest.partition(":")
            days.setdefault(name, {})[day] = value
        elif kind in ("setting", "code"):
            tags[f"{kind}.{rest}"] = value[:16]
    for name, hashes in days.items():
        first, last = min(hashes), max(hashes)
        if len(hashes) == 1:
            tags[f"data.{name}"] = f"{first}: {hashes[first][:16]}"
        else:
            tags[f"data.{name}"] = f"{first} to {last}, {len(hashes)} days: {sha256(canonical(hashes))[:16]}"
    return tags
