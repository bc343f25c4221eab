"""A home's settings files, and the one that the gate itself reads: `lake.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from causalrec.answers import InputError
from causalrec.masking import masked

LAKE = "lake.yaml"
LEAST_MEMORY_MB = 100
"""With less, DuckDB cannot even read a row group."""


@dataclass(frozen=True)
class Retention:
    """How long the lake keeps what nobody reads any more.

    Attributes:
        versions: How many versions of a table's day are kept, the current one included.
        staging_days: After how many days what a killed run left behind is removed.
        quarantine_days: After how many days refused drafts and unusable rows are removed.
    """

    versions: int = 5
    staging_days: int = 2
    quarantine_days: int = 90


@dataclass(frozen=True)
class GateSettings:
    """What checking a table may use, and what it leaves for people.

    Attributes:
        memory_mb: Of memory, for the questions of one contract; what does not fit is spilled to the home's scratch.
        data_docs: Whether a page of each table and day says in words what held.
    """

    memory_mb: int = 1000
    data_docs: bool = True


@dataclass(frozen=True)
class LakeSettings:
    """`data/lake.yaml`.

    Attributes:
        root: A folder or an fsspec URL; empty: the home's `lake/`.
        storage_options: What fsspec is given beside the URL.
        single_writer: No two runs ever publish at the same time.
        retention: How long what nobody reads is kept.
        gate: What checking a table may use.
    """

    root: str = ""
    storage_options: Mapping[str, Any] = field(default_factory=dict)
    single_writer: bool = False
    retention: Retention = field(default_factory=Retention)
    gate: GateSettings = field(default_factory=GateSettings)


def parse_lake(raw: Mapping[str, Any], where: str = LAKE) -> LakeSettings:
    """Read the lake's settings; a key that is left out has the value of the template.

    Args:
        where: The file, for messages.

    Raises:
        InputError: An unknown key, or a value of another kind.
    """
    _refuse_unknown(raw, ("root", "storage_options", "single_writer", "retention", "gate"), where)
    root, options, single = raw.get("root"), raw.get("storage_options"), raw.get("single_writer", False)
    if not isinstance(root, str | None):
        said = masked(repr(root))
        raise InputError(f"{where}: `root` must be a folder or a URL such as s3://bucket/prefix, got {said}")
    if not isinstance(options, Mapping | None) or not all(isinstance(key, str) for key in options or {}):
        kind = type(options).__name__
        raise InputError(f"{where}: `storage_options` must map names to values, e.g. endpoint_url: ..., got a {kind}")
    if not isinstance(single, bool):
        raise InputError(f"{where}: `single_writer` must be true or false, got {single!r}")
    retention, gate = _parse_retention(raw.get("retention"), where), _parse_gate(raw.get("gate"), where)
    return LakeSettings((root or "").strip(), dict(options or {}), single, retention, gate)


def _parse_retention(raw: Any, where: str) -> Retention:
    if not isinstance(raw, Mapping | None):
        raise InputError(
            f"{where}: `retention` must map versions, staging_days, quarantine_days to numbers, got {raw!r}"
        )
    at_least = {"versions": 1, "staging_days": 1, "quarantine_days": 0}
    _refuse_unknown(raw or {}, tuple(at_least), f"{where}: `retention`")
    for key, value in (raw or {}).items():
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least[key]:
            raise InputError(
                f"{where}: `retention: {key}` must be a whole number of at least {at_least[key]}, got {value!r}"
            )
    return Retention(**(raw or {}))


def _parse_gate(raw: Any, where: str) -> GateSettings:
    if not isinstance(raw, Mapping | None):
        raise InputError(f"{where}: `gate` must map memory_mb to a number and data_docs to true or false, got {raw!r}")
    _refuse_unknown(raw or {}, ("memory_mb", "data_docs"), f"{where}: `gate`")
    gate = GateSettings(**(raw or {}))
    if not isinstance(gate.memory_mb, int) or isinstance(gate.memory_mb, bool) or gate.memory_mb < LEAST_MEMORY_MB:
        raise InputError(
            f"{where}: `gate: memory_mb` must be a whole number of at least {LEAST_MEMORY_MB}, got {gate.memory_mb!r}"
        )
    if not isinstance(gate.data_docs, bool):
        raise InputError(f"{where}: `gate: data_docs` must be true or false, got {gate.data_docs!r}")
    return gate


def _refuse_unknown(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := set(raw) - set(known):
        raise InputError(f"{where}: unknown key {sorted(map(str, unknown))}; known are {sorted(known)}")
