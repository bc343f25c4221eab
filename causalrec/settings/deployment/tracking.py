"""`data/tracking.yaml`, and the links between Dagster and MLflow that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from pydantic import ConfigDict

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must

WEB = ("http://", "https://")
Name = Annotated[str, Must('text ("" for none)')]
Address = Annotated[
    str,
    Must(
        'an address that begins with http:// or https:// ("" for none)',
        lambda address: not address or address.startswith(WEB),
    ),
]


def _is_store(uri: str) -> bool:
    return not uri or ("://" in uri and not uri.startswith("file:"))


class TrackingSettings(Settings):
    """Where experiments are tracked, and where people look at them.

    Attributes:
        tracking_uri: An MLflow server or database; empty: a SQLite store in the home.
        experiment: MLflow's name for all runs of a deployment.
        dagster_ui: Base URL for links to Dagster; empty: no link.
        mlflow_ui: Base URL for links to MLflow; empty: no link, unless `tracking_uri` is a web address.
        wandb_project: Used only where an API key is configured.
    """

    model_config = ConfigDict(str_strip_whitespace=True)
    FILE = "tracking.yaml"

    tracking_uri: Annotated[
        str,
        Must(
            "a server (https://...) or a database (sqlite:///...), for MLflow has given up stores of plain files "
            '(text; "" is a store in the home)',
            _is_store,
        ),
    ] = ""
    experiment: Annotated[str, Must("text: MLflow's name of the experiment, e.g. causalrec", bool)] = "causalrec"
    dagster_ui: Address = "http://localhost:3000"
    mlflow_ui: Address = ""
    wandb_project: Name = "causalrec"

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
