"""The model registry, mirroring what the release log says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from causalrec_assets.lake.releases import Champion, DrawnBy

MODEL = "causalrec"
BUNDLE = "bundle"


def registered_model(client: Any) -> None:
    """Make the registry's entry, if it is not there."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def find_version(client: Any, bundle: str) -> str | None:
    """The registered version of a bundle, by its hash."""
    versions = client.search_model_versions(f"name='{MODEL}' and tags.{BUNDLE}='{bundle}'")
    return str(versions[0].version) if versions else None


def register(client: Any, bundle: str, source: str, run_id: str, partition: date, verdict: str) -> str:
    """The version of a bundle, registered if it is not yet."""
    version = find_version(client, bundle)
    if version is None:
        tags: Mapping[str, str] = {BUNDLE: bundle, "partition": partition.isoformat(), "verdict": verdict}
        version = str(client.create_model_version(MODEL, source, run_id, tags=dict(tags)).version)
    return version


def mirror_champion(client: Any, champion: Champion | None) -> dict[str, str]:
    """Make the alias `champion` say what the release log says."""
    aliases = client.get_registered_model(MODEL).aliases
    if champion is None:
        if "champion" in aliases:
            client.delete_registered_model_alias(MODEL, "champion")
        return {"champion_alias": "none: the logging policy serves"}
    version = find_version(client, champion.bundle_hash)
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
    # What logs of its slates carry in the column `policy`.
    client.set_model_version_tag(MODEL, version, "log_as_policy", str(DrawnBy(champion.entry)))
    return {"champion_alias": f"version {version}, of {champion.partition}"}
